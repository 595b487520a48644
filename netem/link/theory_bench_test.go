package link

import (
	"math"
	"testing"
	"time"
)

// BenchmarkTheory prints what links do beside what their theory says; the time is
// that of the whole experiment.
func BenchmarkTheory(b *testing.B) {
	for _, e := range experiments {
		b.Run(e.name, func(b *testing.B) {
			var got, want float64
			seed := uint64(0)
			for b.Loop() {
				seed++
				got, want = e.run(b, seed)
			}
			b.ReportMetric(got, "measured")
			b.ReportMetric(want, "theory")
			b.ReportMetric(100*(got-want)/want, "deviation-%")
		})
	}
}

var fourState = FourState{GapToBurst: 0.05, BurstToGap: 0.3, BurstToPause: 0.2, PauseToBurst: 0.25, GapToSingleLoss: 0.005}

var experiments = []struct {
	name string
	run  func(b *testing.B, seed uint64) (got, want float64)
}{
	{"goodput-bit/s", func(b *testing.B, seed uint64) (got, want float64) {
		const rate, bytes, overhead = 62.5e3, 1000, 40
		l := mustLink(b, Config{RateBitsPerSecond: rate, OverheadBytes: overhead, QueueBytes: 8000}, seed)
		const lasts = 1000 * time.Second
		arrived := 0
		for now := time.Duration(0); now < lasts; now += 10 * ms {
			if f := l.Admit(now, bytes); f.Drop == Delivered && f.At < lasts {
				arrived += 8 * bytes
			}
		}
		return float64(arrived) / lasts.Seconds(), rate * bytes / (bytes + overhead)
	}},
	{"gilbert-elliott-loss-%", func(b *testing.B, seed uint64) (got, want float64) {
		ratio, _ := lossesOf(b, Config{LossRatio: 0.1, LossBurstPackets: 4}, seed)
		return 100 * ratio, 10
	}},
	{"gilbert-elliott-burst-packets", func(b *testing.B, seed uint64) (got, want float64) {
		_, run := lossesOf(b, Config{LossRatio: 0.1, LossBurstPackets: 4}, seed)
		return run, 4
	}},
	{"four-state-loss-%", func(b *testing.B, seed uint64) (got, want float64) {
		ratio, _ := lossesOf(b, Config{FourState: fourState}, seed)
		return 100 * ratio, 100 * fourState.LossRatio()
	}},
	{"four-state-burst-packets", func(b *testing.B, seed uint64) (got, want float64) {
		_, run := lossesOf(b, Config{FourState: fourState}, seed)
		return run, fourState.MeanBurstPackets()
	}},
	{"fragment-loss-%", func(b *testing.B, seed uint64) (got, want float64) {
		const p, n = 0.01, 10
		l := mustLink(b, Config{LossRatio: p, FragmentBytes: 100}, seed)
		const packets = 500_000
		for range packets {
			l.Admit(0, 100*n)
		}
		c := l.Counters()
		return 100 * float64(c.DroppedTotal()) / packets, 100 * (1 - math.Pow(1-p, n))
	}},
	{"jitter-deviation-ms", func(b *testing.B, seed uint64) (got, want float64) {
		l := mustLink(b, Config{Delay: 60 * ms, Jitter: 15 * ms}, seed)
		_, _, sd := distances(l, 20*ms, 500_000, phi)
		return sd / 1e6, 15
	}},
	{"slot-wait-ms", func(b *testing.B, seed uint64) (got, want float64) {
		return meanWait(b, Config{Slots: Slots{Interval: 30 * ms, Bytes: 200}}, seed), 15
	}},
	{"edrx-wait-ms", func(b *testing.B, seed uint64) (got, want float64) {
		const cycle, window = 20480, 2560 // ms
		return meanWait(b, Config{Sleep: Sleep{Interval: cycle * ms, Window: window * ms}}, seed), (cycle - window) * (cycle - window) / (2.0 * cycle)
	}},
	{"codel-drops-in-100-s", func(b *testing.B, seed uint64) (got, want float64) {
		// An overload for good: after n intervals of Interval/√k, k = 1…n,
		// n more packets are dropped. The first drop is an interval after the
		// wait has passed the target.
		l := mustLink(b, Config{RateBitsPerSecond: 8e6, CoDel: CoDel{Target: 5 * ms, Interval: 100 * ms}}, seed)
		const bytes, airtime, lasts = 100, 100 * time.Microsecond, 100 * time.Second
		for now := time.Duration(0); time.Duration(l.busyUntil) < lasts; now += airtime / 4 {
			l.Admit(now, bytes)
		}
		c := l.Counters()
		n, at := 1.0, 5*ms*4/3+100*ms
		for ; at < lasts; n++ {
			at += time.Duration(float64(100*ms) / math.Sqrt(n))
		}
		return float64(c.Dropped[DropCoDel]), n - 1
	}},
}

// lossesOf returns the share of packets lost, and how many are lost in a row.
func lossesOf(b *testing.B, c Config, seed uint64) (ratio, run float64) {
	const packets = 2_000_000
	lost, runs := losses(b, c, seed, packets)
	return float64(lost) / packets, float64(lost) / float64(runs)
}

// meanWait returns how long lone packets wait, in milliseconds.
func meanWait(b *testing.B, c Config, seed uint64) float64 {
	l := mustLink(b, c, seed)
	const packets = 200_000
	step := 10*max(c.Slots.Interval, c.Sleep.Interval) + 7919*time.Microsecond
	var sum time.Duration
	for i := range packets {
		now := time.Duration(i) * step
		sum += l.Admit(now, 100).At - now
	}
	return float64(sum) / packets / 1e6
}
