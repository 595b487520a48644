package ledger

import (
	"slices"
	"time"

	"mqttlab/reports/model"
)

// State is what a device is doing, for the series over time.
type State uint8

// The states.
const (
	Off        State = iota // not started yet, stopped, or given up for good
	Waiting                 // until its reconnect policy lets it try again
	Connecting              // from the first SYN to CONNACK
	Connected
	Asleep // without a connection on purpose, until there is something to send
	Down   // without power, or unplugged
	stateCount
)

// StateNames are the names of the states in a record, in the order of their values.
func StateNames() []string {
	return []string{"off", "waiting", "connecting", "connected", "asleep", "down"}
}

// optional reports whether a state is left out of a record when no device was ever in it.
func (s State) optional() bool { return s == Asleep || s == Down }

// String returns the name.
func (s State) String() string { return StateNames()[s] }

// Moved enters that a device, by its number within the fleet, went from one state to another.
func (b *Book) Moved(at time.Duration, device uint32, from, to State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.states[from]--
	b.states[to]++
	a := &b.devices[device-b.cfg.FirstDevice]
	was := a.away
	switch to {
	case Waiting, Down:
		a.away = true
	case Off, Connected, Asleep:
		a.away = false
	}
	b.storms.moved(at, was, a.away, to == Connecting && a.away, b.states[Connected]+b.states[Asleep])
}

// Carried is what the links of a group have carried since the start.
type Carried struct {
	UpBytes, DownBytes, Retransmissions int64
	Packets                             bool // whether retransmissions are counted
}

// Sample ends one step of the series: it notes the states of the devices, and what the links have carried since the step before. carried is nil where
// that is not measured. Steps must be ended in order and at their time, one call each.
func (b *Book) Sample(step int, carried *Carried) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.series.at(step)
	s.states = b.states
	if carried != nil {
		s.carried = Carried{
			UpBytes:         carried.UpBytes - b.series.carried.UpBytes,
			DownBytes:       carried.DownBytes - b.series.carried.DownBytes,
			Retransmissions: carried.Retransmissions - b.series.carried.Retransmissions,
		}
		b.series.carried, b.series.measured = *carried, true
	}
	b.series.sampled = max(b.series.sampled, step+1)
}

// series holds one step per interval, in blocks of nothing but counters.
type series struct {
	steps    []step
	sampled  int // steps that have been ended
	carried  Carried
	measured bool
}

type step struct {
	sent, acknowledged, delivered int64
	carried                       Carried
	states                        [stateCount]int64
}

func (s *series) now(at, interval time.Duration) *step { return s.at(int(max(at, 0) / interval)) }

func (s *series) at(i int) *step {
	for len(s.steps) <= i {
		s.steps = append(s.steps, step{})
	}
	return &s.steps[i]
}

// Series returns the rates and the states over time. All slices have the same length. A last step that was not ended by Sample has the states as they are
// now.
func (b *Book) Series() (model.Rates, []model.StateSeries) {
	b.mu.Lock()
	defer b.mu.Unlock()
	steps := b.series.steps
	for i := b.series.sampled; i < len(steps); i++ {
		steps[i].states = b.states
	}
	pick := func(f func(*step) int64) []int64 {
		out := make([]int64, len(steps))
		for i := range steps {
			out[i] = f(&steps[i])
		}
		return out
	}
	r := model.Rates{
		Sent:      pick(func(s *step) int64 { return s.sent }),
		Delivered: pick(func(s *step) int64 { return s.delivered }),
	}
	if b.cfg.QoS > 0 {
		r.Acknowledged = pick(func(s *step) int64 { return s.acknowledged })
	}
	if b.series.measured {
		r.UpBytes = pick(func(s *step) int64 { return s.carried.UpBytes })
		r.DownBytes = pick(func(s *step) int64 { return s.carried.DownBytes })
	}
	if b.series.carried.Packets {
		r.Retransmissions = pick(func(s *step) int64 { return s.carried.Retransmissions })
	}
	var states []model.StateSeries
	for state, name := range StateNames() {
		counts := pick(func(s *step) int64 { return s.states[state] })
		if State(state).optional() && !slices.ContainsFunc(counts, func(n int64) bool { return n > 0 }) {
			continue
		}
		states = append(states, model.StateSeries{State: name, Counts: counts})
	}
	return r, states
}
