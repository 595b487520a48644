package arrival

import (
	"math"
	"math/rand/v2"
	"slices"
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
		at = p.Next(at, 1, rnd)
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
		next := p.Next(at, 1, rnd)
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

func TestBurstsKeepTheirInterval(t *testing.T) {
	p := Pace{Kind: Burst, Interval: time.Minute, Burst: 3, Gap: time.Second}
	rnd := source(1)
	var got []time.Duration
	at := p.First(rnd)
	for sent := 1; sent <= 7; sent++ {
		got = append(got, at)
		at = p.Next(at, sent, rnd)
	}
	const s, m = time.Second, time.Minute
	if want := []time.Duration{0, s, 2 * s, m, m + s, m + 2*s, 2 * m}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDiurnalRateFollowsTheHour(t *testing.T) {
	p := Pace{Kind: Diurnal, Interval: time.Second, Swing: 0.8, Peak: 14 * time.Hour}
	rnd := source(6)
	var hours [24]float64
	const days = 5
	for at := p.First(rnd); at < days*Day; at = p.Next(at, 0, rnd) {
		hours[at%Day/time.Hour]++
	}
	for hour, n := range hours {
		mid := float64(hour) + 0.5
		want := days * 3600 * (1 + 0.8*math.Cos(2*math.Pi*(mid-14)/24))
		if math.Abs(n-want) > 6*math.Sqrt(want) {
			t.Errorf("hour %d: %v messages, want about %.0f", hour, n, want)
		}
	}
}

func TestStagesBendTime(t *testing.T) {
	// At rate 1 for 10 s, over 10 s to rate 3, from 30 s on nothing, from 40 s on rate 0.5.
	s := Stages{{Start: 10 * time.Second, Ramp: 10 * time.Second, Rate: 3}, {Start: 30 * time.Second, Rate: 0}, {Start: 40 * time.Second, Rate: 0.5}}
	for _, c := range []struct{ paced, at float64 }{
		{0, 0},
		{5, 5},
		{10, 10},
		{10 + 7.5, 15}, // of the ramp's 20 the first half has (1+2)/2·5
		{30, 20},
		{45, 25},
		{60, 30}, // three times as fast
		{61, 42},
		{65, 50}, // half as fast, after a pause
	} {
		if got := s.At(time.Duration(c.paced * 1e9)).Seconds(); math.Abs(got-c.at) > 1e-6 {
			t.Errorf("paced %v s is at %v s, want %v", c.paced, got, c.at)
		}
	}
	if got := s.Mean(50 * time.Second); math.Abs(got-65.0/50) > 1e-6 {
		t.Errorf("mean rate %v, want 1.3", got)
	}
	if got := (Stages{{Start: time.Second, Rate: 0}}).At(2 * time.Second); got < 1000*Day {
		t.Errorf("after the end of all messages one is due at %v", got)
	}
	if got := Stages(nil).At(7); got != 7 {
		t.Errorf("without stages 7 ns are %v", got)
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
