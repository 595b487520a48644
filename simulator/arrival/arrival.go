// Package arrival says when the messages of a device are due.
//
// A Pace is a pure function of its figures and a seeded random source: the same source yields the same times, on any clock. It knows
// nothing of whether a message could be sent; that is what makes a run an open loop, where a slow target can't slow down its own load.
//
//	constant   first + k·Interval; the devices' first times lie within Spread·Interval
//	poisson    gaps drawn from the exponential distribution with mean Interval
//
// # Design
//
// The phase of a device is drawn at random, not dealt out evenly: evenly spread phases would show a target the smoothest load that exists, and
// real devices are switched on when somebody gets to them. Drift is impossible: times are added up as integers, never measured.
package arrival

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Kind is the process by which messages become due.
type Kind uint8

// The kinds.
const (
	Constant Kind = iota
	Poisson
)

// Kinds lists the names of all kinds, in the order of their values.
func Kinds() []string { return []string{"constant", "poisson"} }

// String returns the name used in scenario files.
func (k Kind) String() string {
	if int(k) < len(Kinds()) {
		return Kinds()[k]
	}
	return fmt.Sprintf("arrival %d", uint8(k))
}

// Pace is how often a device has something to say.
type Pace struct {
	Kind Kind
	// Interval is the time between two messages, for Poisson its mean. Above zero.
	Interval time.Duration
	// Spread is the part of Interval over which the phases of a Constant pace are spread: 0 all devices in step, 1 evenly at any time. Poisson ignores it.
	Spread float64
}

// First returns when the first message is due, from the start of the schedule.
func (p Pace) First(rnd *rand.Rand) time.Duration {
	if p.Kind == Poisson {
		return p.gap(rnd)
	}
	return time.Duration(p.Spread * rnd.Float64() * float64(p.Interval))
}

// Next returns when the message after the one due at last is due.
func (p Pace) Next(last time.Duration, rnd *rand.Rand) time.Duration {
	if p.Kind == Poisson {
		return last + p.gap(rnd)
	}
	return last + p.Interval
}

// gap draws an exponential gap. At least a nanosecond, so that time moves on.
func (p Pace) gap(rnd *rand.Rand) time.Duration {
	return max(1, time.Duration(rnd.ExpFloat64()*float64(p.Interval)))
}
