package suite_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// TestRepeatOverTransports wants a row for each transport, but for a check that runs alone, and what is known for one of them.
func TestRepeatOverTransports(t *testing.T) {
	tcp := inProcess(t)
	ws := *tcp
	ws.Network = "ws"
	ws.Dial = func(ctx context.Context, _, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	ws.Socket = func(context.Context) (net.Conn, error) { return nil, net.ErrClosed } // it offers WebSocket; nobody asks for it
	checks := []*conformance.Check{
		{
			Name: "Alone", Area: "odd", Title: "runs once", Covers: statement.V5("3.1.0-2"), Exclusive: true,
			Run: func(_ context.Context, ct *conformance.T) { ct.Connect() },
		},
		{
			Name: "Fails", Area: "odd", Title: "fails", Covers: statement.V5("3.1.0-2"),
			Run: func(_ context.Context, ct *conformance.T) { ct.Connect(); ct.Expect(1).To(gomega.Equal(2)) },
		},
	}
	run := func(only func(*conformance.Check, octets.Version) bool, targets ...*target.Target) (*model.Record, error) {
		return suite.Repeat(t.Context(), suite.Options{Transports: targets, Options: conformance.Options{
			Checks: checks, Versions: []octets.Version{octets.V5}, Only: only,
			Known: []target.Known{{Check: "odd/Fails", Transports: []string{"ws"}, Reason: "frames"}},
		}}, 2)
	}
	rec, err := run(nil, tcp, &ws)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range rec.Checks {
		got = append(got, c.Row()+" "+string(c.Verdict))
	}
	want := []string{"odd/Alone 5.0 pass", "odd/Fails 5.0 fail", "odd/Fails 5.0 over ws known"}
	if diff := cmp.Diff(want, got); diff != "" || rec.Repeats != 2 {
		t.Errorf("%d repeats, rows (-want +got):\n%s", rec.Repeats, diff)
	}
	if err := rec.Validate(); err != nil {
		t.Error(err)
	}
	if tcp, ws := rec.Checks[1].Transcript[1].Packet, rec.Checks[2].Transcript[1].Packet; tcp == ws || !strings.HasPrefix(tcp, "CONNECT") {
		t.Errorf("the clients have to be others over each transport: %s, %s", tcp, ws)
	}
	var differs []string
	for _, f := range rec.Target.Features {
		if strings.Contains(f.Name, "over") {
			differs = append(differs, fmt.Sprint(f.Name, f.Offered))
		}
	}
	if diff := cmp.Diff([]string{"websocket (5.0) over wstrue"}, differs); diff != "" {
		t.Errorf("features that differ (-want +got):\n%s", diff)
	}
	rec, err = run(func(c *conformance.Check, _ octets.Version) bool { return c.Exclusive }, tcp, &ws)
	if err != nil {
		t.Fatal(err)
	}
	if len(rec.Checks) != 1 {
		t.Errorf("%d rows of a check that runs alone", len(rec.Checks))
	}
}
