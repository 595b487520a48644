package live

import (
	"fmt"
	"time"

	"mqttlab/reports/latency"
)

// LatenessLimit is what the 99th percentile of a loop's lateness may be in its worst ten seconds: the limit of emulated links too, so that
// modes can be compared.
const LatenessLimit = 20 * time.Millisecond

// window is how long a stall must last to make a run invalid by itself: in the whole of a long run it would be averaged away.
const window = 10 * time.Second

// Lateness is how late the timers of a Loop went off.
type Lateness struct {
	// P99 is over the whole run, WorstP99 over its worst ten seconds.
	P99, WorstP99 time.Duration
}

// Invalid returns why results of the run must not be believed, or "" if they may.
func (l Lateness) Invalid() string {
	if l.WorstP99 <= LatenessLimit {
		return ""
	}
	return fmt.Sprintf("this machine was too slow for the run: 1%% of the timers in its worst ten seconds went off more than %v late, at most %v is allowed; "+
		"use fewer devices or a faster machine", l.WorstP99.Round(time.Millisecond), LatenessLimit)
}

// lateness records how late timers are.
type lateness struct {
	all, recent *latency.Histogram
	recentEnd   time.Time
	worst       time.Duration
}

func (l *lateness) begin(now time.Time) {
	l.all, l.recent = latency.NewHistogram(), latency.NewHistogram()
	l.recentEnd = now.Add(window)
}

func (l *lateness) record(now time.Time, late time.Duration) {
	if !now.Before(l.recentEnd) {
		l.worst = max(l.worst, l.recent.Quantile(0.99))
		l.all.Merge(l.recent)
		l.recent = latency.NewHistogram()
		l.recentEnd = now.Add(window)
	}
	l.recent.Record(late)
}

func (l *lateness) snapshot() Lateness {
	all := latency.NewHistogram()
	all.Merge(l.all)
	all.Merge(l.recent)
	return Lateness{P99: all.Quantile(0.99), WorstP99: max(l.worst, l.recent.Quantile(0.99))}
}
