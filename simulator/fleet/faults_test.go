package fleet

import (
	"testing"
	"time"

	"mqttlab/reference-broker/broker"
	"mqttlab/reports/model"
)

const broken = `
name: broken
seed: 3
duration: 10m
ramp: 2s
settle: 3s
drain: 4m
interval: 10s
groups:
  - {name: pulled, count: 10, interval: 10s, qos: 1, keep_alive: 20s, link: lte-m, version: "5.0", clean_start: false, session_expiry: 1h}
  - {name: cable, count: 10, interval: 10s, qos: 1, keep_alive: 20s, link: lte-m}
  - {name: region, count: 20, interval: 10s, qos: 1, keep_alive: 20s, link: lte-m, reconnect: {min: 1s, max: 10s}}
  - {name: spared, count: 2, interval: 10s, qos: 1, keep_alive: 20s, link: lte-m}
faults:
  - {kind: battery-pull, groups: [pulled], share: 0.5, start: 2m, duration: 3m}
  - {kind: cable-unplug, groups: [cable], start: 3m, duration: 2m, spread: 1m}
  - {kind: outage, groups: [region], share: 0.25, start: 5m, duration: 3m}
  - {kind: outage, groups: [region], share: 1, start: 6m, duration: 1m}
`

func TestFaultsAreAccountedFor(t *testing.T) {
	r := runTwice(t, broken)
	pulled, cable, region, spared := r.Fleet.Groups[0], r.Fleet.Groups[1], r.Fleet.Groups[2], r.Fleet.Groups[3]

	// Five devices are without power for eighteen messages each; what they had sent a moment before may or may not have been acknowledged.
	l := pulled.Ledger[0]
	if l.NotMade != 5*18 || l.Sent+l.NotMade != 10*60 || l.GivenUp.NoPower > 5 || l.Lost+l.Pending != 0 || l.Expired > l.GivenUp.NoPower {
		t.Errorf("battery pull: %+v", l)
	}
	if n := most(pulled, "down"); n != 5 {
		t.Errorf("battery pull: %d devices down at most, want 5", n)
	}
	// An unplugged device measures on and makes up for it.
	l = cable.Ledger[0]
	if l.Sent != 10*60 || l.Reached() != l.Sent || l.NotMade != 0 || l.GivenUp != (model.GivenUp{}) {
		t.Errorf("cable unplug: %+v", l)
	}
	if n := most(cable, "down"); n != 10 {
		t.Errorf("cable unplug: %d devices down at most, want 10", n)
	}
	// In the dark nobody is told; nothing is lost either.
	l = region.Ledger[0]
	if l.Sent != 20*60 || l.Reached() != l.Sent {
		t.Errorf("outage: %+v", l)
	}
	if n := most(region, "down"); n != 0 {
		t.Errorf("outage: %d devices know that they are down", n)
	}
	wantDelivered(t, spared, 2*60)
	if spared.Faults != nil || spared.Storms != nil {
		t.Errorf("a group that was spared has faults %v and storms %v", spared.Faults, spared.Storms)
	}
	if f := region.Faults; len(f) != 2 || f[0].Kind != "outage" || f[0].Devices != 5 || f[1].Devices != 20 || f[0].DurationMS.Duration() != 3*time.Minute {
		t.Errorf("faults of the record: %+v", f)
	}
}

// most returns the largest value of a series of states; 0 if it is not there.
func most(g model.Group, state string) int64 {
	n := int64(0)
	for _, s := range g.States {
		if s.State == state {
			for _, v := range s.Counts {
				n = max(n, v)
			}
		}
	}
	return n
}

// TestStormsAreMeasured: the outage of a whole group for a minute begins a storm about when the keep alive has passed, and ends soon after it.
func TestStormsAreMeasured(t *testing.T) {
	r := mustRun(t, Options{Mode: model.Virtual, Scenario: parse(t, `
name: storm
seed: 4
duration: 5m
ramp: 1s
settle: 1s
drain: 1m
groups:
  - {name: g, count: 60, interval: 30s, qos: 1, keep_alive: 10s, link: {up: {delay: 20ms}, down: {delay: 20ms}}, reconnect: {min: 1s, max: 8s, jitter: 1}}
faults:
  - {kind: outage, start: 1m, duration: 2m}
`)})
	storms := r.Fleet.Groups[0].Storms
	if len(storms) != 1 {
		t.Fatalf("%d storms, want 1: %+v", len(storms), storms)
	}
	s := storms[0]
	if at := s.StartMS.Duration(); at < time.Minute || at > 2*time.Minute {
		t.Errorf("the storm began at %v; the link was gone at 1m0s, keep alive takes 10 s and the answer to a ping as long", at)
	}
	if s.Away != 60 || s.HerdPeak < 5 || s.Attempts < 60 {
		t.Errorf("%+v: want all 60 away, and some of them trying within one second", s)
	}
	if s.BackMS == nil || s.BackMS.Duration() <= 0 || s.BackMS.Duration() > time.Minute {
		t.Errorf("back after %v", s.BackMS)
	}
	if peak := s.PeakMS.Duration(); peak < time.Minute || peak > 4*time.Minute {
		t.Errorf("herd peak at %v", peak)
	}
}

