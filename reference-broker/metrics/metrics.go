package metrics

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
)

// Handler serves /metrics and /healthz. health returns why the broker takes no clients, nil if it does: /healthz answers 503 with the error, or 200.
// Both functions are called from any goroutine. more are served as well.
func Handler(stats func() broker.Stats, health func() error, more ...prometheus.Collector) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(more...)
	registry.MustRegister(newCollector(stats), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if err := health(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n")) // who asked may be gone
	})
	return mux
}

// figure is one value or, by QoS or reason, several.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*broker.Stats) []sample
}

type sample struct {
	value  float64
	labels []string
}

// collector is a prometheus.Collector of a broker's Stats.
type collector struct {
	stats   func() broker.Stats
	figures []figure
}

func newCollector(stats func() broker.Stats) *collector {
	c := &collector{stats: stats}
	c.gauges()
	c.counters()
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, f := range c.figures {
		out <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	s := c.stats()
	for _, f := range c.figures {
		for _, x := range f.read(&s) {
			out <- prometheus.MustNewConstMetric(f.desc, f.kind, x.value, x.labels...)
		}
	}
}

func (c *collector) add(kind prometheus.ValueType, name, help string, read func(*broker.Stats) []sample, labels ...string) {
	c.figures = append(c.figures, figure{prometheus.NewDesc("mqttlab_"+name, help, labels, nil), kind, read})
}

func (c *collector) gauges() {
	one := func(name, help string, read func(*broker.Stats) int) {
		c.add(prometheus.GaugeValue, name, help, func(s *broker.Stats) []sample { return []sample{{value: float64(read(s))}} })
	}
	one("connections", "Network Connections that are open.", func(s *broker.Stats) int { return s.Connections })
	one("sessions", "Sessions, connected or not.", func(s *broker.Stats) int { return s.Sessions })
	one("subscriptions", "Subscriptions of all Sessions.", func(s *broker.Stats) int { return s.Subscriptions })
	one("queued_messages", "Messages that wait for a Session.", func(s *broker.Stats) int { return s.Queued })
	one("retained_messages", "Retained messages.", func(s *broker.Stats) int { return s.RetainedMessages })
	one("retained_bytes", "Topics and payloads of retained messages.", func(s *broker.Stats) int { return s.RetainedBytes })
}

func (c *collector) counters() {
	one := func(name, help string, read func(*broker.Stats) uint64) {
		c.add(prometheus.CounterValue, name, help, func(s *broker.Stats) []sample { return []sample{{value: float64(read(s))}} })
	}
	byQoS := func(name, help string, read func(*broker.Stats) *[3]server.Traffic, value func(server.Traffic) uint64) {
		c.add(prometheus.CounterValue, name, help, func(s *broker.Stats) []sample {
			var all []sample
			for qos, t := range read(s) {
				all = append(all, sample{float64(value(t)), []string{strconv.Itoa(qos)}})
			}
			return all
		}, "qos")
	}
	received := func(s *broker.Stats) *[3]server.Traffic { return &s.Received }
	sent := func(s *broker.Stats) *[3]server.Traffic { return &s.Delivered }
	messages := func(t server.Traffic) uint64 { return t.Messages }
	bytes := func(t server.Traffic) uint64 { return t.Bytes }
	byQoS("messages_received_total", "PUBLISH packets accepted from clients.", received, messages)
	byQoS("messages_received_payload_bytes_total", "Payloads of PUBLISH packets accepted from clients.", received, bytes)
	byQoS("messages_sent_total", "PUBLISH packets to clients, without repetitions.", sent, messages)
	byQoS("messages_sent_payload_bytes_total", "Payloads of PUBLISH packets to clients, without repetitions.", sent, bytes)
	one("messages_resent_total", "PUBLISH packets sent to clients again.", func(s *broker.Stats) uint64 { return s.Resent })
	c.add(prometheus.CounterValue, "messages_dropped_total", "Messages dropped for a receiver, because of a limit or expiry, or as the client reads too slowly.",
		func(s *broker.Stats) []sample {
			return []sample{{float64(s.Dropped), []string{"limit_or_expiry"}}, {float64(s.SlowDropped), []string{"slow"}}}
		}, "reason")
	one("slow_connections_closed_total", "Connections closed because the client reads too slowly.", func(s *broker.Stats) uint64 { return s.SlowClosed })
	one("network_received_bytes_total", "Bytes of MQTT read from Network Connections.", func(s *broker.Stats) uint64 { return s.BytesReceived })
	one("network_sent_bytes_total", "Bytes of MQTT written to Network Connections.", func(s *broker.Stats) uint64 { return s.BytesSent })
}
