package fleet

import "testing"

const varied = `
name: varied
seed: 6
duration: 10m
ramp: 1s
settle: 1s
interval: 1m
groups:
  - {name: walk, count: 5, interval: 10s, qos: 1, arrival: on-change, min_change: 1, payload: {kind: random-walk, step: 0.2}}
  - {name: always, count: 5, interval: 10s, qos: 1, payload: {kind: random-walk, step: 0.2}}
  - {name: burst, count: 5, interval: 1m, qos: 2, arrival: burst, burst: 5, burst_gap: 100ms, payload: {kind: diurnal}, link: lte-m}
  - {name: day, count: 5, interval: 10s, arrival: diurnal, payload: {kind: csv, csv: "a,b\n1,x\n2,y\n"}}
stages:
  - {start: 2m30s, ramp: 1m, rate: 3}
  - {start: 5m, rate: 0}
  - {start: 7m, rate: 1}
`

func TestLoadsVary(t *testing.T) {
	r := runTwice(t, varied)
	walk, always, burst := r.Fleet.Groups[0], r.Fleet.Groups[1], r.Fleet.Groups[2]
	// Paced time: 2.5 min at 1, 1 at 2 in the mean, 1.5 at 3, 2 at 0, 3 at 1: 12 minutes.
	wantDelivered(t, always, 5*12*6)
	wantDelivered(t, burst, 5*12*5)
	if l := walk.Ledger[0]; l.Sent < 5 || l.Sent > always.Ledger[0].Sent/4 || l.Delivered != l.Sent {
		t.Errorf("on change: %+v, of at most %d", l, always.Ledger[0].Sent)
	}
	sent := always.Rates.Sent
	if sent[1] < 27 || sent[1] > 33 || sent[4] < 85 || sent[4] > 95 || sent[6] != 0 || sent[8] < 27 || sent[8] > 33 {
		t.Errorf("messages by minute: %v, want 30, then 90, then none, then 30", sent)
	}
	for _, g := range r.Fleet.Groups {
		if l := g.Ledger[0]; g.Foreign != 0 || l.Reached() != l.Sent || l.Sent == 0 {
			t.Errorf("group %q: %+v", g.Name, l)
		}
	}
}
