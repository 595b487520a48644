package latency

import "gonum.org/v1/gonum/stat"

// Distance says how far two distributions are apart. It is for checking an emulated link against what it was
// told to be, where the one distribution is known exactly. It is no test: with enough messages any two measured runs
// differ "significantly", and package compare is there to say by how much.
type Distance struct {
	KS          float64 // largest difference between the two cumulative distributions, 0 to 1
	Wasserstein float64 // mean distance by which values would have to move to turn one into the other, in the values' unit
}

// Between measures the distance. Neither distribution may be empty: the distances are then 1 and NaN, or 0 and NaN for two.
func Between(a, b Distribution) Distance {
	return Distance{
		KS:          stat.KolmogorovSmirnov(a.Values, a.Counts, b.Values, b.Counts),
		Wasserstein: stat.WassersteinDistance(a.Values, b.Values, a.Counts, b.Counts),
	}
}

// FromQuantiles makes a distribution out of a quantile function, such as that of a configured delay: n values at the
// middle of n equal shares. Its own distance from the function is at most 1/(2n) in KS.
func FromQuantiles(n int, quantile func(p float64) float64) Distribution {
	samples := make([]float64, n)
	for i := range samples {
		samples[i] = quantile((float64(i) + 0.5) / float64(n))
	}
	return FromSamples(samples)
}
