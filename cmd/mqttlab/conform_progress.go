package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"mqttlab/reports/model"
	"mqttlab/simulator/scenario"
	"mqttlab/spec/conformance"
)

// conformProgress tells how a run goes: one line that is redrawn on a terminal, a line every few seconds
// elsewhere, and each failure when it comes.
type conformProgress struct {
	screen
	started time.Time
	last    time.Time // of the last plain line
	failed  int
	again   func(check, mqtt, transport, steps string) string // the command that repeats a check
}

// plainEvery is the pause between progress lines where there is no terminal.
const plainEvery = 2 * time.Second

func newConformProgress(w io.Writer, quiet bool) *conformProgress {
	now := time.Now()
	return &conformProgress{screen: newScreen(w, quiet), started: now, last: now}
}

func (p *conformProgress) event(e conformance.Event) {
	r := e.Result
	over := ""
	if r.Transport != "" {
		over = " over " + r.Transport
	}
	if r.Verdict.Failing() {
		p.failed++
		p.line("%s %s %s%s: %s", p.paint(r.Verdict), r.Check.FullName(), r.Version, over, r.Reason)
		if r.Verdict != model.KnownFailure && r.Verdict != model.Fixed {
			p.line("  again: %s", p.again(r.Check.FullName(), r.Version.String(), r.Transport, r.Case))
		}
	}
	elapsed := time.Since(p.started).Round(100 * time.Millisecond)
	state := fmt.Sprintf("%d/%d checks%s, %s, %d to look at, %s", e.Done, e.Total, over, r.Check.Area, p.failed, scenario.Span(elapsed))
	if p.terminal {
		p.redraw(state)
	} else if now := time.Now(); now.Sub(p.last) >= plainEvery {
		p.last = now
		p.line("%s", state)
	}
}

// paint is the verdict in its colour.
func (s *screen) paint(v model.Verdict) string {
	switch {
	case !v.Conformant():
		return s.colour(red, string(v))
	case v.Failing(), v == model.Nonstrict:
		return s.colour(yellow, string(v))
	}
	return string(v)
}

// summarize prints what came of a run, and where the reports are.
func summarize(w io.Writer, r *model.Record, files []string) {
	s := newScreen(w, false)
	tellLink(&s, r)
	var counts []string
	for _, v := range model.Verdicts() {
		if n := r.Summary[v]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, s.paint(v)))
		}
	}
	slices.Reverse(counts)
	covered := 0
	for _, c := range r.Coverage {
		if c.Verdict != model.Untested {
			covered++
		}
	}
	s.line("%s: %d checks in %s: %s", r.Target.Title(), r.Summary.Total(),
		scenario.Span(time.Duration(r.DurationMS).Round(time.Millisecond)), cmp.Or(strings.Join(counts, ", "), "none"))
	s.line("%d of %d statements that bind a server have a check", covered, len(r.Coverage))
	tellFlaky(&s, r)
	for _, f := range files {
		s.line("wrote %s", f)
	}
}

// tellFlaky names the checks whose runs did not agree.
func tellFlaky(s *screen, r *model.Record) {
	if r.Repeats < 2 {
		return
	}
	flaky := 0
	for _, c := range r.Checks {
		if c.Flaky == nil {
			continue
		}
		flaky++
		counts := model.Summary{}
		for _, a := range c.Flaky {
			counts[a.Verdict]++
		}
		var parts []string
		for _, v := range model.Verdicts() {
			if counts[v] > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", counts[v], s.paint(v)))
			}
		}
		s.line("flaky %s: %s", c.Row(), strings.Join(parts, ", "))
	}
	s.line("%d runs, %s", r.Repeats, model.Plural(flaky, "flaky check", "flaky checks"))
}
