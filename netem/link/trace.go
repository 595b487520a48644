package link

import (
	"math"
	"slices"
	"sort"
	"time"
)

// Trace is what was recorded of a link over time: each row holds until the next
// one, the last for ever or until the trace repeats. A packet meets the row of the
// time at which it is on the air. See ParseTrace for files.
type Trace struct {
	// Rows begin at 0 and go on in the order of At.
	Rows []TraceRow
	// Repeat starts the trace again after this time, which is later than the
	// last row. Zero means that the last row stays.
	Repeat time.Duration
}

// TraceRow is the state of a link from one time on.
type TraceRow struct {
	// At is when this row begins, since the start of the link.
	At time.Duration
	// RateBitsPerSecond is the rate; 0 means that nothing gets through until
	// the next row. If it is 0 in all rows the trace has no rates, and
	// Config.RateBitsPerSecond or Slots hold.
	RateBitsPerSecond float64
	// Delay comes on top of Config.Delay and its jitter.
	Delay time.Duration
	// LossRatio is the share of packets lost, independently of each other
	// and of the loss models.
	LossRatio float64
}

// trace is a Trace made ready: what it can carry is a function of time that rises
// and is linear within each row, and a packet of b bytes leaves when that function
// has risen by b.
type trace struct {
	rows      []TraceRow
	carried   []float64 // bytes from the start of the trace to the start of each row, and to its end if it repeats
	period    int64     // 0: the last row stays
	perPeriod float64   // bytes carried in a period
	meanDelay time.Duration
	paces     bool // it has rates
}

func compileTrace(t *Trace) *trace {
	c := &trace{
		rows: slices.Clone(t.Rows), period: int64(t.Repeat),
		paces: t.paces(),
	}
	bytes, delay := 0.0, 0.0
	for i, r := range c.rows {
		c.carried = append(c.carried, bytes)
		end := t.Repeat
		if i+1 < len(c.rows) {
			end = c.rows[i+1].At
		}
		if end > r.At {
			bytes += r.bytesPerNano() * float64(end-r.At)
			delay += float64(r.Delay) * float64(end-r.At)
		}
	}
	last := c.rows[len(c.rows)-1]
	if t.Repeat > 0 {
		c.carried = append(c.carried, bytes)
		c.perPeriod = bytes
	}
	if whole := max(t.Repeat, last.At); whole > 0 {
		c.meanDelay = time.Duration(delay / float64(whole))
	} else {
		c.meanDelay = last.Delay
	}
	return c
}

func (r *TraceRow) bytesPerNano() float64 { return r.RateBitsPerSecond / 8e9 }

// row returns the number of periods before a time, and the row in force then.
func (c *trace) row(at int64) (periods, within int64, r *TraceRow, i int) {
	within = at
	if c.period > 0 {
		periods, within = at/c.period, at%c.period
	}
	i = sort.Search(len(c.rows), func(i int) bool { return int64(c.rows[i].At) > within }) - 1
	return periods, within, &c.rows[i], i
}

// delay returns what the trace adds to the delay at a time.
func (c *trace) delay(at int64) int64 {
	_, _, r, _ := c.row(at)
	return int64(r.Delay)
}

// carriedUntil returns how many bytes the trace can have carried until a time.
func (c *trace) carriedUntil(at int64) float64 {
	periods, within, r, i := c.row(at)
	return float64(periods)*c.perPeriod + c.carried[i] + float64(within-int64(r.At))*r.bytesPerNano()
}

// when returns the earliest time by which the trace can have carried so many bytes;
// above 0.
func (c *trace) when(bytes float64) int64 {
	periods := 0.0
	if c.period > 0 {
		periods = float64(int64(bytes / c.perPeriod))
		if bytes -= periods * c.perPeriod; bytes <= 0 { // at the very end of a period
			periods--
			bytes += c.perPeriod
		}
	}
	// The last row that begins with less carried has a rate, or it would end
	// with less too.
	i := max(0, sort.Search(len(c.rows), func(i int) bool { return c.carried[i] >= bytes })-1)
	r := &c.rows[i]
	return int64(periods)*c.period + int64(r.At) + int64(math.Round((bytes-c.carried[i])/r.bytesPerNano()))
}

func (l *Link) planOnTrace(sent int64, airBytes int) transmission {
	c := l.model.trace
	gone := c.carriedUntil(sent)
	to := max(l.position, gone) + float64(airBytes)
	start := max(sent, l.busyUntil)
	end := start
	if airBytes > 0 {
		end = max(end, c.when(to))
	}
	return transmission{start: start, end: end, airtime: end - start, position: to, full: !l.model.fits(to - gone)}
}

// loseOnTrace decides about one packet on the air.
func (l *Link) loseOnTrace(sent int64) bool {
	_, _, row, _ := l.model.trace.row(sent)
	return row.LossRatio > 0 && l.chance(row.LossRatio)
}
