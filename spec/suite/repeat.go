package suite

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"mqttlab/reports/model"
	"mqttlab/spec/conformance"
)

// Repeat runs the selection n times with the same seed, and folds the records into one. The
// verdict of a check is the worst that it came to; where the runs differ, the check is
// flaky and keeps what each of them saw. When a later run is not to be had, the record
// holds those before it and the error says why: both are set then. So they are, with
// context.Canceled, when the user interrupts a later run.
func Repeat(ctx context.Context, o Options, n int) (*model.Record, error) {
	var runs []*model.Record
	progress := o.Progress
	for i := range n {
		o.Progress = func(e conformance.Event) {
			if progress != nil {
				e.Done, e.Total = e.Done+i*e.Total, n*e.Total
				progress(e)
			}
		}
		// The run before has taken the signals away from whoever had asked for them.
		one, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		run, err := Run(one, o)
		interrupted := one.Err() != nil
		stop()
		switch {
		case err != nil && len(runs) == 0:
			return nil, err
		case err != nil:
			return fold(runs), err
		case interrupted && len(runs) > 0:
			return fold(runs), context.Canceled
		case interrupted:
			return run, nil
		}
		runs = append(runs, run)
	}
	return fold(runs), nil
}

// fold makes one record of several runs of the same checks.
func fold(runs []*model.Record) *model.Record {
	if len(runs) == 1 {
		return runs[0]
	}
	all := *runs[0]
	all.Repeats, all.Checks, all.DurationMS = len(runs), nil, 0
	attempts := map[string][]model.Check{}
	for _, run := range runs {
		all.DurationMS += run.DurationMS
		for _, c := range run.Checks {
			id := c.FullName() + " " + c.MQTT
			attempts[id] = append(attempts[id], c)
		}
	}
	for _, c := range runs[0].Checks {
		all.Checks = append(all.Checks, agree(attempts[c.FullName()+" "+c.MQTT]))
	}
	all.Seal()
	return &all
}

// agree makes one check of its runs.
func agree(runs []model.Check) model.Check {
	verdict := model.Untested
	for _, c := range runs {
		verdict = worse(verdict, c.Verdict)
	}
	var all model.Check
	for _, c := range runs {
		if c.Verdict == verdict {
			all = c
			break
		}
	}
	shown := map[model.Verdict]bool{verdict: true, model.Skipped: true}
	var flaky []model.Attempt
	for i, c := range runs {
		a := model.Attempt{Run: i + 1, Verdict: c.Verdict, Reason: c.Reason, Failure: c.Failure}
		if !shown[c.Verdict] {
			shown[c.Verdict] = true
			a.Transcript = c.Transcript
		}
		flaky = append(flaky, a)
	}
	if len(shown) > 2 {
		all.Flaky = flaky
	}
	return all
}

// worse is the verdict of two runs. What fails once and is listed as failing has not been
// fixed; a run that was interrupted says nothing.
func worse(a, b model.Verdict) model.Verdict {
	for _, pair := range [][2]model.Verdict{{a, b}, {b, a}} {
		if pair == [2]model.Verdict{model.KnownFailure, model.Fixed} {
			return model.KnownFailure
		}
		if pair[0] == model.Skipped && pair[1] != model.Untested {
			return pair[1]
		}
	}
	return model.Worst(a, b)
}
