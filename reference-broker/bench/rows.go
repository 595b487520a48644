package main

import (
	"fmt"
	"strings"
	"time"

	"mqttlab/reference-broker/bench/load"
)

// row is one line of the table.
type row struct {
	name         string // for the command line
	title        string
	spec         load.Spec
	store        bool    // those who can keep what they acknowledge on disk, and acknowledge it then only
	share        float64 // of what mosquitto can in the same scenario in a closed loop: the rate
	atLeast, aim float64 // ratio to mosquitto; bytes for the row in bytes. At most, where less is better. 0: any figure will do
}

// inBytes says that the figure is bytes per connection and stands for itself.
func (r *row) inBytes() bool { return r.spec.Scenario == load.Idle }

// lessIsBetter says that the figure is a price.
func (r *row) lessIsBetter() bool { return r.inBytes() || r.spec.Scenario == load.Latency }

// met reports whether a value of the table is good enough.
func (r *row) met(value float64) bool {
	if r.lessIsBetter() {
		return value <= r.atLeast
	}
	return value >= r.atLeast
}

const (
	warm    = time.Second
	measure = 2 * time.Second
	payload = 64 // bytes
)

// allRows are the scenarios and what is expected of the reference broker.
func allRows() []row {
	pairs := func(qos byte, n, window int) load.Spec {
		return load.Spec{Scenario: load.Pairs, QoS: qos, Publishers: n, Window: window}
	}
	stored := pairs(1, 50, 20)
	stored.Durable = true
	return []row{
		{name: "q0-1x1", title: "QoS 0, 1 to 1, window 500", spec: pairs(0, 1, 500), atLeast: 8, aim: 20},
		{name: "q0-50x50", title: "QoS 0, 50 to 50", spec: pairs(0, 50, 20), atLeast: 9.6, aim: 13},
		{name: "q1-1x1", title: "QoS 1, 1 to 1, window 20", spec: pairs(1, 1, 20), atLeast: 5, aim: 8},
		{name: "q1-50x50", title: "QoS 1, 50 to 50", spec: pairs(1, 50, 20), atLeast: 9, aim: 13},
		{name: "q2-50x50", title: "QoS 2, 50 to 50", spec: pairs(2, 50, 20), atLeast: 11, aim: 16},
		{name: "fan-out", title: "fan-out 1 to 500, QoS 0", spec: load.Spec{Scenario: load.FanOut, Subscribers: 500, Window: 20}, atLeast: 8, aim: 14},
		{name: "fan-in", title: "fan-in 500 to 1, wildcard", spec: load.Spec{Scenario: load.FanIn, Publishers: 500, Window: 1}, atLeast: 1.5, aim: 2.3},
		{name: "connect", title: "connect and disconnect", spec: load.Spec{Scenario: load.Connect, Count: 10_000, Window: 50}, atLeast: 0.7, aim: 1.3},
		{name: "retained", title: "100,000 retained to `#`", spec: load.Spec{Scenario: load.Retained, Count: 100_000, Window: 50}, atLeast: 5, aim: 8},
		{
			name: "match", title: "match against 100,000 wildcard filters", spec: load.Spec{Scenario: load.Match, Count: 100_000, Window: 50},
			atLeast: 2.5, aim: 3.5,
		},
		{name: "q1-50x50-store", title: "QoS 1, 50 to 50, on disk before it is acknowledged", spec: stored, store: true, atLeast: 2},
		{
			name: "offline", title: "100,000 for a client that is away, on disk, then drained in order",
			spec: load.Spec{Scenario: load.Offline, QoS: 1, Publishers: 4, Count: 100_000, Window: 50}, store: true,
		},
		{
			name: "latency", title: "99th percentile of latency, QoS 1, 50 to 50, at a fifth of mosquitto's rate",
			spec: load.Spec{Scenario: load.Latency, QoS: 1, Publishers: 50}, share: 0.2, atLeast: 1,
		},
		{name: "idle", title: "bytes per idle connection with one subscription", spec: load.Spec{Scenario: load.Idle, Count: 10_000}, atLeast: 8192, aim: 1500},
	}
}

// shorten makes a glance of a measurement. The counts are as small as ticks of 10 ms of processor time allow.
func shorten(s load.Spec) load.Spec {
	s.Warm, s.Measure = 300*time.Millisecond, 700*time.Millisecond
	limit := map[load.Scenario]int{load.Connect: 4000, load.Retained: 50_000, load.Match: 20_000, load.Offline: 20_000, load.Idle: 3000}
	s.Count = min(s.Count, limit[s.Scenario])
	s.Patience = 3 * time.Second
	return s
}

// chooseRows returns the rows that o asks for, as it wants them measured.
func chooseRows(o options) ([]row, error) {
	if o.reps < 1 {
		return nil, fmt.Errorf("-reps is %d, must be at least 1", o.reps)
	}
	var names []string
	var chosen []row
	wanted := split(o.rows)
	all := len(wanted) == 0
	for _, r := range allRows() {
		names = append(names, r.name)
		if !all && !wanted[r.name] {
			continue
		}
		delete(wanted, r.name)
		r.spec.Payload, r.spec.Warm, r.spec.Measure = payload, warm, measure
		if o.short {
			r.spec = shorten(r.spec)
		}
		chosen = append(chosen, r)
	}
	for name := range wanted {
		return nil, fmt.Errorf("no row is called %q; there are %s", name, strings.Join(names, ", "))
	}
	return chosen, nil
}

// split returns the set of the names in a list with commas.
func split(list string) map[string]bool {
	set := make(map[string]bool)
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			set[name] = true
		}
	}
	return set
}
