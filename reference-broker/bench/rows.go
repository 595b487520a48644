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
	atLeast, aim float64 // ratio to mosquitto; bytes for the row in bytes
}

// inBytes says that the figure is bytes per connection: less is better, and it stands for itself.
func (r *row) inBytes() bool { return r.spec.Scenario == load.Idle }

// met reports whether a value of the table is good enough.
func (r *row) met(value float64) bool {
	if r.inBytes() {
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
	return []row{
		{"q0-1x1", "QoS 0, 1 to 1, window 500", pairs(0, 1, 500), 8, 20},
		{"q0-50x50", "QoS 0, 50 to 50", pairs(0, 50, 20), 9.6, 13},
		{"q1-1x1", "QoS 1, 1 to 1, window 20", pairs(1, 1, 20), 5, 8},
		{"q1-50x50", "QoS 1, 50 to 50", pairs(1, 50, 20), 9, 13},
		{"q2-50x50", "QoS 2, 50 to 50", pairs(2, 50, 20), 11, 16},
		{"fan-out", "fan-out 1 to 500, QoS 0", load.Spec{Scenario: load.FanOut, Subscribers: 500, Window: 20}, 8, 14},
		{"fan-in", "fan-in 500 to 1, wildcard", load.Spec{Scenario: load.FanIn, Publishers: 500, Window: 1}, 1.5, 2.3},
		{"connect", "connect and disconnect", load.Spec{Scenario: load.Connect, Count: 10_000, Window: 50}, 0.7, 1.3},
		{"retained", "100,000 retained to `#`", load.Spec{Scenario: load.Retained, Count: 100_000, Window: 50}, 5, 8},
		{"match", "match against 100,000 wildcard filters", load.Spec{Scenario: load.Match, Count: 100_000, Window: 50}, 2.5, 3.5},
		{"idle", "bytes per idle connection with one subscription", load.Spec{Scenario: load.Idle, Count: 10_000}, 8192, 1500},
	}
}

// shorten makes a glance of a measurement. The counts are as small as ticks of 10 ms of processor time allow.
func shorten(s load.Spec) load.Spec {
	s.Warm, s.Measure = 300*time.Millisecond, 700*time.Millisecond
	limit := map[load.Scenario]int{load.Connect: 4000, load.Retained: 50_000, load.Match: 20_000, load.Idle: 3000}
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
