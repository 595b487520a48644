package latency_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

func TestHeat(t *testing.T) {
	h := latency.NewHeat(time.Second)
	if h.Model() != nil {
		t.Error("an empty map is not nil")
	}
	for _, e := range []struct{ at, span time.Duration }{
		{0, 100 * time.Microsecond},
		{999 * time.Millisecond, 127 * time.Microsecond},
		{time.Second, 64 * time.Microsecond},
		{3 * time.Second, 200 * time.Microsecond},
		{3500 * time.Millisecond, 96 * time.Microsecond},
	} {
		h.Record(e.at, e.span)
	}
	want := &model.Heat{
		IntervalMS: model.Millis(time.Second), FromUS: []int64{64, 96, 128, 192},
		Columns: [][]int64{{0, 2, 0, 0}, {1, 0, 0, 0}, {}, {0, 1, 0, 1}},
	}
	if diff := cmp.Diff(want, h.Model()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestHeatOfALongRun loses no message when columns are merged, and stays small.
func TestHeatOfALongRun(t *testing.T) {
	h := latency.NewHeat(time.Second)
	rng := rand.New(rand.NewPCG(1, 1))
	const n = 20_000
	for i := range n {
		h.Record(time.Duration(i)*time.Minute, time.Duration(rng.ExpFloat64()*float64(time.Hour)))
	}
	h.Record(0, latency.Longest*2)
	m := h.Model()
	total := int64(0)
	for _, c := range m.Columns {
		for _, count := range c {
			total += count
		}
	}
	if total != n+1 || len(m.Columns) > 128 || m.IntervalMS.Duration()*time.Duration(len(m.Columns)) < n*time.Minute {
		t.Errorf("%d of %d counted in %d columns of %v", total, n+1, len(m.Columns), m.IntervalMS.Duration())
	}
	if allocs := testing.AllocsPerRun(100, func() { h.Record(time.Hour, time.Millisecond) }); allocs != 0 {
		t.Errorf("recording allocates %v times", allocs)
	}
}
