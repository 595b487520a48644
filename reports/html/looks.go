package html

import (
	"cmp"
	"fmt"
	"slices"

	"mqttlab/reports/model"
)

// checkOf is one row of a record for the target of one column; statementOf a statement for it.
type (
	checkOf struct {
		column int
		row    string
	}
	statementOf struct {
		column int
		id     string
	}
)

// toSee reports whether a reader of several targets should be able to see what came. A deviation from a recommendation is
// among it: there the targets differ most.
func toSee(v model.Verdict) bool { return v.Failing() || v == model.Nonstrict }

// worstChecks finds, for each statement and column, the check that gave it its verdict.
func worstChecks(columns []*model.Record) map[statementOf]checkOf {
	out, verdicts := map[statementOf]checkOf{}, map[statementOf]model.Verdict{}
	row := model.Matching(columns...)
	for i, r := range columns {
		for _, c := range r.Checks {
			for _, id := range c.Statements {
				at := statementOf{i, id}
				have := cmp.Or(verdicts[at], model.Untested)
				if worst := model.Worst(have, c.Verdict); worst != have {
					out[at], verdicts[at] = checkOf{i, row(c)}, worst
				}
			}
		}
	}
	return out
}

// looks makes the sections below the matrix, one per check with something to see, worst first, and returns their anchors.
func (v *brokersView) looks(columns []*model.Record) map[checkOf]string {
	byCheck := map[string][]*model.Check{}
	var order []string
	row := model.Matching(columns...)
	seen := 0
	for i, r := range columns {
		for j := range r.Checks {
			c := &r.Checks[j]
			k := row(*c)
			if byCheck[k] == nil {
				byCheck[k] = make([]*model.Check, len(columns))
				order = append(order, k)
			}
			byCheck[k][i] = c
			if toSee(c.Verdict) {
				seen++
			}
		}
	}
	anchors := map[checkOf]string{}
	limit := min(max(pageLines/max(seen, 1), fewestLines), headShown+tailShown)
	for n, k := range order {
		look := lookView{}
		for i, c := range byCheck[k] {
			b := v.Brokers[i]
			cell := brokersCell{Letter: b.Letter, Name: b.Name, Mark: markOr("")}
			if c != nil {
				cell.Mark = markOf(c.Verdict)
			}
			if c != nil && toSee(c.Verdict) {
				cell.Anchor = fmt.Sprintf("look-%d-%s", n+1, b.Letter)
				anchors[checkOf{i, k}] = cell.Anchor
				find := viewCheck(columns[i], *c)
				find.Anchor = cell.Anchor
				find.Lines = viewLines(c.Transcript, limit, briefHex)
				look.Finds, look.Targets = append(look.Finds, find), append(look.Targets, cell)
			}
			look.Cells = append(look.Cells, cell)
		}
		if len(look.Finds) > 0 {
			if look.checkView = look.Finds[0]; k != look.Row() {
				look.Transport = "" // they were not reached over the same
			}
			v.Looks = append(v.Looks, look)
		}
	}
	slices.SortStableFunc(v.Looks, func(a, b lookView) int { return a.rank() - b.rank() })
	return anchors
}

// rank orders by the worst verdict.
func (l *lookView) rank() int {
	worst := model.Untested
	for _, f := range l.Finds {
		worst = model.Worst(worst, f.Verdict)
	}
	return severity(worst)
}

// The page of several targets holds about this many transcript entries in all, and each transcript at least the fewest. An
// entry takes about 300 bytes, so that five targets with hundreds of failures stay below 3 MB.
const (
	pageLines   = 3000
	fewestLines = 6
	briefHex    = 32 // bytes of a packet
)
