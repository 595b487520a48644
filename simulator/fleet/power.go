package fleet

import (
	"cmp"
	"math"
	"slices"
	"time"

	"mqttlab/netem/stack"
	"mqttlab/reports/model"
	"mqttlab/simulator/device"
	"mqttlab/simulator/energy"
	"mqttlab/simulator/secure"
)

// radio is the radio of one device behind an emulated link. Its sessions follow what the device says and hears; time on the air is that of its links, so that
// segments which TCP sends again are charged too. A segment sent again after the tail, to which nothing comes back, does not open a session.
type radio struct {
	meter  *energy.Meter
	device *stack.Device
	start  time.Time
	group  int
	before energy.Usage // when the first message could be due
}

// equip gives a device of a group with a power profile its radio. Plain sockets have none.
func (c *crew) equip(g *group, number int, h device.Host, loop int) {
	profile, ok := energy.Lookup(g.Power)
	host, emulated := secure.Below(h).(*linkHost)
	if !ok || !emulated {
		return
	}
	host.radio = &radio{meter: energy.NewMeter(profile), device: host.device, start: c.start, group: number}
	for len(c.radios) <= loop {
		c.radios = append(c.radios, nil)
	}
	c.radios[loop] = append(c.radios[loop], host.radio)
}

func (r *radio) touch(now time.Time) { r.meter.Touch(now.Sub(r.start)) }

func (r *radio) usage(now time.Time) energy.Usage {
	up, down := r.device.Counters()
	return r.meter.Usage(now.Sub(r.start), up.Airtime, down.Airtime)
}

// eachRadio calls f for every radio, on its loop.
func (c *crew) eachRadio(f func(*radio, time.Time)) {
	for loop, radios := range c.radios {
		c.engine.on(loop, func() {
			now := c.engine.now()
			for _, r := range radios {
				f(r, now)
			}
		})
	}
}

// weigh begins the measurement of energy: how a fleet connects says nothing about the years after.
func (c *crew) weigh() {
	c.eachRadio(func(r *radio, now time.Time) { r.before = r.usage(now) })
}

// powerSum is what the devices of one group used.
type powerSum struct {
	profile          *energy.Profile // nil: not measured
	elapsed, radioOn float64         // seconds; a large fleet's would overflow a time.Duration
	sessions         int64
	joules           energy.States
	years            []float64 // by device
}

// power sums up the groups.
func (c *crew) power() []powerSum {
	sums := make([]powerSum, len(c.groups))
	c.eachRadio(func(r *radio, now time.Time) {
		s, u := &sums[r.group], r.usage(now).Minus(r.before)
		s.profile, _ = energy.Lookup(c.groups[r.group].Power)
		s.joules.Add(s.profile.Energy(u))
		s.elapsed += u.Elapsed.Seconds()
		s.radioOn += max(u.Session, u.Tx+u.Rx).Seconds()
		s.sessions += u.Sessions
		s.years = append(s.years, s.profile.Years(u))
	})
	return sums
}

// record is the sum in the form of a record; nil where there is none.
func (s *powerSum) record(ledgers []model.Ledger) *model.Power {
	if s.profile == nil || s.elapsed <= 0 {
		return nil
	}
	total := s.joules.Total()
	perDevice := func(seconds float64) model.Millis {
		return model.Millis(seconds / float64(len(s.years)) * float64(time.Second))
	}
	slices.Sort(s.years)
	out := &model.Power{
		Profile: s.profile.Name, WindowMS: perDevice(s.elapsed), Sessions: s.sessions,
		Joules: model.PowerStates(s.joules), RadioOnMS: perDevice(s.radioOn),
		Years: model.Years{
			Mean: s.profile.BatteryJoules / (total / s.elapsed) / energy.Year.Seconds(),
			Low:  rank(s.years, 0.05), High: rank(s.years, 0.95),
		},
	}
	if reached := model.Reached(ledgers); reached > 0 {
		out.JoulesPerMessage = total / float64(reached)
	}
	return out
}

// rank returns the q-quantile of sorted values by the nearest rank.
func rank[T cmp.Ordered](sorted []T, q float64) T {
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}
