package html

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"mqttlab/reports/model"
)

type conformanceView struct {
	head
	model.Judgement
	Tallies    []tally
	Versions   []string
	Over       []string // version and transport, as in "5.0 over ws"
	Areas      []matrixRow
	Transports []matrixRow
	Failing    []checkView
	Checks     []checkView
	Statements []statementRow
	Covered    []tally
	Features   []model.Feature
	Link       *model.LinkRun // nil: none
}

type matrixRow struct {
	Name  string
	Cells [][]tally // one per version
}

type checkView struct {
	model.Check
	Mark       mark
	Anchor     string // empty when the check has no section of its own
	Statements []statementView
	Lines      []lineView
	Attempts   []attemptView // of a flaky check, one per run
}

type attemptView struct {
	model.Attempt
	Mark  mark
	Name  string // of the check, for the caption
	Lines []lineView
}

type statementView struct {
	ID, Level, Section, Summary string
}

type lineView struct {
	model.Line
	Out, In bool // from us, from the target; neither for an unknown sender
	Bytes   string
	Cut     int // bytes that Bytes leaves out
	Skipped int // instead of a line: how many entries are left out here
}

type statementRow struct {
	statementView
	Mark   mark
	Checks []string
}

// Conformance renders a sealed conformance record.
func Conformance(w io.Writer, r *model.Record) error {
	if r.Kind != model.Conformance {
		return fmt.Errorf("write HTML: a %s record is no conformance record", r.Kind)
	}
	v := conformanceView{
		head: head{
			Title:   r.Target.Title() + ": MQTT conformance",
			Eyebrow: "MQTT conformance",
			Heading: r.Target.Title(),
			Facts:   facts(r, judged(r.Target.Implementation)...),
		},
		Judgement: r.Summary.Judge(),
		Tallies:   tallies(r.Summary),
		Features:  r.Target.Features,
		Link:      r.Link,
	}
	for _, c := range r.Checks {
		v.Versions = append(v.Versions, c.MQTT)
	}
	v.Versions, v.Over = sortedSet(v.Versions), versionsOf(r)
	v.Areas = v.matrix(r.Checks, func(c model.Check) string { return c.Area })
	v.Transports = v.matrix(r.Checks, func(c model.Check) string { return cmp.Or(c.Transport, "tcp") })
	limit := min(max(passLines/max(len(r.Checks), 1), fewestLines), headShown+tailShown)
	if len(r.Checks)*fewestLines > 2*passLines { // over many transports
		limit = 0
	}
	for i, c := range r.Checks {
		view := viewCheck(r, c)
		if !c.Verdict.Failing() && c.Flaky == nil {
			view.Lines = viewLines(c.Transcript, limit, hexShown)
		}
		if c.Verdict.Failing() || c.Flaky != nil {
			view.Anchor = fmt.Sprintf("check-%d", i+1)
			v.Failing = append(v.Failing, view)
		}
		v.Checks = append(v.Checks, view)
	}
	slices.SortStableFunc(v.Failing, func(a, b checkView) int { return severity(a.Verdict) - severity(b.Verdict) })
	v.statements(r)
	return render(w, "conformance.gohtml", v)
}

// judged is what a published result says of the implementation.
func judged(i *model.Implementation) []fact {
	if i == nil {
		return nil
	}
	return []fact{{"Implementation", i.Name + " " + i.Version}, {"Contact", i.Contact}}
}

func severity(v model.Verdict) int { return slices.Index(model.Verdicts(), v) }

// matrix counts verdicts by protocol version, in rows that are named by rowOf and come in their order of occurrence.
func (v *conformanceView) matrix(checks []model.Check, rowOf func(model.Check) string) []matrixRow {
	counts := map[[2]string]model.Summary{}
	var names []string
	for _, c := range checks {
		name := rowOf(c)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		k := [2]string{name, c.MQTT}
		if counts[k] == nil {
			counts[k] = model.Summary{}
		}
		counts[k][c.Verdict]++
	}
	var rows []matrixRow
	for _, name := range names {
		row := matrixRow{Name: name}
		for _, version := range v.Versions {
			row.Cells = append(row.Cells, tallies(counts[[2]string{name, version}]))
		}
		rows = append(rows, row)
	}
	return rows
}

func viewCheck(r *model.Record, c model.Check) checkView {
	c.Title = sentence(c.Title)
	out := checkView{Check: c, Mark: markOf(c.Verdict)}
	for _, id := range c.Statements {
		out.Statements = append(out.Statements, viewStatement(r, id))
	}
	out.Lines = viewLines(c.Transcript, len(c.Transcript), hexShown)
	for _, a := range c.Flaky {
		lines := viewLines(a.Transcript, len(a.Transcript), hexShown)
		out.Attempts = append(out.Attempts, attemptView{Attempt: a, Mark: markOf(a.Verdict), Name: c.Name, Lines: lines})
	}
	return out
}

// A check that passed shows the beginning and the end of a long transcript: some send hundreds of packets, and a page
// of all of them is slow to open on a telephone. A check to look at shows everything. All checks that pass together have
// about passLines entries, of some 250 bytes each; a few checks have the most that one may show, and where there are too many for
// all to have a few, none has any.
const (
	headShown = 40
	tailShown = 20
	passLines = 5000
)

// viewLines shows at most limit lines, two thirds of them from the beginning.
func viewLines(lines []model.Line, limit, octets int) []lineView {
	var out []lineView
	skipped := len(lines) - limit
	first := limit * headShown / (headShown + tailShown)
	for i, l := range lines {
		if skipped > 1 && i >= first && i < first+skipped {
			if i == first {
				out = append(out, lineView{Skipped: skipped})
			}
			continue
		}
		out = append(out, viewLine(l, octets))
	}
	return out
}

// sentence begins a title with a capital letter.
func sentence(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

func viewStatement(r *model.Record, id string) statementView {
	s := r.Statements[id]
	return statementView{ID: id, Level: s.Level, Section: s.Section, Summary: s.Summary}
}

// hexShown is how many bytes of a packet the page shows. A packet of a megabyte is in the record.
const hexShown = 256

func viewLine(l model.Line, octets int) lineView {
	from, _, _ := strings.Cut(l.From, "/")
	v := lineView{Line: l, Out: from == "check", In: from == "target"}
	shown := l.Hex
	if len(shown) > 2*octets {
		v.Cut = (len(shown) - 2*octets) / 2
		shown = shown[:2*octets]
	}
	var b strings.Builder
	for i := 0; i < len(shown); i += 2 {
		if i > 0 {
			b.WriteByte(' ') // a place to wrap
		}
		b.WriteString(shown[i:min(i+2, len(shown))])
	}
	v.Bytes = b.String()
	return v
}

func (v *conformanceView) statements(r *model.Record) {
	sum := model.Summary{}
	for _, c := range r.Coverage {
		sum[c.Verdict]++
		v.Statements = append(v.Statements, statementRow{
			statementView: viewStatement(r, c.ID), Mark: markOf(c.Verdict), Checks: c.Checks,
		})
	}
	v.Covered = tallies(sum)
}
