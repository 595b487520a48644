package stack

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The loop measures its own lateness at every event and at a beat, so that an
// idle network is judged too, and in windows, so that a short stall in a long run
// is not averaged away.
const (
	beatEvery  = int64(10 * time.Millisecond)
	windowLong = int64(10 * time.Second)
	// maxLateness is the highest value of the histograms; later is recorded
	// as this much.
	maxLateness = int64(time.Minute)
)

// lateness records how late the loop is on the wall clock. A machine that is too
// slow fires retransmission timers for packets that were never lost: its results
// must not be believed.
type lateness struct {
	all, window *hdrhistogram.Histogram // microseconds
	nextBeat    int64
	windowEnd   int64
	worst       int64 // highest p99 of a full window, microseconds
}

// resume starts measuring at a time. The pause before it does not count.
func (l *lateness) resume(now int64) {
	if l.all == nil {
		l.all = hdrhistogram.New(1, maxLateness/1000, 2)
		l.window = hdrhistogram.New(1, maxLateness/1000, 2)
	}
	l.nextBeat = now + beatEvery
	l.windowEnd = now + windowLong
	l.window.Reset()
}

// record notes one event that came late by so many nanoseconds.
func (l *lateness) record(now, late int64) {
	if now >= l.windowEnd {
		l.worst = max(l.worst, l.window.ValueAtQuantile(99))
		l.window.Reset()
		l.windowEnd = now + windowLong
	}
	// A value in range cannot fail to be recorded.
	micros := min(max(late, 0), maxLateness) / 1000
	_ = l.all.RecordValue(micros)
	_ = l.window.RecordValue(micros)
}

// beat records all beats that are due and returns when the next one is.
func (l *lateness) beat(now int64) int64 {
	for l.nextBeat <= now {
		l.record(now, now-l.nextBeat)
		l.nextBeat += beatEvery
	}
	return l.nextBeat
}

// Lateness is how late the event loop was on the wall clock; all zero in virtual
// time, which is never late.
type Lateness struct {
	// P50, P99 and Max are over the whole run, WorstP99 is the 99th percentile
	// of the worst ten seconds. Resolution: 1 % of the value.
	P50, P99, Max, WorstP99 time.Duration
	// Limit is what WorstP99 may be: a tenth of the shortest retransmission
	// timeout.
	Limit time.Duration
}

// Invalid returns why results of the run must not be believed, or "" if they may.
func (l Lateness) Invalid() string {
	if l.WorstP99 <= l.Limit {
		return ""
	}
	return fmt.Sprintf("INVALID: this machine was too slow for the run: 1%% of the events in its worst ten seconds came more than %v late, "+
		"at most %v is allowed (a tenth of the shortest retransmission timeout); use fewer devices or a faster machine",
		l.WorstP99.Round(time.Millisecond), l.Limit)
}

func (l *lateness) snapshot(minRTO time.Duration) Lateness {
	s := Lateness{Limit: minRTO / 10}
	if l.all == nil {
		return s
	}
	micros := func(v int64) time.Duration { return time.Duration(v) * time.Microsecond }
	s.P50, s.P99, s.Max = micros(l.all.ValueAtQuantile(50)), micros(l.all.ValueAtQuantile(99)), micros(l.all.Max())
	s.WorstP99 = micros(max(l.worst, l.window.ValueAtQuantile(99)))
	return s
}
