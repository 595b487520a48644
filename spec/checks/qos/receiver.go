package qos

import (
	"context"
	"fmt"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "QoS1IdentifierReused",
	Title:  "takes a QoS 1 PUBLISH for a new message if its Packet Identifier has been acknowledged, even with DUP",
	Covers: statement.IDs(statement.V311("4.3.2-2"), statement.V5("4.3.2-5"), statement.X5("2.2.1-4")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s, p := subscriber(t, topic), t.Connect()
		for i, dup := range []bool{false, false, true} {
			p.Publish(octets.Publish{Topic: topic, Payload: fmt.Sprint(i), QoS: 1, ID: 5, Dup: dup})
		}
		receives(t, s, topic, 1, "three acknowledged PUBLISH packets are three messages", "0", "1", "2")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "QoS2Handshake",
	Title:  "answers PUBLISH with PUBREC and PUBREL with PUBCOMP, and delivers the message once",
	Covers: statement.IDs(statement.V311("2.3.1-6", "4.3.3-2"), statement.V5("2.2.1-5", "4.3.3-8", "4.3.3-11")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s, p := subscriber(t, topic), t.Connect()
		for _, id := range []uint16{1, 256, 65535} {
			payload := fmt.Sprint(id)
			p.Send(octets.Publish{Topic: topic, Payload: payload, QoS: 2, ID: id})
			p.WantID(octets.PUBREC, id, "PUBREC repeats the Packet Identifier of PUBLISH")
			p.Send(octets.Pubrel(id))
			p.WantID(octets.PUBCOMP, id, "PUBCOMP repeats the Packet Identifier of PUBREL")
			s.Ack(s.WantMessage(topic, payload, "the message is delivered"))
		}
		p.WantSilence("nothing is answered twice")
		receives(t, s, topic, 2, "each message is delivered once")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "QoS2Repeated",
	Title:  "answers each repeat of a QoS 2 PUBLISH with PUBREC and delivers one message",
	Covers: statement.IDs(statement.V311("4.3.3-2"), statement.V5("4.3.3-10")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s, p := subscriber(t, topic), t.Connect()
		m := octets.Publish{Topic: topic, Payload: "once", QoS: 2, ID: 3}
		for range 5 {
			p.Send(m)
			p.WantID(octets.PUBREC, m.ID, "every PUBLISH before PUBREL is answered with PUBREC")
			m.Dup = true
		}
		p.Send(octets.Pubrel(m.ID))
		p.WantID(octets.PUBCOMP, m.ID, "PUBREL is answered with PUBCOMP")
		receives(t, s, topic, 2, "five copies of one PUBLISH are one message", "once")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "QoS2IdentifierReused",
	Title:  "takes a QoS 2 PUBLISH for a new message if its Packet Identifier has been completed, even with DUP",
	Covers: statement.IDs(statement.V311("4.3.3-2"), statement.V5("4.3.3-12"), statement.X5("2.2.1-4")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s, p := subscriber(t, topic), t.Connect()
		for i, dup := range []bool{false, false, true} {
			p.Publish(octets.Publish{Topic: topic, Payload: fmt.Sprint(i), QoS: 2, ID: 5, Dup: dup})
		}
		receives(t, s, topic, 2, "three completed exchanges are three messages", "0", "1", "2")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "QoS2FirstCopyLost",
	Title:  "delivers a QoS 2 message of which it gets the repeat only",
	Covers: statement.IDs(statement.V311("4.3.3-2", "4.5.0-1"), statement.V5("4.3.3-8", "4.5.0-1")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s, p := subscriber(t, topic), t.Connect()
		p.Publish(octets.Publish{Topic: topic, Payload: "lost and found", QoS: 2, Dup: true})
		receives(t, s, topic, 2, "a PUBLISH with DUP may be the first that arrives", "lost and found")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PubrelRepeated",
	Title:  "answers PUBREL with PUBCOMP however often it comes",
	Covers: statement.IDs(statement.V311("4.3.3-2"), statement.V5("4.3.3-11")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s, p := subscriber(t, topic), t.Connect()
		p.Publish(octets.Publish{Topic: topic, Payload: "once", QoS: 2, ID: 9})
		for range 2 {
			p.Send(octets.Pubrel(9))
			p.WantID(octets.PUBCOMP, 9, "a sender that did not get PUBCOMP repeats PUBREL, and has to get one")
		}
		receives(t, s, topic, 2, "the message is delivered once", "once")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PubrelUnknown",
	Title:  "answers a PUBREL for an unknown Packet Identifier with PUBCOMP that says so, and stays connected",
	Covers: statement.X5("3.7.2.1-1"),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(octets.Pubrel(77))
		if ack := p.WantID(octets.PUBCOMP, 77, "PUBREL is answered with PUBCOMP"); ack.Code != 0x92 {
			t.Nonstrict("PUBCOMP says 0x00 where 0x92 (Packet Identifier not found) is meant for this")
		}
		p.WantSilence("the connection stays open")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "QoS2Expired",
	Takes:  2 * time.Second,
	Title:  "completes a QoS 2 exchange although the message has expired meanwhile",
	Covers: statement.V5("4.3.3-13"),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		p := t.Connect()
		p.Send(octets.Publish{Topic: topic, Payload: "short", QoS: 2, ID: 4, Properties: octets.Properties{octets.MessageExpiryInterval.Prop(1)}})
		p.WantID(octets.PUBREC, 4, "PUBLISH is answered with PUBREC")
		p.Elapse(time.Now(), twice(1), "the exchange stays open")
		p.WantSilence("expiry of the message is not told to its sender")
		p.Send(octets.Pubrel(4))
		ack := p.WantID(octets.PUBCOMP, 4, "the exchange is completed")
		t.Expect(ack.Code).To(gomega.Equal(byte(0)), "Reason Code of PUBCOMP for an exchange that is open")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "QoS2RefusedIdentifierReused",
	Title:  "takes a QoS 2 PUBLISH for a new message if it has refused the one before with that Packet Identifier",
	Covers: statement.V5("4.3.3-9"),
	Needs:  []target.Feature{target.QoS2, target.ACL},
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s, p := subscriber(t, topic), t.Connect()
		p.Send(octets.Publish{Topic: t.Settings().ForbiddenTopic, Payload: "forbidden", QoS: 2, ID: 6})
		r := t.OneOf(p, "a PUBLISH that is not authorised is refused or ends the connection",
			conformance.Answered(octets.PUBREC), conformance.Closed())
		if r.Closed() || r.Packets[0].Code < 0x80 {
			t.Unsupported("needs a PUBLISH that the target refuses with PUBREC, and this one does " + r.String())
		}
		p.Publish(octets.Publish{Topic: topic, Payload: "allowed", QoS: 2, ID: 6})
		receives(t, s, topic, 2, "the identifier of a refused PUBLISH is free", "allowed")
	},
})
