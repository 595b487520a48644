package suite_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/onsi/gomega"

	"mqttlab/reports/model"
	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/suite"
	"mqttlab/spec/target"
)

// TestRepeatFindsFlaky runs a check that fails in the second of three runs, one that does not change, and one that is
// listed as failing and does so only in the second.
func TestRepeatFindsFlaky(t *testing.T) {
	odd := func(name string) *conformance.Check {
		var runs atomic.Int32
		return &conformance.Check{
			Name: name, Area: "odd", Title: "fails in its second run", Covers: statement.V5("3.1.0-2"),
			Run: func(_ context.Context, ct *conformance.T) {
				ct.Connect()
				ct.Expect(runs.Add(1)).NotTo(gomega.BeEquivalentTo(2), "the run")
			},
		}
	}
	steady := &conformance.Check{
		Name: "Steady", Area: "odd", Title: "passes", Covers: statement.V5("3.1.0-2"),
		Run: func(_ context.Context, ct *conformance.T) { ct.Connect() },
	}
	var done, total int
	rec, err := suite.Repeat(t.Context(), suite.Options{Options: conformance.Options{
		Target: inProcess(t), Checks: []*conformance.Check{odd("Flaky"), odd("Known"), steady}, Versions: []octets.Version{octets.V5},
		Known:    []target.Known{{Check: "odd/Known", Reason: "rare"}},
		Progress: func(e conformance.Event) { done, total = e.Done, e.Total },
	}}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Repeats != 3 || done != 9 || total != 9 {
		t.Errorf("%d repeats, progress %d of %d; want 3, 9 of 9", rec.Repeats, done, total)
	}
	if err := rec.Validate(); err != nil {
		t.Error(err)
	}
	want := map[string]model.Verdict{"Flaky": model.Fail, "Known": model.KnownFailure, "Steady": model.Pass}
	for _, c := range rec.Checks {
		if c.Verdict != want[c.Name] {
			t.Errorf("%s: %s %s, want %s", c.Name, c.Verdict, c.Reason, want[c.Name])
		}
		if flaky := c.Name != "Steady"; (c.Flaky != nil) != flaky {
			t.Errorf("%s: flaky %v", c.Name, c.Flaky)
		}
	}
	f := rec.Checks[0]
	if len(f.Flaky) != 3 || len(f.Transcript) == 0 || len(f.Flaky[0].Transcript) == 0 || f.Flaky[1].Verdict != model.Fail ||
		len(f.Flaky[1].Transcript)+len(f.Flaky[2].Transcript) != 0 {
		t.Errorf("one transcript of each verdict is wanted: %+v", f)
	}
}

// TestRepeatKeepsWhatRan wants the first run's record when the target is gone before the second.
func TestRepeatKeepsWhatRan(t *testing.T) {
	tg := inProcess(t)
	var gone atomic.Bool
	tg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if gone.Load() {
			return nil, net.ErrClosed
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	c := &conformance.Check{
		Name: "Any", Area: "odd", Title: "passes", Covers: statement.V5("3.1.0-2"),
		Run: func(_ context.Context, ct *conformance.T) { ct.Connect() },
	}
	rec, err := suite.Repeat(t.Context(), suite.Options{Options: conformance.Options{
		Target: tg, Checks: []*conformance.Check{c}, Versions: []octets.Version{octets.V5},
		Progress: func(conformance.Event) { gone.Store(true) },
	}}, 2)
	if err == nil || rec == nil || len(rec.Checks) != 1 || rec.Checks[0].Verdict != model.Pass {
		t.Errorf("record %+v, error %v; want the first run and why there is no second", rec, err)
	}
}
