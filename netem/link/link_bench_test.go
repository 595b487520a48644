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
		{"rate,codel,fragments,corruption", Config{
			RateBitsPerSecond: 1e9, CoDel: CoDel{Target: 5 * ms, Interval: 100 * ms}, LossRatio: 0.001, FragmentBytes: 500, BitErrorRatio: 1e-8,
		}},
		{"four-state-loss", Config{FourState: fourState}},
		{"slots", Config{Slots: Slots{Interval: ms, Bytes: 15000}, QueueBytes: 64 << 10}},
		{"mahimahi", Config{Slots: Slots{Interval: time.Second, Starts: everyMillisecond(), Bytes: 10 * MahimahiBytes}, QueueBytes: 64 << 10}},
		{"trace", Config{Trace: Trace{Rows: rows(), Repeat: 1000 * time.Second}, QueueBytes: 64 << 10}},
		{"sleep", Config{Sleep: Sleep{Interval: 2 * time.Second, Window: 100 * ms, AwakeAfterTraffic: 10 * ms}}},
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

func everyMillisecond() (all []time.Duration) {
	for at := ms; at <= time.Second; at += ms {
		all = append(all, at)
	}
	return all
}

func rows() (all []TraceRow) {
	for i := range 1000 {
		all = append(all, TraceRow{At: time.Duration(i) * time.Second, RateBitsPerSecond: 1e9 + float64(i), Delay: time.Duration(i) * ms})
	}
	return all
}
