package link

import (
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

func TestSlotsCarryWhatFits(t *testing.T) {
	l := mustLink(t, Config{Slots: Slots{Interval: 10 * ms, Starts: []time.Duration{0, 4 * ms, 4 * ms, 10 * ms}, Bytes: 100}}, 1)
	for _, step := range []struct {
		now   time.Duration
		bytes int
		want  time.Duration
	}{
		{0, 60, 4 * ms},          // the slot at 0 begins too early for it
		{0, 40, 4 * ms},          // shares it
		{1 * ms, 101, 10 * ms},   // fills the other at 4 ms, and a byte of the next
		{3 * ms, 99, 10 * ms},    // the rest of that
		{3 * ms, 1, 10 * ms},     // its twin: the last of one period is the first of the next
		{3 * ms, 100, 14 * ms},   // the rest of that and a byte of the next
		{100 * ms, 1, 104 * ms},  // what was left at 14 ms is lost
		{103 * ms, 99, 104 * ms}, // but not what is left at 104 ms
		{104 * ms, 1, 110 * ms},
	} {
		if got := l.Admit(step.now, step.bytes).At; got != step.want {
			t.Errorf("%d bytes at %v arrive at %v, want %v", step.bytes, step.now, got, step.want)
		}
	}
}

// TestSlotsAtARate: a connection event of Bluetooth LE takes time.
func TestSlotsAtARate(t *testing.T) {
	const airtime = 800 * time.Microsecond // 100 bytes at 1 Mbit/s
	l := mustLink(t, Config{Slots: Slots{Interval: 30 * ms, Bytes: 250}, RateBitsPerSecond: 1e6}, 1)
	phase := time.Duration(l.slotPhase)
	for i, want := range []time.Duration{phase + airtime, phase + 2*airtime, phase + 30*ms + airtime/2} {
		if phase == 0 {
			want += 30 * ms
		}
		if got := l.Admit(0, 100).At; got != want {
			t.Errorf("packet %d arrives at %v, want %v", i, got, want)
		}
	}
	if got, want := l.Counters().Airtime, 3*airtime; got != want {
		t.Errorf("airtime %v, want %v", got, want)
	}
}

// TestWaitForASlotIsUniform compares the wait of lone packets with theory.
func TestWaitForASlotIsUniform(t *testing.T) {
	const interval, packets = 30 * ms, 100_000
	l := mustLink(t, Config{Slots: Slots{Interval: interval, Bytes: 200}}, 3)
	random := rand.New(rand.NewPCG(7, 7))
	var sum, now time.Duration
	for range packets {
		now += 100*ms + time.Duration(random.Int64N(int64(interval)))
		wait := l.Admit(now, 100).At - now
		if wait <= 0 || wait > interval {
			t.Fatalf("a wait of %v between slots %v apart", wait, interval)
		}
		sum += wait
	}
	t.Logf("mean wait %v (theory %v)", sum/packets, interval/2)
	near(t, "mean wait", float64(sum)/packets, float64(interval)/2, 0.01)
	near(t, "Delay of the model", float64(l.Model().Delay()), float64(interval)/2, 1e-9)
}

// mahimahi is mm-link, written after its LinkQueue: at each opportunity, up to
// MahimahiBytes of the packets that came in an earlier millisecond.
func mahimahi(schedule []int, arrivals, sizes []int) (departures []int) {
	queue, left, base, next := 0, 0, 0, 0
	departures = make([]int, len(arrivals))
	for queue < len(arrivals) {
		at := base + schedule[next]
		if next++; next == len(schedule) {
			next = 0
			base += schedule[len(schedule)-1]
		}
		for budget := MahimahiBytes; budget > 0 && queue < len(arrivals) && arrivals[queue] < at; {
			if left == 0 {
				left = sizes[queue]
			}
			sent := min(left, budget)
			left -= sent
			if budget -= sent; left == 0 {
				departures[queue] = at
				queue++
			}
		}
	}
	return departures
}

// TestSlotsAreThoseOfMahimahi runs random schedules and packets through both.
func TestSlotsAreThoseOfMahimahi(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		schedule, starts := []int{random.IntN(3)}, []time.Duration(nil)
		for len(schedule) < 2+random.IntN(30) {
			schedule = append(schedule, schedule[len(schedule)-1]+random.IntN(20))
		}
		schedule[len(schedule)-1]++ // lasts longer than 0
		for _, at := range schedule {
			starts = append(starts, time.Duration(at)*ms)
		}
		l := mustLink(t, Config{Slots: Slots{Interval: starts[len(starts)-1], Starts: starts, Bytes: MahimahiBytes}}, 1)
		var arrivals, sizes, got []int
		now := 0
		for range 100 {
			now += random.IntN(15)
			size := 1 + random.IntN(MahimahiBytes)
			arrivals, sizes = append(arrivals, now), append(sizes, size)
			got = append(got, int(l.Admit(time.Duration(now)*ms, size).At/ms))
		}
		for i, want := range mahimahi(schedule, arrivals, sizes) {
			if got[i] != want {
				t.Fatalf("round %d, schedule %v: packet %d of %d bytes at %d ms leaves at %d ms, with mm-link at %d ms",
					round, schedule, i, sizes[i], arrivals[i], got[i], want)
			}
		}
	}
}
