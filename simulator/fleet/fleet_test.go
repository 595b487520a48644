package fleet

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reports/latency"
	"mqttlab/reports/model"
	"mqttlab/simulator/scenario"
)

func parse(t testing.TB, text string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustRun(t testing.TB, o Options) *model.Record {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	return r
}

// runTwice runs a scenario in virtual time, and checks that one seed gives one record.
func runTwice(t *testing.T, text string) *model.Record {
	t.Helper()
	var records [2]*model.Record
	var encoded [2][]byte
	for i := range records {
		records[i] = mustRun(t, Options{Scenario: parse(t, text), Mode: model.Virtual})
		var err error
		if encoded[i], err = records[i].Encode(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(encoded[0], encoded[1]) {
		t.Error("one seed gave two records")
	}
	return records[0]
}

// startBroker serves MQTT on a loopback address, "127.0.0.1:0" for any port.
func startBroker(t testing.TB, address string, cfg broker.Config) (*broker.Broker, string) {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	b, err := broker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.Serve(t.Context(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = b.Close(ctx) // connections that are cut are none of the test's business
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return b, "mqtt://" + ln.Addr().String()
}

// wantDelivered checks that all of a group's messages were delivered once.
func wantDelivered(t *testing.T, g model.Group, sent int64) {
	t.Helper()
	l := g.Ledger[0]
	if l.Sent != sent || l.Delivered != sent {
		t.Errorf("group %q: %+v, want %d sent and delivered", g.Name, l, sent)
	}
	if l.QoS > 0 && l.Acknowledged != sent {
		t.Errorf("group %q: %d acknowledged, want %d", g.Name, l.Acknowledged, sent)
	}
}

func quantile(t *testing.T, g model.Group, m model.Measure, p model.Path, q float64) time.Duration {
	t.Helper()
	for _, l := range g.Latency {
		if l.Measure == m && l.Path == p {
			h, err := latency.Decode(l.Histogram)
			if err != nil {
				t.Fatal(err)
			}
			return h.Quantile(q)
		}
	}
	t.Fatalf("group %q has no latency %s %s", g.Name, p, m)
	return 0
}

const mixed = `
name: mixed
seed: 7
duration: 5m
ramp: 2s
settle: 3s
groups:
  - {name: nb, count: 20, interval: 10s, qos: 1, link: nb-iot}
  - {name: lte, count: 10, interval: 15s, qos: 2, version: "5.0", link: lte-m}
  - {name: wire, count: 10, interval: 5s, qos: 0}
`

func TestVirtualRunDeliversOverLossyLinks(t *testing.T) {
	r := mustRun(t, Options{Scenario: parse(t, mixed), Mode: model.Virtual})
	f := r.Fleet
	if !f.Validity.Valid || f.Mode != model.Virtual || r.Seed != 7 || !r.Started.Equal(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("validity %+v, mode %s, seed %d, started %v", f.Validity, f.Mode, r.Seed, r.Started)
	}
	wantDelivered(t, f.Groups[0], 20*30)
	wantDelivered(t, f.Groups[1], 10*20)
	wantDelivered(t, f.Groups[2], 10*60)
	if w := f.Groups[0].Wire; w.Retransmissions == 0 || w.LostPackets == 0 {
		t.Errorf("a lossy link without loss: %+v", *w)
	}
	if w := f.Groups[2].Wire; w.Retransmissions != 0 || w.LostPackets != 0 || w.UpBytes == 0 {
		t.Errorf("a clean link with loss: %+v", *w)
	}
	again, err := scenario.Parse("resolved", []byte(f.Scenario.Text))
	if err != nil || again.Seed != 7 {
		t.Errorf("the record's scenario cannot be run again: %v", err)
	}
}

// TestVirtualLatencyIsWhatTheLinkGives compares with paper: propagation and serialisation of the message up and of its PUBACK down.
func TestVirtualLatencyIsWhatTheLinkGives(t *testing.T) {
	r := mustRun(t, Options{Mode: model.Virtual, Scenario: parse(t, `
name: paper
duration: 20m
groups:
  - name: slow
    count: 10
    interval: 10s
    qos: 1
    topic: t/{index}
    link:
      up: {delay: 200ms, rate_bits_per_second: 20000}
      down: {delay: 100ms, rate_bits_per_second: 10000}
`)})
	g := r.Fleet.Groups[0]
	const (
		headers = 20 + 20 + 12                                   // IPv4, TCP, its timestamps
		up      = headers + 2 + 2 + 3 + 2 + 64                   // fixed header, topic length, topic, packet identifier, payload
		down    = headers + headers + 4                          // TCP acknowledges before the broker does: two packets
		toSink  = 200*time.Millisecond + up*8*time.Second/20_000 // bits over bits per second
		toAck   = toSink + 100*time.Millisecond + down*8*time.Second/10_000
	)
	for _, c := range []struct {
		path model.Path
		want time.Duration
	}{{model.ToDelivery, toSink}, {model.ToAck, toAck}} {
		if got := quantile(t, g, model.Intended, c.path, 0.5); (got - c.want).Abs() > c.want/100 {
			t.Errorf("%s: median %v, on paper %v", c.path, got, c.want)
		}
	}
}

func TestVirtualRecordFollowsFromTheSeed(t *testing.T) {
	record := func(seed uint64) []byte {
		t.Helper()
		b, err := mustRun(t, Options{Scenario: parse(t, strings.Replace(mixed, "duration: 5m", "duration: 1m", 1)), Mode: model.Virtual, Seed: &seed}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := record(1)
	if !bytes.Equal(first, record(1)) {
		t.Error("one seed gave two records")
	}
	if bytes.Equal(first, record(2)) {
		t.Error("two seeds gave one record")
	}
}

func TestVirtualOutageShowsAsWaitAndIsMadeUpFor(t *testing.T) {
	r := mustRun(t, Options{Mode: model.Virtual, Scenario: parse(t, `
name: outage
duration: 5m
drain: 2m
interval: 10s
groups:
  - name: field
    count: 5
    interval: 15s
    qos: 1
    keep_alive: 10s
    late_after: 10s
    link:
      up: {delay: 50ms, outages: [{start: 1m, duration: 1m}]}
      down: {delay: 50ms, outages: [{start: 1m, duration: 1m}]}
`)})
	g := r.Fleet.Groups[0]
	l := g.Ledger[0]
	if l.Sent != 100 || l.Lost+l.Pending+l.Expired != 0 || l.Late < 15 {
		t.Errorf("%+v: want all 100 delivered, those of a minute late", l)
	}
	if longest := quantile(t, g, model.Intended, model.ToDelivery, 1); longest < 45*time.Second {
		t.Errorf("longest wait %v: messages were due during a whole minute's outage, an open loop must show it", longest)
	}
	lowest := int64(5)
	for _, s := range g.States {
		if s.State == "connected" {
			for _, n := range s.Counts[2:] {
				lowest = min(lowest, n)
			}
		}
	}
	if lowest != 0 {
		t.Errorf("at least %d devices stayed connected through a minute without a link and a keep alive of 10 s", lowest)
	}
}

const brief = `
name: brief
duration: 1s
ramp: 100ms
settle: 200ms
interval: 100ms
drain: 5s
groups:
  - {name: zero, count: 4, interval: 100ms, qos: 0, link: {up: {delay: 5ms}, down: {delay: 5ms}}}
  - {name: one, count: 4, interval: 100ms, qos: 1, version: "5.0", link: {up: {delay: 5ms}, down: {delay: 5ms}}}
  - {name: two, count: 4, interval: 100ms, qos: 2, link: {up: {delay: 5ms}, down: {delay: 5ms}}}
`

// TestWallClockModes runs against a real broker on a real socket. Whether a busy machine kept up is not this test's business.
func TestWallClockModes(t *testing.T) {
	for mode, fastest := range map[model.Mode]time.Duration{model.Live: 0, model.Emulated: 5 * time.Millisecond} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			_, url := startBroker(t, "127.0.0.1:0", broker.Config{})
			var phases []string
			r := mustRun(t, Options{Scenario: parse(t, brief), Mode: mode, Target: url, Progress: func(p Progress) {
				if len(phases) == 0 || phases[len(phases)-1] != p.Phase {
					phases = append(phases, p.Phase)
				}
			}})
			for _, g := range r.Fleet.Groups {
				wantDelivered(t, g, 40)
				if got := quantile(t, g, model.Service, model.ToDelivery, 0.5); got < fastest {
					t.Errorf("group %q: median %v is faster than the link's %v", g.Name, got, fastest)
				}
				if g.Wire.UpBytes == 0 || g.Wire.DownBytes == 0 {
					t.Errorf("group %q: nothing on the wire: %+v", g.Name, *g.Wire)
				}
				if counted := g.Rates.Retransmissions != nil; counted != (mode == model.Emulated) {
					t.Errorf("group %q: retransmissions over time: %v", g.Name, g.Rates.Retransmissions)
				}
			}
			if got := strings.Join(phases, " "); got != "ramp settle run drain done" {
				t.Errorf("phases %q", got)
			}
		})
	}
}

func TestEndedEarlyTheRunDrainsAndStillRecords(t *testing.T) {
	_, url := startBroker(t, "127.0.0.1:0", broker.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	// With a link of 200 ms something is under way whenever the run is cut.
	s := parse(t, strings.NewReplacer("duration: 1s", "duration: 1h", "5ms", "200ms", "settle: 200ms", "settle: 2s").Replace(brief))
	r, err := Run(ctx, Options{Scenario: s, Mode: model.Emulated, Target: url, Progress: func(p Progress) {
		if !slices.ContainsFunc(p.Groups, func(g GroupProgress) bool { return g.Sent == 0 }) {
			cancel()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Fleet.CutShort {
		t.Error("the record does not say that the run was cut short")
	}
	for _, g := range r.Fleet.Groups {
		if l := g.Ledger[0]; l.Sent == 0 || l.Delivered != l.Sent {
			t.Errorf("group %q: %+v, want some sent and all of it drained", g.Name, l)
		}
	}
}

// TestTargetThatDiesAndReturns: the fleet comes back by its policy, QoS 1 makes up for what was not acknowledged, and the ledger tells what happened to the rest.
func TestTargetThatDiesAndReturns(t *testing.T) {
	t.Parallel()
	first, url := startBroker(t, "127.0.0.1:0", broker.Config{Linger: time.Millisecond})
	address := strings.TrimPrefix(url, "mqtt://")
	// With a link of 150 ms some messages are not acknowledged when the target dies.
	s := parse(t, strings.NewReplacer("duration: 1s", "duration: 5s", "5ms", "150ms", "settle: 200ms", "settle: 2s",
		"qos: 0,", "qos: 0, reconnect: {min: 2500ms, max: 2500ms, jitter: 0},", "qos: 1,", "qos: 1, reconnect: {min: 2500ms, max: 2500ms, jitter: 0},",
		"qos: 2,", "qos: 2, reconnect: {min: 2500ms, max: 2500ms, jitter: 0},").Replace(brief))
	died, returned := false, false
	r := mustRun(t, Options{Scenario: s, Mode: model.Emulated, Target: url, Progress: func(p Progress) {
		switch {
		case !died && p.Groups[0].Sent > 0:
			died = true
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_ = first.Close(ctx)
		case died && !returned:
			returned = true
			startBroker(t, address, broker.Config{})
		}
	}})
	if !returned {
		t.Fatal("the run was over before the target came back")
	}
	zero, one := r.Fleet.Groups[0].Ledger[0], r.Fleet.Groups[1].Ledger[0]
	if zero.Expired == 0 {
		t.Errorf("QoS 0: %+v, want messages given up while there was no connection", zero)
	}
	if one.Lost+one.Pending+one.Expired != 0 || one.Acknowledged != one.Sent {
		t.Errorf("QoS 1: %+v, want all delivered and acknowledged", one)
	}
	for _, g := range r.Fleet.Groups {
		counts := map[string][]int64{}
		for _, s := range g.States {
			counts[s.State] = s.Counts
		}
		connected := counts["connected"]
		if gone, back := slices.Min(connected[25:]), connected[len(connected)-1]; gone != 0 || back != 4 {
			t.Errorf("group %q: connected over time %v, want a gap and all 4 at the end", g.Name, connected)
		}
	}
}

// faultyTap swallows each tenth PUBLISH that the broker sends and sends each seventh of the others twice.
type faultyTap struct{ seen, swallowed, doubled atomic.Int64 }

func (*faultyTap) In(_ server.ConnID, frame []byte) broker.Tapped { return broker.Pass(frame) }
func (*faultyTap) Closing(server.ConnID) bool                     { return true }

func (f *faultyTap) Out(_ server.ConnID, frame []byte) broker.Tapped {
	if mqtt.Type(frame[0]>>4) != mqtt.TypePublish {
		return broker.Pass(frame)
	}
	seen := f.seen.Add(1)
	switch {
	case seen%10 == 0:
		f.swallowed.Add(1)
		return broker.Tapped{}
	case seen%7 == 0:
		f.doubled.Add(1)
		return broker.Tapped{Frames: [][]byte{bytes.Clone(frame), bytes.Clone(frame)}}
	}
	return broker.Pass(frame)
}

// TestBrokerThatLosesAndDoublesIsCaught compares the ledger with what the fault itself counted.
func TestBrokerThatLosesAndDoublesIsCaught(t *testing.T) {
	t.Parallel()
	tap := &faultyTap{}
	_, url := startBroker(t, "127.0.0.1:0", broker.Config{Tap: tap})
	r := mustRun(t, Options{Mode: model.Live, Target: url, Scenario: parse(t, `
name: faulty
duration: 1s
ramp: 100ms
settle: 200ms
drain: 1s
groups:
  - {name: one, count: 10, interval: 50ms, qos: 0}
`)})
	l, swallowed, doubled := r.Fleet.Groups[0].Ledger[0], tap.swallowed.Load(), tap.doubled.Load()
	if l.Sent != 200 || l.Lost != swallowed || l.Duplicated != doubled || l.Copies != doubled || l.Delivered != 200-swallowed-doubled {
		t.Errorf("%+v: the broker swallowed %d and doubled %d of %d", l, swallowed, doubled, tap.seen.Load())
	}
}

func TestMistakesEndInOneClearLine(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "mqtt://" + ln.Addr().String()
	ln.Close()
	for want, o := range map[string]Options{
		"can't be reached: dial tcp": {Mode: model.Live, Target: nobody},
		"leave the target out":       {Mode: model.Virtual, Target: "mqtt://localhost"},
		`target "https://localhost": want a URL such as mqtt://localhost:1883`: {Mode: model.Live, Target: "https://localhost"},
		`target "mqtt://localhost/x": want host and port only`:                 {Mode: model.Emulated, Target: "mqtt://localhost/x"},
		"the port must be 1 to 65535":                                          {Mode: model.Live, Target: "mqtt://localhost:0"},
		`target "": want a URL`:                                                {Mode: model.Live},
	} {
		o.Scenario = parse(t, brief)
		_, err := Run(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v\nwant one line with %q", err, want)
		}
		if unreachable := (*UnreachableError)(nil); errors.As(err, &unreachable) != strings.Contains(want, "reached") {
			t.Errorf("%v is of type %T", err, err)
		}
	}
	if _, err := Run(t.Context(), Options{Scenario: parse(t, brief), Mode: "dream", Target: "mqtt://localhost"}); err == nil {
		t.Error("an unknown mode was accepted")
	}
	if _, err := Run(t.Context(), Options{Mode: model.Virtual}); err == nil {
		t.Error("no scenario was accepted")
	}
}

func TestRefusedSinkIsAnUnreachableTarget(t *testing.T) {
	_, url := startBroker(t, "127.0.0.1:0", broker.Config{Server: server.Config{
		Authorize: func(a server.Access) bool { return a.Kind != server.SubscribeTo },
	}})
	_, err := Run(t.Context(), Options{Scenario: parse(t, brief), Mode: model.Live, Target: url})
	unreachable := (*UnreachableError)(nil)
	if !errors.As(err, &unreachable) || !errors.Is(err, mqtt.NotAuthorized) {
		t.Errorf("got %v, want an UnreachableError that is NotAuthorized", err)
	}
}

func TestTargetURLs(t *testing.T) {
	got, err := parseTarget("mqtt://lab:secret@broker.example")
	if err != nil {
		t.Fatal(err)
	}
	if got.address != "broker.example:1883" || got.shown != "mqtt://broker.example" || got.username.Value != "lab" || string(got.password.Value) != "secret" {
		t.Errorf("%+v", got)
	}
	if _, err := parseTarget("wss://user:secret@h"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the password shows: %v", err)
	}
}
