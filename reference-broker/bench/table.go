package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// table is what was measured, and how.
type table struct {
	brokers []contender
	reps    int
	short   bool
	limit   time.Duration
	command string
	rows    []measured
}

// measured is a row with the figures of each broker.
type measured struct {
	row
	figures  [][]float64 // by broker, one for each repetition
	problems []error     // by broker
}

func newTable(o options, brokers []contender, command string) *table {
	t := &table{brokers: brokers, reps: o.reps, short: o.short, limit: o.limit, command: command}
	if o.short {
		t.reps = 1
	}
	return t
}

// ours tells the broker that the expectations are about from those it is compared with, and base the one whose figure is 1.
func ours(c contender) bool { return c.name == "mqttlab" }
func base(c contender) bool { return strings.HasPrefix(c.name, "mosquitto") }

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// value returns what stands for broker i: the ratio to mosquitto, or the figure itself where that is the measure. 0: there is none.
func (t *table) value(m measured, i int) float64 {
	own := median(m.figures[i])
	if m.inBytes() || base(t.brokers[i]) {
		return own
	}
	if b := slices.IndexFunc(t.brokers, base); b >= 0 {
		if one := median(m.figures[b]); one > 0 {
			return own / one
		}
		return 0
	}
	return own
}

// line is a row of the Markdown table.
func (t *table) line(m measured) string {
	cells := []string{m.title}
	verdict := ""
	for i, b := range t.brokers {
		v := t.value(m, i)
		cell := short(v)
		if m.problems[i] != nil || v == 0 {
			cell = "no figure"
		}
		cells = append(cells, cell)
		switch {
		case !ours(b):
		case m.problems[i] != nil:
			verdict = "missed"
		case v > 0 && t.judges(m):
			verdict = "missed"
			if m.met(v) {
				verdict = "met"
			}
		}
	}
	cells = append(cells, m.bound(m.atLeast), m.bound(m.aim), verdict)
	return "| " + strings.Join(cells, " | ") + " |"
}

// bound writes what is expected.
func (m *measured) bound(v float64) string {
	switch {
	case v == 0:
		return ""
	case m.lessIsBetter():
		return "≤ " + short(v)
	}
	return short(v)
}

// judges reports whether the values can be held against what is expected: ratios need the broker that they are to.
func (t *table) judges(m measured) bool { return m.inBytes() || slices.ContainsFunc(t.brokers, base) }

// short writes a number with as many digits as can be relied upon.
func short(v float64) string {
	switch {
	case v >= 1000:
		s := fmt.Sprintf("%.0f", v)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	case v >= 20:
		return fmt.Sprintf("%.0f", v)
	case v >= 2:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	}
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}

// write prints the table as Markdown, with what is needed to understand and to repeat it.
func (t *table) write(w io.Writer) error {
	head := []string{"scenario"}
	for _, b := range t.brokers {
		if base(b) {
			head = append(head, b.name+", per CPU-second")
			continue
		}
		head = append(head, b.name)
	}
	head = append(head, "at least", "aim", "")
	var s strings.Builder
	fmt.Fprintf(&s, "Deliveries per CPU-second of the broker's process: mosquitto's own, and for the others the ratio to it. Of latency microseconds and their ratios, "+
		"of memory bytes: less is better. `at least` and `aim` are what is expected of mqttlab. Where it says on disk, mosquitto keeps nothing there.\n\n")
	fmt.Fprintf(&s, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, m := range t.rows {
		fmt.Fprintln(&s, t.line(m))
	}
	fmt.Fprintf(&s, "\nMeasured by `%s`: %s.\n", t.command, t.method())
	_, err := io.WriteString(w, s.String())
	return err
}

// method says how the figures came about.
func (t *table) method() string {
	how := fmt.Sprintf("medians of %d interleaved runs, each with a fresh process, on %d processors", t.reps, runtime.NumCPU())
	if t.short {
		how = fmt.Sprintf("a glance, one short run each and a part of the counts, on %d processors", runtime.NumCPU())
	}
	for _, m := range t.rows {
		if slices.ContainsFunc(m.problems, func(err error) bool { return err != nil }) {
			return how + fmt.Sprintf("; no figure: a run failed or was not done in %s", t.limit)
		}
	}
	return how
}

func mark(which string) string { return "<!-- bench:" + which + " -->" }

// writeInto puts the table between the two marks in a file.
func (t *table) writeInto(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var s strings.Builder
	if err := t.write(&s); err != nil {
		return err
	}
	out, err := replace(string(b), s.String())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(out), 0o644)
}

// replace puts text between the marks of a document.
func replace(document, text string) (string, error) {
	before, rest, ok1 := strings.Cut(document, mark("begin")+"\n")
	_, after, ok2 := strings.Cut(rest, mark("end"))
	if !ok1 || !ok2 {
		return "", errors.New("has no line " + mark("begin") + " with a line " + mark("end") + " after it, to write the table between")
	}
	return before + mark("begin") + "\n" + text + mark("end") + after, nil
}
