package probe

import "time"

// Timings are the waits that cannot be replaced by a condition. All but RTT are upper
// limits: a conforming target never makes a check use them up, save Settle where a
// target may choose between closing and going on.
type Timings struct {
	// RTT is the measured round trip of PINGREQ and PINGRESP; zero if not measured.
	RTT time.Duration
	// Answer is how long a target may take to answer before it counts as silent.
	// Default 3 s and 50 round trips.
	Answer time.Duration
	// Settle is how long a close that is under way may take before the target is
	// asked by PINGREQ whether it is still there, and once more after it has
	// answered. Default 200 ms and 20 round trips.
	Settle time.Duration
	// Slack is how late a target may act on a time limit of seconds, such as Keep
	// Alive or an expiry. Servers check these on a tick; the default of 2 s and 20
	// round trips admits a tick of one second twice.
	Slack time.Duration
}

// WithDefaults fills the zero fields from the round trip.
func (t Timings) WithDefaults() Timings {
	fill := func(d *time.Duration, base time.Duration, trips int) {
		if *d == 0 {
			*d = base + time.Duration(trips)*t.RTT
		}
	}
	fill(&t.Answer, 3*time.Second, 50)
	fill(&t.Settle, 200*time.Millisecond, 20)
	fill(&t.Slack, 2*time.Second, 20)
	return t
}
