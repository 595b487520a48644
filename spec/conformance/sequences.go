package conformance

import (
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"mqttlab/spec/sequence"
)

const (
	// shrinkTries and shrinkTime bound what is spent on making a case that fails shorter. Where
	// it fails by silence, each try costs [probe.Timings.Answer].
	shrinkTries = 200
	shrinkTime  = time.Minute
)

// Sequences plays so many cases of so many steps each, drawn from the seed out of the Steps of the
// check, several at a time; each gets a [T] of its own. The first that fails is made as short as it
// can be: that one is the failure, and [Options].Case plays it again.
func (t *T) Sequences(cases, steps int, play func(t *T, c sequence.Case)) {
	if t.replay != "" {
		c, err := sequence.Parse(t.replay, t.steps)
		if err != nil {
			t.Inconclusive(err.Error())
		}
		t.verdictOf(c, t.trial(c, play))
		return
	}
	var players errgroup.Group
	players.SetLimit(min(t.caseJobs, 2) * t.caseJobs) // they are about waits, too; one by one if that is asked
	drawn, runs := make([]sequence.Case, cases), make([]*T, cases)
	for i := range cases {
		drawn[i] = sequence.Draw(t.rand, t.steps, steps)
		c := about(t, drawn[i], play)
		runs[i] = t.fork(c)
		players.Go(func() error {
			runs[i].converse(c)
			return nil
		})
	}
	_ = players.Wait()
	t.suspects = 1 // if the target dies, they are played one by one
	for i, run := range runs {
		t.traces.merge(run.traces)
		if run.verdict == Fail {
			drawn[i], run = t.shrink(drawn[i], run, play)
		}
		t.verdictOf(drawn[i], run)
	}
}

// about makes a Case of a sequence.
func about(t *T, c sequence.Case, play func(*T, sequence.Case)) Case {
	return Case{Name: c.String(), About: t.about, Run: func(t *T) { play(t, c) }}
}

// trial plays a case.
func (t *T) trial(c sequence.Case, play func(*T, sequence.Case)) *T {
	run := about(t, c, play)
	f := t.fork(run)
	f.converse(run)
	t.traces.merge(f.traces)
	return f
}

// shrink makes a case that fails shorter, and returns it with the last run in which it failed. Where
// it is a matter of luck whether a case fails, as a connection is lost just behind a packet, it takes
// the shortest that fails again and again, or the shortest that failed once.
func (t *T) shrink(c sequence.Case, failed *T, play func(*T, sequence.Case)) (sequence.Case, *T) {
	until := time.Now().Add(shrinkTime)
	found, runs := []sequence.Case{c}, []*T{failed}
	sequence.Shrink(c, func(shorter sequence.Case) bool {
		if time.Now().After(until) || t.ctx.Err() != nil {
			return false
		}
		run := t.trial(shorter, play)
		if run.verdict != Fail {
			return false
		}
		found, runs = append(found, shorter), append(runs, run)
		return true
	}, shrinkTries)
	for i := len(found) - 1; i >= 0; i-- {
		if t.failsAgain(found[i], play) {
			return found[i], runs[i]
		}
	}
	return found[len(found)-1], runs[len(found)-1]
}

// failsAgain says whether a case fails twice in a row.
func (t *T) failsAgain(c sequence.Case, play func(*T, sequence.Case)) bool {
	for range 2 {
		if t.trial(c, play).verdict != Fail {
			return false
		}
	}
	return true
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
