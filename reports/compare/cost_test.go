package compare_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"mqttlab/reports/compare"
	"mqttlab/reports/model"
)

// costing makes so many runs of a fleet of 1000 messages, in which the target spent about so much on each.
func costing(rng *rand.Rand, runs int, each time.Duration, spread float64) []*model.Record {
	out := make([]*model.Record, runs)
	for i := range out {
		used := model.Millis(1000 * float64(each) * math.Exp(spread*rng.NormFloat64()))
		out[i] = &model.Record{Kind: model.FleetRun, Fleet: &model.Fleet{
			Validity: model.Validity{Valid: true}, TargetCPUMS: &used,
			Groups: []model.Group{{Name: "g", Ledger: []model.Ledger{{QoS: 1, Sent: 1000, Delivered: 1000}}}},
		}}
	}
	return out
}

func compared(t *testing.T, a, b []*model.Record, o compare.Options) *compare.Result {
	t.Helper()
	r, err := compare.Fleets(a, b, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCostVerdicts(t *testing.T) {
	const us = time.Microsecond
	for name, c := range map[string]struct {
		runs   int
		b      time.Duration
		spread float64
		want   compare.Verdict
		says   string
	}{
		"more":      {10, 24 * us, 0.03, compare.CostsMore, "B +19.5 % (+16.9 % to +22.1 %): costs more"},
		"less":      {10, 16 * us, 0.03, compare.CostsLess, "costs less"},
		"same":      {10, 20 * us, 0.01, compare.Same, "same"},
		"undecided": {5, 21 * us, 0.2, compare.NotEnough, "not enough data"},
		"few":       {4, 40 * us, 0, compare.NotJudged, "20.0 µs and 40.0 µs per message that arrived, B +100.0 %: not judged (needs 5 runs per arm)"},
		"constant":  {5, 22 * us, 0, compare.CostsMore, "B +10.0 % (+10.0 % to +10.0 %): costs more"},
	} {
		a := costing(rand.New(rand.NewPCG(1, 1)), c.runs, 20*us, 0)
		got := compared(t, a, costing(rand.New(rand.NewPCG(2, 2)), c.runs, c.b, c.spread), compare.Options{})
		var text strings.Builder
		if err := got.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if got.Cost == nil || got.Cost.Verdict != c.want || !strings.Contains(text.String(), c.says) {
			t.Errorf("%s: %+v, want %s saying %q in\n%s", name, got.Cost, c.want, c.says, &text)
		}
	}
}

// TestCostInterval counts how often the interval holds the true shift.
func TestCostInterval(t *testing.T) {
	const experiments, truth = 2000, 0.08
	rng := rand.New(rand.NewPCG(3, 3))
	held := 0
	for range experiments {
		a := costing(rng, 6, 20*time.Microsecond, 0.05)
		b := costing(rng, 8, time.Duration((1+truth)*20_000), 0.15)
		if c := compared(t, a, b, compare.Options{Resamples: 1}).Cost; c.Low <= truth && truth <= c.High {
			held++
		}
	}
	if share := float64(held) / experiments; share < 0.94 || share > 0.96 {
		t.Errorf("the 95 %% interval holds the truth in %.1f %% of experiments", 100*share)
	}
}

// TestCostUnknown does not compare what is known of some runs only.
func TestCostUnknown(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	a, b := costing(rng, 5, 20*time.Microsecond, 0.1), costing(rng, 5, 20*time.Microsecond, 0.1)
	b[3].Fleet.TargetCPUMS = nil
	if r := compared(t, a, b, compare.Options{}); r.Cost != nil || !strings.Contains(strings.Join(r.Warnings, ";"), "some runs only") {
		t.Errorf("cost %v, warnings %q", r.Cost, r.Warnings)
	}
	for _, r := range append(a, b...) {
		r.Fleet.TargetCPUMS = nil
	}
	if r := compared(t, a, b, compare.Options{}); r.Cost != nil || len(r.Warnings) > 0 {
		t.Errorf("cost %v, warnings %q", r.Cost, r.Warnings)
	}
}
