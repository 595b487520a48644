package html

import (
	"fmt"
	"io"
	"math"
	"strings"

	"mqttlab/reports/compare"
	"mqttlab/reports/model"
)

type comparisonView struct {
	head
	Class    string // of the verdict: good, bad, unclear
	Headline string
	Result   *compare.Result
	Latency  []shiftView
}

type shiftView struct {
	compare.Latency
	Chart chart
	Rows  []shiftRow
}

type shiftRow struct {
	Name, A, B, Shift, Interval, Relative, P, Verdict string
	Class                                             string
}

// Comparison renders the comparison of two arms of fleet runs.
func Comparison(w io.Writer, r *compare.Result) error {
	v := comparisonView{
		head: head{
			Title:   "Comparison: " + sides(r.A, r.B),
			Eyebrow: "Comparison of fleet runs",
			Heading: sides(r.A, r.B),
			Facts: []fact{
				{"A", arm(r.A)},
				{"B", arm(r.B)},
				{"Margin", fmt.Sprintf("±%.3g %%", 100*r.Options.Margin)},
				{"Confidence", fmt.Sprintf("%.4g %%", 100*r.Options.Confidence)},
				{"Resamples", fmt.Sprint(r.Options.Resamples)},
				{"Seed", fmt.Sprint(r.Options.Seed)},
			},
		},
		Class: verdictClass(r.Verdict), Headline: strings.ReplaceAll(r.Headline(), " %", "\u00a0%"), Result: r,
	}
	for _, l := range r.Latency {
		v.Latency = append(v.Latency, viewShifts(l, r.Options))
	}
	return render(w, "comparison.gohtml", v)
}

func sides(a, b compare.Side) string {
	switch {
	case a.Title == b.Title:
		return a.Title + ", before and after"
	case a.Scenario == b.Scenario:
		return a.Scenario + " on " + a.Target + " and on " + b.Target
	}
	return a.Title + " and " + b.Title
}

func arm(s compare.Side) string {
	return fmt.Sprintf("%s, %s", s.Title, model.Plural(s.Runs, "run", "runs"))
}

// verdictClass picks a colour; the word is always there as well.
func verdictClass(v compare.Verdict) string {
	switch v {
	case compare.Slower, compare.DeliversLess:
		return "bad"
	case compare.Same, compare.Faster, compare.DeliversMore:
		return "good"
	default:
		return "unclear"
	}
}

func viewShifts(l compare.Latency, o compare.Options) shiftView {
	v := shiftView{Latency: l}
	for _, s := range l.Shifts {
		row := shiftRow{
			Name: compare.Name(s.P), A: compare.Span(s.A), B: compare.Span(s.B),
			Shift: signed(100*s.Relative()) + " %", Verdict: l.Explain(s), Class: shiftClass(s.Verdict),
		}
		if s.Verdict != compare.NotJudged {
			row.Interval = fmt.Sprintf("%s to %s %%", signed(100*s.RelativeLow()), signed(100*s.RelativeHigh()))
			row.P = compare.PValue(s.PValue)
		}
		v.Rows = append(v.Rows, row)
	}
	v.Chart = shiftChart(l, o)
	return v
}

func signed(x float64) string {
	return strings.Replace(fmt.Sprintf("%+.1f", x), "-", "−", 1)
}

func shiftClass(v compare.Verdict) string {
	switch v {
	case compare.Slower:
		return "w-slower"
	case compare.Faster:
		return "w-faster"
	case compare.Same:
		return "w-same"
	default:
		return "w-open"
	}
}

