// Package arrival says when the messages of a device are due.
//
// A Pace is a pure function of its figures and a seeded random source: the same source yields the same times, on any clock. It knows
// nothing of whether a message could be sent; that is what makes a run an open loop, where a slow target can't slow down its own load.
//
//	constant   first + k·Interval; the devices' first times lie within Spread·Interval
//	poisson    gaps drawn from the exponential distribution with mean Interval
//	burst      as constant, but Burst messages at a time, Gap apart
//	diurnal    as poisson, at a rate that swings by Swing around its mean within a day, highest at Peak
//	on-change  as constant, for looking whether there is something to say; whether there is, the device knows
//
// Stages bend time: in a stage of rate 3 everything happens three times as often.
//
// # Design
//
// The phase of a device is drawn at random, not dealt out evenly: evenly spread phases would show a target the smoothest load that exists, and
// real devices are switched on when somebody gets to them. Drift is impossible: times are added up as integers, never measured.
//
// Stages are a map from the time of a Pace to that of the run, not a factor on the gaps: so a stage means the same to every kind, and a gap that
// reaches into the next stage is shortened by as much of it as lies there.
package arrival

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Kind is the process by which messages become due.
type Kind uint8

// The kinds.
const (
	Constant Kind = iota
	Poisson
	Burst
	Diurnal
	OnChange
)

// Kinds lists the names of all kinds, in the order of their values.
func Kinds() []string { return []string{"constant", "poisson", "burst", "diurnal", "on-change"} }

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
	// Interval is the time between two messages (of Burst: two bursts), for Poisson and Diurnal its mean. Above zero.
	Interval time.Duration
	// Spread is the part of Interval over which the phases are spread: 0 all devices in step, 1 evenly at any time. Poisson and Diurnal ignore it.
	Spread float64
	// Burst is how many messages a burst has, and Gap the time between two of them. All of them fit into Interval. 0 counts as 1.
	Burst int
	Gap   time.Duration
	// Swing is by how much of its mean the rate of Diurnal swings, 0 to 1; Peak is when it is highest, from the start, once a day.
	Swing float64
	Peak  time.Duration
}

// Day is the period of Diurnal.
const Day = 24 * time.Hour

// First returns when the first message is due, from the start of the schedule.
func (p Pace) First(rnd *rand.Rand) time.Duration {
	switch p.Kind {
	case Poisson:
		return p.gap(rnd)
	case Diurnal:
		return p.thinned(0, rnd)
	}
	return time.Duration(p.Spread * rnd.Float64() * float64(p.Interval))
}

// Next returns when the message after the one due at last is due. sent counts the messages up to that one, itself included.
func (p Pace) Next(last time.Duration, sent int, rnd *rand.Rand) time.Duration {
	switch p.Kind {
	case Poisson:
		return last + p.gap(rnd)
	case Diurnal:
		return p.thinned(last, rnd)
	case Burst:
		n := max(1, p.Burst)
		if sent%n != 0 {
			return last + p.Gap
		}
		return last + p.Interval - time.Duration(n-1)*p.Gap
	}
	return last + p.Interval
}

// PerInterval is how many messages are due in an Interval, in the mean; of OnChange, at most.
func (p Pace) PerInterval() float64 {
	if p.Kind == Burst {
		return float64(max(1, p.Burst))
	}
	return 1
}

// gap draws an exponential gap. At least a nanosecond, so that time moves on.
func (p Pace) gap(rnd *rand.Rand) time.Duration {
	return max(1, time.Duration(rnd.ExpFloat64()*float64(p.Interval)))
}

// thinned draws from a Poisson process of the highest rate and keeps each time with the probability that the rate has there (Lewis and Shedler 1979).
func (p Pace) thinned(last time.Duration, rnd *rand.Rand) time.Duration {
	highest := 1 + p.Swing
	for at := last; ; {
		at += max(1, time.Duration(rnd.ExpFloat64()*float64(p.Interval)/highest))
		rate := 1 + p.Swing*math.Cos(2*math.Pi*float64((at-p.Peak)%Day)/float64(Day))
		if rnd.Float64()*highest < rate {
			return at
		}
	}
}
