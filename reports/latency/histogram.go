package latency

import (
	"errors"
	"fmt"
	"math/bits"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"mqttlab/reports/model"
)

// What a Histogram can hold. Spans outside are counted at the nearest end.
const (
	Shortest = time.Microsecond
	Longest  = 7 * 24 * time.Hour // a device may sleep through a weekend with a message in its queue
)

// unit is what the values of an encoded histogram count.
const unit = "us"

const digits = 3

// Histogram holds time spans. Make one with NewHistogram. It is not safe for concurrent use.
type Histogram struct {
	packed *hdr.PackedHistogram
}

// NewHistogram returns an empty histogram.
func NewHistogram() *Histogram {
	return &Histogram{packed: hdr.NewPacked(Shortest.Microseconds(), Longest.Microseconds(), digits)}
}

// Record counts one span. It allocates only when the span's bucket was empty.
func (h *Histogram) Record(d time.Duration) {
	d = min(max(d, Shortest), Longest)
	// In range, it can fail only by overflow of an int64 count, which no run lives to see.
	_ = h.packed.RecordValue(d.Microseconds())
}

// Merge adds the counts of from, which stays as it is.
func (h *Histogram) Merge(from *Histogram) {
	h.packed.Merge(from.packed)
}

// Count is the number of spans recorded.
func (h *Histogram) Count() int64 { return h.packed.TotalCount() }

// Mean is the arithmetic mean; zero when empty.
func (h *Histogram) Mean() time.Duration {
	return time.Duration(h.packed.Mean() * float64(time.Microsecond))
}

// Max is the longest span, to within the histogram's resolution; zero when empty.
func (h *Histogram) Max() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.packed.Max()) * time.Microsecond
}

// Quantile is the span that a share p (0 to 1) of all spans does not exceed; zero when
// empty. It is the plain quantile, for display; comparisons use HarrellDavis.
func (h *Histogram) Quantile(p float64) time.Duration {
	return time.Duration(h.packed.ValueAtPercentile(p*100)) * time.Microsecond
}

// Encode returns the form for a record. An empty histogram has no HDR text.
func (h *Histogram) Encode() (model.Histogram, error) {
	out := model.Histogram{Unit: unit, Count: h.Count()}
	if out.Count == 0 {
		return out, nil
	}
	text, err := h.packed.EncodeV2()
	if err != nil {
		return model.Histogram{}, fmt.Errorf("encode histogram: %w", err)
	}
	out.HDR = string(text)
	return out, nil
}

// Decode reads a histogram from a record. It refuses another unit, text that is no HdrHistogram V2, and
// a count that the text does not bear out.
func Decode(m model.Histogram) (*Histogram, error) {
	h := NewHistogram()
	if m.Count == 0 && m.HDR == "" {
		return h, nil
	}
	if m.Unit != unit {
		return nil, fmt.Errorf("decode histogram: unit %q, expected %q", m.Unit, unit)
	}
	packed, err := hdr.DecodePacked([]byte(m.HDR))
	if err != nil {
		return nil, fmt.Errorf("decode histogram: %w", err)
	}
	if packed.TotalCount() != m.Count {
		return nil, fmt.Errorf("decode histogram: it holds %d values, the record says %d", packed.TotalCount(), m.Count)
	}
	if dropped := h.packed.Merge(packed); dropped > 0 {
		return nil, errors.New("decode histogram: values beyond 7 days")
	}
	return h, nil
}

// Distribution lists the histogram's buckets by their middle, in microseconds.
func (h *Histogram) Distribution() Distribution {
	d := Distribution{
		Values: make([]float64, 0, h.packed.Populated()),
		Counts: make([]float64, 0, h.packed.Populated()),
	}
	for lowest, count := range h.packed.ForEachBucket {
		d.Values = append(d.Values, float64(lowest)+float64(bucketWidth(lowest)-1)/2)
		d.Counts = append(d.Counts, float64(count))
	}
	return d
}

// bucketWidth is the number of whole microseconds that share the bucket of v: three digits need 2048
// steps in the lowest range, and each doubling above halves the resolution.
func bucketWidth(v int64) int64 {
	const bitsFull = 11 // 2^11 = 2048 >= 2*10^digits
	if n := bits.Len64(uint64(v)); n > bitsFull {
		return 1 << (n - bitsFull)
	}
	return 1
}
