package conformance

import (
	"time"

	"mqttlab/reports/model"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
)

// Verdict is what a check says about a target in one version; package model tells what
// each means and which of them break a run.
type Verdict = model.Verdict

// The verdicts.
const (
	Pass         = model.Pass
	Nonstrict    = model.Nonstrict
	Info         = model.Info
	Fail         = model.Fail
	Crash        = model.Crash
	Unsupported  = model.Unsupported
	Skipped      = model.Skipped
	Inconclusive = model.Inconclusive
	KnownFailure = model.KnownFailure
	Fixed        = model.Fixed
)

// Result is the verdict of one check in one version with its grounds.
type Result struct {
	Check   *Check
	Version octets.Version
	// Transport is what it ran over, as [target.Target.Transport] names it.
	Transport string
	Verdict   Verdict
	// Reason is one line; empty for a plain pass.
	Reason string
	// Failure is set for fail, crash and known, and for nonstrict that would be one.
	Failure *probe.Failure
	// Case is the shortest sequence of steps that fails, for [Options].Case; empty for
	// checks that play none.
	Case string
	// Closed is how the connection that the check judged ended; empty if not observed.
	Closed string
	// Started and Duration are when the check ran and for how long, cleaning up not
	// counted.
	Started  time.Time
	Duration time.Duration
	// Transcript is every byte in both directions.
	Transcript []probe.Entry

	suspects int // the first case that ran when the target was lost, counted from 1; 0: no case did
}

// Statements are the statements the verdict is about: of a failure those that were
// broken, otherwise all that the check covers in this version.
func (r *Result) Statements() []statement.ID {
	if r.Failure != nil && len(r.Failure.Statements) > 0 {
		return r.Failure.Statements
	}
	return r.Check.Statements(r.Version)
}

// ID names the result within a run: "connect/SecondConnect 5.0".
func (r *Result) ID() string { return r.Check.FullName() + " " + r.Version.String() }
