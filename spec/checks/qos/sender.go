package qos

import (
	"context"
	"fmt"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
)

// twice is time enough for an interval of seconds to be over for a target that counts in
// whole ones.
func twice(seconds int) time.Duration {
	return 2*time.Duration(seconds)*time.Second + 100*time.Millisecond
}

// deliveries connects a client whose Session lasts, publishes messages to it, and returns
// them unacknowledged.
func deliveries(t *conformance.T, c octets.Connect, topic string, messages ...octets.Publish) (*probe.Peer, []*octets.Received) {
	p := t.ConnectWith(c)
	p.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
	publisher := t.Connect()
	var got []*octets.Received
	for _, m := range messages {
		m.Topic = topic
		publisher.Publish(m)
		got = append(got, p.WantMessage(topic, m.Payload, "the message is delivered"))
	}
	return p, got
}

var _ = conformance.Register(conformance.Check{
	Name:  "PublishResent",
	Title: "sends an unacknowledged PUBLISH again on a resumed Session: same identifier, DUP 1",
	Covers: statement.IDs(
		statement.V311("2.3.1-4", "3.3.1-1", "4.3.2-1", "4.3.3-1", "4.4.0-1"),
		statement.V5("3.3.1-1", "4.3.2-3", "4.3.3-3", "4.4.0-1"),
	),
	Needs: both,
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		for qos := byte(1); qos <= 2; qos++ {
			payload := fmt.Sprint("at QoS ", qos)
			p, sent := deliveries(t, c, topic, octets.Publish{Payload: payload, QoS: qos})
			for range 2 { // also when it was sent again before
				p = drop(t, p, c)
				m := p.WantMessage(topic, payload, "what is unacknowledged is sent again when the Session is resumed")
				t.Expect(m.ID).To(gomega.Equal(sent[0].ID), "Packet Identifier of a PUBLISH that is sent again")
				t.Expect(m.QoS).To(gomega.Equal(qos), "QoS of a PUBLISH that is sent again")
				t.Expect(m.Dup).To(gomega.BeTrue(), "DUP of a PUBLISH that is sent again")
				sent[0] = m
			}
			p.Ack(sent[0])
			p = drop(t, settled(p), c)
			p.WantSilence("what is acknowledged is not sent again")
			p.Disconnect()
		}
	},
})

// settled makes sure that the target has handled what was sent before the connection ends.
func settled(p *probe.Peer) *probe.Peer {
	p.Barrier("the target has handled the acknowledgement")
	return p
}

