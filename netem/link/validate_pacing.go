package link

import (
	"fmt"
	"math"
	"time"
)

func (c *Config) checkRate(v *mistakes) {
	v.rate("RateBitsPerSecond", "no limit", c.RateBitsPerSecond)
	if c.OverheadBytes < 0 {
		v.add("OverheadBytes is %d: must be 0 or above", c.OverheadBytes)
	}
	v.ratio("DutyCycleRatio", c.DutyCycleRatio)
	if c.DutyCycleRatio > 0 && c.RateBitsPerSecond == 0 {
		v.add("DutyCycleRatio needs RateBitsPerSecond: without a rate nothing takes time on the air")
	}
	if c.DutyCycleRatio > 0 && c.Slots.Interval > 0 {
		v.add("DutyCycleRatio and Slots exclude each other: make the slots rarer")
	}
}

func (v *mistakes) rate(field, zero string, rate float64) {
	if !(rate >= 0) || math.IsInf(rate, 0) {
		v.add("%s is %v: must be 0 (%s) or above", field, rate, zero)
	}
	if rate > 0 && rate < 1 {
		v.add("%s is %v: below 1 bit/s, is the unit right?", field, rate)
	}
	if rate > maxRate && !math.IsInf(rate, 0) {
		v.add("%s is %v: above 1 Tbit/s, is the unit right?", field, rate)
	}
}

const maxRate = 1e12

// fullPacket returns the size on the air of the largest packet that is likely, which
// a queue must be able to hold.
func (c *Config) fullPacket() int {
	bytes, fragments := 1500, 1
	if c.MTUBytes > 0 {
		bytes = min(bytes, c.MTUBytes)
	}
	if c.FragmentBytes > 0 {
		fragments = (bytes + c.FragmentBytes - 1) / c.FragmentBytes
	}
	return bytes + fragments*c.OverheadBytes
}

func (c *Config) checkQueue(v *mistakes) {
	paced := c.RateBitsPerSecond > 0 || c.Slots.Interval > 0 || c.Trace.paces()
	if c.QueueBytes < 0 {
		v.add("QueueBytes is %d: must be 0 (no limit) or above", c.QueueBytes)
	}
	if c.QueueBytes > 0 && !paced {
		v.add("QueueBytes needs RateBitsPerSecond, Slots or a Trace with rates: without a rate nothing ever queues")
	}
	if full := c.fullPacket(); c.QueueBytes > 0 && c.QueueBytes < full {
		v.add("QueueBytes is %d: below %d a full-size packet never fits", c.QueueBytes, full)
	}
	p := &c.CoDel
	v.duration("CoDel.Target", p.Target)
	v.duration("CoDel.Interval", p.Interval)
	if p.Target == 0 {
		if p.Interval > 0 {
			v.add("CoDel.Target is 0: how long may packets wait? RFC 8289 has 5ms")
		}
		return
	}
	if !paced {
		v.add("CoDel needs RateBitsPerSecond, Slots or a Trace with rates: without a rate nothing ever waits")
	}
	if p.Interval <= p.Target {
		v.add("CoDel.Interval is %v: must be longer than its Target %v, RFC 8289 has 100ms", p.Interval, p.Target)
	}
	if least := c.longestTransmission(); p.Target < least {
		v.add("CoDel.Target is %v: a full packet alone takes %v here, so at least that", p.Target, least.Round(time.Microsecond))
	}
}

// longestTransmission is how long a full packet may occupy a link that is idle.
func (c *Config) longestTransmission() time.Duration {
	if c.Slots.Interval > 0 && len(c.Slots.Starts) == 0 && c.Slots.Bytes > 0 {
		return c.Slots.Interval * time.Duration((c.fullPacket()+c.Slots.Bytes-1)/c.Slots.Bytes)
	}
	if c.RateBitsPerSecond >= 1 {
		return time.Duration(8e9 * float64(c.fullPacket()) / c.RateBitsPerSecond)
	}
	return 0
}

