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
	if c.ReorderRatio > 0 && c.ReorderDelay == 0 {
		v.add("ReorderDelay must be above 0 when ReorderRatio is set")
	}
	c.checkLoss(&v)
	c.checkSize(&v)
	checkOutages(c.Outages, &v)
	v.duration("Sleep.Interval", c.Sleep.Interval)
	v.duration("Sleep.AwakeAfterTraffic", c.Sleep.AwakeAfterTraffic)
	if c.Sleep.AwakeAfterTraffic > 0 && c.Sleep.Interval == 0 {
		v.add("Sleep.AwakeAfterTraffic needs a Sleep.Interval: without one the receiver never sleeps")
	}
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
	if c.JitterCorrelation > 0 && c.JitterCorrelation < 3*c.Jitter && !c.Unordered {
		v.add("JitterCorrelation %v is below three times Jitter %v, which in-order delivery would distort: raise it or set Unordered",
			c.JitterCorrelation, c.Jitter)
	}
}

func (c *Config) checkRate(v *mistakes) {
	if !(c.RateBitsPerSecond >= 0) || math.IsInf(c.RateBitsPerSecond, 0) {
		v.add("RateBitsPerSecond is %v: must be 0 (no limit) or above", c.RateBitsPerSecond)
	}
	if c.RateBitsPerSecond > 0 && c.RateBitsPerSecond < 1 {
		v.add("RateBitsPerSecond is %v: below 1 bit/s, is the unit right?", c.RateBitsPerSecond)
	}
	if c.OverheadBytes < 0 {
		v.add("OverheadBytes is %d: must be 0 or above", c.OverheadBytes)
	}
	if c.QueueBytes < 0 {
		v.add("QueueBytes is %d: must be 0 (no limit) or above", c.QueueBytes)
	}
	if c.QueueBytes > 0 && c.RateBitsPerSecond == 0 {
		v.add("QueueBytes needs RateBitsPerSecond: without a rate nothing ever queues")
	}
	if c.QueueBytes > 0 && c.QueueBytes < 1600 {
		v.add("QueueBytes is %d: below 1600 a full-size packet never fits", c.QueueBytes)
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
			if o.Every == 0 && p.Every == 0 && o.Start < p.Start+p.Duration && p.Start < o.Start+o.Duration {
				v.add("%s (%v to %v) overlaps Outages[%d] (%v to %v)", name, o.Start, o.Start+o.Duration, j, p.Start, p.Start+p.Duration)
			}
		}
	}
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
