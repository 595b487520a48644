package relay

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mqttlab/netem/link"
)

// metrics serves the figures of a relay to Prometheus.
func metrics(stats func() Stats) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(stats))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// collector is a prometheus.Collector of a relay's Stats.
type collector struct {
	stats                                     func() Stats
	open, accepted, failed                    *prometheus.Desc
	packets, bytes, dropped, resent, timeouts *prometheus.Desc
	lateness, valid                           *prometheus.Desc
}

func newCollector(stats func() Stats) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("mqttlab_link_"+name, help, labels, nil)
	}
	return &collector{
		stats:    stats,
		open:     desc("connections_open", "Connections relayed now."),
		accepted: desc("connections_accepted_total", "Connections of clients."),
		failed:   desc("connections_failed_total", "Connections whose target could not be reached."),
		packets:  desc("packets_total", "IP packets sent over the link, lost ones included.", "direction"),
		bytes:    desc("bytes_total", "Bytes of IP packets sent over the link, lost ones included.", "direction"),
		dropped:  desc("dropped_packets_total", "IP packets that never arrived.", "direction", "reason"),
		resent:   desc("retransmissions_total", "TCP segments sent again.", "direction"),
		timeouts: desc("retransmission_timeouts_total", "Expiries of TCP's retransmission timer.", "direction"),
		lateness: desc("lateness_seconds", "99th percentile of how late events were in the worst ten seconds."),
		valid:    desc("valid", "1 while the figures may be believed, 0 once this machine was too slow."),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.open, c.accepted, c.failed, c.packets, c.bytes, c.dropped, c.resent, c.timeouts, c.lateness, c.valid,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	s := c.stats()
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	gauge(c.open, float64(s.Open))
	count(c.accepted, s.Accepted)
	count(c.failed, s.Failed)
	n := s.Network
	for _, way := range []struct {
		name             string
		link             link.Counters
		resent, timeouts uint64
	}{
		{"up", n.Up, n.RetransmissionsUp, n.TimeoutsUp},
		{"down", n.Down, n.RetransmissionsDown, n.TimeoutsDown},
	} {
		count(c.packets, way.link.Admitted, way.name)
		count(c.bytes, way.link.AdmittedBytes, way.name)
		for reason := link.Delivered + 1; int(reason) < len(way.link.Dropped); reason++ {
			count(c.dropped, way.link.Dropped[reason], way.name, reason.String())
		}
		count(c.resent, way.resent, way.name)
		count(c.timeouts, way.timeouts, way.name)
	}
	gauge(c.lateness, n.Lateness.WorstP99.Seconds())
	valid := 1.0
	if n.Lateness.Invalid() != "" {
		valid = 0
	}
	gauge(c.valid, valid)
}
