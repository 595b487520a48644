package arrival

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func TestConstantKeepsItsIntervalWithoutDrift(t *testing.T) {
	p := Pace{Interval: 333 * time.Millisecond, Spread: 1}
	rnd := source(1)
	first := p.First(rnd)
	at := first
	for range 1_000_000 {
		at = p.Next(at, rnd)
	}
	if want := first + 1_000_000*p.Interval; at != want {
		t.Errorf("after a million messages at %v, want %v", at, want)
	}
}

func TestPhasesFillTheSpreadAndNoMore(t *testing.T) {
	for _, spread := range []float64{0, 0.25, 1} {
		p := Pace{Interval: 10 * time.Second, Spread: spread}
		rnd := source(2)
		var low, high, sum time.Duration = math.MaxInt64, 0, 0
		const n = 10_000
		for range n {
			at := p.First(rnd)
			low, high, sum = min(low, at), max(high, at), sum+at
		}
		width := time.Duration(spread * float64(p.Interval))
		if low < 0 || high > width {
			t.Errorf("spread %v: phases from %v to %v, want within 0 to %v", spread, low, high, width)
		}
		if mean := sum / n; (mean - width/2).Abs() > width/50 {
			t.Errorf("spread %v: mean phase %v, want about %v", spread, mean, width/2)
		}
	}
}

func TestPoissonGapsAreExponential(t *testing.T) {
	p := Pace{Kind: Poisson, Interval: time.Second}
	rnd := source(3)
	const n = 100_000
	var at time.Duration
	sum, squares := 0.0, 0.0
	for range n {
		next := p.Next(at, rnd)
		if next <= at {
			t.Fatalf("time stands still at %v", at)
		}
		gap := (next - at).Seconds()
		sum, squares, at = sum+gap, squares+gap*gap, next
	}
	mean := sum / n
	deviation := math.Sqrt(squares/n - mean*mean)
	if math.Abs(mean-1) > 0.02 || math.Abs(deviation-1) > 0.03 {
		t.Errorf("gaps have mean %.3f s and deviation %.3f s, an exponential distribution has 1 and 1", mean, deviation)
	}
}

func TestSameSeedSameTimes(t *testing.T) {
	p := Pace{Kind: Poisson, Interval: time.Minute}
	a, b, c := source(4), source(4), source(5)
	x, y, z := p.First(a), p.First(b), p.First(c)
	if x != y {
		t.Errorf("one seed gave %v and %v", x, y)
	}
	if x == z {
		t.Error("another seed gave the same time")
	}
}

func TestNames(t *testing.T) {
	if Constant.String() != "constant" || Poisson.String() != "poisson" || Kind(9).String() != "arrival 9" {
		t.Errorf("names: %v %v %v", Constant, Poisson, Kind(9))
	}
}
