package link

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// MaxDelay is the longest delay, outage or interval a Config accepts for one
// packet: beyond it a mistake in the unit is likelier than a link.
const MaxDelay = time.Hour

// MaxTrace is the longest trace, and the longest time between two slots.
const MaxTrace = 366 * 24 * time.Hour

// Validate returns every mistake in c at once, each naming its field, or nil.
func (c *Config) Validate() error {
	var v mistakes
	v.duration("Delay", c.Delay)
	v.duration("Jitter", c.Jitter)
	v.duration("JitterCorrelation", c.JitterCorrelation)
	v.duration("ReorderDelay", c.ReorderDelay)
	v.ratio("ReorderRatio", c.ReorderRatio)
	v.ratio("DuplicateRatio", c.DuplicateRatio)
	c.checkJitter(&v)
	c.checkRate(&v)
	c.checkQueue(&v)
	c.Slots.check(c, &v)
	c.Trace.check(c, &v)
	if c.ReorderRatio > 0 && c.ReorderDelay == 0 {
		v.add("ReorderDelay must be above 0 when ReorderRatio is set")
	}
	c.checkLoss(&v)
	c.checkSize(&v)
	checkOutages(c.Outages, &v)
	c.Sleep.check(&v)
	return errors.Join(v...)
}

func (c *Config) checkJitter(v *mistakes) {
	limit := map[Distribution]float64{Normal: 1.0 / 3, Uniform: 1 / math.Sqrt(3), Pareto: math.Sqrt(3)}
	most, known := limit[c.JitterDistribution]
	if !known {
		v.add("JitterDistribution %d is unknown: use Normal, Uniform or Pareto", c.JitterDistribution)
		return
	}
	if c.Jitter > time.Duration(most*float64(c.Delay))+time.Nanosecond {
		v.add("Jitter %v is too large for a %v delay of %v: at most %v", c.Jitter, c.JitterDistribution,
			c.Delay, time.Duration(most*float64(c.Delay)).Round(time.Microsecond))
	}
	c.checkQuantiles(v)
	_, deviation := c.MeanDelay()
	if c.JitterCorrelation > 0 && c.JitterCorrelation < 3*deviation && !c.Unordered {
		v.add("JitterCorrelation %v is below three times Jitter %v, which in-order delivery would distort: raise it or set Unordered",
			c.JitterCorrelation, deviation)
	}
}

func (c *Config) checkQuantiles(v *mistakes) {
	q := c.DelayQuantiles
	if len(q) == 0 {
		return
	}
	if len(q) == 1 {
		v.add("DelayQuantiles has one value: at least the least and the greatest delay are needed, or set Delay")
	}
	if c.Delay != 0 || c.Jitter != 0 || c.JitterDistribution != Normal {
		v.add("DelayQuantiles excludes Delay, Jitter and JitterDistribution: it holds all of them")
	}
	for i, d := range q {
		v.duration(fmt.Sprintf("DelayQuantiles[%d]", i), d)
		if i > 0 && d < q[i-1] {
			v.add("DelayQuantiles[%d] is %v, below the %v before it: sort them", i, d, q[i-1])
			break // one out of order puts many others out of order
		}
	}
}

func checkOutages(outages []Outage, v *mistakes) {
	for i, o := range outages {
		name := fmt.Sprintf("Outages[%d]", i)
		if o.Start < 0 {
			v.add("%s.Start is %v: must be 0 or above", name, o.Start)
		}
		if o.Duration <= 0 {
			v.add("%s.Duration is %v: must be above 0", name, o.Duration)
		}
		if o.Every != 0 && o.Every <= o.Duration {
			v.add("%s.Every is %v: must be 0 (once) or longer than its Duration %v", name, o.Every, o.Duration)
		}
		for j, p := range outages[:i] {
			// Outages that lose may repeat into each other: lost is lost.
			once := o.Every == 0 && p.Every == 0
			if (once || o.Hold != p.Hold) && o.overlaps(p) {
				what := "overlaps"
				if o.Hold != p.Hold {
					what = "holds packets that are lost in, or loses packets that are held in,"
				}
				v.add("%s (%v) %s Outages[%d] (%v)", name, o, what, j, p)
			}
		}
	}
}

// String returns the outage as ParseOutages reads it.
func (o Outage) String() string {
	s := fmt.Sprintf("%v+%v", o.Start, o.Duration)
	if o.Every > 0 {
		s += fmt.Sprintf("/%v", o.Every)
	}
	if o.Hold {
		s = "~" + s
	}
	return s
}

// overlaps reports whether the two are ever down at the same time.
func (o Outage) overlaps(p Outage) bool {
	if o.Duration <= 0 || p.Duration <= 0 {
		return false
	}
	switch {
	case o.Every <= 0 && p.Every <= 0:
		return o.Start < p.Start+p.Duration && p.Start < o.Start+o.Duration
	case o.Every <= 0:
		return p.overlaps(o)
	case p.Every <= 0:
		// The repetition that begins last before p ends, if p ends after the first begins.
		end := p.Start + p.Duration
		if end <= o.Start {
			return false
		}
		begins := o.Start + (end-1-o.Start)/o.Every*o.Every
		return begins+o.Duration > p.Start
	}
	// Two that repeat meet at all distances that differ by the greatest common
	// divisor of their periods.
	divisor, rest := o.Every, p.Every
	for rest > 0 {
		divisor, rest = rest, divisor%rest
	}
	distance := ((p.Start-o.Start)%divisor + divisor) % divisor
	return distance < o.Duration || divisor-distance < p.Duration
}

// mistakes collects what is wrong with a configuration.
type mistakes []error

func (v *mistakes) add(format string, args ...any) {
	*v = append(*v, fmt.Errorf(format, args...))
}

func (v *mistakes) duration(field string, d time.Duration) {
	if d < 0 || d > MaxDelay {
		v.add("%s is %v: must be between 0 and %v", field, d, MaxDelay)
	}
}

func (v *mistakes) ratio(field string, x float64) {
	if !(x >= 0 && x <= 1) {
		v.add("%s is %v: must be between 0 and 1", field, x)
	}
}
