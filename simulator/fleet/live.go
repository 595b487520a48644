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
)

// liveEngine connects devices by plain sockets.
type liveEngine struct {
	loops     []*live.Loop
	scratches []*device.Scratch
	traffic   []live.Traffic // by group
	sinks     liveSinks
	loopback  bool
	made      int
}

// liveSinks is the loop of the sinks, in both modes on the wall clock.
type liveSinks struct {
	loop    *live.Loop
	scratch *device.Scratch
	traffic live.Traffic
}

func newLiveSinks(address string, logger *slog.Logger) liveSinks {
	return liveSinks{loop: live.New(live.Config{Target: address, Logger: logger}), scratch: device.NewScratch()}
}

func (s *liveSinks) sinkHost() (device.Host, *device.Scratch, error) {
	return s.loop.Host(&s.traffic, netip.Addr{}), s.scratch, nil
}

func newLiveEngine(groups int, address string, logger *slog.Logger) *liveEngine {
	e := &liveEngine{traffic: make([]live.Traffic, groups), sinks: newLiveSinks(address, logger)}
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
	h := e.loops[loop].Host(&e.traffic[group], e.source())
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
	for _, l := range e.loops {
		l.Close()
	}
	e.sinks.loop.Close()
}
