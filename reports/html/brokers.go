package html

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"mqttlab/reports/model"
)

type brokersView struct {
	head
	Class, Headline, Detail string
	Brokers                 []brokerColumn
	Areas                   []brokersArea
	Rows                    []brokersRow
	Tallies                 []tally // of the rows' cells, for the filter
	Documents               []string
	Untested                int // statements that no record has a check for; they have no row
	Looks                   []lookView
}

// brokerColumn is one target. Letter stands for it where there is no room for its name.
type brokerColumn struct {
	Letter, Name string
	model.Judgement
	Tallies []tally
	Facts   []fact
	Class   string
}

type brokersArea struct {
	Area  string
	Cells []brokersCell
}

// brokersCell is what one target has in a row.
type brokersCell struct {
	Letter, Name string
	Mark         mark
	Anchor       string // of the section that tells more; empty: there is none
	Tallies      []tally
}

type brokersRow struct {
	statementView
	Document string // what its id begins with
	Verdicts string // all that occur, for the filter
	Differs  bool
	Cells    []brokersCell
}

// lookView is one check that is not as it should be for at least one target.
type lookView struct {
	checkView
	Cells   []brokersCell // one for each target
	Finds   []checkView   // one for each target with something to see
	Targets []brokersCell // whose Finds they are
}

// maxBrokers is how many letters there are.
const maxBrokers = 26

// Brokers renders several sealed conformance records side by side: a row per statement and a column per target. Records
// of the same target under different versions, or over different transports, share a column. What a target did is shown where there is something to look
// at; everything else is on the target's own page.
func Brokers(w io.Writer, records []*model.Record) error {
	columns, err := mergeTargets(records)
	if err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	v := brokersView{head: head{Title: "MQTT conformance side by side", Eyebrow: "MQTT conformance, side by side"}}
	var names []string
	for i, r := range columns {
		b := brokerColumn{
			Letter: string(rune('A' + i)), Name: r.Target.Title(), Judgement: r.Summary.Judge(), Tallies: tallies(r.Summary),
			Facts: []fact{{"MQTT", strings.Join(versionsOf(r), ", ")}, {"Started", r.Started.UTC().Format("2006-01-02 15:04 UTC")}, {"Tool", r.Tool.Name + " " + r.Tool.Version}},
		}
		b.Class = judgementClass(b.Judgement)
		v.Brokers = append(v.Brokers, b)
		names = append(names, b.Name)
	}
	v.Heading = enumerate(names)
	anchors := v.looks(columns)
	v.rows(columns, anchors)
	v.areas(columns)
	v.judge()
	return render(w, "brokers.gohtml", v)
}

func judgementClass(j model.Judgement) string {
	switch {
	case j.Conformant:
		return "good"
	case j.Expected:
		return "known"
	case j.Nothing:
		return "unclear"
	}
	return "bad"
}

