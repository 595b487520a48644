// Package energy says what a radio costs a battery.
//
// A Profile holds the power of a device in each state of its radio, with the sources of the figures. A Meter turns the moments at which a device talks into
// the time it spends in each state, a Usage; Profile.Energy prices that.
//
//	        traffic  traffic
//	sleep  | wake | connected ......... tail | idle ... | sleep
//	               ◄── session ─────────────►
//
// A session begins with the first traffic after the radio went down, and costs a fixed wake-up. It ends when nothing was heard for the tail: the inactivity
// timer of a cellular network, the beacon or two that a Wi-Fi station stays up. Then the device can still be paged for a while (idle), and then sleeps.
// Time on the air comes from the link's own serialisation time, so a retransmission is charged by itself.
//
// # Design
//
// On NB-IoT and LTE-M wake-up and tail cost more than the message, so energy per byte, which is what many planning sheets use, lost: it is wrong by a factor
// of ten for a small message. A new session out of idle costs as much as one out of sleep; it is a little cheaper in truth.
package energy

import (
	"time"
)

// Profile is the power of a device with one kind of radio. Powers are in watts and those of the whole device while it does nothing else.
type Profile struct {
	Name, Summary string
	// Sleep is the power between sessions.
	Sleep float64
	// Tx and Rx are the power while a packet is sent and received.
	Tx, Rx float64
	// Tail is the power in a session while no packet is on the air. TailTime is how long a session lasts after the last packet.
	Tail     float64
	TailTime time.Duration
	// Idle is the power while the device can be paged after a session, for IdleTime. Zero time: it sleeps at once.
	Idle     float64
	IdleTime time.Duration
	// Wake is what each session costs on top of its packets, before and after them.
	Wake []Phase
	// OnAir is the part of the link's serialisation time in which this device's radio is on: below 1 where the link's rate stands for several hops, or
	// for gaps between packets. Zero means 1.
	OnAir float64
	// BatteryJoules is the energy of a new battery. Self-discharge is not part of it.
	BatteryJoules float64
	// Sources says where the figures come from.
	Sources []Source
}

// Phase is a time at one power.
type Phase struct {
	Name     string
	Duration time.Duration
	Watts    float64
}

// Source is where a figure comes from: a publication, or "chosen" with the reason.
type Source struct{ Figure, From string }

// Usage is the time that a device spent in each state.
type Usage struct {
	// Elapsed is the time measured; what the others leave of it is sleep.
	Elapsed time.Duration
	// Tx and Rx are the serialisation times of the device's links.
	Tx, Rx time.Duration
	// Session is the time in sessions, tails included; Idle that of being reachable after them.
	Session, Idle time.Duration
	// Sessions counts those that began.
	Sessions int64
}

// Minus returns what was used after an earlier Usage of the same device.
func (u Usage) Minus(earlier Usage) Usage {
	return Usage{
		Elapsed: u.Elapsed - earlier.Elapsed, Tx: u.Tx - earlier.Tx, Rx: u.Rx - earlier.Rx,
		Session: u.Session - earlier.Session, Idle: u.Idle - earlier.Idle, Sessions: u.Sessions - earlier.Sessions,
	}
}

// States is energy in joules by what it was used for.
type States struct{ Sleep, Wake, Tx, Rx, Tail, Idle float64 }

// Add adds o.
func (s *States) Add(o States) {
	s.Sleep += o.Sleep
	s.Wake += o.Wake
	s.Tx += o.Tx
	s.Rx += o.Rx
	s.Tail += o.Tail
	s.Idle += o.Idle
}

// Total returns the sum.
func (s States) Total() float64 { return s.Sleep + s.Wake + s.Tx + s.Rx + s.Tail + s.Idle }

// Energy prices a Usage.
func (p *Profile) Energy(u Usage) States {
	onAir := p.OnAir
	if onAir == 0 {
		onAir = 1
	}
	tx, rx := u.Tx.Seconds()*onAir, u.Rx.Seconds()*onAir
	wakeTime, wakeEnergy := p.wake()
	n := float64(u.Sessions)
	return States{
		Tx: tx * p.Tx, Rx: rx * p.Rx,
		Tail:  max(0, u.Session.Seconds()-tx-rx) * p.Tail,
		Idle:  u.Idle.Seconds() * p.Idle,
		Wake:  n * wakeEnergy,
		Sleep: max(0, u.Elapsed.Seconds()-max(u.Session.Seconds(), tx+rx)-u.Idle.Seconds()-n*wakeTime) * p.Sleep,
	}
}

// wake returns the time in seconds and the energy in joules that each session costs.
func (p *Profile) wake() (seconds, joules float64) {
	for _, w := range p.Wake {
		seconds += w.Duration.Seconds()
		joules += w.Duration.Seconds() * w.Watts
	}
	return seconds, joules
}

// Year is the mean year of the Julian calendar.
const Year = 36525 * 24 * time.Hour / 100

// Years returns how many years a new battery lasts at the average power of a Usage. A device that uses nothing lasts for ever: +Inf.
func (p *Profile) Years(u Usage) float64 {
	return p.BatteryJoules / (p.Energy(u).Total() / u.Elapsed.Seconds()) / Year.Seconds()
}

// Meter follows the sessions of one device. Times are since any fixed moment, and never go back.
type Meter struct {
	profile     *Profile
	first, last time.Duration // of the session's traffic
	done        Usage         // sessions before this one
}

// NewMeter returns the Meter of a device that sleeps. The profile is not modified.
func NewMeter(p *Profile) *Meter { return &Meter{profile: p} }

// Touch says that the device sends or receives at a time.
func (m *Meter) Touch(at time.Duration) {
	if m.done.Sessions == 0 || at > m.last+m.profile.TailTime {
		m.done = m.until(at)
		m.done.Sessions++
		m.first = at
	}
	m.last = at
}

// until adds the present session, as it stands at a time, to those before it.
func (m *Meter) until(at time.Duration) Usage {
	u := m.done
	if u.Sessions == 0 {
		return u
	}
	end := m.last + m.profile.TailTime
	u.Session += min(at, end) - m.first
	u.Idle += min(max(0, at-end), m.profile.IdleTime)
	return u
}

// Usage returns the time in each state from zero until at, which is not before the last Touch. tx and rx are the time on the air so far.
func (m *Meter) Usage(at, tx, rx time.Duration) Usage {
	u := m.until(at)
	u.Elapsed, u.Tx, u.Rx = at, tx, rx
	return u
}
