package compare

import (
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mqttlab/reports/latency"
)

var experiments = flag.Int("experiments", few, "synthetic experiments per property; 1000 or more for the published figures")

// few experiments are enough to see a method that is broken, and are done in seconds. Bounds are wider for them, since a
// share of 40 is known to a few percent only; `make power` runs the thousand that the bounds are meant for.
const few = 40

// bound widens what is asked of a share when it comes from few experiments.
func bound(full, wide float64) float64 {
	if *experiments < 1000 {
		return wide
	}
	return full
}

// shape draws the latency in microseconds of one message of a unit with the given luck (standard normal).
type shape struct {
	name string
	draw func(rng *rand.Rand, luck float64) float64
}

// shapes are mixed on purpose: light and heavy tails, two modes, and units that differ.
func shapes() []shape {
	return []shape{
		{"normal", func(r *rand.Rand, u float64) float64 { return 50_000 + 1500*u + 5000*r.NormFloat64() }},
		{"lognormal", func(r *rand.Rand, u float64) float64 { return math.Exp(11 + 0.05*u + 0.5*r.NormFloat64()) }},
		{"exponential", func(r *rand.Rand, u float64) float64 { return 20_000 + 30_000*(1+0.05*u)*r.ExpFloat64() }},
		{"two modes", func(r *rand.Rand, u float64) float64 {
			v := 40_000 + 1000*u + 4000*r.NormFloat64()
			if r.Float64() < 0.08 {
				v += 200_000 + 20_000*r.ExpFloat64() // a retransmission
			}
			return v
		}},
	}
}

// arm draws units with perUnit messages each, scaled. luck of 1 is units that differ by 3 to 5 %.
func (s shape) arm(rng *rand.Rand, units, perUnit int, scale, luck float64) *arm {
	ds := make([]latency.Distribution, units)
	for i := range ds {
		luck := luck * rng.NormFloat64()
		samples := make([]float64, perUnit)
		for j := range samples {
			samples[j] = math.Round(scale*s.draw(rng, luck)/200) * 200 // fewer distinct values, as in a histogram
		}
		ds[i] = latency.FromSamples(samples)
	}
	return newArm(ds)
}

// truth is the population's quantiles, from a sample so large that its error does not matter here.
func (s shape) truth(ps []float64) []float64 {
	rng := rand.New(rand.NewPCG(99, 99))
	all := make([]float64, 400_000)
	for i := range all {
		all[i] = s.draw(rng, rng.NormFloat64())
	}
	slices.Sort(all)
	out := make([]float64, len(ps))
	for i, p := range ps {
		out[i] = all[int(p*float64(len(all)))]
	}
	return out
}

func options() Options {
	return Options{Resamples: 300, Margin: 1e-9}.withDefaults()
}

// TestExperimentIntervalsCoverTheTruth draws arms whose true shift is known: B is A scaled by 1.1.
func TestExperimentIntervalsCoverTheTruth(t *testing.T) {
	t.Parallel()
	const scale = 1.1
	hit, all := 0, 0
	perQuantile := map[float64][2]int{}
	for k, s := range shapes() {
		truth := s.truth(Quantiles())
		rng := rand.New(rand.NewPCG(5, uint64(k)))
		for range *experiments / 4 {
			units := 8 + rng.IntN(9)
			l := shiftFunction(s.arm(rng, units, 400, 1, 1), s.arm(rng, units, 400, scale, 1), Runs, options(), rng)
			for i, shift := range l.Shifts {
				if shift.Verdict == NotJudged {
					continue
				}
				want := (scale - 1) * truth[i]
				n := perQuantile[shift.P]
				if float64(shift.Low.Microseconds()) <= want && want <= float64(shift.High.Microseconds()) {
					hit++
					n[0]++
				}
				all++
				n[1]++
				perQuantile[shift.P] = n
			}
		}
	}
	coverage := float64(hit) / float64(all)
	t.Logf("%.2f %% of %d intervals hold the true shift", 100*coverage, all)
	for _, p := range Quantiles() {
		if n := perQuantile[p]; n[1] > 0 {
			t.Logf("p%g: %.1f %%", p*100, 100*float64(n[0])/float64(n[1]))
		}
	}
	if coverage < bound(0.93, 0.91) || coverage > bound(0.97, 0.99) {
		t.Errorf("intervals hold the true shift in %.2f %% of cases, want 93 to 97", 100*coverage)
	}
}

