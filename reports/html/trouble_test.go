package html

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

func TestFleetPageShowsTroubleAndTalk(t *testing.T) {
	h := latency.NewHistogram()
	h.Record(3 * time.Second)
	times, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back := model.Millis(4 * time.Second)
	r := &model.Record{Kind: model.FleetRun, Fleet: &model.Fleet{Scenario: model.Scenario{Name: "storm"}, Mode: model.Virtual, Validity: model.Validity{Valid: true}, Groups: []model.Group{
		{
			Name: "lamp", Devices: 40,
			Breaches: []model.Breach{{Statement: "MQTT5-4.5.0-1", Text: "were acknowledged and never arrived", Messages: 17}},
			Commands: &model.Commands{
				Ledger:  model.Ledger{Sent: 9, Delivered: 8, Lost: 1, Acknowledged: 7},
				Latency: []model.Latency{{Measure: model.Intended, Path: model.ToAnswer, Histogram: times}},
			},
			Downloads: &model.Downloads{Bytes: 131072, Chunks: 128, Began: 40, Completed: 39, Times: times},
			Faults:    []model.Fault{{Kind: "battery-pull", Devices: 20, StartMS: model.Millis(5 * time.Minute)}},
			Storms: []model.Storm{
				{StartMS: model.Millis(2 * time.Minute), Away: 38, Attempts: 99, HerdPeak: 21, BackMS: &back},
				{StartMS: model.Millis(9 * time.Minute), Away: 33},
			},
		},
		{Name: "twin", Unjudged: "devices share a session"},
	}}}
	r.Seal()
	var page bytes.Buffer
	if err := Fleet(&page, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<td>MQTT5-4.5.0-1</td><td class=\"n\">17</td>", "twin: whether the target kept the promises of QoS can&#39;t be told: devices share a session.",
		"9 sent, 8 reached their device, 7 answered", "39 of 40 devices that began have it", "p50 3",
		"<td>battery-pull</td><td class=\"n\">20</td><td class=\"n\">5m0s</td><td class=\"n\">to the end</td>",
		"<td class=\"n\">38</td><td class=\"n\">99</td><td class=\"n\">21</td><td class=\"n\">4", "not by the end of the run",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
