package fleet

import (
	"context"
	"sync/atomic"
	"time"

	"mqttlab/netem/link"
	"mqttlab/netem/pcapng"
	"mqttlab/netem/stack"
	"mqttlab/reports/model"
	"mqttlab/simulator/device"
	"mqttlab/simulator/scenario"
)

// virtualEngine has everything in one network on a virtual clock: devices, sinks and the broker.
type virtualEngine struct {
	*stack.Network
	broker  *virtualBroker
	scratch *device.Scratch
	buffer  []byte
	models  []models
	groups  [][]*stack.Device
	capture *pcapng.Writer
	streams []atomic.Int64 // bytes that TCP carried, by group
}

// virtualAddress is where the broker listens in its network.
const virtualAddress = "broker:1883"

func newVirtualEngine(s *scenario.Scenario, o *Options) (*virtualEngine, error) {
	logger := o.Logger
	e := &virtualEngine{capture: o.Capture, scratch: device.NewScratch(), buffer: make([]byte, readBufferBytes), groups: make([][]*stack.Device, len(s.Groups)), streams: make([]atomic.Int64, len(s.Groups))}
	mtu := 0
	for i := range s.Groups {
		l := &s.Groups[i].Link
		m, err := compile(&s.Groups[i])
		if err != nil {
			return nil, err
		}
		e.models = append(e.models, m)
		if l.MTUBytes > 0 && (mtu == 0 || l.MTUBytes < mtu) {
			mtu = l.MTUBytes
		}
	}
	var err error
	if e.Network, err = stack.New(stack.Config{Seed: seedOf(s.Seed, 0, seedNetwork), Virtual: true, MTUBytes: mtu, Logger: logger}); err != nil {
		return nil, err
	}
	e.broker = newVirtualBroker(e.Network, s.Seed, logger)
	if err := e.Listen(virtualAddress, e.broker.accept); err != nil {
		_ = e.Close()
		return nil, err
	}
	return e, nil
}

func (e *virtualEngine) now() time.Time { return e.Now() }

func (e *virtualEngine) host(c stack.DeviceConfig) (*linkHost, error) {
	d, err := e.AddDevice(c)
	if err != nil {
		return nil, err
	}
	return &linkHost{Network: e.Network, device: d, target: virtualAddress, buffer: e.buffer}, nil
}

func (e *virtualEngine) sinkHost() (device.Host, *device.Scratch, error) {
	h, err := e.host(stack.DeviceConfig{})
	return h, e.scratch, err
}

func (e *virtualEngine) sensorHost(group, _ int) (device.Host, *device.Scratch, int, error) {
	h, err := e.host(e.models[group].device(e.capture))
	if err != nil {
		return nil, nil, 0, err
	}
	h.links, h.stream = e.models[group], &e.streams[group]
	h.device.UserData = new(uint64) // retransmissions of the broker towards it
	e.groups[group] = append(e.groups[group], h.device)
	return h, e.scratch, 0, nil
}

func (e *virtualEngine) begin() {}

// on calls f at once: time stands still between two calls of pass.
func (e *virtualEngine) on(_ int, f func()) { f() }

func (e *virtualEngine) pass(ctx context.Context, until time.Time) error { return e.Run(ctx, until) }

func (e *virtualEngine) wire(group int) model.Wire {
	var up, down link.Counters
	var retransmissions uint64
	for _, d := range e.groups[group] {
		u, v := d.Counters()
		up.Add(u)
		down.Add(v)
		retransmissions += d.Retransmissions() + e.broker.retransmissions(d)
	}
	return wireOf(up, down, retransmissions)
}

func (e *virtualEngine) stream(group int) int64 { return e.streams[group].Load() }

// validity: virtual time is never late.
func (e *virtualEngine) validity() model.Validity { return model.Validity{Valid: true} }

func (e *virtualEngine) close() {
	if err := e.Close(); err != nil {
		e.broker.logger.Error("network not closed", "error", err)
	}
}
