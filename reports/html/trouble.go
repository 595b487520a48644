package html

import (
	"fmt"
	"time"

	"mqttlab/reports/compare"
	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

// talkRow is a group's commands or its image.
type talkRow struct {
	Group, What, Outcome, Times string
}

type breachRow struct {
	Group string
	model.Breach
}

type stormRow struct {
	Group       string
	model.Storm // in the record's form, for the counts
	Start, Back string
}

type faultRow struct {
	Group string
	model.Fault
	Start, Lasted string
}

// addTrouble adds what went wrong with a group, and what it was told.
func (v *fleetView) addTrouble(g *model.Group) error {
	for _, b := range g.Breaches {
		v.Breaches = append(v.Breaches, breachRow{g.Name, b})
	}
	if g.Unjudged != "" {
		v.Unjudged = append(v.Unjudged, fmt.Sprintf("%s: whether the target kept the promises of QoS can't be told: %s.", g.Name, g.Unjudged))
	}
	for _, s := range g.Storms {
		back := "not by the end of the run"
		if s.BackMS != nil {
			back = compare.Span(s.BackMS.Duration())
		}
		v.Storms = append(v.Storms, stormRow{g.Name, s, s.StartMS.Duration().Round(time.Second).String(), back})
	}
	for _, f := range g.Faults {
		row := faultRow{g.Name, f, f.StartMS.Duration().Round(time.Second).String(), "to the end"}
		if f.DurationMS > 0 {
			row.Lasted = f.DurationMS.Duration().String()
		}
		v.Faults = append(v.Faults, row)
	}
	return v.addTalks(g)
}

func (v *fleetView) addTalks(g *model.Group) error {
	if c := g.Commands; c != nil {
		row := talkRow{Group: g.Name, What: "commands"}
		row.Outcome = fmt.Sprintf("%s sent, %s reached their device, %s answered", number(int(c.Ledger.Sent)), number(int(c.Ledger.Reached())), number(int(c.Ledger.Acknowledged)))
		for _, l := range c.Latency {
			if l.Path != model.ToAnswer || l.Measure != model.Intended {
				continue
			}
			times, err := spans(l.Histogram)
			if err != nil {
				return fmt.Errorf("write HTML: group %q, commands: %w", g.Name, err)
			}
			row.Times = times
		}
		v.Talks = append(v.Talks, row)
	}
	if d := g.Downloads; d != nil {
		times, err := spans(d.Times)
		if err != nil {
			return fmt.Errorf("write HTML: group %q, image: %w", g.Name, err)
		}
		v.Talks = append(v.Talks, talkRow{
			Group: g.Name, What: fmt.Sprintf("image of %s bytes in %d chunks", number(int(d.Bytes)), d.Chunks), Times: times,
			Outcome: fmt.Sprintf("%s of %s devices that began have it; %s chunks twice, %s damaged", number(int(d.Completed)), number(int(d.Began)), number(int(d.Copies)), number(int(d.Damaged))),
		})
	}
	return nil
}

// spans shows a distribution in three figures; empty if there is nothing in it.
func spans(m model.Histogram) (string, error) {
	h, err := latency.Decode(m)
	if err != nil || h.Count() == 0 {
		return "", err
	}
	return fmt.Sprintf("p50 %s, p90 %s, p99 %s", compare.Span(h.Quantile(0.5)), compare.Span(h.Quantile(0.9)), compare.Span(h.Quantile(0.99))), nil
}
