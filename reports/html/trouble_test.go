package html

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

// TestFleetPageShowsWhatWasCounted: in live mode the kernel has the packets, and a 0 would be a lie.
func TestFleetPageShowsWhatWasCounted(t *testing.T) {
	for _, c := range []struct {
		layer  string
		again  int64
		want   string // cells of both tables
		charts int    // of retransmissions, with its table
	}{
		{"ip", 7, `<td>ip</td><td class="n">1000</td><td class="n">400</td><td class="n">10</td><td class="n">9</td><td class="n">2</td><td class="n">7</td></tr>`, 1},
		{"ip", 0, `<th scope="row">g</th><td class="n">350</td><td class="n">150</td><td class="n">50</td><td class="n">53</td><td class="n">100</td></tr>`, 0},
		{"tcp-payload", 7, `<td>tcp-payload</td><td class="n">1000</td><td class="n">400</td><td class="n quiet">–</td>`, 0},
		{"tcp-payload", 0, `<th scope="row">g</th><td class="n">350</td><td class="n">–</td><td class="n">50</td>`, 0},
	} {
		r := &model.Record{Kind: model.FleetRun, Fleet: &model.Fleet{CutShort: true, Validity: model.Validity{Reason: "late"}, IntervalMS: model.Millis(time.Second), Groups: []model.Group{{
			Name: "g", Ledger: []model.Ledger{{Sent: 5, Delivered: 4, Lost: 1}}, Rates: model.Rates{Sent: []int64{5}, Retransmissions: []int64{c.again}},
			Wire: &model.Wire{
				Layer: c.layer, UpBytes: 1000, DownBytes: 400, UpPackets: 10, DownPackets: 9, LostPackets: 2, Retransmissions: c.again,
				Layers: &model.Layers{HeaderBytes: 600, TLSBytes: 200, MQTTBytes: 210, PayloadBytes: 400},
			},
		}}}}
		r.Seal()
		var page bytes.Buffer
		if err := Fleet(&page, r); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(page.String(), c.want) || !strings.Contains(page.String(), "The run was interrupted") {
			t.Errorf("%s, %d sent again: the page does not say %q", c.layer, c.again, c.want)
		}
		if n := strings.Count(page.String(), "<summary>Numbers of TCP retransmissions"); n != c.charts {
			t.Errorf("%s, %d sent again: %d charts of them, want %d", c.layer, c.again, n, c.charts)
		}
		if got := strings.Contains(page.String(), "</strong> TCP retransmissions"); got != (c.layer == "ip") {
			t.Errorf("%s: in short, retransmissions: %v", c.layer, got)
		}
	}
}

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
