package link

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestSleepingReceiver(t *testing.T) {
	const interval, awake = 300 * time.Millisecond, 50 * time.Millisecond
	l := mustLink(t, Config{Sleep: Sleep{Interval: interval, AwakeAfterTraffic: awake}}, 4)
	phase := time.Duration(l.wakePhase)
	wakes := phase + 10*interval
	if got := l.Admit(wakes-100*time.Millisecond, 100).At; got != wakes {
		t.Errorf("a packet for a sleeping receiver arrives at %v, want its wake-up at %v", got, wakes)
	}
	if got, want := l.Admit(wakes+awake/2, 100).At, wakes+awake/2; got != want {
		t.Errorf("shortly after traffic: %v, want at once (%v)", got, want)
	}
	l.Touch(wakes + 2*awake)
	if got, want := l.Admit(wakes+2*awake+awake/2, 100).At, wakes+2*awake+awake/2; got != want {
		t.Errorf("after sending itself: %v, want at once (%v)", got, want)
	}
	// A packet at a random time waits half an interval on average.
	var sum time.Duration
	const packets = 20_000
	for i := range packets {
		at := time.Hour + time.Duration(i)*(10*time.Second+7919*time.Microsecond)
		sum += l.Admit(at, 100).At - at
	}
	near(t, "mean wait", float64(sum)/packets, float64(interval)/2, 0.02)
}

// TestWaitForASleepingReceiver compares the mean wait of packets at random times
// with theory.
func TestWaitForASleepingReceiver(t *testing.T) {
	for name, s := range map[string]Sleep{
		"DTIM":           {Interval: 307200 * time.Microsecond},
		"connected DRX":  {Interval: 2048 * ms, Window: 200 * ms},
		"eDRX":           {Interval: 81920 * ms, Window: 10240 * ms},
		"window is all":  {Interval: time.Second, Window: time.Second},
		"PSM, untouched": {Interval: 6 * time.Hour, Window: time.Minute, AfterTraffic: true},
	} {
		l := mustLink(t, Config{Sleep: s}, 5)
		random := rand.New(rand.NewPCG(1, 1))
		const packets = 50_000
		var now, sum time.Duration
		for range packets {
			// Whole intervals after the last one, so that nothing waits.
			now += 2*s.Interval + time.Duration(random.Int64N(int64(s.Interval)))
			at := l.Admit(now, 100).At
			sum += at - now
			now = at
		}
		awake := float64(s.Interval - s.Window)
		want := awake * awake / float64(2*s.Interval)
		t.Logf("%s: mean wait %v (theory %v)", name, sum/packets, time.Duration(want))
		near(t, name+": mean wait", float64(sum)/packets, want, 0.02)
	}
}

// TestPowerSavingMode follows a device with T3412 of an hour and T3324 of 10 s.
func TestPowerSavingMode(t *testing.T) {
	const delay = 100 * ms
	l := mustLink(t, Config{Delay: delay, Sleep: Sleep{
		Interval: time.Hour, Window: 10 * time.Second, AwakeAfterTraffic: 10 * time.Second, AfterTraffic: true,
	}}, 1)
	at := 5 * time.Hour
	l.Touch(at)                              // the device sends
	wakes := at + 11*time.Second + time.Hour // an hour after the second packet
	for _, step := range []struct{ sent, want time.Duration }{
		{at + time.Second, at + time.Second + delay},
		{at + 11*time.Second - delay, at + 11*time.Second}, // still awake, because of the first
		{at + 22*time.Second, wakes},
		{at + 30*time.Second, wakes},
		{wakes + 9*time.Second, wakes + 9*time.Second + delay}, // awake because of those two
		{wakes + 20*time.Second, wakes + 9*time.Second + delay + time.Hour},
	} {
		if got := l.Admit(step.sent, 100).At; got != step.want {
			t.Errorf("sent at %v: arrives at %v, want %v", step.sent-at, got-at, step.want-at)
		}
	}
}

// TestTouchReleasesWhatWaits: a device that wakes up by itself gets what waits.
func TestTouchReleasesWhatWaits(t *testing.T) {
	const delay = 100 * ms
	l := mustLink(t, Config{Delay: delay, Sleep: Sleep{Interval: time.Hour, AwakeAfterTraffic: time.Second}}, 1)
	at := time.Duration(l.wakePhase) + 10*time.Minute
	if due, now, released := l.Touch(at - time.Minute); released {
		t.Errorf("nothing waits, but %v is released for %v", due, now)
	}
	waits := l.Admit(at, 100).At
	if want := at + 50*time.Minute; waits != want {
		t.Fatalf("for a sleeping receiver: %v, want %v", waits, want)
	}
	due, now, released := l.Touch(at + time.Minute)
	if !released || due != waits || now != at+time.Minute+delay {
		t.Errorf("released %v: due at %v, now at %v, want %v and %v", released, due, now, waits, at+time.Minute+delay)
	}
	if got, want := l.Admit(at+time.Minute+ms, 100).At, at+time.Minute+ms+delay; got != want {
		t.Errorf("the next packet arrives at %v, want %v: it must not wait for the sleep that is over", got, want)
	}
	if _, _, released := l.Touch(at + 2*time.Minute); released {
		t.Error("released twice")
	}
}

func TestDiscardedWhileAsleep(t *testing.T) {
	l := mustLink(t, Config{Sleep: Sleep{Interval: time.Minute, Window: time.Second, AwakeAfterTraffic: 2 * time.Second, Discard: true}}, 1)
	wakes := time.Duration(l.wakePhase) + time.Hour
	for _, step := range []struct {
		after time.Duration
		want  DropReason
	}{{-ms, DropAsleep}, {0, Delivered}, {1999 * ms, Delivered}, {4 * time.Second, DropAsleep}, {time.Minute + 999*ms, Delivered}} {
		if got := l.Admit(wakes+step.after, 100).Drop; got != step.want {
			t.Errorf("%v after the wake-up: %v, want %v", step.after, got, step.want)
		}
	}
}
