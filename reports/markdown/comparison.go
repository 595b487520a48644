package markdown

import (
	"fmt"
	"io"
	"strings"

	"mqttlab/reports/compare"
	"mqttlab/reports/model"
)

// Comparison writes the summary of a comparison of two arms of fleet runs: the headline, and the shifts that are worth a
// look in a table; all others are counted.
func Comparison(w io.Writer, r *compare.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s Comparison: %s\n\n", shiftSign(r.Verdict), escape(r.Headline()))
	for _, side := range []struct {
		letter string
		compare.Side
	}{{"A", r.A}, {"B", r.B}} {
		fmt.Fprintf(&b, "- **%s** %s, %s\n", side.letter, escape(side.Title), model.Plural(side.Runs, "run", "runs"))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "- note: %s\n", escape(warning))
	}
	for i := range r.Latency {
		shifts(&b, &r.Latency[i], r.Options)
	}
	if len(r.Delivery) > 0 {
		b.WriteString("\n| group | QoS | A arrived | B arrived | verdict |\n|:--|--:|--:|--:|:--|\n")
	}
	for _, d := range r.Delivery {
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s%s |\n", escape(d.Group), d.QoS, d.A, d.B, spaced(shiftSign(d.Verdict)), d.Verdict)
	}
	if r.Cost != nil {
		fmt.Fprintf(&b, "\nProcessor time of the target: %s\n", r.Cost)
	}
	if len(r.Groups) > 0 {
		b.WriteString("\n")
	}
	for _, f := range r.Groups {
		fmt.Fprintf(&b, "- %s%s\n", spaced(shiftSign(f.Verdict)), escape(f.String()))
	}
	fmt.Fprintf(&b, "\n<sub>margin ±%.3g %%, %.4g %% intervals, %d resamples, seed %d</sub>\n",
		100*r.Options.Margin, 100*r.Options.Confidence, r.Options.Resamples, r.Options.Seed)
	return fits(w, &b)
}

// shifts writes one distribution as a collapsed table; it is open where B is slower.
func shifts(b *strings.Builder, l *compare.Latency, o compare.Options) {
	open := ""
	if l.Verdict == compare.Slower {
		open = " open"
	}
	fmt.Fprintf(b, "\n<details%s><summary>%s%s, %s: <b>%s</b> (%d and %d messages)</summary>\n\n",
		open, spaced(shiftSign(l.Verdict)), escape(l.Group), l.Path, l.Verdict, l.MessagesA, l.MessagesB)
	if len(l.Shifts) > 0 {
		fmt.Fprintf(b, "| quantile | A | B | shift | %.4g %% interval | verdict |\n|:--|--:|--:|--:|--:|:--|\n", 100*o.Confidence)
	}
	for _, s := range l.Shifts {
		interval := ""
		if s.Verdict != compare.NotJudged {
			interval = fmt.Sprintf("%+.1f to %+.1f %%", 100*s.RelativeLow(), 100*s.RelativeHigh())
		}
		fmt.Fprintf(b, "| %s | %s | %s | %+.1f %% | %s | %s%s |\n",
			compare.Name(s.P), compare.Span(s.A), compare.Span(s.B), 100*s.Relative(), interval, spaced(shiftSign(s.Verdict)), l.Explain(s))
	}
	b.WriteString("\n</details>\n")
}

// shiftSign stands beside a verdict; empty for those that are no news.
func shiftSign(v compare.Verdict) string {
	switch v {
	case compare.Slower, compare.DeliversLess, compare.CostsMore:
		return signs[model.Fail]
	case compare.Faster, compare.Same, compare.DeliversMore, compare.CostsLess:
		return signs[model.Pass]
	case compare.NotEnough:
		return signs[model.Inconclusive]
	}
	return ""
}

func spaced(sign string) string {
	if sign == "" {
		return ""
	}
	return sign + " "
}

// Changes writes the summary of verdicts that differ between two conformance records, those for the worse first.
func Changes(w io.Writer, c *compare.Changes) error {
	var b strings.Builder
	sign, headline := signs[model.Pass], "no verdict changed for the worse"
	if n := c.Worse(); n > 0 {
		sign, headline = signs[model.Fail], model.Plural(n, "verdict changed", "verdicts changed")+" for the worse"
	}
	fmt.Fprintf(&b, "## %s Conformance: %s\n\n- **A** %s\n- **B** %s\n\n%s changed, %d did not.\n",
		sign, headline, escape(c.A), escape(c.B), model.Plural(len(c.Changed), "verdict", "verdicts"), c.Unchanged)
	if len(c.Changed) > 0 {
		b.WriteString("\n| | A | B | check | MQTT | reason in B |\n|:--|:--|:--|:--|:--|:--|\n")
	}
	for i, ch := range c.Changed {
		row := change(ch)
		if b.Len()+len(row)+tail > Limit {
			fmt.Fprintf(&b, "\nThere is no room here for %d more.\n", len(c.Changed)-i)
			break
		}
		b.WriteString(row)
	}
	return fits(w, &b)
}

func change(c compare.Change) string {
	kind := ""
	if c.Worse() {
		kind = "worse"
	} else if c.Better() {
		kind = "better"
	}
	return fmt.Sprintf("| %s | %s | %s | %s/%s | %s | %s |\n",
		kind, verdict(c.Before), verdict(c.After), escape(c.Area), escape(c.Name), escape(c.MQTT), escape(c.AfterReason))
}

// verdict is a verdict with its sign; of a check that a record does not have, a word.
func verdict(v model.Verdict) string {
	if v == "" {
		return "absent"
	}
	return spaced(signs[v]) + string(v)
}