// shiftChart plots the relative shift of each judged quantile with its interval over the margin.
func shiftChart(l compare.Latency, o compare.Options) chart {
	c := chart{
		Title: l.Group + ", " + string(l.Path), Note: "Shift from A to B, with intervals; the band is the margin.",
		XLabel: "quantile", YLabel: "shift as a share of A; above the line B is slower",
	}
	lo, hi := -1.2*o.Margin, 1.2*o.Margin
	judged := make([]compare.Shift, 0, len(l.Shifts))
	for _, s := range l.Shifts {
		if s.Verdict != compare.NotJudged {
			judged = append(judged, s)
			lo, hi = min(lo, s.RelativeLow()), max(hi, s.RelativeHigh())
		}
	}
	y, ticks := percentScale(lo, hi)
	c.YTicks = ticks
	margin := func(v float64) []point { return []point{{0, y.at(v)}, {1, y.at(v)}} }
	c.Shapes = append(c.Shapes, shape{Class: "band w-same", D: band(margin(-o.Margin), margin(o.Margin))})
	for _, verdict := range []compare.Verdict{compare.Slower, compare.Faster, compare.Same, compare.NotEnough} {
		var bars strings.Builder
		var heads []point
		for i, s := range judged {
			if s.Verdict != verdict {
				continue
			}
			x := (float64(i) + 0.5) / float64(len(judged))
			bars.WriteString(path([]point{{x, y.at(s.RelativeLow())}, {x, y.at(s.RelativeHigh())}}))
			heads = append(heads, point{x, y.at(s.Relative())})
		}
		if len(heads) == 0 {
			continue
		}
		class := shiftClass(verdict)
		c.Shapes = append(c.Shapes, shape{Class: "bars " + class, D: bars.String()}, shape{Class: "dots " + class, D: dots(heads)})
		c.Legend = append(c.Legend, shape{Class: "dots " + class, Label: string(verdict)})
	}
	for i, s := range judged {
		c.XTicks = append(c.XTicks, tick{At: 100 * (float64(i) + 0.5) / float64(len(judged)), Label: strings.TrimPrefix(compare.Name(s.P), "p")})
	}
	return c
}

// percentScale covers lo to hi, which lie on both sides of zero, with round ticks.
func percentScale(lo, hi float64) (scale, []tick) {
	step := niceStep(hi-lo, 6)
	first, last := math.Floor(lo/step), math.Ceil(hi/step)
	s := scale{lo: first * step, hi: last * step}
	var ticks []tick
	for i := first; i <= last; i++ {
		label := "0"
		if i != 0 {
			label = strings.Replace(fmt.Sprintf("%+.3g %%", 100*i*step), "-", "−", 1)
		}
		ticks = append(ticks, tick{At: 100 * (1 - s.at(i*step)), Label: label, Strong: i == 0})
	}
	return s, ticks
}

type changesView struct {
	head
	Class, Headline string
	Rows            []changeRow
}

type changeRow struct {
	compare.Change
	From, To mark
	Kind     string // worse, better, other: what a filter or a reader's eye looks for
}

// Changes renders the verdicts that differ between two conformance records.
func Changes(w io.Writer, c *compare.Changes) error {
	v := changesView{head: head{
		Title:   "Changed verdicts: " + c.A + " and " + c.B,
		Eyebrow: "Comparison of conformance",
		Heading: c.A + " and " + c.B,
		Facts:   []fact{{"Changed", fmt.Sprint(len(c.Changed))}, {"Unchanged", fmt.Sprint(c.Unchanged)}},
	}}
	switch worse := c.Worse(); {
	case worse > 0:
		v.Class, v.Headline = "bad", model.Plural(worse, "verdict changed for the worse", "verdicts changed for the worse")
	case len(c.Changed) > 0:
		v.Class, v.Headline = "good", "No verdict changed for the worse"
	default:
		v.Class, v.Headline = "good", "No verdict changed"
	}
	for _, ch := range c.Changed {
		row := changeRow{Change: ch, From: markOr(ch.Before), To: markOr(ch.After), Kind: "other"}
		if ch.Worse() {
			row.Kind = "worse"
		} else if ch.Better() {
			row.Kind = "better"
		}
		v.Rows = append(v.Rows, row)
	}
	return render(w, "changes.gohtml", v)
}

// markOr shows a check that a record does not have.
func markOr(v model.Verdict) mark {
	if v == "" {
		return mark{Verdict: model.Untested, Sign: "∅", Word: "absent"}
	}
	return markOf(v)
}
