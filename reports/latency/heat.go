package latency

import (
	"math/bits"
	"time"

	"mqttlab/reports/model"
)

// Heat counts spans by the moment at which they ended and by their length. It takes at most heatColumns columns: when a run
// outlasts them, neighbours are added up and columns get twice as wide, so that a day and a second need the same 80 kB. It is not safe
// for concurrent use. Make one with NewHeat.
type Heat struct {
	interval time.Duration
	columns  [][heatRows]int64
}

// Rows are half octaves: a factor of 1.33 or 1.5 each, which is what an eye tells apart on a map.
const (
	heatColumns = 128
	heatRows    = 2 * 40 // the 40th power of two microseconds is beyond Longest
)

// NewHeat returns a Heat whose columns begin with this width, for instance that of a record's other series. At most a
// millisecond or zero counts as a millisecond.
func NewHeat(interval time.Duration) *Heat {
	return &Heat{interval: max(interval, time.Millisecond), columns: make([][heatRows]int64, 0, heatColumns)}
}

// Record counts a span that ended so long after the start of the run. It does not allocate.
func (h *Heat) Record(at, span time.Duration) {
	column := int(max(at, 0) / h.interval)
	for column >= heatColumns {
		h.halve()
		column = int(at / h.interval)
	}
	for len(h.columns) <= column {
		h.columns = append(h.columns, [heatRows]int64{})
	}
	h.columns[column][heatRow(span)]++
}

// halve adds up neighbouring columns.
func (h *Heat) halve() {
	h.interval *= 2
	n := 0
	for i := 0; i < len(h.columns); i += 2 {
		sum := h.columns[i]
		if i+1 < len(h.columns) {
			for row, count := range h.columns[i+1] {
				sum[row] += count
			}
		}
		h.columns[n] = sum
		n++
	}
	h.columns = h.columns[:n]
}

// heatRow is twice the exponent of two, plus one in the upper half of the octave.
func heatRow(span time.Duration) int {
	us := min(max(span, Shortest), Longest).Microseconds()
	exponent := bits.Len64(uint64(us)) - 1
	if exponent == 0 {
		return 0
	}
	return 2*exponent + int(us>>(exponent-1)&1)
}

// rowFrom is the least number of microseconds in a row. There is no row 1: nothing lies between 1 and 1.5 µs.
func rowFrom(row int) int64 {
	from := int64(1) << (row / 2)
	if row%2 == 1 {
		from += from / 2
	}
	return from
}

// Model returns the form for a record, without the empty rows at either end; nil when nothing was recorded.
func (h *Heat) Model() *model.Heat {
	low, high := heatRows, -1
	for i := range h.columns {
		for row, count := range h.columns[i] {
			if count > 0 {
				low, high = min(low, row), max(high, row)
			}
		}
	}
	if high < 0 {
		return nil
	}
	out := &model.Heat{IntervalMS: model.Millis(h.interval)}
	rows := make([]int, 0, high-low+1)
	for row := low; row <= high; row++ {
		if row != 1 {
			rows = append(rows, row)
			out.FromUS = append(out.FromUS, rowFrom(row))
		}
	}
	for i := range h.columns {
		column := make([]int64, len(rows))
		total := int64(0)
		for j, row := range rows {
			column[j] = h.columns[i][row]
			total += column[j]
		}
		if total == 0 {
			column = []int64{}
		}
		out.Columns = append(out.Columns, column)
	}
	return out
}
