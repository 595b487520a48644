package model_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reports/model"
)

func conformanceRecord() *model.Record {
	return &model.Record{
		Kind:    model.Conformance,
		Tool:    model.Tool{Name: "mqttlab", Version: "0.1.0"},
		Started: time.Date(2026, 3, 1, 13, 0, 0, 1234567, time.FixedZone("CET", 3600)),
		Seed:    1<<64 - 1,
		Target:  model.Target{URL: "mqtt://127.0.0.1:1883", Features: []model.Feature{{Name: "will"}, {Name: "retain", Offered: true}}},
		Checks: []model.Check{
			{Name: "B", Area: "publish", MQTT: "5.0", Verdict: model.Pass, Statements: []string{"MQTT5-3.3.1-10", "MQTT5-3.3.1-9"}},
			{Name: "A", Area: "publish", MQTT: "5.0", Verdict: model.Fail, Statements: []string{"MQTT5-3.3.1-9"}, DurationMS: model.Millis(1500 * time.Microsecond)},
			{Name: "B", Area: "publish", MQTT: "5.0", Transport: "ws", Verdict: model.Pass, Statements: []string{"MQTT5-3.3.1-10"}},
			{Name: "A", Area: "publish", MQTT: "3.1.1", Verdict: model.Skipped, Statements: []string{"MQTT311-3.3.1-9"}},
			{Name: "Z", Area: "connect", MQTT: "5.0", Verdict: model.Unsupported, Statements: []string{"MQTT5-3.3.1-10"}},
		},
		Statements: map[string]model.Statement{"MQTT5-3.3.1-11": {Level: "MUST", Summary: "says <so>", Section: "3.3.1"}},
	}
}

func TestSealSortsCountsAndCovers(t *testing.T) {
	r := conformanceRecord()
	r.Seal()
	var order []string
	for _, c := range r.Checks {
		order = append(order, c.Row())
	}
	if want := []string{"connect/Z 5.0", "publish/A 3.1.1", "publish/A 5.0", "publish/B 5.0", "publish/B 5.0 over ws"}; !slices.Equal(order, want) {
		t.Errorf("order of checks is %v, want %v", order, want)
	}
	if diff := cmp.Diff(model.Summary{model.Pass: 2, model.Fail: 1, model.Skipped: 1, model.Unsupported: 1}, r.Summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	want := []model.Coverage{
		{ID: "MQTT311-3.3.1-9", Verdict: model.Skipped, Checks: []string{"publish/A"}},
		{ID: "MQTT5-3.3.1-9", Verdict: model.Fail, Checks: []string{"publish/A", "publish/B"}},
		{ID: "MQTT5-3.3.1-10", Verdict: model.Pass, Checks: []string{"connect/Z", "publish/B"}},
		{ID: "MQTT5-3.3.1-11", Verdict: model.Untested, Checks: []string{}},
	}
	if diff := cmp.Diff(want, r.Coverage); diff != "" {
		t.Errorf("coverage (-want +got):\n%s", diff)
	}
}

func TestEncodeIsStableAndKeepsEverything(t *testing.T) {
	r := conformanceRecord()
	first, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var back model.Record
	if err := json.Unmarshal(first, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, &back); diff != "" {
		t.Errorf("record changed on its way through JSON (-want +got):\n%s", diff)
	}
	shuffled := conformanceRecord()
	slices.Reverse(shuffled.Checks)
	again, err := shuffled.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, again) {
		t.Error("the order in which checks ended changes the encoding")
	}
	if !strings.HasPrefix(string(first), "{\n \"schema\": \"mqttlab.run/v1\",") {
		t.Errorf("schema does not come first: %.60s", first)
	}
}

func TestMillis(t *testing.T) {
	for text, d := range map[string]time.Duration{
		"0": 0, "1": time.Millisecond, "0.001": time.Microsecond, "1.5": 1500 * time.Microsecond,
		"-0.25": -250 * time.Microsecond, "120000": 2 * time.Minute, "100.02": 100020 * time.Microsecond,
	} {
		got, err := json.Marshal(model.Millis(d))
		if err != nil || string(got) != text {
			t.Errorf("%v is written as %s (%v), want %s", d, got, err, text)
		}
		var back model.Millis
		if err := json.Unmarshal([]byte(text), &back); err != nil || back.Duration() != d {
			t.Errorf("%s is read as %v (%v), want %v", text, back.Duration(), err, d)
		}
	}
	for _, bad := range []string{`"1"`, `1e30`, `-1e30`, `true`} {
		var m model.Millis
		if err := json.Unmarshal([]byte(bad), &m); err == nil {
			t.Errorf("%s is accepted as a time span", bad)
		}
	}
}

func TestValidateNamesAllContradictions(t *testing.T) {
	r := &model.Record{Kind: model.FleetRun, Fleet: &model.Fleet{Groups: []model.Group{
		{Name: "ok", Ledger: []model.Ledger{{Sent: 6, Delivered: 1, Late: 1, Duplicated: 1, Copies: 2, Lost: 1, Expired: 1, Pending: 1, Acknowledged: 9}}},
		{Name: "off", Ledger: []model.Ledger{{QoS: 1, Sent: 5, Delivered: 3, Lost: 1}}},
		{Name: "copies", Ledger: []model.Ledger{{QoS: 1, Sent: 1, Duplicated: 1}}},
		{Name: "ragged", Rates: model.Rates{Sent: []int64{1, 2}}, States: []model.StateSeries{{State: "asleep", Counts: []int64{1}}}},
		{Name: "blocks", Latency: []model.Latency{{Blocks: make([]model.Histogram, 65)}}},
	}}}
	err := r.Validate()
	if err == nil {
		t.Fatal("four contradictions pass unnoticed")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{`group "off": ledger of QoS 1: the columns add up to 4`, `group "copies"`, `group "ragged": series "state asleep"`, `group "blocks"`} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d of the error is not %q:\n%v", i, want, err)
		}
	}
	if _, err := r.Encode(); err == nil {
		t.Error("a record that contradicts itself is written")
	}
	for name, r := range map[string]*model.Record{
		"no kind":  {},
		"no fleet": {Kind: model.FleetRun},
		"both":     {Kind: model.Conformance, Fleet: &model.Fleet{}},
		"verdict":  {Kind: model.Conformance, Checks: []model.Check{{Verdict: "ok"}}},
		"untested": {Kind: model.Conformance, Checks: []model.Check{{Verdict: model.Untested}}},
		"twice":    {Kind: model.Conformance, Checks: []model.Check{{Verdict: model.Pass, Transport: "ws"}, {Verdict: model.Pass, Transport: "ws"}}},
	} {
		if r.Validate() == nil {
			t.Errorf("%s: passes as valid", name)
		}
	}
}

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		in   []model.Verdict
		want model.Verdict
	}{
		{nil, model.Untested},
		{[]model.Verdict{model.Skipped}, model.Skipped},
		{[]model.Verdict{model.Pass, model.Unsupported, model.Skipped}, model.Pass},
		{[]model.Verdict{model.Pass, model.Fail, model.Crash}, model.Crash},
		{[]model.Verdict{model.Crash, "odd"}, "odd"},
	} {
		if got := model.Worst(c.in...); got != c.want {
			t.Errorf("worst of %v is %s, want %s", c.in, got, c.want)
		}
	}
	for _, v := range model.Verdicts() {
		if !v.Known() {
			t.Errorf("%s is listed but not known", v)
		}
	}
}
