package fleet

import (
	"math"
	"testing"
	"time"

	"mqttlab/reports/model"
	"mqttlab/simulator/energy"
)

const powered = `
name: powered
seed: 3
duration: 6h
ramp: 10s
settle: 1m
groups:
  - {name: rare, count: 10, interval: 30m, qos: 1, keep_alive: 0s, link: nb-iot, power: nb-iot}
  - {name: often, count: 3, interval: 1m, qos: 1, keep_alive: 0s, link: nb-iot, power: nb-iot}
  - {name: bad, count: 3, interval: 1m, qos: 1, keep_alive: 0s, link: "nb-iot:bad", power: nb-iot}
  - {name: mains, count: 1, interval: 1m, qos: 1, link: nb-iot}
`

func TestPowerFollowsTheTraffic(t *testing.T) {
	r := mustRun(t, Options{Scenario: parse(t, powered), Mode: model.Virtual})
	rare, often, bad := r.Fleet.Groups[0].Power, r.Fleet.Groups[1].Power, r.Fleet.Groups[2].Power
	if rare == nil || often == nil || bad == nil || r.Fleet.Groups[3].Power != nil {
		t.Fatalf("power of %+v", r.Fleet.Groups)
	}
	// 12 messages each, half an hour apart: each a session of its own, which lasts the tail of 10 s and about two round trips.
	if rare.Sessions != 10*12 {
		t.Errorf("%d sessions, want 120", rare.Sessions)
	}
	if on := rare.RadioOnMS.Duration().Seconds() / 12; on < 10.3 || on > 13 {
		t.Errorf("a session lasts %.2f s", on)
	}
	p, _ := energy.Lookup("nb-iot")
	if want := 120 * 2 * 0.087; math.Abs(rare.Joules.Wake-want) > 1e-6 {
		t.Errorf("%v J to wake up, want %v", rare.Joules.Wake, want)
	}
	if want := 120 * p.IdleTime.Seconds() * p.Idle; math.Abs(rare.Joules.Idle-want) > want/10 {
		t.Errorf("%v J idle, want %v", rare.Joules.Idle, want)
	}
	if !(rare.Years.Mean > 5*often.Years.Mean && often.Years.Mean > bad.Years.Mean) {
		t.Errorf("battery years: rare %.2f, often %.2f, bad link %.2f", rare.Years.Mean, often.Years.Mean, bad.Years.Mean)
	}
	if y := rare.Years; !(y.Low <= y.Mean && y.Mean <= y.High) {
		t.Errorf("interval %+v", y)
	}
	if bad.Joules.Tx <= often.Joules.Tx {
		t.Errorf("retransmissions cost nothing: %v J against %v J", bad.Joules.Tx, often.Joules.Tx)
	}
	if want := rare.Joules.Total() / float64(r.Fleet.Groups[0].Ledger[0].Reached()); rare.JoulesPerMessage != want {
		t.Errorf("%v J per message, want %v", rare.JoulesPerMessage, want)
	}
	if w := rare.WindowMS.Duration(); w < 6*time.Hour || w > 6*time.Hour+time.Minute {
		t.Errorf("measured over %v", w)
	}
}
