package suite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"mqttlab/reports/model"
	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/target"
)

// Repeat runs the selection n times over each transport, with the same seed, and folds the
// records into one. The verdict of a check over a transport is the worst that it came to;
// where the runs differ, the check is flaky and keeps what each of them saw. When a later
// run is not to be had, the record holds those before it and the error says why: both are
// set then. So they are, with context.Canceled, when the user interrupts a later run.
func Repeat(ctx context.Context, o Options, n int) (*model.Record, error) {
	targets := o.Transports
	if targets == nil {
		targets = []*target.Target{o.Target}
	}
	var runs []*model.Record
	for i := range n * len(targets) {
		one := o
		one.Target = targets[i/n]
		if i >= n {
			one.Only = func(c *conformance.Check, v octets.Version) bool {
				return !c.Exclusive && (o.Only == nil || o.Only(c, v))
			}
		}
		one.Progress = func(e conformance.Event) {
			if o.Progress != nil {
				e.Done, e.Total = e.Done+i%n*e.Total, n*e.Total
				o.Progress(e)
			}
		}
		run, err := interruptible(ctx, one)
		switch {
		case err == nil:
			runs = append(runs, run)
		case errors.Is(err, conformance.ErrNothing) && i >= n: // all that is selected is exclusive
		case len(runs) > 0:
			return fold(runs), fmt.Errorf("after %d of %d runs: %w", len(runs), n*len(targets), err)
		case run != nil:
			return run, nil
		default:
			return nil, err
		}
	}
	return fold(runs), nil
}

// interruptible is Run with the error context.Canceled beside the record of a run that the user interrupted.
func interruptible(ctx context.Context, o Options) (*model.Record, error) {
	// The run before has taken the signals away from whoever had asked for them.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	run, err := Run(ctx, o)
	if err == nil && ctx.Err() != nil {
		err = context.Canceled
	}
	return run, err
}

// fold makes one record of several runs of the same checks.
func fold(runs []*model.Record) *model.Record {
	if len(runs) == 1 {
		return runs[0]
	}
	all := *runs[0]
	all.Checks, all.DurationMS = nil, 0
	attempts := map[string][]model.Check{}
	var rows []string
	for _, run := range runs {
		all.DurationMS += run.DurationMS
		if over := run.Checks[0].Transport; over != runs[0].Checks[0].Transport {
			all.Target.Features = addFeatures(all.Target.Features, run, " over "+cmp.Or(over, "tcp"))
		}
		for _, c := range run.Checks {
			if attempts[c.Row()] == nil {
				rows = append(rows, c.Row())
			}
			attempts[c.Row()] = append(attempts[c.Row()], c)
		}
	}
	for _, row := range rows {
		all.Checks = append(all.Checks, agree(attempts[row]))
	}
	if n := len(attempts[rows[0]]); n > 1 {
		all.Repeats = n
	}
	all.Seal()
	return &all
}

// addFeatures adds what the target offers otherwise in a run over another transport.
func addFeatures(all []model.Feature, run *model.Record, over string) []model.Feature {
	all = slices.Clip(all)
	named := func(name string) bool {
		return slices.ContainsFunc(all, func(f model.Feature) bool { return f.Name == name })
	}
	for _, f := range run.Target.Features {
		if !slices.Contains(all, f) && !named(f.Name+over) {
			f.Name += over
			all = append(all, f)
		}
	}
	return all
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
