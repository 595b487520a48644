package compare

import (
	"cmp"
	"fmt"
	"slices"

	"mqttlab/reports/model"
)

// Change is one check whose verdict differs between two conformance records.
type Change struct {
	Name, Area, Title         string
	MQTT                      string        // version and transport, see [model.Check.Version]
	Before, After             model.Verdict // empty: the check is not in that record
	BeforeReason, AfterReason string
}

// Worse reports whether the change makes a conformant check nonconformant.
func (c Change) Worse() bool {
	return c.After != "" && !c.After.Conformant() && (c.Before == "" || c.Before.Conformant())
}

// Better reports the reverse of Worse. A check that is gone is neither.
func (c Change) Better() bool {
	return c.After != "" && c.After.Conformant() && c.Before != "" && !c.Before.Conformant()
}

// Changes is a comparison of two conformance records.
type Changes struct {
	A, B      string // titles of the targets
	Changed   []Change
	Unchanged int
}

// Worse counts the changes that are for the worse.
func (c *Changes) Worse() int {
	n := 0
	for _, ch := range c.Changed {
		if ch.Worse() {
			n++
		}
	}
	return n
}

// Conformance lists the checks whose verdicts differ, worse ones first, then by area, name and
// version. [model.Matching] says which checks are the same. Both records must be conformance records.
func Conformance(a, b *model.Record) (*Changes, error) {
	for _, r := range []*model.Record{a, b} {
		if r.Kind != model.Conformance {
			return nil, fmt.Errorf("compare conformance: a record is of kind %s", r.Kind)
		}
	}
	key := model.Matching(a, b)
	before := make(map[string]model.Check, len(a.Checks))
	for _, c := range a.Checks {
		before[key(c)] = c
	}
	out := &Changes{A: a.Target.Title(), B: b.Target.Title()}
	for _, c := range b.Checks {
		k := key(c)
		old := before[k]
		delete(before, k)
		if old.Verdict == c.Verdict {
			out.Unchanged++
			continue
		}
		out.Changed = append(out.Changed, Change{
			Name: c.Name, MQTT: c.Version(), Area: c.Area, Title: c.Title,
			Before: old.Verdict, After: c.Verdict, BeforeReason: old.Reason, AfterReason: c.Reason,
		})
	}
	for _, c := range before {
		out.Changed = append(out.Changed, Change{
			Name: c.Name, MQTT: c.Version(), Area: c.Area, Title: c.Title, Before: c.Verdict, BeforeReason: c.Reason,
		})
	}
	slices.SortFunc(out.Changed, func(x, y Change) int {
		return cmp.Or(x.rank()-y.rank(), cmp.Compare(x.Area, y.Area), cmp.Compare(x.Name, y.Name), cmp.Compare(x.MQTT, y.MQTT))
	})
	return out, nil
}

func (c Change) rank() int {
	switch {
	case c.Worse():
		return 0
	case c.Better():
		return 1
	}
	return 2
}