// enumerate writes names as a sentence does; many are only counted.
func enumerate(names []string) string {
	switch n := len(names); {
	case n > 3: // a heading of five names is no heading
		return fmt.Sprintf("%d brokers", n)
	case n > 1:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// mergeTargets returns one sealed record per column. The records that are given stay as they are.
func mergeTargets(records []*model.Record) ([]*model.Record, error) {
	var out []*model.Record
	for _, r := range records {
		if r.Kind != model.Conformance {
			return nil, fmt.Errorf("a %s record is no conformance record", r.Kind)
		}
		i := slices.IndexFunc(out, func(have *model.Record) bool { return sameTarget(have, r) })
		if i < 0 {
			one := *r
			out = append(out, &one)
			continue
		}
		both := *out[i]
		both.Checks = slices.Concat(both.Checks, r.Checks)
		both.Statements = maps.Clone(both.Statements)
		if both.Statements == nil {
			both.Statements = map[string]model.Statement{}
		}
		maps.Copy(both.Statements, r.Statements)
		both.Seal()
		out[i] = &both
	}
	if len(out) > maxBrokers {
		return nil, fmt.Errorf("%d targets do not fit beside each other, at most %d do", len(out), maxBrokers)
	}
	if len(out) == 0 {
		return nil, errors.New("no record is given")
	}
	tellApart(out)
	return out, nil
}

// sameTarget reports whether two records are parts of one: same target, nothing in both.
func sameTarget(a, b *model.Record) bool {
	if a.Target.URL != b.Target.URL || a.Target.Name != b.Target.Name {
		return false
	}
	have := versionsOf(a)
	return !slices.ContainsFunc(versionsOf(b), func(v string) bool { return slices.Contains(have, v) })
}

// versionsOf is what a record is about, "5.0 over ws", sorted.
func versionsOf(r *model.Record) []string {
	var out []string
	for _, c := range r.Checks {
		out = append(out, c.Version())
	}
	return sortedSet(out)
}

// sortedSet sorts and takes out what is there twice.
func sortedSet(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// tellApart adds the time to targets of the same name: two runs of one broker.
func tellApart(records []*model.Record) {
	count := map[string]int{}
	for _, r := range records {
		count[r.Target.Title()]++
	}
	for _, r := range records {
		if title := r.Target.Title(); count[title] > 1 {
			r.Target.Name = title + ", " + r.Started.UTC().Format("2006-01-02 15:04:05")
		}
	}
}

// rows makes the matrix of statements.
func (v *brokersView) rows(columns []*model.Record, anchors map[checkOf]string) {
	covered := make([]map[string]model.Coverage, len(columns))
	texts := map[string]model.Statement{}
	for i, r := range columns {
		covered[i] = map[string]model.Coverage{}
		for _, c := range r.Coverage {
			covered[i][c.ID] = c
			if s, ok := r.Statements[c.ID]; ok || texts[c.ID] == (model.Statement{}) {
				texts[c.ID] = s // a statement without text is still one
			}
		}
	}
	sum := model.Summary{}
	worst := worstChecks(columns)
	for _, id := range slices.SortedFunc(maps.Keys(texts), model.CompareIDs) {
		document, _, _ := strings.Cut(id, "-")
		s := texts[id]
		row := brokersRow{statementView: statementView{ID: id, Level: s.Level, Section: s.Section, Summary: s.Summary}, Document: document}
		seen := map[model.Verdict]bool{}
		for i, b := range v.Brokers {
			c, ok := covered[i][id]
			if !ok {
				c.Verdict = model.Untested
			}
			seen[c.Verdict] = true
			row.Cells = append(row.Cells, brokersCell{Letter: b.Letter, Name: b.Name, Mark: markOf(c.Verdict), Anchor: anchors[worst[statementOf{i, id}]]})
		}
		if len(seen) == 1 && seen[model.Untested] {
			v.Untested++
			continue
		}
		for verdict := range seen {
			sum[verdict]++
		}
		row.Differs, row.Verdicts = len(seen) > 1, joined(seen)
		v.Rows = append(v.Rows, row)
		if !slices.Contains(v.Documents, document) {
			v.Documents = append(v.Documents, document)
		}
	}
	v.Tallies = tallies(sum)
}

func joined(seen map[model.Verdict]bool) string {
	var out []string
	for v := range seen {
		out = append(out, string(v))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// areas makes the matrix of areas.
func (v *brokersView) areas(columns []*model.Record) {
	counts := map[string][]model.Summary{}
	for i, r := range columns {
		for _, c := range r.Checks {
			if counts[c.Area] == nil {
				counts[c.Area] = make([]model.Summary, len(columns))
			}
			if counts[c.Area][i] == nil {
				counts[c.Area][i] = model.Summary{}
			}
			counts[c.Area][i][c.Verdict]++
		}
	}
	for _, area := range slices.Sorted(maps.Keys(counts)) {
		row := brokersArea{Area: area}
		for i, s := range counts[area] {
			row.Cells = append(row.Cells, brokersCell{Letter: v.Brokers[i].Letter, Name: v.Brokers[i].Name, Tallies: tallies(s)})
		}
		v.Areas = append(v.Areas, row)
	}
}

// judge writes the first sentence.
func (v *brokersView) judge() {
	conformant, expected, nothing, differ := 0, 0, 0, 0
	for _, b := range v.Brokers {
		if b.Conformant {
			conformant++
		}
		if b.Expected {
			expected++
		}
		if b.Nothing {
			nothing++
		}
	}
	for _, r := range v.Rows {
		if r.Differs {
			differ++
		}
	}
	v.Class, v.Headline = "bad", fmt.Sprintf("%d of %d conformant", conformant, len(v.Brokers))
	if conformant+expected+nothing == len(v.Brokers) {
		v.Class = "known"
	}
	switch {
	case conformant == len(v.Brokers):
		v.Class, v.Headline = "good", "All are conformant"
	case nothing == len(v.Brokers):
		v.Class, v.Headline = "unclear", "Nothing was shown"
	case conformant == 0:
		v.Headline = "None is conformant"
	}
	v.Detail = fmt.Sprintf("They differ on %d of %s.", differ, model.Plural(len(v.Rows), "statement that a check covers", "statements that checks cover"))
}
