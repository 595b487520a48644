package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mqttlab/netem/link"
	"mqttlab/netem/pcapng"
	"mqttlab/netem/stack"
	"mqttlab/reports/model"
	"mqttlab/simulator/device"
	"mqttlab/simulator/live"
	"mqttlab/simulator/scenario"
)

// emulatedEngine puts each device behind a lossy link, on the wall clock. Each group has one network or more, each of which is a loop.
type emulatedEngine struct {
	target   target
	scenario *scenario.Scenario
	capture  *pcapng.Writer
	streams  []atomic.Int64 // bytes that TCP carried, by group
	networks []*network
	byGroup  [][]*network
	models   []models
	sinks    liveSinks
	logger   *slog.Logger

	begun  bool
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// network is one network with what its devices share.
type network struct {
	*stack.Network
	loop    int
	scratch *device.Scratch
	buffer  []byte
}

// perNetwork is how many devices share a network while there are cores for another.
const perNetwork = 2000

func newEmulatedEngine(s *scenario.Scenario, t target, o *Options) (*emulatedEngine, error) {
	logger := o.Logger
	e := &emulatedEngine{
		target: t, scenario: s, capture: o.Capture, streams: make([]atomic.Int64, len(s.Groups)),
		sinks: newLiveSinks(t, t.layer(o.TLS), logger), logger: logger,
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	shards := func(g *scenario.Group) int { return min(runtime.GOMAXPROCS(0), 1+g.Count/perNetwork) }
	all := 0
	for i := range s.Groups {
		all += shards(&s.Groups[i])
	}
	for i := range s.Groups {
		g := &s.Groups[i]
		m, err := compile(g)
		if err != nil {
			e.close()
			return nil, fmt.Errorf("group %q: %w", g.Name, err)
		}
		e.models = append(e.models, m)
		e.byGroup = append(e.byGroup, nil)
		for range shards(g) {
			n, err := stack.New(stack.Config{
				Seed: seedOf(s.Seed, uint64(len(e.networks)), seedNetwork), MTUBytes: g.Link.MTUBytes,
				MaxDials: max(1, live.DefaultDials/all), Logger: logger,
			})
			if err != nil {
				e.close()
				return nil, err
			}
			made := &network{Network: n, loop: len(e.networks), scratch: device.NewScratch(), buffer: make([]byte, readBufferBytes)}
			e.networks = append(e.networks, made)
			e.byGroup[i] = append(e.byGroup[i], made)
		}
	}
	return e, nil
}

func (e *emulatedEngine) now() time.Time { return time.Now() }

func (e *emulatedEngine) sinkHost() (device.Host, *device.Scratch, error) { return e.sinks.sinkHost() }

func (e *emulatedEngine) sensorHost(group, index int) (device.Host, *device.Scratch, int, error) {
	n := e.byGroup[group][index%len(e.byGroup[group])]
	d, err := n.AddDevice(e.models[group].device(e.capture))
	if err != nil {
		return nil, nil, 0, err
	}
	address, secure := e.target.of(&e.scenario.Groups[group])
	var h device.Host = &linkHost{Network: n.Network, device: d, links: e.models[group], target: address, buffer: n.buffer, stream: &e.streams[group]}
	if secure {
		h = e.sinks.layer.Host(h, n.Post)
	}
	return h, n.scratch, n.loop, nil
}

func (e *emulatedEngine) begin() {
	e.begun = true
	for _, n := range e.networks {
		e.work.Add(1)
		go func() {
			defer e.work.Done()
			if err := n.Run(e.ctx, time.Time{}); err != nil && !errors.Is(err, context.Canceled) {
				e.logger.Error("network stopped", "error", err)
			}
		}()
	}
}

func (e *emulatedEngine) on(loop int, f func()) {
	if loop == sinkLoop {
		e.sinks.loop.Do(f)
		return
	}
	if !e.begun {
		f()
		return
	}
	done := make(chan struct{})
	e.networks[loop].Post(func() {
		f()
		close(done)
	})
	<-done
}

func (e *emulatedEngine) pass(ctx context.Context, until time.Time) error { return sleep(ctx, until) }

func (e *emulatedEngine) wire(group int) model.Wire {
	var up, down link.Counters
	var retransmissions uint64
	for _, n := range e.byGroup[group] {
		s := n.Stats()
		up.Add(s.Up)
		down.Add(s.Down)
		retransmissions += s.RetransmissionsUp + s.RetransmissionsDown
	}
	return wireOf(up, down, retransmissions)
}

func (e *emulatedEngine) stream(group int) int64 { return e.streams[group].Load() }

func (e *emulatedEngine) validity() model.Validity {
	v := e.sinks.validity()
	for _, n := range e.networks {
		l := n.Stats().Lateness
		v = worse(v, model.Validity{
			Valid: l.Invalid() == "", Reason: strings.TrimPrefix(l.Invalid(), "INVALID: "),
			LatenessP99MS: model.Millis(l.WorstP99), LatenessLimitMS: model.Millis(l.Limit),
		})
	}
	return v
}

func (e *emulatedEngine) close() {
	e.sinks.layer.Close()
	e.cancel()
	e.work.Wait()
	for _, n := range e.networks {
		if err := n.Close(); err != nil {
			e.logger.Error("network not closed", "error", err)
		}
	}
	e.sinks.loop.Close()
}
