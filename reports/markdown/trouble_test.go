package markdown_test

import (
	"strings"
	"testing"
	"time"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

func encoded(t *testing.T, d time.Duration) model.Histogram {
	t.Helper()
	h := latency.NewHistogram()
	h.Record(d)
	m, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFleetTellsItsTroubles: the headline says what a reader must not miss, and short tables what came of it.
func TestFleetTellsItsTroubles(t *testing.T) {
	back, cpu := model.Millis(4*time.Second), model.Millis(5310*time.Millisecond)
	quiet := model.Group{Name: "quiet", Ledger: []model.Ledger{{QoS: 0, Sent: 10, Delivered: 9, Lost: 1}}}
	r := &model.Record{Kind: model.FleetRun, Fleet: &model.Fleet{Validity: model.Validity{Valid: true}, Groups: []model.Group{quiet}}}
	r.Seal()
	text := write(t, r)
	for _, no := range []string{"❌", "statement", "event", "told", "bytes", "battery", "Target", "interrupted"} {
		if strings.Contains(text, no) {
			t.Errorf("nothing happened, and the summary says %q:\n%s", no, text)
		}
	}
	if !strings.HasPrefix(text, "## ✅ Fleet: ") {
		t.Errorf("a good run begins with %q", text[:20])
	}

	f := r.Fleet
	f.CutShort, f.TargetCPUMS, f.TargetPeakBytes = true, &cpu, 12_340_000
	f.Groups = append(f.Groups, model.Group{
		Name: "lamp", Ledger: []model.Ledger{{QoS: 1, Sent: 100, Delivered: 80, Lost: 20}},
		Commands: &model.Commands{
			Ledger:  model.Ledger{Sent: 9, Delivered: 8, Lost: 1, Acknowledged: 7},
			Latency: []model.Latency{{Measure: model.Intended, Path: model.ToAnswer, Histogram: encoded(t, 3*time.Second)}},
		},
		Downloads: &model.Downloads{Bytes: 131072, Chunks: 128, Began: 40, Completed: 39, Damaged: 2},
		Faults: []model.Fault{
			{Kind: "battery-pull", Devices: 20, StartMS: model.Millis(5 * time.Minute)},
			{Kind: "outage", Devices: 40, StartMS: model.Millis(time.Minute), DurationMS: model.Millis(90 * time.Second)},
		},
		Storms: []model.Storm{
			{StartMS: model.Millis(2 * time.Minute), Away: 38, Attempts: 99, HerdPeak: 21, BackMS: &back},
			{StartMS: model.Millis(9 * time.Minute), Away: 33, Attempts: 5, HerdPeak: 1},
		},
		Wire: &model.Wire{
			Layer: "ip", UpBytes: 20_000, DownBytes: 8_000, Retransmissions: 17,
			Layers: &model.Layers{HeaderBytes: 12_000, TLSBytes: 4_000, MQTTBytes: 4_000, PayloadBytes: 8_000},
		},
		Unjudged: "devices share a session",
	}, model.Group{Name: "bare", Ledger: []model.Ledger{{QoS: 1, Sent: 2, Delivered: 2}}, Wire: &model.Wire{Layer: "tcp-payload", UpBytes: 100}})
	text = write(t, r)
	for _, want := range []string{
		": 20 messages lost at QoS 1 or 2\n", "The run was interrupted",
		"| lamp | battery-pull | 20 | 5m0s | to the end | | |", "| lamp | outage | 40 | 1m0s | 1m30s | | |",
		"| lamp | reconnect storm | 38 | 2m0s | | 4 s | 99 (21) |", "| lamp | reconnect storm | 33 | 9m0s | | not by the end of the run | 5 (1) |",
		"lamp: whether the target kept the promises of QoS can't be told: devices share a session.",
		"| lamp | commands | 9 sent, 8 reached their device, 7 answered | 3 s |", "| lamp | image of 131072 bytes | 39 of 40 devices that began have it, 2 chunks damaged |  |",
		"| lamp | ip | 350 | 150 | 50 | 50 | 100 | 17 |", "| bare | tcp-payload | 50 | | | | | |",
		"Target: 5.31 s of processor time, at most 12.3 MB of memory",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}

	f.Groups[1].Breaches = []model.Breach{{Statement: "MQTT5-4.5.0-1", Text: "were acknowledged | never arrived", Messages: 17}}
	text = write(t, r)
	for _, want := range []string{": the target broke promises of QoS for 17 messages\n", "| lamp | MQTT5-4.5.0-1 | were acknowledged &#124; never arrived | 17 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

// TestTablesOfFleetsAreWhole: every row has as many cells as its head, or forges show it as text.
func TestTablesOfFleetsAreWhole(t *testing.T) {
	r := &model.Record{Kind: model.FleetRun, Fleet: &model.Fleet{Groups: []model.Group{{
		Name: "a", Ledger: []model.Ledger{{Sent: 1, Delivered: 1}}, Breaches: []model.Breach{{}}, Faults: []model.Fault{{}}, Storms: []model.Storm{{}},
		Wire: &model.Wire{}, Commands: &model.Commands{}, Downloads: &model.Downloads{}, Power: &model.Power{},
	}, {Name: "b", Ledger: []model.Ledger{{Sent: 1, Delivered: 1}}, Wire: &model.Wire{Layer: "ip", Layers: &model.Layers{}}}}}}
	r.Seal()
	cells, tables := 0, 0
	for line := range strings.Lines(write(t, r)) {
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		if cells == 0 {
			cells = strings.Count(line, "|")
			tables++
		}
		if n := strings.Count(line, "|"); n != cells {
			t.Errorf("%d cells below %d: %s", n-1, cells-1, line)
		}
	}
	if tables != 7 {
		t.Errorf("%d tables, want 7", tables)
	}
}
