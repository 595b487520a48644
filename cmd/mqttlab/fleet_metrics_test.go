package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"mqttlab/reports/model"
	"mqttlab/simulator/fleet"
	"mqttlab/simulator/ledger"
	"mqttlab/simulator/scenario"
)

func TestFleetMetricsFollowTheRun(t *testing.T) {
	m, err := serveFleetMetrics("127.0.0.1:0", &scenario.Scenario{Name: "meadow"}, model.Live)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	if _, err := serveFleetMetrics(m.address, &scenario.Scenario{}, model.Live); err == nil || !strings.Contains(err.Error(), "--metrics: ") {
		t.Errorf("an address that is taken: %v", err)
	}
	p := ledger.Progress{Sent: 7, Reached: 5, Open: 2}
	p.States[ledger.Connected] = 3
	m.set(fleet.Progress{Elapsed: 90 * time.Second, Invalid: "too slow", Groups: []fleet.GroupProgress{{Name: "soil", Progress: p}}})
	answer, err := http.Get("http://" + m.address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`mqttlab_fleet_messages_sent_total{group="soil"} 7`, `mqttlab_fleet_messages_delivered_total{group="soil"} 5`,
		`mqttlab_fleet_messages_open{group="soil"} 2`, `mqttlab_fleet_devices{group="soil",state="connected"} 3`,
		"mqttlab_fleet_elapsed_seconds 90", "mqttlab_fleet_invalid 1", `mqttlab_fleet_info{mode="live",scenario="meadow"} 1`,
	} {
		if !strings.Contains(string(body), want+"\n") {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
}
