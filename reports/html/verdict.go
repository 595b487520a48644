package html

import "mqttlab/reports/model"

// mark is how a verdict looks: a word and a sign, so that nobody needs to tell colours apart.
type mark struct {
	Verdict model.Verdict // also the CSS class, after "v-"
	Sign    string
	Word    string
	Means   string
}

// marks is in the order of model.Verdicts: worst first.
var marks = []mark{
	{model.Crash, "✕✕", "crash", "the target died or stopped answering"},
	{model.Fail, "✕", "fail", "a MUST is broken"},
	{model.Fixed, "↑", "fixed", "listed as a known failure, but passes now"},
	{model.Inconclusive, "?", "inconclusive", "our own set-up failed"},
	{model.KnownFailure, "≡", "known", "fails, and is listed as known"},
	{model.Nonstrict, "~", "nonstrict", "allowed, but not what the standard recommends"},
	{model.Info, "i", "info", "left open by the standard; the choice is recorded"},
	{model.Pass, "✓", "pass", "one of the accepted outcomes came"},
	{model.Unsupported, "–", "unsupported", "the target does not offer the feature"},
	{model.Skipped, "»", "skipped", "left out at the user's request"},
	{model.Untested, "·", "untested", "no check covers it"},
}

func markOf(v model.Verdict) mark {
	for _, m := range marks {
		if m.Verdict == v {
			return m
		}
	}
	return mark{Verdict: v, Sign: "?", Word: string(v)}
}

// tally is a count per verdict, drawn as a bar.
type tally struct {
	mark
	Count int64
	Share float64 // percent of all
}

func tallies(s model.Summary) []tally {
	total := s.Total()
	var out []tally
	for _, m := range marks {
		if n := s[m.Verdict]; n > 0 {
			out = append(out, tally{mark: m, Count: int64(n), Share: 100 * float64(n) / float64(total)})
		}
	}
	return out
}
