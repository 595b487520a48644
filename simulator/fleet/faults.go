package fleet

import (
	"math"
	"math/rand/v2"
	"time"

	"mqttlab/reports/model"
	"mqttlab/simulator/device"
	"mqttlab/simulator/scenario"
)

// patient is what the scenario's faults do to one device.
type patient struct {
	drift float64
	alias int // index of the device whose Client Identifier it has; -1: its own
	hits  []hit
}

// hit is one timed fault of one device, from the start of the ramp. A last of 0 is to the end.
type hit struct {
	kind        scenario.FaultKind
	start, last time.Duration
}

// afflict chooses whom of a group the faults strike, and notes it for the record. Nil: no fault is for the group.
func (c *crew) afflict(g *group) []patient {
	var all []patient
	for k := range c.scenario.Faults {
		f := &c.scenario.Faults[k]
		if !f.Strikes(g.Name) {
			continue
		}
		if all == nil {
			all = make([]patient, g.Count)
			for i := range all {
				all[i].alias = -1
			}
		}
		rnd := rand.New(rand.NewPCG(seedOf(c.scenario.Seed, uint64(k), seedFault), uint64(g.first)))
		order := rnd.Perm(g.Count)
		struck := order[:int(math.Round(f.Share*float64(g.Count)))]
		for i, index := range struck {
			all[index].suffer(f, rnd, order[(i+len(struck))%len(order)])
		}
		g.twins = g.twins || f.Kind == scenario.DuplicateClientID && len(struck) > 0
		g.faults = append(g.faults, model.Fault{
			Kind: f.Kind.String(), Devices: len(struck), StartMS: model.Millis(c.begun(f)), DurationMS: model.Millis(f.Duration),
		})
	}
	return all
}

// begun is when a fault strikes, from the start of the run.
func (c *crew) begun(f *scenario.Fault) time.Duration {
	if !f.Kind.Timed() {
		return 0
	}
	return c.origin + f.Start
}

func (p *patient) suffer(f *scenario.Fault, rnd *rand.Rand, other int) {
	switch f.Kind {
	case scenario.ClockDrift:
		p.drift += f.DriftPPM * 1e-6 * (2*rnd.Float64() - 1)
	case scenario.DuplicateClientID:
		p.alias = other
	default:
		start := f.Start + time.Duration(rnd.Float64()*float64(f.Spread))
		p.hits = append(p.hits, hit{f.Kind, start, f.Duration})
	}
}

// schedule sets the timers of what will happen to a device. It is called on the device's loop.
func (c *crew) schedule(h device.Host, s *device.Sensor, patients []patient, index int) {
	if patients == nil {
		return
	}
	for _, hit := range patients[index].hits {
		strike, relieve := acts(s, hit.kind)
		at := c.start.Add(c.origin + hit.start)
		h.NewTimer(strike).Set(at)
		if hit.last > 0 {
			h.NewTimer(relieve).Set(at.Add(hit.last))
		}
	}
}

// acts returns the beginning and the end of a fault.
func acts(s *device.Sensor, k scenario.FaultKind) (strike, relieve func()) {
	switch k {
	case scenario.BatteryPull:
		return s.LosePower, s.RestorePower
	case scenario.CableUnplug:
		return s.Unplug, s.Plug
	}
	return s.Darken, s.Lighten
}
