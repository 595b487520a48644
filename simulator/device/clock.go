package device

import (
	"math"
	"time"
)

// clock is a device's own clock. drift is by how much it is fast; the zero value is right.
type clock struct{ drift float64 }

// truth returns what has really passed when the device's clock has counted d. It rounds down, so that nothing happens before its time.
func (c clock) truth(d time.Duration) time.Duration {
	if c.drift == 0 {
		return d
	}
	return time.Duration(math.Floor(float64(d) / (1 + c.drift)))
}

// reads returns what the device's clock counts while d really passes.
func (c clock) reads(d time.Duration) time.Duration {
	return time.Duration(math.Floor(float64(d) * (1 + c.drift)))
}

// drifting is a Host as a device with a wrong clock sees it.
type drifting struct {
	Host
	start time.Time
	clock clock
}

// Now implements Host.
func (h *drifting) Now() time.Time { return h.start.Add(h.clock.reads(h.Host.Now().Sub(h.start))) }

// NewTimer implements Host.
func (h *drifting) NewTimer(f func()) Timer { return &driftingTimer{h.Host.NewTimer(f), h} }

type driftingTimer struct {
	Timer
	host *drifting
}

// roundingError is more than two conversions of a year can be off: a timer that went off before its time by the device's clock would be set again at once,
// and in virtual time for ever.
const roundingError = 16 * time.Nanosecond

// Set implements Timer.
func (t *driftingTimer) Set(at time.Time) {
	h := t.host
	t.Timer.Set(h.start.Add(h.clock.truth(at.Sub(h.start)) + roundingError))
}
