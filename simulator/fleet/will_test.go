package fleet

import (
	"strings"
	"testing"

	"mqttlab/reports/model"
)

// Ten devices whose link is dead for three minutes: the broker misses their keep alive and publishes ten Will Messages, and what they hold for too long
// expires in their hands.
const willed = `
name: willed
seed: 5
duration: 10m
ramp: 1s
settle: 1s
drain: 3m
groups:
  - name: w
    count: 10
    version: "5.0"
    qos: 1
    interval: 30s
    keep_alive: 20s
    message_expiry: 60s
    topic: w/{index}/data
    will: {topic: "w/{index}/gone", payload: gone, qos: 1}
    sink: {filter: "w/#"}
    link:
      up: {delay: 20ms, outages: [{start: 2m, duration: 3m}]}
      down: {delay: 20ms, outages: [{start: 2m, duration: 3m}]}
`

func TestWillMessagesAndMessageExpiry(t *testing.T) {
	r := mustRun(t, Options{Scenario: parse(t, willed), Mode: model.Virtual})
	l := r.Fleet.Groups[0].Ledger[0]
	if l.Sent != 200 || l.Expired < 10 || l.Expired > 60 || l.Lost != 0 || l.Delivered != l.Sent-l.Expired {
		t.Errorf("%+v", l)
	}
	if n := r.Fleet.Groups[0].Foreign; n != 10 {
		t.Errorf("%d Will Messages reached the sink, want 10", n)
	}
	if text := r.Fleet.Scenario.Text; !strings.Contains(text, "message_expiry: 1m") || !strings.Contains(text, "w/{index}/gone") {
		t.Errorf("the resolved scenario says\n%s", text)
	}
}
