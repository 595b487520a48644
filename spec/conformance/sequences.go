package conformance

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"mqttlab/spec/sequence"
)

const (
	// shrinkTries and shrinkTime bound what is spent on making a case that fails shorter. Where
	// it fails by silence, each round of tries costs [probe.Timings.Answer].
	shrinkTries = 600
	shrinkTime  = 12 * time.Second
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
		t.verdictOf(c, t.trials([]sequence.Case{c}, play)[0])
		return
	}
	drawn, runs := make([]sequence.Case, cases), make([]*T, cases)
	for i := range cases {
		drawn[i] = sequence.Draw(t.rand, t.steps, steps)
		runs[i] = t.fork(about(t, drawn[i], play))
	}
	t.play(drawn, runs, play)
	t.suspects = 1 // if the target dies, they are played one by one
	for i, run := range runs {
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

// trials plays cases, several at a time.
func (t *T) trials(cases []sequence.Case, play func(*T, sequence.Case)) []*T {
	runs := make([]*T, len(cases))
	for i, c := range cases {
		runs[i] = t.fork(about(t, c, play))
	}
	t.play(cases, runs, play)
	return runs
}

// play lets each T play its case.
func (t *T) play(cases []sequence.Case, runs []*T, play func(*T, sequence.Case)) {
	var players errgroup.Group
	players.SetLimit(min(t.caseJobs, 2) * t.caseJobs) // they are about waits, too; one by one if that is asked
	for i, run := range runs {
		players.Go(func() error {
			run.converse(about(t, cases[i], play))
			return nil
		})
	}
	_ = players.Wait()
	for _, run := range runs {
		t.traces.merge(run.traces)
	}
}

// shrink makes a case that fails shorter, and returns it with the last run in which it failed. Where
// it is a matter of luck whether a case fails, as a connection is lost just behind a packet, it takes
// the shortest that fails again and again, or the shortest that failed once.
func (t *T) shrink(c sequence.Case, failed *T, play func(*T, sequence.Case)) (sequence.Case, *T) {
	until, slow := time.Now().Add(shrinkTime), false
	// tries plays cases until one of them fails. They are played one by one as long as that is quick:
	// several at a time have other luck.
	tries := func(cases []sequence.Case) (int, *T) {
		for i, begin := 0, time.Now(); i < len(cases) && t.ctx.Err() == nil; i++ {
			if slow = slow || time.Since(begin) > t.timings.Answer/2; slow {
				runs := t.trials(cases[i:], play)
				if n := slices.IndexFunc(runs, failing); n >= 0 {
					return i + n, runs[n]
				}
				break
			}
			if run := t.trials(cases[i:i+1], play)[0]; failing(run) {
				return i, run
			}
		}
		return -1, nil
	}
	found, runs := []sequence.Case{c}, []*T{failed}
	sequence.Shrink(c, func(shorter []sequence.Case) int {
		if time.Now().After(until) {
			return -1
		}
		i, run := tries(shorter)
		if i >= 0 {
			found, runs = append(found, shorter[i]), append(runs, run)
		}
		return i
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
		if !failing(t.trials([]sequence.Case{c}, play)[0]) {
			return false
		}
	}
	return true
}

func failing(t *T) bool { return t.verdict == Fail }

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
