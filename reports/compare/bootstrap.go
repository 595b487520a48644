package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"mqttlab/reports/latency"
)

// arm is one side of a comparison: one distribution for each unit, over a common list of values.
type arm struct {
	values []float64 // union of the values of all units, ascending
	units  []unit
	total  []float64 // counts of all units together, over values
	count  float64
}

// unit is one run or block of devices: the places in values at which it has counts.
type unit struct {
	at     []int32
	counts []float64
}

// newArm merges the units. Empty units are left out: they have no latency to resample.
func newArm(units []latency.Distribution) *arm {
	a := &arm{}
	for _, d := range units {
		a.values = append(a.values, d.Values...)
	}
	slices.Sort(a.values)
	a.values = slices.Compact(a.values)
	a.total = make([]float64, len(a.values))
	for _, d := range units {
		if len(d.Values) == 0 {
			continue
		}
		u := unit{at: make([]int32, len(d.Values)), counts: d.Counts}
		for i, v := range d.Values {
			at := sort.SearchFloat64s(a.values, v)
			u.at[i] = int32(at)
			a.total[at] += d.Counts[i]
			a.count += d.Counts[i]
		}
		a.units = append(a.units, u)
	}
	return a
}

// resample draws as many units as there are, with replacement, and leaves the running sums of their
// counts in cumulative.
func (a *arm) resample(rng *rand.Rand, cumulative []float64) {
	clear(cumulative)
	for range a.units {
		u := &a.units[rng.IntN(len(a.units))]
		for i, at := range u.at {
			cumulative[at] += u.counts[i]
		}
	}
	sumUp(cumulative)
}

func sumUp(counts []float64) {
	for i := 1; i < len(counts); i++ {
		counts[i] += counts[i-1]
	}
}

// estimates holds, for one arm or for both, a statistic of the data and of each resample.
type estimates struct {
	value float64
	drawn []float64
}

// bootstrap estimates all quantiles of both arms, and Cliff's delta between them.
func bootstrap(a, b *arm, ps []float64, resamples int, rng *rand.Rand) (qa, qb []estimates, delta estimates) {
	hdA, hdB := estimators(a, ps), estimators(b, ps)
	qa, qb = make([]estimates, len(ps)), make([]estimates, len(ps))
	cumA, cumB := slices.Clone(a.total), slices.Clone(b.total)
	sumUp(cumA)
	sumUp(cumB)
	pairs := interleave(a.values, b.values)
	for i := range ps {
		qa[i].value = hdA[i].Estimate(a.values, cumA)
		qb[i].value = hdB[i].Estimate(b.values, cumB)
	}
	delta.value = pairs.delta(cumA, cumB)
	for range resamples {
		a.resample(rng, cumA)
		b.resample(rng, cumB)
		for i := range ps {
			qa[i].drawn = append(qa[i].drawn, hdA[i].Estimate(a.values, cumA))
			qb[i].drawn = append(qb[i].drawn, hdB[i].Estimate(b.values, cumB))
		}
		delta.drawn = append(delta.drawn, pairs.delta(cumA, cumB))
	}
	return qa, qb, delta
}

func estimators(a *arm, ps []float64) []*latency.HarrellDavis {
	out := make([]*latency.HarrellDavis, len(ps))
	for i, p := range ps {
		out[i] = latency.NewHarrellDavis(a.count, p)
	}
	return out
}

// difference is what the resamples say about B minus A.
type difference struct {
	value, low, high float64
	p                float64 // two-sided; NaN when nothing varied
}

// between subtracts two independent estimates. The interval is the percentile interval at a level
// that makes up for what a bootstrap of few units leaves out: its variance is too small by (n-1)/n, and it knows
// nothing of the t distribution.
func between(a, b estimates, unitsA, unitsB int, confidence float64) difference {
	d := difference{value: b.value - a.value}
	drawn := make([]float64, len(a.drawn))
	for i := range drawn {
		drawn[i] = b.drawn[i] - a.drawn[i]
	}
	w := widen(stat.Variance(a.drawn, nil), stat.Variance(b.drawn, nil), unitsA, unitsB)
	d.low, d.high = w.interval(drawn, confidence)
	d.p = w.pValue(d.value)
	return d
}

// widening turns the spread of resamples into a statement about the population.
type widening struct {
	raw, se float64 // standard error as resampled, and corrected for few units
	df      float64 // Welch and Satterthwaite's degrees of freedom
}

func widen(varA, varB float64, unitsA, unitsB int) widening {
	nA, nB := float64(unitsA), float64(unitsB)
	w := welch(varA*nA/(nA-1), varB*nB/(nB-1), nA, nB)
	w.raw = math.Sqrt(varA + varB)
	return w
}

// welch is for the difference of two means of nA and nB units, of which the variances are given.
func welch(a, b, nA, nB float64) widening {
	w := widening{se: math.Sqrt(a + b), df: nA + nB - 2}
	if a+b > 0 {
		w.df = (a + b) * (a + b) / (a*a/(nA-1) + b*b/(nB-1))
	}
	return w
}

// interval sorts drawn and picks its two percentiles.
func (w widening) interval(drawn []float64, confidence float64) (low, high float64) {
	slices.Sort(drawn)
	tail := (1 - confidence) / 2
	if w.raw > 0 {
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: w.df}.Quantile(tail)
		tail = distuv.UnitNormal.CDF(t * w.se / w.raw)
	}
	return stat.Quantile(tail, stat.LinInterp, drawn, nil), stat.Quantile(1-tail, stat.LinInterp, drawn, nil)
}

// pValue is two-sided for the hypothesis that the statistic is zero. When nothing varied, it is 1 for no
// difference and 0 for any.
func (w widening) pValue(value float64) float64 {
	if w.se == 0 {
		if value == 0 {
			return 1
		}
		return 0
	}
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: w.df}.CDF(-math.Abs(value)/w.se)
}

// holm corrects p-values in place for being looked at together (Scandinavian Journal of Statistics 6, 1979).
func holm(ps []*float64) {
	slices.SortFunc(ps, func(a, b *float64) int {
		switch {
		case *a < *b:
			return -1
		case *a > *b:
			return 1
		}
		return 0
	})
	largest := 0.0
	for i, p := range ps {
		largest = max(largest, min(1, *p*float64(len(ps)-i)))
		*p = largest
	}
}
