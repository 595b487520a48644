package restart

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// body makes the function of a check for an outage.
func body(run func(*conformance.T, outage), o outage) func(context.Context, *conformance.T) {
	return func(_ context.Context, t *conformance.T) { run(t, o) }
}

var _ = each("Received", "delivers a QoS 2 message once whose PUBREL it was waiting for, also",
	statement.IDs(statement.V311("4.3.3-2", "4.1.0-1"), statement.V5("4.3.3-10", "4.3.3-11"), statement.X5("4.1-2")),
	[]target.Feature{target.QoS2},
	func(t *conformance.T, o outage) {
		away, c, topic := lasting(t), lasting(t), t.Topic("a")
		s := t.ConnectWith(away)
		s.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
		s.Disconnect()
		p, m := t.ConnectWith(c), octets.Publish{Topic: topic, Payload: "once", QoS: 2, ID: 7}
		p.Send(m)
		p.WantID(octets.PUBREC, m.ID, "a QoS 2 PUBLISH is received")
		o.happens(t)
		p, found := resume(t, c)
		if !found {
			return
		}
		m.Dup = true
		p.Send(m)
		p.WantID(octets.PUBREC, m.ID, "a QoS 2 PUBLISH that comes again is received")
		p.Send(octets.Pubrel(m.ID))
		p.WantID(octets.PUBCOMP, m.ID, "PUBREL is answered")
		s, found = resume(t, away)
		if !found {
			return
		}
		s.Ack(s.WantMessage(topic, "once", "the message that was received is in the Session of its subscriber"))
		s.WantSilence("the message is delivered once")
	})

var _ = each("Sent", "sends PUBREL and PUBLISH again that were not acknowledged, with their Packet Identifiers,",
	statement.IDs(statement.V311("4.4.0-1"), statement.V5("4.4.0-1"), statement.X5("4.1-2")),
	[]target.Feature{target.QoS2},
	func(t *conformance.T, o outage) {
		c, topic := lasting(t), t.Topic("a")
		s := t.ConnectWith(c)
		s.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
		publisher := t.Connect()
		publisher.Publish(octets.Publish{Topic: topic, Payload: "released", QoS: 2})
		released := s.WantMessage(topic, "released", "a message is delivered")
		s.Send(octets.Pubrec(released.ID))
		s.WantID(octets.PUBREL, released.ID, "PUBREC is answered by PUBREL")
		publisher.Publish(octets.Publish{Topic: topic, Payload: "sent", QoS: 1})
		sent := s.WantMessage(topic, "sent", "a message is delivered")
		o.happens(t)
		s, found := resume(t, c)
		if !found {
			return
		}
		s.WantID(octets.PUBREL, released.ID, "PUBREL is sent again when the Session is resumed")
		again := s.WantMessage(topic, "sent", "PUBLISH is sent again when the Session is resumed")
		t.Expect(again.ID).To(gomega.Equal(sent.ID), "the Packet Identifier of what is sent again")
		t.Expect(again.Dup).To(gomega.BeTrue(), "DUP of what is sent again")
		s.Send(octets.Pubcomp(released.ID), octets.Puback(again.ID))
		s.WantSilence("what is acknowledged is not sent again")
	})

var _ = each("Will", "does not publish a delayed will when the client is back in time,",
	statement.V5("3.1.3-9"), []target.Feature{target.QoS1},
	func(t *conformance.T, o outage) {
		away, c, topic := lasting(t), lasting(t), t.Topic("will")
		s := t.ConnectWith(away)
		s.Subscribe(octets.Subscription{Filter: topic, QoS: 1})
		s.Disconnect()
		c.Will = &octets.Will{Topic: topic, Payload: "delayed", QoS: 1, Properties: octets.Properties{octets.WillDelayInterval.Prop(3600)}}
		t.ConnectWith(c)
		o.happens(t)
		s, found := resume(t, away)
		if !found {
			return
		}
		// A server that goes down may defer wills until it is back (3.1.2.5), which can be read
		// as leave to send all of them at once otherwise.
		t.Lenient()
		c.Will = nil
		if _, found := resume(t, c); !found {
			return
		}
		s.WantOnly(t.Connect(), octets.Publish{Topic: topic, Payload: "sentinel", QoS: 1}, "a client that comes back in time cancels its will")
	})
