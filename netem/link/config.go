package link

import (
	"time"
)

// Distribution is the shape of the delay around its mean.
type Distribution uint8

// The delay distributions. Each is scaled so that its mean is Config.Delay and
// its standard deviation is Config.Jitter.
const (
	// Normal is the Gaussian distribution. Jitter may be at most a third of
	// Delay, so that cutting it off at zero changes its mean by less than
	// one part in a thousand.
	Normal Distribution = iota
	// Uniform spreads evenly over Delay ± √3·Jitter. Jitter may be at most
	// Delay/√3.
	Uniform
	// Pareto has the heavy right tail of a busy radio cell: tail index 3,
	// shifted to start at Delay − 0.577·Jitter.
	Pareto
)

// String returns the name used in files and on the command line.
func (d Distribution) String() string {
	switch d {
	case Normal:
		return "normal"
	case Uniform:
		return "uniform"
	case Pareto:
		return "pareto"
	}
	return "unknown"
}

// Config describes one direction of a link. The zero value is a perfect link:
// no delay, no loss, no limit. Validate reports every mistake in it.
type Config struct {
	// Delay is the mean one-way propagation delay. Zero means none. At
	// least zero, at most one hour.
	Delay time.Duration
	// Jitter is the standard deviation of the delay. Zero means a fixed
	// delay; what is the most a shape can take stands with Distribution.
	Jitter time.Duration
	// JitterDistribution is the shape of the delay; the zero value is Normal.
	JitterDistribution Distribution
	// JitterCorrelation is how long the delay stays similar: packets closer
	// together than this see nearly the same delay, packets further apart
	// independent ones. Zero means 100 ms plus three times Jitter, slow
	// enough that in-order delivery leaves the distribution alone. A value
	// below three times Jitter is refused unless Unordered is set.
	JitterCorrelation time.Duration
	// Unordered lets a packet overtake an earlier one when its delay is
	// shorter. The default is a link layer that delivers in order.
	Unordered bool

	// LossRatio is the probability that a packet is lost, independent of
	// all others. 0 to 1. Not together with GilbertElliott.
	LossRatio float64
	// GilbertElliott makes losses come in bursts. The zero value is off.
	GilbertElliott GilbertElliott

	// RateBitsPerSecond is the speed at which packets are serialised, one
	// after the other. Zero means without limit. A packet of b bytes
	// occupies the link for 8·(b + OverheadBytes)/rate.
	RateBitsPerSecond float64
	// OverheadBytes is what the link layer adds to each packet on the air.
	OverheadBytes int
	// QueueBytes is how much may wait for serialisation, the packet being
	// sent included; a packet that does not fit is dropped (tail drop).
	// Zero means no limit. Only with a rate.
	QueueBytes int

	// ReorderRatio is the probability that a packet is held back by
	// ReorderDelay while later ones overtake it. 0 to 1.
	ReorderRatio float64
	// ReorderDelay is how long such a packet is held back. Required with
	// ReorderRatio.
	ReorderDelay time.Duration
	// DuplicateRatio is the probability that a packet arrives twice. 0 to 1.
	DuplicateRatio float64

	// Outages are the times at which nothing gets through. See Outage.
	Outages []Outage

	// Sleep describes a receiver that is not always listening. The zero
	// value always listens.
	Sleep Sleep
}

// GilbertElliott is the two-state loss model of Gilbert (1960) and Elliott
// (1963): a Markov chain that steps once per packet between a good and a bad
// state. With p = GoodToBad and r = BadToGood the share of time in the bad state is
// p/(p+r), the loss ratio LossGood·r/(p+r) + LossBad·p/(p+r), and the mean stay
// in the bad state 1/r packets, which for LossGood 0 and LossBad 1 is the mean
// length of a burst of losses.
type GilbertElliott struct {
	// GoodToBad is the probability per packet of entering the bad state.
	// Zero turns the model off.
	GoodToBad float64
	// BadToGood is the probability per packet of leaving it; above 0.
	BadToGood float64
	// LossGood is the loss ratio in the good state.
	LossGood float64
	// LossBad is the loss ratio in the bad state. Zero would make the model
	// without effect and is refused.
	LossBad float64
	// StepEvery is the time that counts as a step while no packet is sent, so
	// that a fade passes by itself: with λ = 1 − p − r the excess of the bad state
	// decays by λ per step, hence by λ^(t/StepEvery) over a pause of t. Zero
	// means that time does not count, and then a sparse sender meets the same
	// fade again with its next retransmission, seconds later. Needs p + r below 1.
	StepEvery time.Duration
}

// LossRatio returns the long-run share of packets lost.
func (g GilbertElliott) LossRatio() float64 {
	if g.GoodToBad == 0 {
		return 0
	}
	bad := g.GoodToBad / (g.GoodToBad + g.BadToGood)
	return g.LossGood*(1-bad) + g.LossBad*bad
}

// Outage is a time in which the link is down: every packet sent or still in
// flight to a receiver at its start is treated by its sending time only, so a
// packet sent just before the outage still arrives.
type Outage struct {
	// Start is the beginning, since the start of the link.
	Start time.Duration
	// Duration is how long it lasts; above 0.
	Duration time.Duration
	// Every repeats the outage with this period. Zero means once. Must be
	// longer than Duration.
	Every time.Duration
	// Hold keeps packets for the end of the outage instead of losing them,
	// as a base station does during a handover.
	Hold bool
}

// Sleep describes a receiver that saves power: it listens at fixed instants, and
// for a while after any traffic. A packet for a sleeping receiver waits at the
// sender's side for the next instant. Examples are the DTIM beacon of Wi-Fi, and
// connected-mode DRX of LTE.
type Sleep struct {
	// Interval is the time between two wake-ups. Zero means always awake.
	Interval time.Duration
	// AwakeAfterTraffic is how long the receiver keeps listening after a
	// packet in either direction (see Link.Touch). Zero means not at all.
	AwakeAfterTraffic time.Duration
}

// DefaultJitterCorrelation is the correlation time used when a Config leaves it
// zero, before three times the jitter is added: the coherence time of a slow
// fading channel at pedestrian speed and 2 GHz is of this order (Rappaport,
// Wireless Communications, section 5.4.3: 0.423/f_D with f_D = 4-10 Hz).
const DefaultJitterCorrelation = 100 * time.Millisecond

// jitterCorrelation applies the default.
func (c *Config) jitterCorrelation() time.Duration {
	if c.JitterCorrelation == 0 {
		return DefaultJitterCorrelation + 3*c.Jitter
	}
	return c.JitterCorrelation
}
