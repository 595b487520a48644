package link

import (
	"math"
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
	// DelayQuantiles is a measured distribution of the delay, instead of Delay,
	// Jitter and JitterDistribution: quantiles at equal steps of
	// probability, the least delay first and the greatest last, linear in
	// between. The sorted delays of a measurement are one as they are. At
	// least two, each at most MaxDelay.
	DelayQuantiles []time.Duration
	// JitterCorrelation is how long the delay stays similar: packets closer
	// together than this see nearly the same delay, packets further apart
	// independent ones. Zero means 100 ms plus three times Jitter, slow
	// enough that in-order delivery leaves the distribution alone. A value
	// below three times Jitter is refused unless Unordered is set.
	JitterCorrelation time.Duration
	// Unordered lets a packet overtake an earlier one when its delay is
	// shorter. The default is a link layer that delivers in order.
	Unordered bool

	// LossRatio is the probability that a packet is lost. 0 to 1. Without
	// LossBurstPackets each is lost independently of the others, as in the
	// model of Bernoulli. Not together with GilbertElliott or FourState.
	LossRatio float64
	// LossBurstPackets is the mean number of packets lost in a row, with
	// LossRatio as the long-run share: Gilbert's chain with the two figures
	// that people measure. Pauses of the sender count, 100 ms each packet.
	// Zero means independent losses, whose mean run is 1/(1 − LossRatio);
	// less than that is refused.
	LossBurstPackets float64
	// GilbertElliott makes losses come in bursts. The zero value is off.
	GilbertElliott GilbertElliott
	// FourState makes bursts of losses with pauses inside, and single losses
	// besides. The zero value is off. Not together with GilbertElliott.
	FourState FourState
	// CorruptRatio is the probability that bits of a packet are damaged on
	// the way. 0 to 1. The checksums of IP and TCP turn that into a loss,
	// counted apart from the others as DropCorrupt.
	CorruptRatio float64
	// BitErrorRatio is the probability that one bit is damaged, independent
	// of all others, so that long packets suffer most: of b bytes, overhead
	// included, 1 − (1 − BitErrorRatio)^(8·b) are lost as DropCorrupt. Below 1.
	BitErrorRatio float64

	// MTUBytes is the largest packet that the link takes. A larger one
	// vanishes without a word, as in a black hole of path MTU discovery
	// (RFC 2923). Zero means any size.
	MTUBytes int
	// FragmentBytes is how much of a packet one frame of the link layer
	// carries: a packet of b bytes goes in n = ⌈b/FragmentBytes⌉ fragments,
	// each with OverheadBytes, each lost by itself (the loss models speak of
	// fragments then), and arrives only if all do: with independent losses
	// p it is lost with 1 − (1 − p)^n. Zero means that packets stay whole.
	// IEEE 802.15.4 leaves 102 bytes, with link security 81 (RFC 4944,
	// section 4), less 5 for the fragment header and rounded down to
	// multiples of 8: 96 or 72. The losses of Bluetooth LE's fragments are
	// repaired by the link layer.
	FragmentBytes int

	// RateBitsPerSecond is the speed at which packets are serialised, one
	// after the other. Zero means without limit. A packet of b bytes
	// occupies the link for 8·(b + OverheadBytes)/rate.
	RateBitsPerSecond float64
	// OverheadBytes is what the link layer adds to each packet on the air, or
	// to each fragment of it.
	OverheadBytes int
	// DutyCycleRatio is the share of time that the link may be on the air: a
	// packet of airtime T is followed by a silence of T/DutyCycleRatio − T,
	// the rule of LoRaWAN 1.0.4, section 5.3, which keeps the limit in every
	// window of time. ETSI EN 300 220-2 V3.2.1, section 4.3.3, allows 1 %
	// (0.01) in the bands L, M and Q around 868 MHz, 10 % in P and 0.1 % in K
	// and N. A packet's place in the queue stays taken until the silence is
	// over. Zero and 1 mean always. Only with a rate.
	DutyCycleRatio float64
	// Slots are the only times at which packets are sent. The zero value
	// sends at any time.
	Slots Slots
	// Trace is a recording of rate, delay and loss over time. The zero value
	// leaves them as they are. Its rates exclude RateBitsPerSecond and Slots.
	Trace Trace
	// QueueBytes is how much may wait for serialisation, the packet being
	// sent included; a packet that does not fit is dropped (tail drop).
	// Zero means no limit. Only with a rate, slots or a trace of rates.
	QueueBytes int
	// CoDel drops packets before the queue is full, because of their wait.
	// The zero value is off.
	CoDel CoDel

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

// DefaultJitterCorrelation is the correlation time used when a Config leaves it
// zero, before three times the jitter is added: the coherence time of a slow
// fading channel at pedestrian speed and 2 GHz is of this order (Rappaport,
// Wireless Communications, section 5.4.3: 0.423/f_D with f_D = 4-10 Hz).
const DefaultJitterCorrelation = 100 * time.Millisecond

// jitterCorrelation applies the default.
func (c *Config) jitterCorrelation() time.Duration {
	if c.JitterCorrelation == 0 {
		_, deviation := c.MeanDelay()
		return DefaultJitterCorrelation + 3*deviation
	}
	return c.JitterCorrelation
}

// MeanDelay returns the mean and the standard deviation of the propagation delay. Waits
// for the rate, slots and sleep, and the delay of a trace come on top.
func (c *Config) MeanDelay() (mean, deviation time.Duration) {
	q := c.DelayQuantiles
	if len(q) < 2 {
		return c.Delay, c.Jitter
	}
	// Of a distribution that is uniform between neighbours a and b, the
	// moments are (a+b)/2 and (a²+ab+b²)/3.
	first, second := 0.0, 0.0
	for i := range len(q) - 1 {
		a, b := float64(q[i]), float64(q[i+1])
		first += (a + b) / 2
		second += (a*a + a*b + b*b) / 3
	}
	n := float64(len(q) - 1)
	first /= n
	return time.Duration(first), time.Duration(math.Sqrt(max(0, second/n-first*first)))
}