// TestExperimentEqualArmsRaiseFewAlarms compares arms of the same population over all shapes. An alarm is any
// quantile called slower or faster.
func TestExperimentEqualArmsRaiseFewAlarms(t *testing.T) {
	t.Parallel()
	alarms := 0
	for k, s := range shapes() {
		rng := rand.New(rand.NewPCG(6, uint64(k)))
		for range *experiments / 4 {
			units := 6 + rng.IntN(11)
			if v := verdict(s.arm(rng, units, 400, 1, 1), s.arm(rng, units, 400, 1, 1), rng); v != NotEnough {
				alarms++
			}
		}
	}
	rate := float64(alarms) / float64(*experiments/4*4)
	t.Logf("%.2f %% false alarms", 100*rate)
	if rate > bound(0.05, 0.1) {
		t.Errorf("equal arms raise an alarm in %.1f %% of cases, at most 5 are allowed", 100*rate)
	}
}

// TestExperimentShiftsAreFound is the other side: a comparison that never alarms would pass the test above.
func TestExperimentShiftsAreFound(t *testing.T) {
	t.Parallel()
	found, wrong, n := 0, 0, *experiments/4
	s := shapes()[1]
	rng := rand.New(rand.NewPCG(7, 7))
	for range n {
		switch verdict(s.arm(rng, 10, 2000, 1, 1), s.arm(rng, 10, 2000, 1.15, 1), rng) {
		case Slower:
			found++
		case Faster:
			wrong++
		}
	}
	t.Logf("a shift of 15 %% is found in %d of %d", found, n)
	if float64(found) < bound(0.8, 0.7)*float64(n) || wrong > 0 {
		t.Errorf("a shift of 15 %% with 10 runs is found in %d of %d cases and called faster in %d", found, n, wrong)
	}
}

// verdict is what Fleets does with one group.
func verdict(a, b *arm, rng *rand.Rand) Verdict {
	r := &Result{Latency: []Latency{shiftFunction(a, b, Runs, options(), rng)}}
	r.correct()
	r.Latency[0].judge(options(), 0)
	return r.Latency[0].Verdict
}

// TestExperimentFivePercentAtP99 looks for a shift of 5 % at p99 with 10 runs per arm. Whether that can be found depends on how well
// a run knows its p99 and on how much runs of one target differ. The rows without a bound show where it ends; the package comment has
// the table.
func TestExperimentFivePercentAtP99(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		messages int
		luck     float64 // 0.2 is about 1 % between runs
		want     float64 // zero: for the table only
	}{{5000, 0.2, 0.8}, {20_000, 0.2, 0.8}, {20_000, 0.6, 0.8}, {2000, 0.2, 0}, {20_000, 1, 0}} {
		if c.messages != 5000 && *experiments < 1000 {
			continue // seconds instead of minutes
		}
		found, wrong, n := 0, 0, 0
		for k, s := range shapes() {
			rng := rand.New(rand.NewPCG(9, uint64(k)))
			for range *experiments / 4 {
				n++
				switch at99(s.arm(rng, 10, c.messages, 1, c.luck), s.arm(rng, 10, c.messages, 1.05, c.luck), rng) {
				case Slower:
					found++
				case Faster:
					wrong++
				}
			}
		}
		t.Logf("%d messages per run, runs that differ by about %.0f %%: found in %.1f %%", c.messages, 5*c.luck, 100*float64(found)/float64(n))
		if wrong > 0 || float64(found) < bound(c.want, c.want-0.1)*float64(n) {
			t.Errorf("found in %d of %d cases and called faster in %d, want at least %.0f %% and none", found, n, wrong, 100*c.want)
		}
	}
}

// at99 is the verdict about p99, with the usual margin and corrected for all quantiles.
func at99(a, b *arm, rng *rand.Rand) Verdict {
	o := Options{Resamples: 300}.withDefaults()
	r := &Result{Latency: []Latency{shiftFunction(a, b, Runs, o, rng)}}
	r.correct()
	l := &r.Latency[0]
	l.judge(o, 0)
	return l.Shifts[slices.IndexFunc(l.Shifts, func(s Shift) bool { return s.P == 0.99 })].Verdict
}
