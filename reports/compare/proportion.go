package compare

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Proportion is a share with its Wilson interval.
type Proportion struct {
	Hits, Of  int64
	Low, High float64 // 0 and 1 when Of is zero: nothing is known
}

// Share is Hits/Of; NaN when Of is zero.
func (p Proportion) Share() float64 { return float64(p.Hits) / float64(p.Of) }

// Wilson returns the share hits/of with Wilson's interval (JASA 22, 1927), which unlike the usual formula stays
// right for shares near 1, where delivery ratios are.
func Wilson(hits, of int64, confidence float64) Proportion {
	p := Proportion{Hits: hits, Of: of, Low: 0, High: 1}
	if of == 0 {
		return p
	}
	z := distuv.UnitNormal.Quantile(1 - (1-confidence)/2)
	n := float64(of)
	share := float64(hits) / n
	middle := (share + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	p.Low, p.High = max(0, middle-half), min(1, middle+half)
	return p
}

// newcombe is the interval of b minus a from their Wilson intervals (Statistics in Medicine 17, 1998, method 10).
func newcombe(a, b Proportion) (low, high float64) {
	d := b.Share() - a.Share()
	low = d - math.Hypot(b.Share()-b.Low, a.High-a.Share())
	high = d + math.Hypot(b.High-b.Share(), a.Share()-a.Low)
	return low, high
}
