package model

import "testing"

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		summary  Summary
		headline string
		detail   string
	}{
		{Summary{Unsupported: 3}, "Nothing was shown", "No check came to a result about the target."},
		{Summary{Pass: 1}, "Conformant", "1 check came to a result, and it does not fail."},
		{Summary{Pass: 3, Nonstrict: 2}, "Conformant", "5 checks came to a result, none of them fails; 2 deviations from recommendations."},
		{Summary{Pass: 3, KnownFailure: 1, Nonstrict: 1}, "Fails only as known", "1 check fails of 5 that came to a result, as listed with reasons; 1 deviation from a recommendation."},
		{Summary{Pass: 3, KnownFailure: 1, Fixed: 2}, "Known failures are out of date", "2 checks that are listed as failing pass; 1 known failure."},
		{Summary{Pass: 3, KnownFailure: 2, Crash: 1, Fail: 1}, "Not conformant", "2 checks fail of 7 that came to a result; 2 known failures."},
	} {
		j := c.summary.Judge()
		if j.Headline != c.headline || j.Detail != c.detail || j.Conformant != (c.headline == "Conformant") || j.Expected != (c.headline == "Fails only as known") {
			t.Errorf("%v: %+v, want %q: %q", c.summary, j, c.headline, c.detail)
		}
	}
}
