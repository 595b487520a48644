package suite_test

import (
	"testing"

	"mqttlab/reports/model"
	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/suite"
)

// TestRun runs the library entry twice in one process, as a program may.
func TestRun(t *testing.T) {
	var checks []*conformance.Check
	for _, c := range conformance.All() {
		if c.Area == "connect" {
			checks = append(checks, c)
		}
	}
	tg := inProcess(t)
	for range 2 {
		done := 0
		rec, err := suite.Run(t.Context(), suite.Options{
			Options: conformance.Options{
				Target: tg, Checks: checks, Versions: []octets.Version{octets.V5}, Seed: 7,
				Progress: func(e conformance.Event) { done = e.Done },
			},
			Tool: model.Tool{Name: "mqttlab"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := rec.Validate(); err != nil {
			t.Error(err)
		}
		if done == 0 || len(rec.Checks) != done || rec.Summary.Total() != done {
			t.Errorf("%d results, %d in the record, summary %v", done, len(rec.Checks), rec.Summary)
		}
		if len(rec.Coverage) != 234+176 {
			t.Errorf("%d rows of coverage, want one for each statement of 5.0 that binds a server", len(rec.Coverage))
		}
		for _, c := range rec.Checks {
			if c.Verdict == model.Pass && (len(c.Transcript) == 0 || len(c.Statements) == 0) {
				t.Errorf("%s: a record without grounds: %+v", c.Name, c)
			}
		}
	}
}
