package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/netem/link"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/arrival"
)

const smallest = `
name: meadow
duration: 2m
groups:
  - name: soil
    count: 1000
    interval: 10s
`

func TestSmallestFileGetsAllDefaults(t *testing.T) {
	got, err := Parse("meadow.yaml", []byte(smallest))
	if err != nil {
		t.Fatal(err)
	}
	want := &Scenario{
		Name: "meadow", Duration: 2 * time.Minute, Ramp: 5 * time.Second, Settle: 5 * time.Second, Drain: 30 * time.Second, Interval: time.Second,
		Groups: []Group{{
			Name: "soil", Count: 1000, ClientID: "{group}-{index}", Version: mqtt.V311, TLSPort: 8883, CleanStart: true, KeepAlive: time.Minute,
			Topic: "fleet/{group}/{index}", Payload: defaultPayload(), MinChange: 0.5,
			Pace: arrival.Pace{Interval: 10 * time.Second, Spread: 1, Burst: 10, Swing: 0.8, Peak: 14 * time.Hour}, QueueMessages: 1000,
			Link: Link{Profile: "perfect"}, TCP: "linux", Commands: defaultCommands(), Firmware: defaultFirmware(),
			Reconnect: Reconnect{Min: time.Second, Max: 2 * time.Minute, Jitter: 0.5},
			Sink:      Sink{Filter: "fleet/soil/+", QoS: mqtt.ExactlyOnce, Version: mqtt.V5},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

const full = `
name: everything
description: |
  every key,
  once
seed: 18446744073709551615
duration: 1h30m
ramp: 0s
settle: 1500ms
drain: 1m
interval: 500ms
groups:
  - {name: a, count: 2, interval: 1s, link: "lte-m:bad"}
  - name: b_2
    count: 3
    client_id: dev-{number}
    version: "5.0"
    username: u{index}
    password: p{number}
    tls: true
    tls_port: 18883
    clean_start: false
    session_expiry: 1h
    keep_alive: 0s
    topic: x/{group}/d{index}/t
    qos: 2
    retain: true
    payload_bytes: 32
    interval: 250ms
    arrival: poisson
    phase_spread: 0.5
    queue_messages: 7
    queue_qos0: true
    tcp: lwip
    queue_drop: oldest
    behaviour: store-and-forward
    upload_interval: 1m
    awake: 2s
    commands: {interval: 1m, topic: "c/{index}", answer_topic: "a/{index}", qos: 2, payload_bytes: 40, think: 1s}
    firmware: {bytes: 100000, topic: "f/{group}", chunk_bytes: 500, qos: 0, start: 1s, spread: 1h}
    late_after: 3s
    link:
      up: {delay: 30ms, jitter: 5ms, jitter_distribution: pareto, jitter_correlation: 1s, rate_bits_per_second: 62500, queue_bytes: 16384, overhead_bytes: 8,
        gilbert_elliott: {good_to_bad: 0.01, bad_to_good: 0.5, loss_bad: 1}}
      down:
        delay: 20ms
        unordered: true
        loss_ratio: 0.01
        reorder_ratio: 0.1
        reorder_delay: 5ms
        duplicate_ratio: 0.001
        outages:
          - {start: 10s, duration: 2s, every: 1m, hold: true}
      mtu_bytes: 1280
    reconnect: {policy: never, min: 2s, max: 3s, jitter: 0}
    sink: {filter: "x/#", qos: 1, version: 3.1.1}
`

func TestEveryKeyIsRead(t *testing.T) {
	s, err := Parse("full.yaml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	g := s.Groups[1]
	small := defaultPayload()
	small.Bytes = 32
	want := Group{
		Name: "b_2", Count: 3, ClientID: "dev-{number}", Version: mqtt.V5, Username: "u{index}", Password: "p{number}", TLS: true, TLSPort: 18883,
		SessionExpiry: time.Hour, Topic: "x/{group}/d{index}/t", QoS: 2, Retain: true,
		Pace:    arrival.Pace{Kind: arrival.Poisson, Interval: 250 * time.Millisecond, Spread: 0.5, Burst: 10, Swing: 0.8, Peak: 14 * time.Hour},
		Payload: small, MinChange: 0.5, QueueMessages: 7, QueueQoS0: true,
		LateAfter: 3 * time.Second, TCP: "lwip", QueueDrop: DropOldest, Behaviour: StoreAndForward, Upload: time.Minute, Awake: 2 * time.Second,
		Commands: Commands{Topic: "c/{index}", AnswerTopic: "a/{index}", Interval: time.Minute, QoS: 2, PayloadBytes: 40, Think: time.Second},
		Firmware: Firmware{Topic: "f/{group}", Bytes: 100_000, ChunkBytes: 500, QoS: 0, Start: time.Second, Spread: time.Hour},
		Link: Link{
			Up: link.Config{
				Delay: 30 * time.Millisecond, Jitter: 5 * time.Millisecond, JitterDistribution: link.Pareto, JitterCorrelation: time.Second,
				RateBitsPerSecond: 62500, QueueBytes: 16384, OverheadBytes: 8, GilbertElliott: link.GilbertElliott{GoodToBad: 0.01, BadToGood: 0.5, LossBad: 1},
			},
			Down: link.Config{
				Delay: 20 * time.Millisecond, Unordered: true, LossRatio: 0.01, ReorderRatio: 0.1, ReorderDelay: 5 * time.Millisecond, DuplicateRatio: 0.001,
				Outages: []link.Outage{{Start: 10 * time.Second, Duration: 2 * time.Second, Every: time.Minute, Hold: true}},
			},
			MTUBytes: 1280,
		},
		Reconnect: Reconnect{Policy: Never, Min: 2 * time.Second, Max: 3 * time.Second},
		Sink:      Sink{Filter: "x/#", QoS: 1, Version: mqtt.V311},
	}
	if diff := cmp.Diff(want, g); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if s.Seed != 1<<64-1 || s.Description != "every key,\nonce\n" || s.Devices() != 5 || s.Begin() != 1500*time.Millisecond {
		t.Errorf("seed %d, description %q, %d devices, begin %v", s.Seed, s.Description, s.Devices(), s.Begin())
	}
	if got := g.Expand(g.Topic, 2, 4); got != "x/b_2/d2/t" {
		t.Errorf("topic of device 2 is %q", got)
	}
}

func TestResolvedFormReadsBackTheSame(t *testing.T) {
	texts := map[string]string{"smallest": smallest, "full": full, "faulty": faulty, "loaded": loaded}
	for _, name := range Ready() {
		text, err := ready.ReadFile("ready/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	for name, text := range texts {
		first, err := Parse(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		resolved, err := first.YAML()
		if err != nil {
			t.Fatal(err)
		}
		second, err := Parse(name, []byte(resolved))
		if err != nil {
			t.Fatalf("%s: the resolved form is refused:\n%v\n%s", name, err, resolved)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%s: (-first +second)\n%s\n%s", name, diff, resolved)
		}
	}
}

func TestMistakesAreReportedAllAtOnceWithTheirLines(t *testing.T) {
	const bad = `name: bad
duraton: 2m
seed: -1
groups:
  - name: so il
    count: 0
    interval: 10
    qos: 3
    version: 4
    link: nb-iott
    topic: a/+/{indx}
    client_id: same
    payload_bytes: 8
    session_expiry: 1500ms
  - name: other
    count: 5
    keep_alive:
    interval: 1s
    link:
      up: {loss_ratio: 0.1, gilbert_elliott: {good_to_bad: 0.1, bad_to_good: 0.1, loss_bad: 1}}
    reconnect: {min: 10s, max: 1s}
    sink: 3
`
	_, err := Parse("bad.yaml", []byte(bad))
	if err == nil {
		t.Fatal("no mistake was found")
	}
	want := strings.TrimSpace(`
bad.yaml: duration: is missing: how long shall messages be due?
bad.yaml:2: duraton: unknown key: did you mean "duration"?
bad.yaml:3: seed: "-1" is no whole number: want 0 to 18446744073709551615
bad.yaml:5: groups[0].name: "so il" may hold letters, digits, - and _ only
bad.yaml:6: groups[0].count: 0 is out of range: want 1 to 1000000
bad.yaml:7: groups[0].interval: "10" is no time: want a number with a unit, such as 500ms, 10s, 5m or 24h
bad.yaml:8: groups[0].qos: 3 is out of range: want 0 to 2
bad.yaml:9: groups[0].version: "4" is not one of 3.1, 3.1.1, 5.0
bad.yaml:10: groups[0].link: unknown link profile "nb-iott": did you mean "nb-iot"?
bad.yaml:11: groups[0].topic: unknown placeholder {indx} (have {group}, {index}, {number})
bad.yaml:11: groups[0].topic: "a/+/{indx}" holds a wildcard: a Topic Name may not
bad.yaml:13: groups[0].payload_bytes: 8 is out of range: want 32 to 1048576
bad.yaml:14: groups[0].session_expiry: needs version 5.0
bad.yaml:14: groups[0].session_expiry: 1.5s is not in whole seconds, as MQTT wants it
bad.yaml:17: groups[1].keep_alive: has no value: leave the key out to get the default
bad.yaml:20: groups[1].link.up: LossRatio and GilbertElliott exclude each other: set LossGood for the loss in the good state
bad.yaml:21: groups[1].reconnect: max 1s is below min 10s
bad.yaml:22: groups[1].sink: must hold keys and values, such as "filter: ..."`)
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMistakesOfWholeFiles(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "f.yaml: holds 0 documents with content: want one",
		"a: 1\n---\nb: 1":    "f.yaml: holds 2 documents with content: want one",
		"a: [1":              "f.yaml:1: ",
		"name: a\nname: b":   `f.yaml:2: mapping key "name" already defined`,
		"- name: a":          `f.yaml:1: must hold keys and values`,
		"name: a\ngroups: 3": "f.yaml:2: groups: must be a list",
		smallest + "  - {name: soil, count: 1, interval: 1s}\n":                              `f.yaml:8: groups[1].name: "soil" is the name of groups[0] already`,
		smallest + "  - {name: b, count: 1, interval: 1s, client_id: soil-7}\n":              `f.yaml:8: groups[1].client_id: device 0 would be called "soil-7", as one of groups[0] is`,
		smallest + "  - {name: b, count: 2, interval: 1s, client_id: x}\n":                   `groups[1].client_id: "x" is the same for all 2 devices`,
		smallest + "  - {name: b, count: 1000000, interval: 1s}\n":                           "groups: hold 1001000 devices: at most 1000000",
		"name: a\nduration: 1s\ngroups: []":                                                  "groups: is empty",
		"name: a\nduration: 1s\ngroups:\n  - {interval: 1s, topic: \"\", zzzzzzzzzzzz: 1}\n": "groups[0].zzzzzzzzzzzz: unknown key (have arrival, ",
	} {
		_, err := Parse("f.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestLoadFindsReadyScenariosAndFiles(t *testing.T) {
	for _, name := range Ready() {
		if _, err := Load(name); err != nil {
			t.Error(err)
		}
	}
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(smallest), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Load(file); err != nil || s.Name != "meadow" {
		t.Errorf("%v %v", s, err)
	}
	if _, err := Load("medow"); err == nil || !strings.Contains(err.Error(), `did you mean "meadow"?`) {
		t.Errorf("a misspelt ready scenario: %v", err)
	}
	if _, err := Load("./nothing.yaml"); !os.IsNotExist(err) && (err == nil || !strings.Contains(err.Error(), "nothing.yaml")) {
		t.Errorf("a missing file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(smallest)
	f.Add(full)
	f.Add(faulty)
	f.Add(loaded)
	f.Add(sharedOut("devices: 10", "share: 33.3%", "count: 3", "share: .667"))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f.yaml", []byte(text))
		if err != nil || s.Devices() > 1000 {
			return
		}
		resolved, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("f.yaml", []byte(resolved))
		if err != nil {
			t.Fatalf("resolved form refused: %v\n%s", err, resolved)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}
