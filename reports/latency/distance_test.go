package latency_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"mqttlab/reports/latency"
)

func TestDistances(t *testing.T) {
	uniform := latency.FromQuantiles(10_000, func(p float64) float64 { return 1000 * p })
	for name, c := range map[string]struct {
		other           latency.Distribution
		ks, wasserstein float64
	}{
		"itself":      {uniform, 0, 0},
		"moved by 50": {latency.FromQuantiles(10_000, func(p float64) float64 { return 50 + 1000*p }), 0.05, 50},
		"stretched":   {latency.FromQuantiles(10_000, func(p float64) float64 { return 1250 * p }), 0.2, 125},
		"one point":   {latency.FromSamples([]float64{500}), 0.5, 250},
		"elsewhere":   {latency.FromSamples([]float64{5000, 5000}), 1, 4500},
	} {
		got := latency.Between(uniform, c.other)
		if math.Abs(got.KS-c.ks) > 0.001 || math.Abs(got.Wasserstein-c.wasserstein) > 0.5 {
			t.Errorf("%s: %+v, want %v and %v", name, got, c.ks, c.wasserstein)
		}
		if back := latency.Between(c.other, uniform); math.Abs(back.KS-got.KS) > 1e-9 || math.Abs(back.Wasserstein-got.Wasserstein) > 1e-6 {
			t.Errorf("%s: the distance back is another: %+v and %+v", name, got, back)
		}
	}
}

// TestDistanceOfADrawnDistribution is what a check of an emulated link does: a histogram of 50,000 drawn values lies
// within the Dvoretzky-Kiefer-Wolfowitz bound (1 in 10,000) of where they were drawn from, and outside it of a slower link.
func TestDistanceOfADrawnDistribution(t *testing.T) {
	const n = 50_000
	bound := math.Sqrt(math.Log(2/1e-4)/(2*n)) + 0.001 // a histogram's values are known to 0.1 %
	rng := rand.New(rand.NewPCG(8, 8))
	h := latency.NewHistogram()
	for range n {
		h.Record(time.Duration((20 + 30*rng.ExpFloat64()) * float64(time.Millisecond)))
	}
	exponential := func(mean float64) latency.Distribution {
		return latency.FromQuantiles(20_000, func(p float64) float64 { return 20_000 - 1000*mean*math.Log1p(-p) })
	}
	if d := latency.Between(h.Distribution(), exponential(30)); d.KS > bound || d.Wasserstein > 1000 {
		t.Errorf("distance from its own distribution is %+v, want at most %.4f and 1 ms", d, bound)
	}
	if d := latency.Between(h.Distribution(), exponential(33)); d.KS < bound || d.Wasserstein < 2000 {
		t.Errorf("distance from a slower link is %+v, want above %.4f and 2 ms", d, bound)
	}
}
