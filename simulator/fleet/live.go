package fleet

import (
	"context"
	"log/slog"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"

	"mqttlab/reports/model"
	"mqttlab/simulator/device"
	"mqttlab/simulator/live"
	"mqttlab/simulator/scenario"
	"mqttlab/simulator/secure"
)

// liveEngine connects devices by plain sockets.
type liveEngine struct {
	loops     []*live.Loop
	scratches []*device.Scratch
	traffic   []live.Traffic // by group
	sinks     liveSinks
	target    target
	scenario  *scenario.Scenario
	loopback  bool
	made      int
}

// liveSinks is the loop of the sinks, in both modes on the wall clock.
type liveSinks struct {
	loop    *live.Loop
	scratch *device.Scratch
	traffic live.Traffic
	layer   *secure.Layer // of the devices too
	secure  bool
}

func newLiveSinks(t target, layer *secure.Layer, logger *slog.Logger) liveSinks {
	return liveSinks{loop: live.New(live.Config{Target: t.address, Logger: logger}), scratch: device.NewScratch(), layer: layer, secure: t.secure}
}

func (s *liveSinks) sinkHost() (device.Host, *device.Scratch, error) {
	h := s.loop.Host(&s.traffic, netip.Addr{})
	if s.secure {
		h = s.layer.Host(h, s.loop.Do)
	}
	return h, s.scratch, nil
}

func newLiveEngine(s *scenario.Scenario, t target, layer *secure.Layer, logger *slog.Logger) *liveEngine {
	e := &liveEngine{traffic: make([]live.Traffic, len(s.Groups)), sinks: newLiveSinks(t, layer, logger), target: t, scenario: s}
	address := t.address
	dials := semaphore.NewWeighted(live.DefaultDials)
	for range runtime.GOMAXPROCS(0) {
		e.loops = append(e.loops, live.New(live.Config{Target: address, Dials: dials, Logger: logger}))
		e.scratches = append(e.scratches, device.NewScratch())
	}
	if a, err := netip.ParseAddrPort(address); err == nil {
		e.loopback = a.Addr().IsLoopback() && a.Addr().Is4()
	}
	return e
}

func (e *liveEngine) now() time.Time { return time.Now() }

func (e *liveEngine) sinkHost() (device.Host, *device.Scratch, error) { return e.sinks.sinkHost() }

// perSource is how many devices share a source address where there are several: the kernel has 28,000 ports for each, of which some are in TIME-WAIT.
const perSource = 8192

// source returns the address that the next device comes from. Only loopback has more than one for free.
func (e *liveEngine) source() netip.Addr {
	n := e.made / perSource
	if !e.loopback || n == 0 {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte{127, 0, 1, byte(n)})
}

func (e *liveEngine) sensorHost(group, _ int) (device.Host, *device.Scratch, int, error) {
	loop := e.made % len(e.loops)
	address, secure := e.target.of(&e.scenario.Groups[group])
	h := e.loops[loop].HostTo(address, &e.traffic[group], e.source())
	if secure {
		h = e.sinks.layer.Host(h, e.loops[loop].Do)
	}
	e.made++
	return h, e.scratches[loop], loop, nil
}

func (e *liveEngine) begin() {}

func (e *liveEngine) on(loop int, f func()) {
	if loop == sinkLoop {
		e.sinks.loop.Do(f)
		return
	}
	e.loops[loop].Do(f)
}

func (e *liveEngine) pass(ctx context.Context, until time.Time) error { return sleep(ctx, until) }

func (e *liveEngine) wire(group int) model.Wire {
	t := &e.traffic[group]
	return model.Wire{Layer: "tcp-payload", UpBytes: t.Up.Load(), DownBytes: t.Down.Load()}
}

func (e *liveEngine) stream(group int) int64 {
	t := &e.traffic[group]
	return t.Up.Load() + t.Down.Load()
}

func (e *liveEngine) validity() model.Validity {
	v := e.sinks.validity()
	for _, l := range e.loops {
		v = worse(v, liveValidity(l.Lateness()))
	}
	return v
}

func (s *liveSinks) validity() model.Validity { return liveValidity(s.loop.Lateness()) }

func liveValidity(l live.Lateness) model.Validity {
	return model.Validity{
		Valid: l.Invalid() == "", Reason: l.Invalid(),
		LatenessP99MS: model.Millis(l.WorstP99), LatenessLimitMS: model.Millis(live.LatenessLimit),
	}
}

// worse returns the verdict of the later of two loops.
func worse(a, b model.Validity) model.Validity {
	if b.LatenessP99MS > a.LatenessP99MS {
		return b
	}
	return a
}

func (e *liveEngine) close() {
	e.sinks.layer.Close()
	for _, l := range e.loops {
		l.Close()
	}
	e.sinks.loop.Close()
}
