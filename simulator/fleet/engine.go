package fleet

import (
	"context"
	"time"

	"mqttlab/reports/model"
	"mqttlab/simulator/device"
	"mqttlab/simulator/ledger"
)

// engine is a mode: it has hosts for devices and lets time pass. The order of calls is that of the methods.
type engine interface {
	// now returns the time on the devices' clock.
	now() time.Time
	// sinkHost returns where a group's sink lives; on(sinkLoop, ...) reaches it.
	sinkHost() (device.Host, *device.Scratch, error)
	// sensorHost returns where a device of a group lives, and its loop. All devices are made before begin.
	sensorHost(group, index int) (h device.Host, s *device.Scratch, loop int, err error)
	// begin starts the loops of the devices.
	begin()
	// on calls f on a loop and waits until it has returned. Loops that have not begun are nobody's yet, so f is called at once.
	on(loop int, f func())
	// pass lets time pass until a moment on the devices' clock, or until ctx is done and returns its cause.
	pass(ctx context.Context, until time.Time) error
	// wire returns what the group has put on its links so far. It must not be called from a loop.
	wire(group int) model.Wire
	// stream returns how many bytes TCP has carried for the group, both directions together.
	stream(group int) int64
	// validity says whether the engine kept up.
	validity() model.Validity
	// close ends everything. The devices are not called any more.
	close()
}

// sinkLoop is the loop of all sinks.
const sinkLoop = -1

// carried picks what the series over time show of w.
func carried(w model.Wire) *ledger.Carried {
	return &ledger.Carried{UpBytes: w.UpBytes, DownBytes: w.DownBytes, Retransmissions: w.Retransmissions, Packets: w.CountsPackets()}
}

// sleep is pass on the wall clock.
func sleep(ctx context.Context, until time.Time) error {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
