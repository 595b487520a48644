package latency_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mathext"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

func TestHistogramKeepsThreeDigits(t *testing.T) {
	for _, d := range []time.Duration{
		time.Microsecond, 2047 * time.Microsecond, 2049 * time.Microsecond, 37 * time.Millisecond,
		time.Second, 13*time.Minute + 7*time.Millisecond, 26 * time.Hour, latency.Longest,
	} {
		h := latency.NewHistogram()
		h.Record(d)
		if got := h.Quantile(0.5); math.Abs(float64(got-d)) > float64(d)/1000 {
			t.Errorf("%v is kept as %v", d, got)
		}
		mid := h.Distribution().Values[0] * 1000
		if math.Abs(mid-float64(d)) > float64(d)/1000 {
			t.Errorf("%v lies in the bucket around %v", d, time.Duration(mid))
		}
	}
	h := latency.NewHistogram()
	h.Record(-time.Second)
	h.Record(latency.Longest * 2)
	if h.Count() != 2 || h.Max() < latency.Longest {
		t.Errorf("%d recorded, the longest %v, want 2 and %v", h.Count(), h.Max(), latency.Longest)
	}
}

// TestBucketsTile proves that the middle computed for each bucket is its middle.
func TestBucketsTile(t *testing.T) {
	h := latency.NewHistogram()
	for v := int64(1); v < 20_000; v++ {
		h.Record(time.Duration(v) * time.Microsecond)
	}
	d := h.Distribution()
	edge := 0.5
	for i, v := range d.Values {
		if want := edge + d.Counts[i]/2; v != want && i < len(d.Values)-1 {
			t.Fatalf("bucket %d has its middle at %v, want %v", i, v, want)
		}
		edge += d.Counts[i]
	}
}

func TestRecorderBlocksAddUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	r, want := latency.NewRecorder(100), latency.NewHistogram()
	for range 5000 {
		d := time.Duration(rng.ExpFloat64() * float64(time.Second))
		want.Record(d)
		r.Record(rng.IntN(100), d)
	}
	got, err := r.Latency(model.Intended, model.ToAck)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, got.Histogram); diff != "" {
		t.Errorf("the group is not the sum of its values (-want +got):\n%s", diff)
	}
	if len(got.Blocks) != model.MaxBlocks {
		t.Errorf("%d blocks", len(got.Blocks))
	}
	var sum int64
	for _, m := range got.Blocks {
		h, err := latency.Decode(m)
		if err != nil {
			t.Fatal(err)
		}
		sum += h.Count()
	}
	if sum != 5000 {
		t.Errorf("blocks hold %d values, 5000 were recorded", sum)
	}
	if n := len(must(latency.NewRecorder(3).Latency(model.Service, model.ToDelivery)).Blocks); n != 3 {
		t.Errorf("3 devices are in %d blocks", n)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestDecodeRefuses(t *testing.T) {
	h := latency.NewHistogram()
	h.Record(time.Second)
	good := must(h.Encode())
	if back, err := latency.Decode(good); err != nil || back.Quantile(1) != h.Quantile(1) {
		t.Errorf("round trip gives %v", err)
	}
	if empty, err := latency.Decode(must(latency.NewHistogram().Encode())); err != nil || empty.Count() != 0 {
		t.Errorf("empty histogram gives %v", err)
	}
	for name, m := range map[string]model.Histogram{
		"unit":    {Unit: "ms", Count: 1, HDR: good.HDR},
		"count":   {Unit: "us", Count: 2, HDR: good.HDR},
		"text":    {Unit: "us", Count: 1, HDR: "HISTFAAA"},
		"no text": {Unit: "us", Count: 1},
	} {
		if _, err := latency.Decode(m); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	h := latency.NewHistogram()
	h.Record(time.Second)
	f.Add(must(h.Encode()).HDR, int64(1))
	f.Fuzz(func(t *testing.T, text string, count int64) {
		h, err := latency.Decode(model.Histogram{Unit: "us", Count: count, HDR: text})
		if err != nil {
			return
		}
		if total := h.Distribution().Total(); total != float64(count) {
			t.Fatalf("%d values are listed as %v", count, total)
		}
	})
}

// direct is Harrell and Davis's definition, term by term.
func direct(sorted []float64, p float64) float64 {
	n := float64(len(sorted))
	sum, before := 0.0, 0.0
	for i, v := range sorted {
		upTo := mathext.RegIncBeta((n+1)*p, (n+1)*(1-p), float64(i+1)/n)
		sum += v * (upTo - before)
		before = upTo
	}
	return sum
}

func TestHarrellDavisFollowsItsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 10, 100, 1000, 20_000} {
		samples := make([]float64, n)
		for i := range samples {
			samples[i] = math.Round(math.Exp(rng.NormFloat64()) * 1000)
		}
		d := latency.FromSamples(samples)
		var sorted []float64
		for i, v := range d.Values {
			for range int(d.Counts[i]) {
				sorted = append(sorted, v)
			}
		}
		if len(sorted) != n {
			t.Fatalf("%d samples became %d", n, len(sorted))
		}
		for _, p := range []float64{0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999} {
			got := latency.NewHarrellDavis(float64(n), p).Quantile(d)
			want := direct(sorted, p)
			if math.Abs(got-want) > 1e-4*want {
				t.Errorf("n=%d p=%v: %v, want %v", n, p, got, want)
			}
		}
	}
	if !math.IsNaN(latency.NewHarrellDavis(0, 0.5).Quantile(latency.Distribution{})) {
		t.Error("an empty distribution has a median")
	}
}

// The sample 1..10 is symmetric about 5.5, so its estimates must be too.
func TestHarrellDavisOfUniformRanks(t *testing.T) {
	d := latency.FromSamples([]float64{9, 2, 3, 10, 5, 6, 7, 8, 1, 4})
	if got := latency.NewHarrellDavis(10, 0.5).Quantile(d); math.Abs(got-5.5) > 1e-9 {
		t.Errorf("median of 1..10 is %v, want 5.5 by symmetry", got)
	}
	lo, hi := latency.NewHarrellDavis(10, 0.1).Quantile(d), latency.NewHarrellDavis(10, 0.9).Quantile(d)
	if math.Abs(lo+hi-11) > 1e-9 || lo < 1 || lo > 2.5 {
		t.Errorf("p10 and p90 of 1..10 are %v and %v, not symmetric about 5.5", lo, hi)
	}
}

func BenchmarkRecord(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	spans := make([]time.Duration, 4096)
	for i := range spans {
		spans[i] = time.Duration(rng.ExpFloat64() * float64(time.Second))
	}
	r := latency.NewRecorder(1000)
	for i := range 1 << 20 {
		r.Record(i%1000, spans[i%len(spans)])
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		r.Record(i%1000, spans[i%len(spans)])
		i++
	}
}

func BenchmarkEstimate(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	h := latency.NewHistogram()
	for range 100_000 {
		h.Record(time.Duration(rng.ExpFloat64() * float64(time.Second)))
	}
	d := h.Distribution()
	cumulative := d.Cumulative(nil)
	e := latency.NewHarrellDavis(100_000, 0.5)
	b.ReportAllocs()
	for b.Loop() {
		e.Estimate(d.Values, cumulative)
	}
}
