package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reports/model"
)

func TestStormBeginsAtATwentiethAndEndsThere(t *testing.T) {
	b := New(Config{Devices: 100, Interval: time.Second})
	move := func(at time.Duration, from, to State, first, n uint32) {
		for d := first; d < first+n; d++ {
			b.Moved(at, d, from, to)
		}
	}
	move(0, Off, Connecting, 0, 100)
	move(time.Second, Connecting, Waiting, 0, 10) // a rough start is no storm
	move(2*time.Second, Waiting, Connecting, 0, 10)
	move(3*time.Second, Connecting, Connected, 0, 100)
	move(4*time.Second, Connected, Asleep, 90, 10) // nor is sleep
	move(5*time.Second, Connected, Waiting, 0, 5)  // nor is a twentieth
	if got := b.Storms(); got != nil {
		t.Fatalf("storms in fair weather: %+v", got)
	}
	move(6*time.Second, Connected, Waiting, 5, 35)
	move(8*time.Second+100*time.Millisecond, Waiting, Connecting, 0, 30)
	move(8*time.Second+900*time.Millisecond, Connecting, Waiting, 0, 10)
	move(9*time.Second, Waiting, Connecting, 30, 10)
	move(10*time.Second, Connecting, Connected, 10, 30) // ten are away: still more than five
	running := b.Storms()
	if len(running) != 1 || running[0].BackMS != nil {
		t.Fatalf("a storm that rages: %+v", running)
	}
	move(11*time.Second, Waiting, Connecting, 0, 10)
	move(12*time.Second, Connecting, Connected, 0, 5)
	back := model.Millis(3 * time.Second) // all forty were away until 9 s at least, and five are from 12 s on
	want := []model.Storm{{
		StartMS: model.Millis(6 * time.Second), Away: 40, Attempts: 50, HerdPeak: 30, PeakMS: model.Millis(8 * time.Second), BackMS: &back,
	}}
	if diff := cmp.Diff(want, b.Storms()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	move(14*time.Second, Connecting, Down, 5, 5)
	move(15*time.Second, Connected, Down, 20, 20) // within ten seconds: the same storm
	if got := b.Storms(); len(got) != 1 || got[0].BackMS != nil {
		t.Errorf("a storm that breaks out again: %+v", got)
	}
	move(20*time.Second, Down, Connecting, 5, 5)
	move(20*time.Second, Down, Connecting, 20, 20)
	move(21*time.Second, Connecting, Connected, 5, 5)
	move(21*time.Second, Connecting, Connected, 20, 20)
	move(40*time.Second, Connected, Waiting, 0, 6)
	if got := b.Storms(); len(got) != 2 || got[0].BackMS == nil || got[1].Away != 6 {
		t.Errorf("two storms: %+v", got)
	}
}

func TestOnlyTheWorstStormsAreKept(t *testing.T) {
	b := New(Config{Devices: 100, Interval: time.Second})
	for d := range uint32(100) {
		b.Moved(0, d, Off, Connected)
	}
	for i := range 40 {
		at := time.Duration(i) * time.Minute
		for d := range uint32(10 + i) {
			b.Moved(at, d, Connected, Waiting)
		}
		for d := range uint32(10 + i) {
			b.Moved(at+time.Second, d, Waiting, Connected)
		}
	}
	got := b.Storms()
	if len(got) != keptStorms+1 { // the last one may still break out again
		t.Fatalf("%d storms", len(got))
	}
	if got[0].Away != 40-keptStorms+9 || got[len(got)-1].Away != 49 {
		t.Errorf("the first of the worst has %d away, the last %d", got[0].Away, got[len(got)-1].Away)
	}
}
