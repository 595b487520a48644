package compare

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText writes the result as a table for a terminal: the verdict first, then what supports it.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Headline())
	fmt.Fprintf(&b, "A  %s, %s\n", r.A.Title, count(r.A.Runs, "run"))
	fmt.Fprintf(&b, "B  %s, %s\n", r.B.Title, count(r.B.Runs, "run"))
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "note: %s\n", warning)
	}
	for i := range r.Latency {
		r.Latency[i].writeText(&b, r.Options)
	}
	if len(r.Delivery) > 0 {
		fmt.Fprintf(&b, "\nDelivery (share of messages that arrived, %g %% Wilson interval)\n", 100*r.Options.Confidence)
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "  group\tQoS\tA\tB\tverdict")
		for _, d := range r.Delivery {
			fmt.Fprintf(t, "  %s\t%d\t%s\t%s\t%s\n", d.Group, d.QoS, d.A, d.B, d.Verdict)
		}
		t.Flush()
	}
	if r.Cost != nil {
		fmt.Fprintf(&b, "\nProcessor time of the target\n  %s\n", r.Cost)
	}
	if len(r.Groups) > 0 {
		b.WriteString("\nEnergy, and storms\n")
	}
	for _, f := range r.Groups {
		fmt.Fprintf(&b, "  %s\n", f)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Headline is the result in one sentence.
func (r *Result) Headline() string {
	switch r.Verdict {
	case Same:
		return fmt.Sprintf("B is the same as A within ±%s.", percent(r.Options.Margin))
	case DeliversLess:
		return "B delivers fewer of its messages than A."
	case NotEnough:
		return r.undecided()
	}
	l, s := r.strongest()
	return fmt.Sprintf("B is %s than A: %s at %s of %s (%s).", r.Verdict, by(s), Name(s.P), l.Group, l.Path)
}

// strongest is the shift that carries the verdict: the largest relative one of that kind.
func (r *Result) strongest() (l Latency, s Shift) {
	for _, each := range r.Latency {
		for _, shift := range each.Shifts {
			if shift.Verdict == r.Verdict && (s.Verdict == "" || abs(shift.Relative()) > abs(s.Relative())) {
				l, s = each, shift
			}
		}
	}
	return l, s
}

// undecided says where the data do not suffice, and what would.
func (r *Result) undecided() string {
	for _, l := range r.Latency {
		if few := min(l.UnitsA, l.UnitsB); few < MinUnits {
			return fmt.Sprintf("Not enough data to tell B from A: at least %d %s per arm are needed, %d are there.", MinUnits, unitName(l.Unit), few)
		}
		var open []Shift
		for _, s := range l.Shifts {
			if s.Verdict == NotEnough {
				open = append(open, s)
			}
		}
		if l.Verdict != NotEnough || len(open) == 0 {
			continue
		}
		names, more := make([]string, len(open)), open[0].More
		for i, s := range open {
			names[i], more = Name(s.P), max(more, s.More)
		}
		return fmt.Sprintf("Not enough data to tell B from A at %s of %s (%s): about %d more %s per arm would decide.",
			strings.Join(names, ", "), l.Group, l.Path, more, l.Unit)
	}
	return "Not enough data to tell B from A."
}

func (l *Latency) writeText(b *strings.Builder, o Options) {
	fmt.Fprintf(b, "\n%s, %s, intended: %s\n", l.Group, l.Path, l.Verdict)
	fmt.Fprintf(b, "  unit: %s (%d and %d), %d and %d messages, Cliff's delta %.3f (%.3f to %.3f)\n",
		unitName(l.Unit), l.UnitsA, l.UnitsB, l.MessagesA, l.MessagesB, l.Delta.Value, l.Delta.Low, l.Delta.High)
	if len(l.Shifts) == 0 {
		return
	}
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "  \tA\tB\tshift\t%g %% interval\tp (Holm)\t  verdict\n", 100*o.Confidence)
	for _, s := range l.Shifts {
		if s.Verdict == NotJudged {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t\t\t  %s\n", Name(s.P), Span(s.A), Span(s.B), signed(s.Diff), l.Explain(s))
			continue
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s to %s\t%s\t  %s\n",
			Name(s.P), Span(s.A), Span(s.B), signed(s.Diff), signed(s.Low), signed(s.High), PValue(s.PValue), l.Explain(s))
	}
	t.Flush()
}

// Explain is a shift's verdict in words, with its size or with what is missing.
func (l *Latency) Explain(s Shift) string {
	switch s.Verdict {
	case Slower, Faster:
		return fmt.Sprintf("%s by %s", s.Verdict, by(s))
	case NotEnough:
		return fmt.Sprintf("not enough data (about %d more %s)", s.More, l.Unit)
	case NotJudged:
		if s.More > 0 {
			return fmt.Sprintf("not judged (needs %d more messages)", s.More)
		}
		return fmt.Sprintf("not judged (needs %d %s)", MinUnits, l.Unit)
	}
	return string(s.Verdict)
}

// by is the size of a shift without its sign: "12 ms, 8.1 % (5.0 to 11.2 %)".
func by(s Shift) string {
	low, high := abs(s.RelativeLow()), abs(s.RelativeHigh())
	return fmt.Sprintf("%s, %s (%.1f to %.1f %%)", Span(s.Diff.Abs()), percent(abs(s.Relative())), 100*min(low, high), 100*max(low, high))
}

func (p Proportion) String() string {
	return fmt.Sprintf("%.3f %% (%.3f to %.3f)", 100*p.Share(), 100*p.Low, 100*p.High)
}

// Name is a quantile as people write it: p50, p99.9.
func Name(p float64) string { return fmt.Sprintf("p%.4g", 100*p) }

// PValue shows a p-value; below a ten-thousandth the resampling has nothing more to say.
func PValue(p float64) string {
	if p < 0.0001 {
		return "<0.0001"
	}
	return fmt.Sprintf("%.4f", p)
}

// Span shows a latency with three digits and a unit that fits.
func Span(d time.Duration) string {
	switch v := d.Abs(); {
	case v < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case v < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d.Round(time.Microsecond).Microseconds())/1e3)
	case v < 1000*time.Second:
		return fmt.Sprintf("%.3g s", d.Seconds())
	case v < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	default:
		return fmt.Sprintf("%.1f d", d.Hours()/24)
	}
}

func signed(d time.Duration) string {
	if d > 0 {
		return "+" + Span(d)
	}
	return Span(d)
}

func percent(x float64) string { return fmt.Sprintf("%.3g %%", 100*x) }

func abs(x float64) float64 { return max(x, -x) }

func unitName(unit string) string {
	if unit == Devices {
		return "blocks of devices"
	}
	return unit
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// WriteText writes the changed verdicts as lines for a terminal.
func (c *Changes) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s changed, %d of them for the worse; %d unchanged\nA  %s\nB  %s\n",
		count(len(c.Changed), "verdict"), c.Worse(), c.Unchanged, c.A, c.B)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, ch := range c.Changed {
		fmt.Fprintf(t, "  %s\t%s\t%s -> %s\t%s\n", ch.MQTT, ch.Name, verdictOr(string(ch.Before)), verdictOr(string(ch.After)), ch.AfterReason)
	}
	t.Flush()
	_, err := io.WriteString(w, b.String())
	return err
}

func verdictOr(v string) string {
	if v == "" {
		return "absent"
	}
	return v
}
