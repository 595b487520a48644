package fleet

import (
	"fmt"
	"slices"

	"mqttlab/reports/model"
	"mqttlab/simulator/device"
	"mqttlab/simulator/scenario"
)

// record turns the books into a record.
func (r *run) record(cut bool) (*model.Record, error) {
	text, err := withoutPasswords(r.scenario).YAML()
	if err != nil {
		return nil, err
	}
	f := &model.Fleet{
		Scenario: model.Scenario{Name: r.scenario.Name, Text: text},
		Mode:     r.options.Mode, Validity: r.validity(), IntervalMS: model.Millis(r.scenario.Interval),
	}
	f.CutShort = cut
	f.TargetCPUMS, f.TargetPeakBytes = r.process.record()
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
	_, secure := r.target.of(g.Group)
	w.Layers = layers(w, r.engine.stream(i), &g.traffic, secure)
	out := model.Group{
		Name: g.Name, Devices: g.Count, Ledger: []model.Ledger{g.book.Ledger()}, Latency: latencies, Wire: &w, Foreign: foreign,
		Faults: g.faults, Storms: g.book.Storms(),
	}
	g.judge(&out)
	if err := g.conversations(&out); err != nil {
		return model.Group{}, err
	}
	if r.options.Mode != model.Live {
		out.Link = g.Link.Name()
	}
	out.Rates, out.States = g.book.Series()
	return out, nil
}

// layers says what the bytes of a group are.
func layers(w model.Wire, stream int64, t *device.Traffic, secure bool) *model.Layers {
	packets, payload := t.Packets.Load(), t.Payload.Load()
	out := &model.Layers{MQTTBytes: max(0, packets-payload), PayloadBytes: payload}
	if secure {
		out.TLSBytes = max(0, stream-packets)
	}
	if w.CountsPackets() {
		out.HeaderBytes = max(0, w.UpBytes+w.DownBytes-stream)
	}
	return out
}

// hidden stands in a record for a password.
const hidden = "hidden"

// withoutPasswords returns the scenario as a record may show it.
func withoutPasswords(s *scenario.Scenario) *scenario.Scenario {
	shown := *s
	shown.Groups = slices.Clone(s.Groups)
	for i := range shown.Groups {
		if g := &shown.Groups[i]; g.Password != "" {
			g.Password = hidden
		}
	}
	return &shown
}
