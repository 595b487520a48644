package link

import (
	"testing"
	"time"
)

func TestTraceOfRates(t *testing.T) {
	l := mustLink(t, Config{Trace: Trace{
		Rows:   []TraceRow{{RateBitsPerSecond: 8e3}, {At: time.Second}, {At: 3 * time.Second, RateBitsPerSecond: 80e3}},
		Repeat: 4 * time.Second,
	}}, 1) // 1 byte per ms, none, 10 bytes per ms: 11,000 bytes in 4 s
	for _, step := range []struct {
		now   time.Duration
		bytes int
		want  time.Duration
	}{
		{0, 500, 500 * ms},
		{500 * ms, 400, 900 * ms},
		{500 * ms, 100, 1000 * ms},
		{900 * ms, 1000, 3100 * ms},               // waits through the gap
		{900 * ms, 9000, 4000 * ms},               // to the very end of the period
		{900 * ms, 100, 4100 * ms},                // at the first rate again
		{4500 * ms, 1000, 7050 * ms},              // half at each rate
		{7050 * ms, 9500 + 11000, 12000 * ms},     // the rest of this period and the whole of the next
		{41000 * ms, 10, 43001 * ms},              // sent in a gap
		{43500 * ms, 5000 + 22000, 52000 * ms},    // over two whole periods
		{100_000_100 * ms, 100, 100_000_200 * ms}, // long after
	} {
		if got := l.Admit(step.now, step.bytes).At; got != step.want {
			t.Errorf("%d bytes at %v arrive at %v, want %v", step.bytes, step.now, got, step.want)
		}
	}
}

func TestTraceStaysAtItsLastRow(t *testing.T) {
	l := mustLink(t, Config{QueueBytes: 2000, Trace: Trace{Rows: []TraceRow{{RateBitsPerSecond: 8e6}, {At: time.Second, RateBitsPerSecond: 8e3}}}}, 1)
	if got, want := l.Admit(999*ms, 1500).At, 1500*ms; got != want {
		t.Errorf("over the change of rate: %v, want %v", got, want)
	}
	if got, want := l.Admit(time.Hour, 2000).At, time.Hour+2*time.Second; got != want {
		t.Errorf("long after: %v, want %v", got, want)
	}
	if got := l.Admit(time.Hour+ms, 2).Drop; got != DropQueue {
		t.Errorf("the queue holds 1999 bytes and takes 2 more: %v", got)
	}
	if got := l.Admit(time.Hour+ms, 1).Drop; got != Delivered {
		t.Errorf("the queue holds 1999 bytes and does not take 1 more: %v", got)
	}
}

func TestTraceOfDelayAndLoss(t *testing.T) {
	c := Config{Delay: 10 * ms, LossRatio: 0.1, Trace: Trace{
		Rows:   []TraceRow{{Delay: 20 * ms}, {At: time.Second, Delay: 200 * ms, LossRatio: 0.5}},
		Repeat: 4 * time.Second,
	}}
	l := mustLink(t, c, 1)
	if got, want := l.Model().Delay(), 10*ms+(20*ms+3*200*ms)/4; got != want {
		t.Errorf("mean delay %v, want %v", got, want)
	}
	const packets = 100_000
	var lost, sent [2]float64
	for i := range packets {
		now := time.Duration(i) * 250 * ms
		row := min(1, now%(4*time.Second)/time.Second)
		sent[row]++
		f := l.Admit(now, 100)
		if f.Drop == DropLoss {
			lost[row]++
		} else if want := now + c.Delay + c.Trace.Rows[row].Delay; f.At != want {
			t.Fatalf("at %v: arrives at %v, want %v", now, f.At, want)
		}
	}
	near(t, "loss in the first row", lost[0]/sent[0], 0.1, 0.02)
	near(t, "loss in the second row", lost[1]/sent[1], 1-0.9*0.5, 0.02)
}
