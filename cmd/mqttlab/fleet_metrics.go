package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mqttlab/reports/model"
	"mqttlab/simulator/fleet"
	"mqttlab/simulator/ledger"
	"mqttlab/simulator/scenario"
)

// fleetMetrics serves the progress of a fleet to Prometheus. Nil serves nobody.
type fleetMetrics struct {
	server  *http.Server
	address string // that it serves at
	served  chan struct{}

	mu   sync.Mutex
	last fleet.Progress
}

// The metrics. All counters are of this run.
var (
	fleetSent    = fleetDesc("messages_sent_total", "Messages that were due and taken on.", "group")
	fleetReached = fleetDesc("messages_delivered_total", "Messages that reached the sink at least once.", "group")
	fleetAcked   = fleetDesc("messages_acknowledged_total", "Messages whose flow completed at the sender.", "group")
	fleetGaveUp  = fleetDesc("messages_given_up_total", "Messages that devices gave up.", "group")
	fleetOpen    = fleetDesc("messages_open", "Messages that have neither arrived nor been given up.", "group")
	fleetDevices = fleetDesc("devices", "Devices by state.", "group", "state")
	fleetElapsed = fleetDesc("elapsed_seconds", "Time on the devices' clock since the timetable began.")
	fleetInvalid = fleetDesc("invalid", "1 if the machine could not keep the schedule: the figures must not be believed.")
)

func fleetDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("mqttlab_fleet_"+name, help, labels, nil)
}

// serveFleetMetrics listens at an address; empty: nobody asks. The scenario and mode are labels of mqttlab_fleet_info.
func serveFleetMetrics(address string, sc *scenario.Scenario, mode model.Mode) (*fleetMetrics, error) {
	if address == "" {
		return nil, nil
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	m := &fleetMetrics{address: ln.Addr().String(), served: make(chan struct{})}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "mqttlab_fleet_info", Help: "What runs.", ConstLabels: prometheus.Labels{"scenario": sc.Name, "mode": string(mode)},
	})
	info.Set(1)
	registry := prometheus.NewRegistry()
	registry.MustRegister(m, info)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	m.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(m.served)
		_ = m.server.Serve(ln) // ends with close
	}()
	return m, nil
}

// set takes how the run stands.
func (m *fleetMetrics) set(p fleet.Progress) {
	if m == nil {
		return
	}
	m.mu.Lock()
	m.last = p
	m.mu.Unlock()
}

func (m *fleetMetrics) close() {
	if m == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := m.server.Shutdown(ctx); err != nil {
		_ = m.server.Close() // who still asks is cut off
	}
	<-m.served
}

// Describe implements prometheus.Collector.
func (m *fleetMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{fleetSent, fleetReached, fleetAcked, fleetGaveUp, fleetOpen, fleetDevices, fleetElapsed, fleetInvalid} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *fleetMetrics) Collect(out chan<- prometheus.Metric) {
	m.mu.Lock()
	p := m.last
	m.mu.Unlock()
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	send(fleetElapsed, prometheus.GaugeValue, p.Elapsed.Seconds())
	invalid := 0.0
	if p.Invalid != "" {
		invalid = 1
	}
	send(fleetInvalid, prometheus.GaugeValue, invalid)
	for _, g := range p.Groups {
		for d, v := range map[*prometheus.Desc]int64{fleetSent: g.Sent, fleetReached: g.Reached, fleetAcked: g.Acknowledged, fleetGaveUp: g.GaveUp} {
			send(d, prometheus.CounterValue, float64(v), g.Name)
		}
		send(fleetOpen, prometheus.GaugeValue, float64(g.Open), g.Name)
		for i, name := range ledger.StateNames() {
			send(fleetDevices, prometheus.GaugeValue, float64(g.States[i]), g.Name, name)
		}
	}
}
