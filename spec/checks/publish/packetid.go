package publish

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "PacketIdentifierZero",
	Title:  "does not accept Packet Identifier 0 in a PUBLISH with QoS 1 or 2",
	Covers: statement.IDs(statement.V311("2.3.1-1"), statement.X5("2.2.1-1")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		for qos := byte(1); qos <= t.Limits().MaximumQoS; qos++ {
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic("a"), Payload: "x", QoS: qos})
			t.WantClosed(p, "a Packet Identifier is not 0", 0x81, 0x82)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:  "PacketIdentifiersInUse",
	Title: "gives each message it sends an unused Packet Identifier and DUP 0",
	Covers: statement.IDs(
		statement.V311("2.3.1-1", "2.3.1-4", "4.3.2-1", "4.3.3-1"),
		statement.V5("2.2.1-4", "4.3.2-1", "4.3.2-2", "4.3.3-1", "4.3.3-2"),
	),
	Needs: []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		subscriber, publisher := t.Connect(), t.Connect()
		topic := t.Topic("a")
		subscriber.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
		const count = 12
		for i := range count {
			publisher.Publish(octets.Publish{Topic: topic, Payload: string(rune('a' + i)), QoS: 1 + byte(i%2)})
		}
		open := map[uint16]bool{}
		for got := 0; got < count; {
			messages := subscriber.Messages(count-got, "messages are delivered")
			if len(messages) == 0 {
				t.Fail(probe.Failure{Why: "all messages are delivered in the end", Got: "nothing more after acknowledging what came"})
			}
			got += len(messages)
			for _, m := range messages {
				t.Expect(open[m.ID]).To(gomega.BeFalse(), "Packet Identifier %d is in use for another message", m.ID)
				t.Expect(m.Dup).To(gomega.BeFalse(), "DUP of a first delivery")
				t.Expect(m.QoS).To(gomega.BeElementOf(byte(1), byte(2)), "QoS of the delivered message")
				open[m.ID] = true
			}
			// Some stay open, so that identifiers of messages to come meet them.
			for _, m := range messages[:(len(messages)+1)/2] {
				subscriber.Ack(m)
				delete(open, m.ID)
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PacketIdentifiersIndependent",
	Title:  "keeps the Packet Identifiers of the two directions apart",
	Covers: statement.IDs(statement.X5("2.2.1-3"), statement.V311("4.3.2-2", "4.3.3-2")),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		p, other := t.Connect(), t.Connect()
		in, out := t.Topic("in"), t.Topic("out")
		p.Subscribe(octets.Subscription{Filter: in, QoS: 2})
		other.Subscribe(octets.Subscription{Filter: out, QoS: 2})

		other.Publish(octets.Publish{Topic: in, Payload: "to you", QoS: 2})
		m := p.WantMessage(in, "to you", "the message is delivered")
		p.Send(octets.Publish{Topic: out, Payload: "from you", QoS: 2, ID: m.ID})
		p.WantID(octets.PUBREC, m.ID, "an identifier that the server uses is free for the client")
		p.Ack(m)
		p.Send(octets.Pubrel(m.ID))
		p.WantID(octets.PUBCOMP, m.ID, "the client's exchange goes on by itself")
		other.Ack(other.WantMessage(out, "from you", "both messages arrive"))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PacketIdentifierFree",
	Title:  "accepts a Packet Identifier again when its exchange is over, in any kind of packet",
	Covers: statement.IDs(statement.X5("2.2.1-4"), statement.V311("4.3.2-2", "4.3.3-2")),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		p, topic := t.Connect(), t.Topic("a")
		const id = 7
		for range 2 {
			p.SubscribeWith(octets.Subscribe{ID: id, Filters: []octets.Subscription{{Filter: topic}}})
			for qos := byte(1); qos <= 2; qos++ {
				p.Publish(octets.Publish{Topic: topic, Payload: "x", QoS: qos, ID: id})
				p.WantMessage(topic, "x", "the message is a new one")
			}
			p.Send(octets.Unsubscribe{ID: id, Filters: []string{topic}})
			p.WantID(octets.UNSUBACK, id, "the identifier is free again")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PacketIdentifierInUse",
	Title:  "answers a QoS 1 PUBLISH whose Packet Identifier belongs to an open QoS 2 exchange",
	Covers: statement.X5("2.2.1-2"),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		p, topic := t.Connect(), t.Topic("a")
		p.Send(octets.Publish{Topic: topic, Payload: "two", QoS: 2, ID: 8})
		p.WantID(octets.PUBREC, 8, "PUBLISH is answered with PUBREC")
		p.Send(octets.Publish{Topic: topic, Payload: "one", QoS: 1, ID: 8})
		t.OneOf(p, "all packets of a client share one set of Packet Identifiers",
			conformance.Answered(octets.PUBACK, 0x91),
			conformance.Answered(octets.PUBACK, 0x00, 0x10).Info("accepts a Packet Identifier that is in use"),
			conformance.Closed().Info("closes on a Packet Identifier that is in use"),
		)
	},
})
