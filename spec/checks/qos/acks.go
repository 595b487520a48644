package qos

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
	Name:   "ReasonCodes",
	Title:  "acknowledges with Reason Codes that the packet may have",
	Covers: statement.V5("3.4.2-1", "3.5.2-1", "3.6.2-1", "3.7.2-1"),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		p := t.Connect()
		allowed := map[octets.Type][]byte{
			octets.PUBACK: {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
			octets.PUBREC: {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
			octets.PUBREL: {0x00, 0x92}, octets.PUBCOMP: {0x00, 0x92},
		}
		judge := func(r *octets.Received) {
			t.Expect(r.Code).To(gomega.BeElementOf(allowed[r.Type]), "Reason Code of %s", r.Type)
		}
		for range 2 { // without a subscriber and with one
			p.Send(octets.Publish{Topic: topic, QoS: 1, ID: 1, Payload: "x"})
			judge(p.Want(octets.PUBACK, "a QoS 1 PUBLISH is acknowledged"))
			p.Send(octets.Publish{Topic: topic, QoS: 2, ID: 2, Payload: "x"})
			judge(p.Want(octets.PUBREC, "a QoS 2 PUBLISH is received"))
			p.Send(octets.Pubrel(2))
			judge(p.Want(octets.PUBCOMP, "PUBREL is answered"))
			p.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
		}
		for _, qos := range []byte{1, 2} {
			m := p.Want(octets.PUBLISH, "the messages are delivered")
			t.Expect(m.QoS).To(gomega.Equal(qos), "QoS of the delivered message")
			if qos == 2 {
				p.Send(octets.Pubrec(m.ID))
				judge(p.Want(octets.PUBREL, "PUBREC is answered"))
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NoMatchingSubscribers",
	Title:  "says \"no matching subscribers\" only if there is none",
	Covers: statement.X5("3.4.2.1-2"),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		p := t.Connect()
		publish := func(qos byte) byte {
			p.Send(octets.Publish{Topic: topic, QoS: qos, ID: 1, Payload: "x"})
			if qos == 1 {
				return p.Want(octets.PUBACK, "a QoS 1 PUBLISH is acknowledged").Code
			}
			code := p.Want(octets.PUBREC, "a QoS 2 PUBLISH is received").Code
			p.Send(octets.Pubrel(1))
			p.Want(octets.PUBCOMP, "PUBREL is answered")
			return code
		}
		for qos := byte(1); qos <= 2; qos++ {
			if code := publish(qos); code != 0x10 {
				t.Info(fmt.Sprintf("acknowledges a message that nobody has subscribed to with 0x%02X", code))
			}
		}
		s := subscriber(t, topic)
		for qos := byte(1); qos <= 2; qos++ {
			t.Expect(publish(qos)).To(gomega.Equal(byte(0)), "Reason Code for a message that somebody has subscribed to")
			s.Ack(s.WantMessage(topic, "x", "the message is delivered"))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "AcknowledgementForms",
	Title:  "accepts acknowledgements with and without Reason Code, Property Length and properties",
	Covers: statement.X5("3.4.2.1-1"),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		// One message at a time, so that the next one comes only if the target took the
		// acknowledgement for what it is.
		c, topic := t.NewConnect(), t.Topic("a")
		c.Properties = octets.Properties{octets.ReceiveMaximum.Prop(1)}
		s, publisher := t.ConnectWith(c), t.Connect()
		s.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
		forms := []func(octets.Ack) octets.Packet{
			func(a octets.Ack) octets.Packet { return a },
			func(a octets.Ack) octets.Packet { return octets.Extended(a, 0) },
			func(a octets.Ack) octets.Packet { return octets.Extended(a, 0, 0) },
			func(a octets.Ack) octets.Packet {
				a.Properties = octets.Properties{octets.User("k", "v"), octets.ReasonString.Text("fine"), octets.User("k", "v")}
				return a
			},
		}
		for i, form := range forms {
			for _, qos := range []byte{1, 2} {
				payload := fmt.Sprintf("form %d, QoS %d", i, qos)
				publisher.Send(octets.Publish{Topic: topic, Payload: payload, QoS: qos, ID: 1})
				if qos == 2 {
					publisher.WantID(octets.PUBREC, 1, "PUBLISH is answered")
					publisher.Send(form(octets.Pubrel(1)))
					publisher.WantID(octets.PUBCOMP, 1, "this form of PUBREL is valid")
				} else {
					publisher.WantID(octets.PUBACK, 1, "PUBLISH is answered")
				}
				m := s.WantMessage(topic, payload, "the acknowledgement before was valid, so that the next message comes")
				if qos == 1 {
					s.Send(form(octets.Puback(m.ID)))
				} else {
					s.Send(form(octets.Pubrec(m.ID)))
					s.WantID(octets.PUBREL, m.ID, "this form of PUBREC is valid")
					s.Send(form(octets.Pubcomp(m.ID)))
				}
				s.WantSilence("this form of the acknowledgement is valid")
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PubrelFlags",
	Title:  "closes the Network Connection on a PUBREL whose flags are not 0010",
	Covers: statement.IDs(statement.V311("2.2.2-2", "3.6.1-1"), statement.V5("2.1.3-1", "3.6.1-1")),
	Needs:  []target.Feature{target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		for flags := range byte(16) {
			if flags == 2 {
				continue
			}
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic("a"), QoS: 2, ID: 1, Payload: "x"})
			p.WantID(octets.PUBREC, 1, "PUBLISH is answered")
			p.Send(octets.WithFlags(octets.Pubrel(1), flags))
			t.WantClosed(p, "the flags of PUBREL are reserved", 0x81)
		}
	},
})
