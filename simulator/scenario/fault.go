package scenario

import (
	"slices"
	"time"
)

// FaultKind is what happens to a device.
type FaultKind uint8

// The kinds of faults.
const (
	// BatteryPull takes a device's power: it vanishes without a word, and with its memory. Until it is back it makes no messages.
	BatteryPull FaultKind = iota
	// CableUnplug takes a device off the network without a word to the target. The device notices, and keeps its messages.
	CableUnplug
	// Outage takes the link away, and nobody is told: TCP and Keep Alive have to find out.
	Outage
	// ClockDrift makes devices' clocks wrong, each by a part of its own, for the whole run.
	ClockDrift
	// DuplicateClientID gives devices the Client Identifier of another one of their group, for the whole run.
	DuplicateClientID
)

// FaultKinds lists the names of all kinds, in the order of their values.
func FaultKinds() []string {
	return []string{"battery-pull", "cable-unplug", "outage", "clock-drift", "duplicate-client-id"}
}

// String returns the name used in scenario files.
func (k FaultKind) String() string { return FaultKinds()[k] }

// Timed reports whether the fault has a beginning and an end.
func (k FaultKind) Timed() bool { return k <= Outage }

// Fault is something that goes wrong with some of the devices.
type Fault struct {
	Kind FaultKind
	// Groups it strikes; none: all.
	Groups []string
	// Share of each group's devices, chosen by the seed. Default 1, of which a DuplicateClientID takes half.
	Share float64
	// Start is when it strikes, from the start of the ramp, and Duration how long it lasts; 0: to the end of the run.
	Start, Duration time.Duration
	// Spread is the time over which it strikes, each device at a moment of its own. 0: all at once.
	Spread time.Duration
	// DriftPPM bounds ClockDrift, in millionths: each clock is wrong by a part drawn evenly from -DriftPPM to +DriftPPM. Default 50, a cheap crystal.
	DriftPPM float64
}

// defaultDriftPPM is what cheap crystals have over temperature.
const defaultDriftPPM = 50

func defaultFault() Fault { return Fault{Share: 1, DriftPPM: defaultDriftPPM} }

func (f *Fault) fields() fields {
	kinds := []FaultKind{BatteryPull, CableUnplug, Outage, ClockDrift, DuplicateClientID}
	untimed := func() bool { return !f.Kind.Timed() }
	return fields{
		{"kind", "What happens to a device.", choice(&f.Kind, FaultKinds(), kinds...).required("what goes wrong?")},
		{"groups", "Which groups it strikes. Default: all.", names(&f.Groups).unless(func() bool { return f.Groups == nil })},
		{"share", "Of each group's devices. Default 1.", number(&f.Share, 0, 1)},
		{"start", "From the start of the ramp.", duration(&f.Start, 0, longest).unless(untimed)},
		{"duration", "How long it lasts for a device; 0s: to the end of the run.", duration(&f.Duration, 0, longest).unless(untimed)},
		{"spread", "Over which it strikes one device after another.", duration(&f.Spread, 0, longest).unless(untimed)},
		{"drift_ppm", "Of clock-drift: the most by which a clock is wrong, in millionths.", number(&f.DriftPPM, 0, 100_000).unless(func() bool { return f.Kind != ClockDrift })},
	}
}

// Strikes reports whether the fault is for a group.
func (f *Fault) Strikes(group string) bool {
	return f.Groups == nil || slices.Contains(f.Groups, group)
}

func (s *Scenario) checkFault(r *reader, path string, f *Fault) {
	for _, name := range f.Groups {
		if !slices.ContainsFunc(s.Groups, func(g Group) bool { return g.Name == name }) {
			var have []string
			for i := range s.Groups {
				have = append(have, s.Groups[i].Name)
			}
			r.wrongAt(path+".groups", "there is no group %q%s", name, suggestion(name, have))
		}
	}
	if !f.Kind.Timed() {
		for _, key := range []string{"start", "duration", "spread"} {
			if r.lines[path+"."+key] > 0 {
				r.wrongAt(path+"."+key, "%s is there for the whole run: leave it out", f.Kind)
			}
		}
	} else if f.Start >= s.End()+s.Drain && !r.mentions("duration") {
		r.wrongAt(path+".start", "%s is after the end of the run, which is at %s", Span(f.Start), Span(s.End()))
	}
	if f.Kind != ClockDrift && r.lines[path+".drift_ppm"] > 0 {
		r.wrongAt(path+".drift_ppm", "is of clock-drift only")
	}
	if f.Kind == DuplicateClientID && f.Share > 0.5 {
		r.wrongAt(path+".share", "of duplicate-client-id is %g: at most 0.5, so that each has another to be taken for", f.Share)
	}
}
