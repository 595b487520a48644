package markdown_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mqttlab/reports/latency"
	"mqttlab/reports/markdown"
	"mqttlab/reports/model"
)

func conformance(failures int) *model.Record {
	r := &model.Record{
		Kind: model.Conformance, Tool: model.Tool{Name: "mqttlab", Version: "1.2"}, Target: model.Target{Name: "broker"}, Seed: 7,
		Statements: map[string]model.Statement{"MQTT5-3.3.1-4": {Level: "MUST NOT", Summary: "Both QoS bits are never set."}},
		Checks: []model.Check{
			{Name: "Fine", Area: "publish", MQTT: "5.0", Verdict: model.Pass},
			{Name: "Older", Area: "publish", MQTT: "3.1.1", Verdict: model.Pass},
			{Name: "Dies", Area: "will", MQTT: "5.0", Transport: "ws", Verdict: model.Crash, Reason: "refused"},
		},
	}
	for i := range failures {
		r.Checks = append(r.Checks, model.Check{
			Name: fmt.Sprintf("BothBits%d", i), Area: "publish", MQTT: "5.0", Verdict: model.Fail, Reason: "a | b\n</details> @team [x](y)", Statements: []string{"MQTT5-3.3.1-4"},
			Failure: &model.Failure{Sent: "PUBLISH QoS 3", Acceptable: []string{"DISCONNECT 0x81", "close"}, Got: strings.Repeat("<x_y>", 300)},
		})
	}
	r.Seal()
	return r
}

func write(t *testing.T, rs ...*model.Record) string {
	t.Helper()
	var b strings.Builder
	if err := markdown.Write(&b, rs...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestConformance(t *testing.T) {
	text := write(t, conformance(2))
	for _, want := range []string{
		"broker: not conformant", "3 checks fail of 5", "| publish | 5.0 | | 2 | 1 |", "| will | 5.0 over ws | 1 |", "Dies (MQTT 5.0 over ws)", "| **all** | | 1 | 2 | 2 |",
		"**MQTT5-3.3.1-4** MUST NOT: Both QoS bits are never set.", "- **acceptable** DISCONNECT 0x81\n- **acceptable** close\n",
		"a &#124; b &lt;/details&gt; @\u200bteam &#91;x](y)", "mqttlab 1.2, seed 7",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Index(text, "Dies") > strings.Index(text, "BothBits0") {
		t.Error("a failure comes before the crash")
	}
	if a, b := strings.Count(text, "<details>"), strings.Count(text, "</details>"); a != 3 || b != 3 {
		t.Errorf("%d blocks open and %d close, want 3", a, b)
	}
}

// TestFitsAStepSummary holds for one record and for several, and nothing goes missing unsaid.
func TestFitsAStepSummary(t *testing.T) {
	text := write(t, conformance(1500), conformance(1500))
	if len(text) > markdown.Limit {
		t.Errorf("%d bytes, want at most %d", len(text), markdown.Limit)
	}
	if n := strings.Count(text, "checks more to look at; there is no room"); n != 2 {
		t.Errorf("%d records say that checks are left out, want 2", n)
	}
	if n := strings.Count(text, "<b>crash</b>"); n != 2 {
		t.Errorf("%d crashes are shown, want 2", n)
	}
}

func TestFleet(t *testing.T) {
	rec := latency.NewRecorder(4)
	for i := range 200 {
		rec.Record(i%4, time.Duration(i+1)*time.Millisecond)
	}
	l, err := rec.Latency(model.Intended, model.ToAck)
	if err != nil {
		t.Fatal(err)
	}
	r := &model.Record{Kind: model.FleetRun, Target: model.Target{Name: "broker"}, Fleet: &model.Fleet{
		Scenario: model.Scenario{Name: "meadow"}, Mode: model.Live, Validity: model.Validity{Reason: "timers were late"},
		Groups: []model.Group{{Name: "soil", Ledger: []model.Ledger{{QoS: 1, Sent: 200, Delivered: 199, Lost: 1}}, Latency: []model.Latency{l}}},
	}}
	r.Seal()
	text := write(t, r)
	for _, want := range []string{
		"meadow on broker: INVALID", "timers were late", "| soil | 1 | 200 | 199 | 0 | 0 | 1 | 0 | 0 | 99.500 %",
		"| soil | publish-to-ack | intended | 100 ms | 180 ms | 198 ms | | 200 ms |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if err := markdown.Write(&strings.Builder{}, &model.Record{Kind: "race"}); err == nil {
		t.Error("an unknown kind is rendered")
	}
}

// TestPower shows what the batteries of a group paid, and nothing where no group has any.
func TestPower(t *testing.T) {
	r := &model.Record{Kind: model.FleetRun, Fleet: &model.Fleet{Validity: model.Validity{Valid: true}, Groups: []model.Group{{Name: "mains"}}}}
	r.Seal()
	if text := write(t, r); strings.Contains(text, "battery") {
		t.Errorf("no group has a power profile, and the summary speaks of batteries:\n%s", text)
	}
	r.Fleet.Groups = append(r.Fleet.Groups, model.Group{Name: "soil", Power: &model.Power{
		Profile: "nb-iot", JoulesPerMessage: 0.4567, Years: model.Years{Mean: 4.5, Low: 4, High: 5.25},
		Joules: model.PowerStates{Sleep: 10, Wake: 20, Tx: 30, Rx: 5, Tail: 35},
	}}, model.Group{Name: "silent", Power: &model.Power{Profile: "wifi"}})
	text := write(t, r)
	for _, want := range []string{
		"| soil | nb-iot | 0.457 | 100 | 10 % | 20 % | 30 % | 5 % | 35 % | 0 % | 4.5 (4 to 5.25) |",
		"| silent | wifi | none arrived | 0 | 0 % | 0 % |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "battery life"); n != 1 {
		t.Errorf("%d tables of energy, want 1", n)
	}
}