// TestClockDrift: clocks that are wrong by at most a twentieth make up to a twentieth more or fewer messages, and the ledger's own times stay right.
func TestClockDrift(t *testing.T) {
	r := mustRun(t, Options{Mode: model.Virtual, Scenario: parse(t, `
name: drift
seed: 4
duration: 15m
ramp: 1s
settle: 1s
interval: 1s
groups:
  - {name: right, count: 10, interval: 10s, qos: 1, phase_spread: 0, link: {up: {delay: 500ms}, down: {delay: 500ms}}}
  - {name: wrong, count: 10, interval: 10s, qos: 1, phase_spread: 0, link: {up: {delay: 500ms}, down: {delay: 500ms}}}
faults:
  - {kind: clock-drift, groups: [wrong], drift_ppm: 50000}
`)})
	right, wrong := r.Fleet.Groups[0], r.Fleet.Groups[1]
	wantDelivered(t, right, 10*90)
	l := wrong.Ledger[0]
	if l.Sent == 10*90 || l.Sent < 10*90*94/100 || l.Sent > 10*90*106/100 || l.Delivered != l.Sent {
		t.Errorf("%+v: want near but not at %d messages", l, 10*90)
	}
	a := quantile(t, right, model.Intended, model.ToDelivery, 0.5)
	if b := quantile(t, wrong, model.Intended, model.ToDelivery, 0.5); (a - b).Abs() > a/100 {
		t.Errorf("median %v with right clocks, %v with wrong ones: the ledger must not use them", a, b)
	}
	if peak := slicesMax(wrong.Rates.Sent[len(wrong.Rates.Sent)/2:]); peak > 7 {
		t.Errorf("%d of ten wrong clocks are in step after seven minutes", peak)
	}
}

func slicesMax(v []int64) (m int64) {
	for _, n := range v {
		m = max(m, n)
	}
	return m
}

// TestDuplicateClientIDs: two devices of one name throw each other off for ever, and the others are left alone.
func TestDuplicateClientIDs(t *testing.T) {
	r := mustRun(t, Options{Mode: model.Virtual, Scenario: parse(t, `
name: twins
seed: 4
duration: 5m
ramp: 1s
settle: 1s
groups:
  - {name: twins, count: 10, interval: 10s, qos: 1, reconnect: {min: 5s, max: 5s, jitter: 0.2}}
faults:
  - {kind: duplicate-client-id, share: 0.2}
`)})
	g := r.Fleet.Groups[0]
	if f := g.Faults; len(f) != 1 || f[0].Devices != 2 {
		t.Errorf("faults %+v, want two devices", f)
	}
	if n := most(g, "waiting"); n < 1 || n > 2 {
		t.Errorf("%d devices waiting to reconnect at once, want one of each pair", n)
	}
	if l := g.Ledger[0]; l.Sent != 300 || l.Reached() != 300 {
		t.Errorf("%+v", l)
	}
}

// TestFaultsInTheOtherModes: what the links can't do there is done to sockets.
func TestFaultsInTheOtherModes(t *testing.T) {
	for _, mode := range []model.Mode{model.Live, model.Emulated} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			_, url := startBroker(t, "127.0.0.1:0", broker.Config{})
			r := mustRun(t, Options{Target: url, Mode: mode, Scenario: parse(t, `
name: small
seed: 1
duration: 3s
ramp: 100ms
settle: 200ms
interval: 100ms
drain: 30s
groups:
  - {name: pulled, count: 4, interval: 100ms, qos: 1, reconnect: {min: 10ms, max: 10ms}}
  - {name: cable, count: 4, interval: 100ms, qos: 1, reconnect: {min: 10ms, max: 10ms}}
  - {name: dark, count: 4, interval: 100ms, qos: 1, keep_alive: 1s, reconnect: {min: 10ms, max: 10ms}}
faults:
  - {kind: battery-pull, groups: [pulled], start: 1s, duration: 1s}
  - {kind: cable-unplug, groups: [cable], start: 1s, duration: 1s}
  - {kind: outage, groups: [dark], start: 1s, duration: 1s}
`)})
			pulled, cable, dark := r.Fleet.Groups[0].Ledger[0], r.Fleet.Groups[1].Ledger[0], r.Fleet.Groups[2].Ledger[0]
			if pulled.Sent+pulled.NotMade != 120 || pulled.Expired > pulled.GivenUp.NoPower || pulled.Lost+pulled.Pending != 0 {
				t.Errorf("battery pull: %+v", pulled)
			}
			for name, l := range map[string]model.Ledger{"cable": cable, "outage": dark} {
				if l.Sent != 120 || l.Reached() != 120 {
					t.Errorf("%s: %+v", name, l)
				}
			}
		})
	}
}
