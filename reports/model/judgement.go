package model

import "fmt"

// Judgement is what a run's summary says about its target, in words for people.
type Judgement struct {
	Conformant bool   // no check fails, and some check came to a result
	Expected   bool   // checks fail, and all of them are listed as known: nothing new, but not conformant either
	Nothing    bool   // no check came to a result: nothing was shown either way
	Broken     int    // checks that fail or crash
	Ran        int    // checks that came to a result
	Headline   string // two or three words: "Not conformant"
	Detail     string // one sentence with the figures
}

// Judge adds up a summary. Every report takes its first sentence from here, so that no two of them say different things.
func (s Summary) Judge() Judgement {
	j := Judgement{
		Broken: s[Fail] + s[Crash],
		Ran:    s.Total() - s[Skipped] - s[Unsupported] - s[Inconclusive],
	}
	switch {
	case j.Ran == 0:
		j.Nothing, j.Headline = true, "Nothing was shown"
		j.Detail = "No check came to a result about the target."
		return j
	case j.Broken > 0:
		j.Headline = "Not conformant"
		j.Detail = fmt.Sprintf("%s of %d that came to a result", Plural(j.Broken, "check fails", "checks fail"), j.Ran)
	case s[Fixed] > 0:
		j.Headline = "Known failures are out of date"
		j.Detail = Plural(s[Fixed], "check that is listed as failing passes", "checks that are listed as failing pass")
	case s[KnownFailure] > 0:
		j.Expected, j.Headline = true, "Fails only as known"
		j.Detail = fmt.Sprintf("%s of %d that came to a result, as listed with reasons", Plural(s[KnownFailure], "check fails", "checks fail"), j.Ran)
	default:
		j.Conformant, j.Headline = true, "Conformant"
		j.Detail = Plural(j.Ran, "check came to a result, and it does not fail", "checks came to a result, none of them fails")
	}
	for _, also := range []struct {
		verdict   Verdict
		one, many string
	}{
		{KnownFailure, "known failure", "known failures"},
		{Nonstrict, "deviation from a recommendation", "deviations from recommendations"},
		{Inconclusive, "check was inconclusive", "checks were inconclusive"},
	} {
		if n := s[also.verdict]; n > 0 && !(j.Expected && also.verdict == KnownFailure) {
			j.Detail += "; " + Plural(n, also.one, also.many)
		}
	}
	j.Detail += "."
	return j
}

// Plural writes a count with its noun.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
