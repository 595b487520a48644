// Package publish checks the PUBLISH packet: that messages arrive as they were sent, and
// that packets which cannot be are refused.
package publish

import (
	"context"
	"fmt"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "QoS1Acknowledged",
	Title:  "acknowledges a QoS 1 PUBLISH with its Packet Identifier, and delivers it",
	Covers: statement.IDs(statement.V311("2.3.1-6", "4.3.2-2"), statement.V5("2.2.1-5", "4.3.2-4")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		subscriber, publisher := t.Connect(), t.Connect()
		topic := t.Topic("a")
		subscriber.Subscribe(octets.Subscription{Filter: topic, QoS: 1})

		publisher.Send(octets.Publish{Topic: topic, Payload: "hello", QoS: 1, ID: 4711})
		publisher.WantID(octets.PUBACK, 4711, "PUBACK repeats the Packet Identifier")
		m := subscriber.WantMessage(topic, "hello", "the message reaches the subscriber")
		t.Expect(m.QoS).To(gomega.Equal(byte(1)), "QoS of the delivered message")
		subscriber.Ack(m)

		publisher.WantSilence("one PUBLISH gets one PUBACK")
		subscriber.WantSilence("an acknowledged message is not sent again")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "QoS0Delivered",
	Title:  "delivers a QoS 0 message without DUP and Packet Identifier",
	Covers: statement.IDs(statement.V311("2.3.1-5", "3.3.1-2", "4.3.1-1"), statement.V5("2.2.1-2", "3.3.1-2", "4.3.1-1")),
	Run: func(_ context.Context, t *conformance.T) {
		subscriber, publisher := t.Connect(), t.Connect()
		topic := t.Topic("a")
		subscriber.Subscribe(octets.Subscription{Filter: topic, QoS: t.Limits().MaximumQoS})

		publisher.Send(octets.Publish{Topic: topic, Payload: "hello"})
		m := subscriber.WantMessage(topic, "hello", "the payload follows directly, as there is no Packet Identifier")
		t.About(statement.V311("4.3.1-1"), statement.V5("4.3.1-1"))
		t.Expect(m.QoS).To(gomega.Equal(byte(0)), "QoS of a message published with QoS 0")
		t.Expect(m.Dup).To(gomega.BeFalse(), "DUP of a message with QoS 0")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:  "AnswerByQoS",
	Title: "answers PUBLISH as its QoS asks: not at all, with PUBACK, with PUBREC",
	Covers: statement.IDs(
		statement.V311("2.3.1-6", "3.3.4-1", "4.3.2-2", "4.3.3-2"),
		statement.V5("2.2.1-5", "3.3.4-1", "4.3.2-4", "4.3.3-8", "4.3.3-11"),
	),
	Run: func(_ context.Context, t *conformance.T) {
		most := byte(2)
		if t.V5() {
			most = t.Limits().MaximumQoS
		}
		p, topic := t.Connect(), t.Topic("a")
		p.Send(octets.Publish{Topic: topic, Payload: "zero"})
		p.WantSilence("a QoS 0 PUBLISH is not answered")
		// In 3.1.1 a server that offers less than QoS 2 has no way to say so but to close.
		for qos, answer := range []octets.Type{1: octets.PUBACK, 2: octets.PUBREC}[:most+1] {
			if qos == 0 {
				continue
			}
			id := uint16(513 * qos)
			p.Send(octets.Publish{Topic: topic, Payload: "x", QoS: byte(qos), ID: id})
			acceptable := []conformance.Outcome{repeats(answer, id)}
			if !t.V5() {
				acceptable = append(acceptable, conformance.Closed().Info(fmt.Sprintf("closes on a PUBLISH with QoS %d", qos)))
			}
			if t.OneOf(p, "PUBLISH is answered as its QoS asks", acceptable...).Closed() {
				return
			}
		}
		if most == 2 {
			p.Send(octets.Pubrel(1026))
			p.WantID(octets.PUBCOMP, 1026, "PUBREL is answered with PUBCOMP")
		}
		p.WantSilence("nothing is answered twice")
	},
})

// repeats is an answer with the Packet Identifier of what it answers.
func repeats(answer octets.Type, id uint16) conformance.Outcome {
	return conformance.Where(fmt.Sprintf("%s with packet identifier %d", answer, id), true, func(r conformance.Reaction) bool {
		return len(r.Packets) == 1 && r.Packets[0].Type == answer && r.Packets[0].ID == id
	})
}

var _ = conformance.Register(conformance.Check{
	Name:   "QoS3Refused",
	Title:  "closes the Network Connection on a PUBLISH with both QoS bits set",
	Covers: statement.IDs(statement.V311("3.3.1-4"), statement.V5("3.3.1-4")),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(octets.Publish{Topic: t.Topic("a"), QoS: 3, ID: 1, Payload: "x"})
		t.WantClosed(p, "QoS 3 is malformed", 0x81, 0x82)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "AboveMaximumQoS",
	Title:  "refuses a PUBLISH above the Maximum QoS that it announced",
	Covers: statement.X5("3.3.1.2-1"),
	Needs:  []target.Feature{target.MaximumQoSBelow2},
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(octets.Publish{Topic: t.Topic("a"), QoS: t.Limits().MaximumQoS + 1, ID: 1, Payload: "x"})
		t.WantClosed(p, "the QoS is above the announced maximum", 0x9B)
	},
})
