package badge_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"mqttlab/reports/badge"
	"mqttlab/reports/model"
)

func TestBadge(t *testing.T) {
	for want, verdicts := range map[string][]model.Verdict{
		"MQTT 3.1.1, 5.0: 2 of 3 fail":                {model.Fail, model.Pass, model.Crash, model.Skipped},
		"MQTT 3.1.1, 5.0: conformant":                 {model.Pass, model.Nonstrict},
		"MQTT 3.1.1, 5.0: 1 of 2 fail as known":       {model.Pass, model.KnownFailure},
		"MQTT 3.1.1, 5.0: known failures out of date": {model.Pass, model.Fixed},
		"MQTT 3.1.1, 5.0: not tested":                 {model.Skipped, model.Inconclusive},
		"MQTT: not tested":                            {},
	} {
		r := &model.Record{Kind: model.Conformance}
		for i, v := range verdicts {
			r.Checks = append(r.Checks, model.Check{MQTT: []string{"5.0", "3.1.1"}[i%2], Verdict: v})
		}
		r.Seal()
		var b strings.Builder
		if err := badge.Write(&b, r); err != nil {
			t.Fatal(err)
		}
		var svg struct {
			Title string `xml:"title"`
		}
		if err := xml.Unmarshal([]byte(b.String()), &svg); err != nil || svg.Title != want {
			t.Errorf("the badge says %q (%v), want %q", svg.Title, err, want)
		}
	}
	if err := badge.Write(io.Discard, &model.Record{Kind: model.FleetRun}); err == nil {
		t.Error("a fleet record has a badge")
	}
}
