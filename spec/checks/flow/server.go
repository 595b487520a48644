package flow

import (
	"context"
	"fmt"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// mostFilled is the largest Receive Maximum that a check fills.
const mostFilled = 20000

// fill opens as many QoS 2 exchanges as the target admits, and returns how many those are.
func fill(t *conformance.T, send func(...octets.Packet), topic string) int {
	limit := int(t.Limits().ReceiveMaximum)
	if limit > mostFilled {
		t.Unsupported(fmt.Sprintf("needs a Receive Maximum of at most %d, and the target's is %d", mostFilled, limit))
	}
	for id := 1; id <= limit; id++ {
		send(octets.Publish{Topic: topic, QoS: 2, ID: uint16(id)})
	}
	return limit
}

var _ = conformance.Register(conformance.Check{
	Name:   "ReceiveMaximumUsable",
	Title:  "admits as many open exchanges as its Receive Maximum says",
	Covers: statement.V5("3.3.4-7"),
	Needs:  []target.Feature{target.ReceiveMaximum, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		limit := fill(t, p.Send, t.Topic("a"))
		for id := range limit {
			p.WantID(octets.PUBREC, uint16(id+1), "each PUBLISH within the Receive Maximum is answered")
		}
		for id := range limit {
			p.Send(octets.Pubrel(uint16(id + 1)))
			p.WantID(octets.PUBCOMP, uint16(id+1), "each PUBREL is answered")
		}
		p.Publish(octets.Publish{Topic: t.Topic("a"), QoS: 2, Payload: "x"})
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReceiveMaximumExceeded",
	Title:  "closes the Network Connection if more exchanges are open than its Receive Maximum",
	Covers: statement.IDs(statement.V5("3.3.4-7"), statement.X5("3.3.4-6")),
	Needs:  []target.Feature{target.ReceiveMaximum, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		limit := fill(t, p.Send, t.Topic("a"))
		p.Send(octets.Publish{Topic: t.Topic("a"), QoS: 2, ID: uint16(limit + 1)})
		t.WantClosed(p, "one exchange more is open than the Receive Maximum allows", 0x93)
	},
})
