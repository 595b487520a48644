package fleet

import (
	"testing"
	"time"

	"mqttlab/reference-broker/broker"
	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

const sleepers = `
name: sleepers
seed: 2
duration: 2h
ramp: 10s
settle: 10s
groups:
  - {name: wake, count: 10, interval: 10m, qos: 1, behaviour: wake-publish-sleep, link: lte-m, power: lte-m}
  - {name: zero, count: 10, interval: 10m, qos: 0, behaviour: wake-publish-sleep, awake: 5s, link: {up: {delay: 20ms}, down: {delay: 20ms}}}
  - {name: store, count: 5, interval: 1m, qos: 1, behaviour: store-and-forward, upload_interval: 30m, link: lte-m}
  - {name: oldest, count: 5, interval: 1m, qos: 1, behaviour: store-and-forward, upload_interval: 30m, queue_messages: 10, queue_drop: oldest, link: lte-m}
  - {name: newest, count: 5, interval: 1m, qos: 1, behaviour: store-and-forward, upload_interval: 30m, queue_messages: 10, link: lte-m}
`

func TestSleepersConnectToSend(t *testing.T) {
	r := runTwice(t, sleepers)
	wake, zero, store, oldest, newest := r.Fleet.Groups[0], r.Fleet.Groups[1], r.Fleet.Groups[2], r.Fleet.Groups[3], r.Fleet.Groups[4]
	wantDelivered(t, wake, 10*12)
	wantDelivered(t, zero, 10*12)
	wantDelivered(t, store, 5*120)
	for _, g := range r.Fleet.Groups {
		if n := most(g, "asleep"); n != int64(g.Devices) {
			t.Errorf("group %q: %d devices asleep at most, want all %d", g.Name, n, g.Devices)
		}
		if g.Storms != nil {
			t.Errorf("group %q: sleep was taken for a storm: %+v", g.Name, g.Storms)
		}
	}
	if n := wake.Power.Sessions; n != 10*12 {
		t.Errorf("%d radio sessions for 120 messages, each with a connection of its own", n)
	}
	if wait := quantile(t, store, model.Intended, model.ToDelivery, 0.5); wait < 10*time.Minute || wait > 20*time.Minute {
		t.Errorf("median wait for an upload every half hour is %v, want about 15m", wait)
	}
	// Of thirty messages between two uploads ten fit; which ten shows in how old they are.
	for _, g := range []model.Group{oldest, newest} {
		l := g.Ledger[0]
		if l.Sent != 600 || l.Expired != l.GivenUp.QueueFull || l.Expired < 350 || l.Expired > 450 || l.Delivered+l.Expired != l.Sent {
			t.Errorf("group %q: %+v", g.Name, l)
		}
	}
	young, old := quantile(t, oldest, model.Intended, model.ToDelivery, 0.5), quantile(t, newest, model.Intended, model.ToDelivery, 0.5)
	if young > 8*time.Minute || old < 20*time.Minute {
		t.Errorf("what is delivered is %v old if the oldest are dropped, %v if the newest are", young, old)
	}
}

const told = `
name: told
seed: 2
duration: 20m
ramp: 2s
settle: 3s
drain: 5m
groups:
  - name: modern
    count: 10
    version: "5.0"
    qos: 1
    interval: 1m
    link: lte-m
    commands: {interval: 1m, think: 3s}
    firmware: {bytes: 20000, chunk_bytes: 512, start: 5m, spread: 5m}
  - name: old
    count: 10
    qos: 1
    interval: 1m
    link: {up: {delay: 100ms}, down: {delay: 100ms}}
    commands: {interval: 2m, qos: 0}
  - name: asleep
    count: 10
    version: "5.0"
    clean_start: false
    session_expiry: 1h
    qos: 1
    interval: 5m
    behaviour: wake-publish-sleep
    link: lte-m
    commands: {interval: 10m, qos: 2}
    firmware: {bytes: 20000, chunk_bytes: 1000, start: 5m}
faults:
  - {kind: battery-pull, groups: [modern], share: 0.3, start: 5m30s, duration: 1m}
`

func TestCommandsAreAnsweredAndImagesFetched(t *testing.T) {
	r := runTwice(t, told)
	modern, old, asleep := r.Fleet.Groups[0], r.Fleet.Groups[1], r.Fleet.Groups[2]
	// Three devices miss the commands of their minute without power: their sessions are clean.
	l := modern.Commands.Ledger
	if l.Sent != 200 || l.Acknowledged != l.Reached() || l.Lost+l.Pending != l.Sent-l.Reached() || l.Lost < 1 || l.Lost > 9 {
		t.Errorf("modern: %+v", l)
	}
	l = old.Commands.Ledger
	if l.Sent != 100 || l.Delivered != 100 || l.Acknowledged != 100 {
		t.Errorf("old: %+v", l)
	}
	l = asleep.Commands.Ledger
	if l.Sent != 20 || l.Delivered < 15 || l.Acknowledged != l.Delivered || l.Delivered+l.Lost != 20 {
		t.Errorf("asleep: %+v: the target keeps commands for a session, all but those after a device's last message", l)
	}
	for _, c := range []struct {
		g    model.Group
		path model.Path
		want time.Duration
	}{{old, model.ToDevice, 100 * time.Millisecond}, {old, model.ToAnswer, 200 * time.Millisecond}} {
		if got := commandQuantile(t, c.g, c.path); (got - c.want).Abs() > c.want/20 {
			t.Errorf("%s of group %q: median %v, want %v", c.path, c.g.Name, got, c.want)
		}
	}
	if got := commandQuantile(t, modern, model.ToAnswer); got < 3*time.Second || got > 4*time.Second {
		t.Errorf("answers take %v, with 3 s to think", got)
	}
	for _, g := range []model.Group{modern, asleep} {
		d := g.Downloads
		if d.Began != 10 || d.Completed != 10 || d.Damaged != 0 || d.ReceivedBytes < 10*20000 || d.Times.Count != 10 {
			t.Errorf("group %q: %+v", g.Name, d)
		}
	}
	if l := modern.Ledger[0]; l.Lost+l.Pending != 0 || l.NotMade < 2 {
		t.Errorf("modern: %+v", l)
	}
}

func commandQuantile(t *testing.T, g model.Group, p model.Path) time.Duration {
	t.Helper()
	for _, l := range g.Commands.Latency {
		if l.Measure == model.Intended && l.Path == p {
			h, err := latency.Decode(l.Histogram)
			if err != nil {
				t.Fatal(err)
			}
			return h.Quantile(0.5)
		}
	}
	t.Fatalf("group %q has no latency %s", g.Name, p)
	return 0
}

// TestConversationsOnTheWallClock leaves nothing behind: the next subscriber must find no retained image.
func TestConversationsOnTheWallClock(t *testing.T) {
	for _, mode := range []model.Mode{model.Live, model.Emulated} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			_, url := startBroker(t, "127.0.0.1:0", broker.Config{})
			text := `
name: small
duration: 1s
ramp: 100ms
settle: 200ms
interval: 100ms
groups:
  - {name: a, count: 4, interval: 200ms, qos: 1, commands: {interval: 200ms}, firmware: {bytes: 20000}}
  - {name: b, count: 4, interval: 200ms, qos: 1, behaviour: wake-publish-sleep}
`
			for range 2 {
				r := mustRun(t, Options{Target: url, Mode: mode, Scenario: parse(t, text)})
				a, b := r.Fleet.Groups[0], r.Fleet.Groups[1]
				// What a device is told before it has subscribed it does not hear.
				if l := a.Commands.Ledger; l.Sent != 20 || l.Reached()+l.Lost != 20 || l.Acknowledged != l.Reached() {
					t.Errorf("%+v", l)
				}
				if d := a.Downloads; d.Completed != 4 || d.ReceivedBytes != 4*20000 {
					t.Errorf("%+v", d)
				}
				wantDelivered(t, b, 20)
			}
		})
	}
}
