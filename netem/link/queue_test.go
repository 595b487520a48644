package link

import (
	"testing"
	"time"
)

func TestRateSerialisesPackets(t *testing.T) {
	l := mustLink(t, Config{RateBitsPerSecond: 1e6, OverheadBytes: 10, Delay: 5 * time.Millisecond}, 1)
	airtime := 8 * (115 + 10) * time.Microsecond
	for i := range 100 {
		want := 5*time.Millisecond + time.Duration(i+1)*airtime
		if got := l.Admit(0, 115).At; got != want {
			t.Fatalf("packet %d arrives at %v, want %v", i, got, want)
		}
	}
	if got := l.Counters().Airtime; got != 100*airtime {
		t.Errorf("airtime %v, want %v", got, 100*airtime)
	}
	// After a pause the link is idle again.
	if got, want := l.Admit(time.Hour, 115).At, time.Hour+airtime+5*time.Millisecond; got != want {
		t.Errorf("after a pause: %v, want %v", got, want)
	}
}

func TestFullQueueDropsTheTail(t *testing.T) {
	l := mustLink(t, Config{RateBitsPerSecond: 8e3, QueueBytes: 5000}, 1) // 1 byte per ms
	for i := range 8 {
		want := Delivered
		if i >= 5 {
			want = DropQueue
		}
		if got := l.Admit(0, 1000).Drop; got != want {
			t.Errorf("packet %d: %v, want %v", i, got, want)
		}
	}
	if got := l.Admit(time.Second, 1000).Drop; got != Delivered {
		t.Errorf("one packet has left, but the next is dropped: %v", got)
	}
	if got := l.Admit(time.Second, 1).Drop; got != DropQueue {
		t.Errorf("the queue is full again, but one more byte fits: %v", got)
	}
}

// TestDutyCycle: after each packet the link is silent until the share is kept.
func TestDutyCycle(t *testing.T) {
	const airtime = 100 * time.Millisecond
	l := mustLink(t, Config{RateBitsPerSecond: 8e3, DutyCycleRatio: 0.01, QueueBytes: 1700}, 1)
	for i := range 17 {
		if got, want := l.Admit(0, 100).At, time.Duration(i)*100*airtime+airtime; got != want {
			t.Errorf("packet %d arrives at %v, want %v", i, got, want)
		}
	}
	if got := l.Admit(0, 100).Drop; got != DropQueue {
		t.Errorf("a packet more than the queue holds: %v", got)
	}
	if got, want := l.Counters().Airtime, 17*airtime; got != want {
		t.Errorf("airtime %v, want %v: silence is not airtime", got, want)
	}
	// The first packet makes room once its silence is over.
	if got, want := l.Admit(100*airtime, 100).At, 17*100*airtime+airtime; got != want {
		t.Errorf("after the silence: %v, want %v", got, want)
	}
}

// TestGoodputIsTheRate keeps links busy and compares what arrives with the rate,
// less the overhead.
func TestGoodputIsTheRate(t *testing.T) {
	const bytes, overhead, seconds = 1000, 40, 100
	share := float64(bytes) / (bytes + overhead)
	for name, test := range map[string]struct {
		c    Config
		want float64 // bit/s of payload
	}{
		"rate":       {Config{RateBitsPerSecond: 62.5e3}, 62.5e3 * share},
		"duty cycle": {Config{RateBitsPerSecond: 250e3, DutyCycleRatio: 0.1}, 25e3 * share},
		"fragments":  {Config{RateBitsPerSecond: 250e3, FragmentBytes: 100}, 250e3 * bytes / (bytes + 10*overhead)},
		"slots":      {Config{Slots: Slots{Interval: 30 * time.Millisecond, Bytes: 469}}, 469 * 8 / 0.030 * share},
		"opportunities": {Config{Slots: Slots{
			Interval: 100 * time.Millisecond, Bytes: MahimahiBytes,
			Starts: []time.Duration{0, 5 * time.Millisecond, 5 * time.Millisecond, 100 * time.Millisecond},
		}}, 4 * MahimahiBytes * 8 / 0.1 * share},
		"trace": {Config{Trace: Trace{
			Rows:   []TraceRow{{RateBitsPerSecond: 100e3}, {At: time.Second}, {At: 2 * time.Second, RateBitsPerSecond: 500e3}},
			Repeat: 4 * time.Second,
		}}, (100e3 + 2*500e3) / 4 * share},
	} {
		test.c.OverheadBytes, test.c.QueueBytes = overhead, 8000
		l := mustLink(t, test.c, 2)
		arrived := 0
		for now := time.Duration(0); now < seconds*time.Second; now += time.Millisecond {
			if f := l.Admit(now, bytes); f.Drop == Delivered && f.At < seconds*time.Second {
				arrived += 8 * bytes
			}
		}
		got := float64(arrived) / seconds
		t.Logf("%s: goodput %.1f bit/s (theory %.1f)", name, got, test.want)
		near(t, name+": goodput", got, test.want, 0.01)
	}
}
