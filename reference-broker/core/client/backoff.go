package client

import (
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait before the next attempt to connect: Min, doubled with each failure up to Max, each time shortened by a random
// part of up to Jitter of itself, so that a fleet that lost its Server together does not come back together.
type Backoff struct {
	// Min is the wait after the first failure. 0: DefaultBackoffMin.
	Min time.Duration
	// Max is the longest wait before jitter. 0: DefaultBackoffMax. Less than Min counts as Min.
	Max time.Duration
	// Jitter is the random part, from 0 (none) to 1 (anything down to no wait at all). Values outside are clamped.
	Jitter float64
}

// Defaults of [Backoff]. A second is soon enough for a person and late enough for a Server that restarts; after minutes of absence two
// more do not matter.
const (
	DefaultBackoffMin = time.Second
	DefaultBackoffMax = 2 * time.Minute
)

// Wait returns the wait before attempt number failures+1, where failures counts the attempts since the last CONNACK of Success. It is a
// pure function of its arguments and what rnd yields; rnd may be nil if Jitter is 0.
func (b Backoff) Wait(failures int, rnd *rand.Rand) time.Duration {
	low, high := b.Min, b.Max
	if low <= 0 {
		low = DefaultBackoffMin
	}
	if high <= 0 {
		high = DefaultBackoffMax
	}
	high = max(high, low)
	wait := low
	for i := 1; i < failures && wait < high; i++ {
		wait *= 2
	}
	wait = min(wait, high)
	jitter := min(max(b.Jitter, 0), 1)
	if jitter == 0 || rnd == nil {
		return wait
	}
	return wait - time.Duration(jitter*rnd.Float64()*float64(wait))
}
