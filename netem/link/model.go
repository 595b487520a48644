package link

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Model is a Config made ready for use. It is immutable, so one Model serves any
// number of links on any number of goroutines.
type Model struct {
	// What every packet needs comes first, to lie close together.
	mtuBytes      int
	fragmentBytes int // 0: packets stay whole
	overheadBytes int
	pacing        pacing
	loss          lossModel
	hazards       bool // packets can be lost or damaged on the air
	corrupts      bool
	codel         bool
	silent        bool    // there is a duty cycle
	nanosPerByte  float64 // serialisation time; 0 without a rate
	busyPerByte   float64 // the same with the silence of the duty cycle
	queueNanos    int64   // QueueBytes as busy time; 0 without a limit
	meanDelay     time.Duration
	jitters       bool
	trace         *trace // nil without one

	lossRatio  float64        // of lossIndependent
	two        GilbertElliott // the chain of lossTwoState
	loses      [2]float64     // its loss ratios by state, good and bad
	leaves     [2]float64     // and the chance of leaving each
	fade       float64        // how fast a pause forgets its state: ln λ per nanosecond; 0 if it does not
	bitsIntact float64        // logarithm of the chance that a byte arrives intact; 0 without bit errors

	correlation    float64 // jitter correlation in nanoseconds
	quantiles      []float64
	blendA, blendB []float64

	config Config
}

// Compile checks a Config and prepares it. The error is that of Config.Validate.
func Compile(c Config) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	c = c.clone()
	m := &Model{config: c, mtuBytes: math.MaxInt, fragmentBytes: c.FragmentBytes, overheadBytes: c.OverheadBytes}
	if c.MTUBytes > 0 {
		m.mtuBytes = c.MTUBytes
	}
	m.compileLoss()
	m.compilePacing()
	m.meanDelay, _ = c.MeanDelay()
	if c.Jitter > 0 || len(c.DelayQuantiles) > 0 {
		m.jitters = true
		m.correlation = float64(c.jitterCorrelation())
		m.quantiles = quantileTable(&c)
		m.blendA, m.blendB = blendTables()
	}
	return m, nil
}

// Config returns a copy of what the model was compiled from.
func (m *Model) Config() Config {
	return m.config.clone()
}

func (c Config) clone() Config {
	c.DelayQuantiles = slices.Clone(c.DelayQuantiles)
	c.Outages = slices.Clone(c.Outages)
	c.Slots.Starts = slices.Clone(c.Slots.Starts)
	c.Trace.Rows = slices.Clone(c.Trace.Rows)
	return c
}

// The quantile table covers normal variates from -zRange to +zRange in zSteps
// steps; 4.5 leaves out seven values in a million.
const (
	zRange = 4.5
	zSteps = 2048
)

// quantileTable maps a standard normal variate z to the delay in nanoseconds
// whose probability of not being exceeded is Φ(z).
func quantileTable(c *Config) []float64 {
	mean, sd := float64(c.Delay), float64(c.Jitter)
	table := make([]float64, zSteps+2)
	for i := range table {
		z := -zRange + 2*zRange*float64(i)/zSteps
		if len(c.DelayQuantiles) > 0 {
			table[i] = interpolate(c.DelayQuantiles, phi(z))
			continue
		}
		var x float64
		switch c.JitterDistribution {
		case Normal:
			x = z
		case Uniform:
			x = (2*phi(z) - 1) * math.Sqrt(3)
		case Pareto:
			// Tail index 3, minimum 1: mean 3/2, variance 3/4. phi(-z)
			// is the upper tail, exact where 1-phi(z) would round to 0.
			x = (math.Cbrt(1/phi(-z)) - 1.5) / math.Sqrt(0.75)
		}
		table[i] = max(0, mean+sd*x)
	}
	return table
}

// interpolate returns the quantile of a probability.
func interpolate(quantiles []time.Duration, probability float64) float64 {
	x := probability * float64(len(quantiles)-1)
	i := min(int(x), len(quantiles)-2)
	a, b := float64(quantiles[i]), float64(quantiles[i+1])
	return a + (x-float64(i))*(b-a)
}

// phi is the standard normal distribution function.
func phi(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// delayAt returns the delay in nanoseconds for the normal variate z.
func (m *Model) delayAt(z float64) int64 {
	x := (z + zRange) * (zSteps / (2 * zRange))
	x = min(max(x, 0), zSteps)
	i := int(x)
	return int64(m.quantiles[i] + (x-float64(i))*(m.quantiles[i+1]-m.quantiles[i]))
}

const blendSteps = 256

// blendTables returns the weights cos and sin of a quarter turn. Two independent
// normal variates blended with them give a normal variate of variance one at
// every point in between: the delay keeps its distribution at all times.
func blendTables() (a, b []float64) {
	a, b = make([]float64, blendSteps+1), make([]float64, blendSteps+1)
	for i := range a {
		b[i], a[i] = math.Sincos(math.Pi / 2 * float64(i) / blendSteps)
	}
	return a, b
}

// Delay returns the mean one-way delay of a lone small packet, without the wait for
// a sleeping receiver.
func (m *Model) Delay() time.Duration {
	d := m.meanDelay
	if m.trace != nil {
		d += m.trace.meanDelay
	}
	if s := &m.config.Slots; m.pacing == inSlots {
		d += s.Interval / time.Duration(2*max(1, len(s.Starts)))
	}
	return d
}

// fragments returns how many frames a packet needs; one where packets stay whole.
func (m *Model) fragments(bytes int) int {
	if size := m.fragmentBytes; size > 0 && bytes > size {
		return (bytes + size - 1) / size
	}
	return 1
}

// airBytes returns the size of a packet on the air.
func (m *Model) airBytes(bytes, fragments int) int { return bytes + fragments*m.overheadBytes }

// Airtime returns how long a packet of so many bytes occupies the link; zero
// without a rate.
func (m *Model) Airtime(bytes int) time.Duration {
	return time.Duration(float64(m.airBytes(bytes, m.fragments(bytes))) * m.nanosPerByte)
}
