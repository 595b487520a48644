package model

import "slices"

// Verdict is what a check found.
type Verdict string

// The verdicts, worst first.
const (
	Crash        Verdict = "crash"        // the target died or stopped answering
	Fail         Verdict = "fail"         // a MUST is broken
	Fixed        Verdict = "fixed"        // listed as a known failure, but passes now: the list is out of date
	Inconclusive Verdict = "inconclusive" // our own set-up failed; says nothing about the target
	KnownFailure Verdict = "known"        // fails, and is listed as known with a reason
	Nonstrict    Verdict = "nonstrict"    // allowed, but not what the standard recommends
	Info         Verdict = "info"         // the standard leaves it open; what the target chose is recorded
	Pass         Verdict = "pass"         // one of the accepted outcomes came
	Unsupported  Verdict = "unsupported"  // the target does not offer the feature
	Skipped      Verdict = "skipped"      // the user asked for it
	Untested     Verdict = "untested"     // coverage only: no check covers the statement
)

// Verdicts returns all verdicts that a check can have, worst first.
func Verdicts() []Verdict { return slices.Clone(severity[:len(severity)-1]) }

var severity = [...]Verdict{
	Crash, Fail, Fixed, Inconclusive, KnownFailure, Nonstrict, Info, Pass, Unsupported, Skipped, Untested,
}

// Known reports whether v is a verdict that a check can have.
func (v Verdict) Known() bool { return v != Untested && slices.Contains(severity[:], v) }

// Conformant reports whether a run with this verdict may still be called
// conformant. Crash, Fail and Fixed are not: they make `mqttlab conform` exit with 1.
func (v Verdict) Conformant() bool { return v != Crash && v != Fail && v != Fixed }

// Failing reports whether a reader should look at the check: something about the
// target, the list of known failures or our set-up is not as it should be.
func (v Verdict) Failing() bool {
	return v == Crash || v == Fail || v == Fixed || v == Inconclusive || v == KnownFailure
}

// Worst returns the worst of the verdicts, Untested for none. A verdict that is not known
// counts as worse than all others, so that it cannot hide.
func Worst(vs ...Verdict) Verdict {
	worst := Untested
	for _, v := range vs {
		if slices.Index(severity[:], v) < slices.Index(severity[:], worst) {
			worst = v
		}
	}
	return worst
}
