package suite

import (
	"slices"
	"strings"
	"time"

	"mqttlab/reports/model"
	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// record makes the record of a run.
func record(o conformance.Options, run *conformance.Run, tool model.Tool) *model.Record {
	rec := &model.Record{
		Kind: model.Conformance, Tool: tool, Seed: o.Seed,
		Started: run.Started, DurationMS: model.Millis(run.Duration),
		Target:     model.Target{URL: o.Target.URL, Name: o.Target.Name, Features: foundFeatures(run.Found)},
		Statements: map[string]model.Statement{},
	}
	for _, s := range statement.All() {
		if s.BindsServer() && judged(o.Versions, s.Version) {
			rec.Statements[string(s.ID)] = model.Statement{Level: string(s.Level), Summary: s.Summary, Section: s.Section}
		}
	}
	for _, r := range run.Results {
		rec.Checks = append(rec.Checks, checkRecord(r))
	}
	rec.Seal()
	return rec
}

func judged(versions []octets.Version, v statement.Version) bool {
	return versions == nil || slices.ContainsFunc(versions, func(o octets.Version) bool { return o.String() == string(v) })
}

// foundFeatures lists a feature once for each version in which it was looked for.
func foundFeatures(found map[octets.Version]*target.Found) []model.Feature {
	var all []model.Feature
	for _, v := range []octets.Version{octets.V311, octets.V5} {
		f := found[v]
		if f == nil {
			continue
		}
		for _, name := range target.Features() {
			source := f.How[name]
			if source == "" {
				source = f.Lacks[name]
			}
			e := f.Evidence[name]
			all = append(all, model.Feature{
				Name: string(name) + " (" + v.String() + ")", Offered: f.Has(name), Source: strings.ToLower(source),
				Declared: e.Declared, Announced: e.Announced, Observed: e.Observed, Detail: e.Contradiction(),
			})
		}
	}
	return all
}

func checkRecord(r *conformance.Result) model.Check {
	c := model.Check{
		Name: r.Check.Name, Area: r.Check.Area, Title: r.Check.Title, MQTT: r.Version.String(), Transport: r.Transport,
		Level: string(r.Check.Level(r.Version)), Verdict: r.Verdict, Reason: r.Reason, Closed: r.Closed, Case: r.Case,
		DurationMS: model.Millis(r.Duration),
	}
	for _, id := range r.Statements() {
		c.Statements = append(c.Statements, string(id))
	}
	if f := r.Failure; f != nil {
		c.Failure = &model.Failure{Sent: f.Sent, Acceptable: f.Acceptable, Got: f.Got}
	}
	for _, e := range r.Transcript {
		from := "check/" + e.Peer
		if e.FromTarget {
			from = "target/" + e.Peer
		}
		c.Transcript = append(c.Transcript, model.Line{
			AtMS: model.Millis(e.At.Round(time.Microsecond)), From: from, Packet: e.Packet, Hex: e.Hex,
		})
	}
	return c
}
