package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"mqttlab/reports/latency"
)

func TestCliffsDeltaAgreesWithAllPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		a, b := make([]float64, 1+rng.IntN(30)), make([]float64, 1+rng.IntN(30))
		for _, s := range [][]float64{a, b} {
			for i := range s {
				s[i] = float64(rng.IntN(12))
			}
		}
		want := 0.0
		for _, x := range a {
			for _, y := range b {
				switch {
				case y > x:
					want++
				case y < x:
					want--
				}
			}
		}
		want /= float64(len(a) * len(b))
		da, db := latency.FromSamples(a), latency.FromSamples(b)
		got := interleave(da.Values, db.Values).delta(da.Cumulative(nil), db.Cumulative(nil))
		if math.Abs(got-want) > 1e-12 {
			t.Fatalf("delta of %v and %v is %v, want %v", a, b, got, want)
		}
	}
}

func TestHolm(t *testing.T) {
	ps := []float64{0.01, 0.04, 0.03, 0.005}
	holm([]*float64{&ps[0], &ps[1], &ps[2], &ps[3]})
	want := []float64{0.03, 0.06, 0.06, 0.02}
	for i := range ps {
		if math.Abs(ps[i]-want[i]) > 1e-12 {
			t.Errorf("corrected to %v, want %v", ps, want)
			break
		}
	}
}
