package model

import "fmt"

// Heat counts the messages of a distribution by when they ended and by how long they took: the data of a heat map. It shows what
// a histogram of the whole run hides, such as an outage of a minute in a day.
type Heat struct {
	IntervalMS Millis    `json:"interval_ms"` // width of a column; the first begins with the run
	FromUS     []int64   `json:"from_us"`     // lower bound of each row in microseconds, ascending; a row ends where the next begins, the last is open
	Columns    [][]int64 `json:"columns"`     // counts per column: one per row, or none for a column without messages
}

func (h *Heat) validate() error {
	if h == nil {
		return nil
	}
	if h.IntervalMS <= 0 {
		return fmt.Errorf("heat: columns of %v ms", h.IntervalMS.Duration().Milliseconds())
	}
	for i := 1; i < len(h.FromUS); i++ {
		if h.FromUS[i] <= h.FromUS[i-1] {
			return fmt.Errorf("heat: row %d does not begin above the one before", i)
		}
	}
	for i, c := range h.Columns {
		if len(c) != 0 && len(c) != len(h.FromUS) {
			return fmt.Errorf("heat: column %d has %d rows, there are %d", i, len(c), len(h.FromUS))
		}
	}
	return nil
}
