package latency

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/mathext"
)

// Distribution is a list of distinct values, ascending, with how often each occurred. Counts are
// floating point because resampling weighs them; they are whole when made here. The unit is the maker's.
type Distribution struct {
	Values []float64
	Counts []float64
}

// FromSamples counts samples, which need no order and stay as they are.
func FromSamples(samples []float64) Distribution {
	sorted := slices.Sorted(slices.Values(samples))
	var d Distribution
	for i, v := range sorted {
		if i > 0 && v == sorted[i-1] {
			d.Counts[len(d.Counts)-1]++
			continue
		}
		d.Values = append(d.Values, v)
		d.Counts = append(d.Counts, 1)
	}
	return d
}

// Total is the sum of the counts.
func (d Distribution) Total() float64 {
	total := 0.0
	for _, c := range d.Counts {
		total += c
	}
	return total
}

// Cumulative returns the running sums of the counts in out's storage, which grows as needed.
func (d Distribution) Cumulative(out []float64) []float64 {
	out = out[:0]
	sum := 0.0
	for _, c := range d.Counts {
		sum += c
		out = append(out, sum)
	}
	return out
}

// HarrellDavis estimates one quantile for samples of about one size. It is read-only
// once made and safe for concurrent use.
//
// The estimate is the mean of the sample's values, each weighed by the share of a Beta((n+1)p, (n+1)(1-p))
// distribution over its stretch of the ranks. The size n sets how far the weights spread and
// is kept while resampling: samples then differ in what they hold, not in how they are smoothed.
type HarrellDavis struct {
	a, b   float64
	lo, hi float64   // all weight but 1e-15 or so lies between these ranks (0 to 1)
	table  []float64 // Beta's cumulative distribution on a grid from lo to hi; nil: computed each time
}

// spread is the reach of the weights in standard deviations, and grid the number of steps over it. Linear
// interpolation is then off by less than 1e-5 of the weight, far below what a histogram resolves.
const (
	spread = 9.0
	grid   = 2048
)

// NewHarrellDavis prepares the quantile p, which must be between 0 and 1 exclusive, for samples of
// size n. A size below 1 counts as 1.
func NewHarrellDavis(n, p float64) *HarrellDavis {
	n = max(n, 1)
	h := &HarrellDavis{a: (n + 1) * p, b: (n + 1) * (1 - p)}
	sd := math.Sqrt(p * (1 - p) / (n + 2))
	h.lo, h.hi = max(0, p-spread*sd), min(1, p+spread*sd)
	// Near the ends of a small sample, Beta is too steep for a grid. Few values lie within its reach then.
	if math.Min(h.a, h.b) < 16 {
		h.lo, h.hi = 0, 1
		if h.a > h.b {
			h.lo = max(0, 1-tail(h.b)/n)
		} else {
			h.hi = min(1, tail(h.a)/n)
		}
		return h
	}
	h.table = make([]float64, grid+2) // one more, so that interpolation at hi needs no branch
	for i := range h.table {
		h.table[i] = mathext.RegIncBeta(h.a, h.b, min(1, h.lo+(h.hi-h.lo)*float64(i)/grid))
	}
	return h
}

// tail is the number of ranks from the end beyond which a Beta distribution with this small shape has
// no weight left to speak of: there it falls like exp(-rank).
func tail(shape float64) float64 { return shape + 10*math.Sqrt(shape) + 40 }

// cdf is Beta's cumulative distribution at rank x, forced to 0 and 1 at the ends of its reach.
func (h *HarrellDavis) cdf(x float64) float64 {
	switch {
	case x <= h.lo:
		return 0
	case x >= h.hi:
		return 1
	case h.table == nil:
		return mathext.RegIncBeta(h.a, h.b, x)
	}
	at := (x - h.lo) / (h.hi - h.lo) * grid
	i := int(at)
	return h.table[i] + (at-float64(i))*(h.table[i+1]-h.table[i])
}

// Quantile estimates the quantile of a distribution, in the distribution's unit. NaN when it is empty.
func (h *HarrellDavis) Quantile(d Distribution) float64 {
	return h.Estimate(d.Values, d.Cumulative(nil))
}

// Estimate is Quantile for a caller that has the running sums of the counts already. It does not allocate.
func (h *HarrellDavis) Estimate(values, cumulative []float64) float64 {
	if len(values) == 0 || cumulative[len(values)-1] <= 0 {
		return math.NaN()
	}
	total := cumulative[len(values)-1]
	first := sort.Search(len(values), func(i int) bool { return cumulative[i] > h.lo*total })
	sum, before := 0.0, 0.0
	for i := first; i < len(values) && before < 1; i++ {
		if i > 0 && cumulative[i] == cumulative[i-1] {
			continue // resampled away
		}
		upTo := h.cdf(cumulative[i] / total)
		sum += values[i] * (upTo - before)
		before = upTo
	}
	return sum
}
