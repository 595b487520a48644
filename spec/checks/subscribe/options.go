package subscribe

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "NoLocal",
	Title:  "does not send a client's own messages back over a subscription with No Local",
	Covers: statement.V5("3.8.3-3"),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		p, other := t.Connect(), t.Connect()
		topic := t.Topic("a")
		p.Subscribe(octets.Subscription{Filter: topic, QoS: 1, NoLocal: true})
		for qos := range byte(2) {
			p.Publish(octets.Publish{Topic: topic, Payload: "own", QoS: qos})
			m := p.WantOnly(other, octets.Publish{Topic: topic, QoS: qos, Payload: "of another"}, "only messages of others come over a subscription with No Local")
			p.Ack(m)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NoLocalAfterReconnect",
	Title:  "does not send a client the messages that it published on an earlier connection to a subscription with No Local",
	Covers: statement.V5("3.8.3-3"),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		p := t.ConnectWith(c)
		p.Subscribe(octets.Subscription{Filter: topic, QoS: 1, NoLocal: true})
		p.Disconnect()
		p = t.ConnectWith(c)
		p.Publish(octets.Publish{Topic: topic, Payload: "own", QoS: 1})
		p.Ack(p.WantOnly(t.Connect(), octets.Publish{Topic: topic, QoS: 1}, "No Local is kept with the Session"))
	},
})

// spoiledOptions wants each of these options bytes to end the connection.
func spoiledOptions(t *conformance.T, why string, codes []byte, options ...byte) {
	for _, o := range options {
		p := t.Connect()
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a"), Reserved: o}}})
		t.WantClosed(p, why, codes...)
	}
}

var _ = conformance.Register(conformance.Check{
	Name:   "ReservedOptions",
	Title:  "closes the Network Connection on reserved bits in the requested QoS or the Subscription Options",
	Covers: statement.IDs(statement.V311("3.8.3-4"), statement.V5("3.8.3-5")),
	Run: func(_ context.Context, t *conformance.T) {
		reserved := []byte{0x40, 0x80, 0xC0, 0x41}
		if !t.V5() {
			reserved = append(reserved, 0x04, 0x08, 0x10, 0x20, 0xFC, 0x05)
		}
		spoiledOptions(t, "the bits are reserved", []byte{0x81}, reserved...)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "MaximumQoS3",
	Title:  "closes the Network Connection on a SUBSCRIBE that asks for QoS 3",
	Covers: statement.IDs(statement.V311("3.8.3-4"), statement.X5("3.8.3.1-1")),
	Run: func(_ context.Context, t *conformance.T) {
		spoiledOptions(t, "there is no QoS 3", []byte{0x82, 0x81}, 0x03)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "RetainHandling3",
	Title:  "closes the Network Connection on a SUBSCRIBE with Retain Handling 3",
	Covers: statement.X5("3.8.3.1-2"),
	Run: func(_ context.Context, t *conformance.T) {
		spoiledOptions(t, "there is no Retain Handling 3", []byte{0x82, 0x81}, 0x30, 0x31)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReasonFits",
	Title:  "leaves Reason String and User Properties out of a SUBACK that they would make larger than Maximum Packet Size",
	Covers: statement.V5("3.9.2-1", "3.9.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		subscribe := func(limit uint32) *octets.Received {
			c := t.NewConnect()
			if limit > 0 {
				c.Properties = octets.Properties{octets.MaximumPacketSize.Prop(limit)}
			}
			p := t.ConnectWith(c)
			s := octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a"), QoS: 2}}}
			if f := t.Settings().ForbiddenTopic; f != "" { // a failure is where there is something to say
				s.Filters = append(s.Filters, octets.Subscription{Filter: f})
			}
			p.Send(s)
			return p.WantID(octets.SUBACK, 1, "SUBSCRIBE is answered")
		}
		free := subscribe(0)
		said := len(free.Props(octets.ReasonString)) + len(free.Props(octets.UserProperty))
		if said == 0 {
			t.Info("sends neither Reason String nor User Property in SUBACK, even if there is room")
			return
		}
		// Large enough for CONNACK; one byte less than the SUBACK was.
		limit := uint32(len(free.Raw) - 1)
		t.Expect(len(subscribe(limit).Raw)).To(gomega.BeNumerically("<=", limit), "bytes of the SUBACK")
	},
})
