package conformance

import (
	"fmt"
	"time"

	"mqttlab/spec/sequence"
)

const (
	// shrinkTries and shrinkTime bound what is spent on making a case that fails shorter. Where
	// it fails by silence, each try costs [probe.Timings.Answer].
	shrinkTries = 200
	shrinkTime  = time.Minute
)

// Sequences plays so many cases of so many steps each, drawn from the seed out of the Steps of the
// check; each gets a [T] of its own. The first that fails is made as short as it can
// be: that one is the failure, and [Options].Case plays it again.
func (t *T) Sequences(cases, steps int, play func(t *T, c sequence.Case)) {
	if t.replay != "" {
		c, err := sequence.Parse(t.replay, t.steps)
		if err != nil {
			t.Inconclusive(err.Error())
		}
		t.verdictOf(c, t.trial(c, play))
		return
	}
	for range cases {
		c := sequence.Draw(t.rand, t.steps, steps)
		run := t.trial(c, play)
		if run.verdict == Fail {
			c, run = t.shrink(c, run, play)
		}
		t.verdictOf(c, run)
	}
}

// trial plays a case.
func (t *T) trial(c sequence.Case, play func(*T, sequence.Case)) *T {
	run := Case{Name: c.String(), About: t.about, Run: func(t *T) { play(t, c) }}
	f := t.fork(run)
	f.converse(run)
	t.traces.merge(f.traces)
	return f
}

// shrink makes a case that fails shorter, and returns it with the last run in which it failed.
func (t *T) shrink(c sequence.Case, failed *T, play func(*T, sequence.Case)) (sequence.Case, *T) {
	until := time.Now().Add(shrinkTime)
	c = sequence.Shrink(c, func(shorter sequence.Case) bool {
		if time.Now().After(until) || t.ctx.Err() != nil {
			return false
		}
		run := t.trial(shorter, play)
		if run.verdict != Fail {
			return false
		}
		failed = run
		return true
	}, shrinkTries)
	return c, failed
}

// verdictOf takes over what came of a case.
func (t *T) verdictOf(c sequence.Case, run *T) {
	t.log, t.closed = run.log, run.closed
	switch run.verdict {
	case Fail:
		f := *run.failure
		f.Why += fmt.Sprintf(" (%d steps: %s)", len(c), c)
		t.played = c.String()
		t.Fail(f)
	case Inconclusive, Unsupported:
		t.stop(run.verdict, run.reason)
	case Nonstrict, Info:
		t.note(run.verdict, run.reason)
	}
}
