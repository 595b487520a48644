package fleet

import (
	"fmt"

	"mqttlab/reports/model"
)

// record turns the books into a record.
func (r *run) record(cut bool) (*model.Record, error) {
	text, err := r.scenario.YAML()
	if err != nil {
		return nil, err
	}
	f := &model.Fleet{
		Scenario: model.Scenario{Name: r.scenario.Name, Text: text},
		Mode:     r.options.Mode, Validity: r.validity(), IntervalMS: model.Millis(r.scenario.Interval),
	}
	f.CutShort = cut
	if cut {
		r.logger.Warn("the run was cut short", "after", r.engine.now().Sub(r.start))
	}
	power := r.power()
	for i, g := range r.groups {
		row, err := r.groupRecord(i, g)
		if err != nil {
			return nil, fmt.Errorf("group %q: %w", g.Name, err)
		}
		row.Power = power[i].record(row.Ledger)
		f.Groups = append(f.Groups, row)
	}
	out := &model.Record{
		Kind: model.FleetRun, Tool: r.options.Tool, Started: r.start, DurationMS: model.Millis(r.engine.now().Sub(r.start)),
		Seed: r.scenario.Seed, Target: r.target.record(), Fleet: f,
	}
	out.Seal()
	if err := out.Validate(); err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	return out, nil
}

func (r *run) groupRecord(i int, g *group) (model.Group, error) {
	latencies, err := g.book.Latency()
	if err != nil {
		return model.Group{}, err
	}
	foreign := g.book.Progress().Foreign
	if foreign > 0 {
		r.logger.Warn("messages that are not of this run reached the sink and were left out", "group", g.Name, "messages", foreign)
	}
	w := r.engine.wire(i)
	out := model.Group{
		Name: g.Name, Devices: g.Count, Ledger: []model.Ledger{g.book.Ledger()}, Latency: latencies, Wire: &w, Foreign: foreign,
		Faults: g.faults, Storms: g.book.Storms(),
	}
	if err := g.conversations(&out); err != nil {
		return model.Group{}, err
	}
	if r.options.Mode != model.Live {
		out.Link = g.Link.Name()
	}
	out.Rates, out.States = g.book.Series()
	return out, nil
}
