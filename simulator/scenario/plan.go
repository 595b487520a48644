package scenario

import (
	"math/rand/v2"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/ledger"
	"mqttlab/simulator/payload"
)

// Plan is what a group is expected to do to its target while messages are due.
type Plan struct {
	// MessagesPerSecond in the mean over the run, stages included. With arrival on-change it is the most there can be.
	MessagesPerSecond float64
	// PayloadBytes of a message, and WireBytes that it takes: IP packets of both directions on a clean link, TCP's acknowledgements included, TLS and Keep Alive not.
	PayloadBytes, WireBytes int
}

// Sizes of what carries a message: IPv4 and TCP headers with timestamps; a two-byte acknowledgement of MQTT with its Packet Identifier.
const (
	headerBytes = 20 + 20 + 12
	ackBytes    = headerBytes + 4
)

// Plan returns what a group is expected to do.
func (s *Scenario) Plan(g *Group) Plan {
	p := Plan{
		MessagesPerSecond: float64(g.Count) * g.Pace.PerInterval() / g.Pace.Interval.Seconds() * s.Stages.Mean(s.Duration),
		PayloadBytes:      sampleBytes(g),
	}
	publish := headerBytes + 2 + 2 + len(g.Expand(g.Topic, g.Count-1, s.Devices()-1)) + p.PayloadBytes
	// Each packet of MQTT is acknowledged by TCP before the other side has its answer ready.
	exchanges := map[mqtt.QoS]int{mqtt.AtMostOnce: 0, mqtt.AtLeastOnce: 1, mqtt.ExactlyOnce: 3}[g.QoS]
	if exchanges > 0 {
		publish += 2 // Packet Identifier
	}
	p.WireBytes = publish + headerBytes + exchanges*(ackBytes+headerBytes)
	return p
}

// sampleBytes is the size of a first payload.
func sampleBytes(g *Group) int {
	source, err := payload.New(g.Payload)
	if err != nil {
		return 0 // Parse has told so
	}
	var st payload.State
	source.Step(&st, 0, rand.New(rand.NewPCG(0, 0)))
	return len(source.Append(nil, &st, payload.Names{Group: g.Name, Index: g.Count - 1}, 0, ledger.Header{}))
}
