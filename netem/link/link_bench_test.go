package link

import (
	"testing"
	"time"
)

// BenchmarkAdmit prices one packet on links of growing realism.
func BenchmarkAdmit(b *testing.B) {
	for _, bench := range []struct {
		name   string
		config Config
	}{
		{"perfect", Config{}},
		{"delay,loss", Config{Delay: 50 * time.Millisecond, LossRatio: 0.01}},
		{"delay,rate,burst-loss", Config{
			Delay: 50 * time.Millisecond, RateBitsPerSecond: 1e9, QueueBytes: 64 << 10,
			GilbertElliott: GilbertElliott{GoodToBad: 0.01, BadToGood: 0.2, LossBad: 1},
		}},
		{"jitter,rate,burst-loss", Config{
			Delay: 50 * time.Millisecond, Jitter: 10 * time.Millisecond, RateBitsPerSecond: 1e9, QueueBytes: 64 << 10,
			GilbertElliott: GilbertElliott{GoodToBad: 0.01, BadToGood: 0.2, LossBad: 1},
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			m, err := Compile(bench.config)
			if err != nil {
				b.Fatal(err)
			}
			l := New(m, 1, 2)
			b.ReportAllocs()
			var now time.Duration
			for b.Loop() {
				now += 12 * time.Microsecond
				l.Admit(now, 1500)
			}
		})
	}
}