func (s *Slots) check(c *Config, v *mistakes) {
	if s.Interval == 0 {
		if len(s.Starts) > 0 || s.Bytes != 0 {
			v.add("Slots.Interval is 0: when do the slots repeat?")
		}
		return
	}
	if s.Interval < 0 || s.Interval > MaxTrace {
		v.add("Slots.Interval is %v: must be between 0 (no slots) and %v", s.Interval, MaxTrace)
	}
	if s.Bytes < 1 {
		v.add("Slots.Bytes is %d: how much does a slot carry?", s.Bytes)
	}
	before := time.Duration(0)
	for i, at := range s.Starts {
		if at < before || at > s.Interval {
			v.add("Slots.Starts[%d] is %v: must be between the one before it, %v, and Slots.Interval %v", i, at, before, s.Interval)
			break // one out of order puts many others out of order
		}
		before = at
	}
	if c.RateBitsPerSecond <= 0 {
		return
	}
	if len(s.Starts) > 0 {
		v.add("Slots.Starts and RateBitsPerSecond exclude each other: such slots carry their bytes at once")
	} else if airtime := float64(s.Bytes) * 8e9 / c.RateBitsPerSecond; airtime > float64(s.Interval) {
		v.add("Slots.Bytes is %d, which takes %v at RateBitsPerSecond %v: longer than Slots.Interval %v",
			s.Bytes, time.Duration(airtime).Round(time.Microsecond), c.RateBitsPerSecond, s.Interval)
	}
}

// paces reports whether the trace has rates.
func (t *Trace) paces() bool {
	for _, r := range t.Rows {
		if r.RateBitsPerSecond > 0 {
			return true
		}
	}
	return false
}

func (t *Trace) check(c *Config, v *mistakes) {
	if len(t.Rows) == 0 {
		if t.Repeat != 0 {
			v.add("Trace.Repeat needs Trace.Rows: there is nothing to repeat")
		}
		return
	}
	for i := range t.Rows {
		t.checkRow(i, fmt.Sprintf("Trace.Rows[%d].", i), v)
	}
	t.checkEnd(v)
	if !t.paces() {
		return
	}
	if c.RateBitsPerSecond > 0 {
		v.add("RateBitsPerSecond and a Trace with rates exclude each other: remove one")
	}
	if c.Slots.Interval > 0 {
		v.add("Slots and a Trace with rates exclude each other: remove one")
	}
}

func (t *Trace) checkEnd(v *mistakes) {
	last := t.Rows[len(t.Rows)-1]
	if t.Repeat != 0 && t.Repeat <= last.At {
		v.add("Trace.Repeat is %v: must be 0 (the last row stays) or later than the last row at %v", t.Repeat, last.At)
	}
	if t.Repeat > MaxTrace {
		v.add("Trace.Repeat is %v: must be at most %v", t.Repeat, MaxTrace)
	}
	if t.paces() && t.Repeat == 0 && last.RateBitsPerSecond == 0 {
		v.add("Trace.Rows[%d].RateBitsPerSecond is 0 in the last row, for ever: set Trace.Repeat, or end with a rate", len(t.Rows)-1)
	}
}

// checkRow checks one row; name is what the names of its fields begin with.
func (t *Trace) checkRow(i int, name string, v *mistakes) {
	r := &t.Rows[i]
	if r.At > MaxTrace {
		v.add("%sAt is %v: must be at most %v", name, r.At, MaxTrace)
	}
	if i == 0 && r.At != 0 {
		v.add("%sAt is %v: must be 0, the trace begins with the link", name, r.At)
	}
	if i > 0 && r.At <= t.Rows[i-1].At {
		v.add("%sAt is %v: must be later than the row before it at %v", name, r.At, t.Rows[i-1].At)
	}
	v.rate(name+"RateBitsPerSecond", "nothing gets through", r.RateBitsPerSecond)
	v.duration(name+"Delay", r.Delay)
	v.ratio(name+"LossRatio", r.LossRatio)
}
