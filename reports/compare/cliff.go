package compare

import "sort"

// pairing finds, for each value of B, how many values of A lie below it and how many below or at it. The
// positions do not change while counts are resampled.
type pairing struct {
	below, upTo []int // into A's running sums
}

func interleave(a, b []float64) pairing {
	p := pairing{below: make([]int, len(b)), upTo: make([]int, len(b))}
	for i, v := range b {
		p.below[i] = sort.SearchFloat64s(a, v)
		p.upTo[i] = p.below[i]
		if p.upTo[i] < len(a) && a[p.upTo[i]] == v {
			p.upTo[i]++
		}
	}
	return p
}

// delta is Cliff's delta from the running sums of both arms: the probability that a value of B is larger than one of A,
// minus the probability that it is smaller. Positive means that B is slower. Zero for an empty arm.
func (p pairing) delta(cumA, cumB []float64) float64 {
	if len(cumA) == 0 || len(cumB) == 0 {
		return 0
	}
	totalA, totalB := cumA[len(cumA)-1], cumB[len(cumB)-1]
	if totalA == 0 || totalB == 0 {
		return 0
	}
	sum, before := 0.0, 0.0
	for i, upTo := range cumB {
		count := upTo - before
		before = upTo
		if count == 0 {
			continue
		}
		smaller, notLarger := 0.0, 0.0
		if p.below[i] > 0 {
			smaller = cumA[p.below[i]-1]
		}
		if p.upTo[i] > 0 {
			notLarger = cumA[p.upTo[i]-1]
		}
		sum += count * (smaller - (totalA - notLarger))
	}
	return sum / (totalA * totalB)
}