var _ = conformance.Register(conformance.Check{
	Name:   "PubrecAnswered",
	Title:  "answers PUBREC with PUBREL with the Packet Identifier and a Reason Code that exists",
	Covers: statement.IDs(statement.V311("2.3.1-6", "4.3.3-1"), statement.V5("2.2.1-5", "4.3.3-4", "3.6.2-1")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		p, sent := deliveries(t, t.LastingConnect(), topic,
			octets.Publish{Payload: "first", QoS: 2}, octets.Publish{Payload: "second", QoS: 2})
		for _, m := range sent {
			p.Send(octets.Pubrec(m.ID))
			rel := p.WantID(octets.PUBREL, m.ID, "PUBREC is answered with PUBREL")
			t.Expect(rel.Code).To(gomega.Equal(byte(0)), "Reason Code of PUBREL for an open exchange")
			p.Send(octets.Pubcomp(m.ID))
		}
		p.WantSilence("a completed exchange is over")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:  "PubrelResent",
	Title: "sends an unacknowledged PUBREL again on a resumed Session, and not the PUBLISH",
	Covers: statement.IDs(
		statement.V311("2.3.1-4", "4.3.3-1", "4.4.0-1"), statement.V5("4.3.3-5", "4.3.3-6", "4.4.0-1"),
	),
	Needs: both,
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		p, sent := deliveries(t, c, topic, octets.Publish{Payload: "x", QoS: 2})
		id := sent[0].ID
		p.Send(octets.Pubrec(id))
		p.WantID(octets.PUBREL, id, "PUBREC is answered with PUBREL")
		for range 2 {
			p = drop(t, p, c)
			p.WantID(octets.PUBREL, id, "an unacknowledged PUBREL is sent again when the Session is resumed")
			p.WantSilence("the PUBLISH is not sent again after PUBREL")
		}
		p.Send(octets.Pubcomp(id))
		p = drop(t, settled(p), c)
		p.WantSilence("after PUBCOMP nothing is sent again")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PubrecRepeated",
	Title:  "answers a repeated PUBREC with PUBREL",
	Covers: statement.IDs(statement.V311("4.3.3-1"), statement.V5("4.3.3-4")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		p, sent := deliveries(t, t.LastingConnect(), t.Topic("a"), octets.Publish{Payload: "x", QoS: 2})
		id := sent[0].ID
		for range 2 {
			p.Send(octets.Pubrec(id))
			p.WantID(octets.PUBREL, id, "each PUBREC is answered with PUBREL until PUBCOMP")
		}
		p.Send(octets.Pubcomp(id))
		p.WantSilence("a completed exchange is over")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PubrecUnknown",
	Title:  "answers a PUBREC for an unknown Packet Identifier with PUBREL that says so",
	Covers: statement.X5("3.6.2.1-1"),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(octets.Pubrec(99))
		t.OneOf(p, "PUBREC below 0x80 is answered with PUBREL", conformance.Answered(octets.PUBREL, 0x92),
			conformance.Answered(octets.PUBREL, 0x00).Nonstrict("PUBREL says 0x00 where 0x92 (Packet Identifier not found) is meant for this"),
		)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ErrorSettlesDelivery",
	Title:  "does not send a message again, nor PUBREL, after PUBACK or PUBREC of 0x80 or above",
	Covers: statement.IDs(statement.V5("4.4.0-2"), statement.X5("4.3.3-1")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		p, sent := deliveries(t, c, topic, octets.Publish{Payload: "first", QoS: 1}, octets.Publish{Payload: "second", QoS: 2})
		p.Send(octets.Ack{Type: octets.PUBACK, ID: sent[0].ID, Code: 0x80}, octets.Ack{Type: octets.PUBREC, ID: sent[1].ID, Code: 0x97})
		p.WantSilence("a refused PUBLISH is settled: no PUBREL follows")
		p = drop(t, p, c)
		p.WantSilence("a refused PUBLISH is settled: it is not sent again")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NotResentWhileConnected",
	Takes:  2 * time.Second,
	Title:  "does not send an unacknowledged PUBLISH again on the same Network Connection",
	Covers: statement.V5("4.4.0-1"),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		p, _ := deliveries(t, t.NewConnect(), topic, octets.Publish{Payload: "first", QoS: 1}, octets.Publish{Payload: "second", QoS: 2})
		p.Elapse(time.Now(), twice(1), "waiting for an acknowledgement is no error")
		p.WantSilence("nothing is sent again without a new Network Connection")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SentDoesNotExpire",
	Takes:  2 * time.Second,
	Title:  "sends a QoS 2 PUBLISH again on a resumed Session although its message has expired since it was sent",
	Covers: statement.V5("4.3.3-7"),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		p, sent := deliveries(t, c, topic,
			octets.Publish{Payload: "short", QoS: 2, Properties: octets.Properties{octets.MessageExpiryInterval.Prop(1)}})
		p.Elapse(time.Now(), twice(1), "waiting for an acknowledgement is no error")
		p = drop(t, p, c)
		m := p.WantMessage(topic, "short", "message expiry is not applied once the PUBLISH was sent")
		t.Expect(m.ID).To(gomega.Equal(sent[0].ID), "Packet Identifier of a PUBLISH that is sent again")
		p.Ack(m)
	},
})
