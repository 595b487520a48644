package session

import (
	"context"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// open connects a client with a lasting Session and delivers messages to it that it does
// not acknowledge.
func open(t *conformance.T, c octets.Connect, topic string, qos byte, payloads ...string) (*probe.Peer, []*octets.Received) {
	p := t.ConnectWith(c)
	p.Subscribe(octets.Subscription{Filter: topic, QoS: qos})
	publisher := t.Connect()
	var got []*octets.Received
	for _, payload := range payloads {
		publisher.Publish(octets.Publish{Topic: topic, Payload: payload, QoS: qos})
		got = append(got, p.WantMessage(topic, payload, "the message is delivered"))
	}
	return p, got
}

var _ = conformance.Register(conformance.Check{
	Name:   "PublishSentAgain",
	Title:  "sends unacknowledged messages again on a resumed Session, with their Packet Identifiers, and those only",
	Covers: statement.IDs(statement.V311("4.4.0-1", "4.1.0-1"), statement.V5("4.4.0-1"), statement.X5("4.1-2")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		for qos := byte(1); qos <= t.Limits().MaximumQoS; qos++ {
			c, topic := t.LastingConnect(), t.Topic("a"+string('0'+qos))
			p, first := open(t, c, topic, qos, "one", "two", "three")
			p.Ack(first[1])
			p.Barrier("the acknowledgement is handled")
			p.Close()
			p = t.ConnectWith(c)
			open := map[string]uint16{"one": first[0].ID, "three": first[2].ID}
			again := p.Messages(2, "unacknowledged messages are sent again")
			t.Expect(again).To(gomega.HaveLen(2), "messages that were open")
			for _, m := range again { // their order is the business of other checks
				t.Expect(open).To(gomega.HaveKeyWithValue(m.Payload, m.ID), "Packet Identifier of a message sent again")
				t.Expect(m.Dup).To(gomega.BeTrue(), "DUP of the message %q sent again", m.Payload)
				p.Ack(m)
			}
			p.WantSilence("what was acknowledged is not sent again")
			p.Disconnect()
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PubrelSentAgain",
	Title:  "sends an unanswered PUBREL again on a resumed Session, with its Packet Identifier",
	Covers: statement.IDs(statement.V311("4.4.0-1"), statement.V5("4.4.0-1")),
	Needs:  []target.Feature{target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		p, first := open(t, c, topic, 2, "one")
		p.Send(octets.Pubrec(first[0].ID))
		p.WantID(octets.PUBREL, first[0].ID, "PUBREC is answered by PUBREL")
		p.Close()
		p = t.ConnectWith(c)
		p.WantID(octets.PUBREL, first[0].ID, "an unanswered PUBREL is sent again")
		p.Send(octets.Pubcomp(first[0].ID))
		p.WantSilence("the exchange is over")
		p.Close()
		t.ConnectWith(c).WantSilence("what is over is not sent again")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NotSentAgainMeanwhile",
	Takes:  2 * time.Second,
	Title:  "sends nothing again while the connection lasts",
	Covers: statement.V5("4.4.0-1"),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		p, _ := open(t, t.LastingConnect(), t.Topic("a"), t.Limits().MaximumQoS, "one")
		p.Elapse(time.Now(), 2*time.Second, "the client stays connected")
		p.WantSilence("a message is sent again on a new connection only")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "RefusedNotSentAgain",
	Title:  "does not send a message again that the client answered with a failure",
	Covers: statement.V5("4.4.0-2"),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		for qos := byte(1); qos <= t.Limits().MaximumQoS; qos++ {
			c := t.LastingConnect()
			p, first := open(t, c, t.Topic("a"+string('0'+qos)), qos, "one")
			ack := octets.Puback(first[0].ID)
			if qos == 2 {
				ack = octets.Pubrec(first[0].ID)
			}
			ack.Code = 0x80
			p.Send(ack)
			p.WantSilence("a message that was refused is settled")
			p.Close()
			p = t.ConnectWith(c)
			t.Expect(p.Connack().SessionPresent).To(gomega.BeTrue(), "Session Present for a stored Session")
			p.WantSilence("a message that was refused is not sent again")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReceivedIdentifiersKept",
	Title:  "knows on a resumed Session which QoS 2 messages it has received already",
	Covers: statement.X5("4.1-2"),
	Needs:  []target.Feature{target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s := t.Connect()
		s.Subscribe(octets.Subscription{Filter: topic})
		c, m := t.LastingConnect(), octets.Publish{Topic: topic, Payload: "once", QoS: 2, ID: 9}
		p := t.ConnectWith(c)
		p.Send(m)
		p.WantID(octets.PUBREC, m.ID, "PUBLISH is answered by PUBREC")
		p.Close()
		p = t.ConnectWith(c)
		m.Dup = true
		p.Send(m)
		p.WantID(octets.PUBREC, m.ID, "PUBLISH that is sent again is answered by PUBREC")
		p.Send(octets.Pubrel(m.ID))
		p.WantID(octets.PUBCOMP, m.ID, "PUBREL is answered by PUBCOMP")
		s.WantMessage(topic, "once", "the message is delivered")
		s.WantOnly(p, octets.Publish{Topic: topic, Payload: "end"}, "the message is delivered once")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ConnackBeforeQueue",
	Title:  "sends CONNACK first, before what waits in a resumed Session",
	Covers: statement.IDs(statement.V311("3.2.0-1"), statement.V5("3.2.0-1")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		p, _ := open(t, c, topic, 1, "open")
		p.Close()
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "queued", QoS: 1})
		p = t.Dial()
		p.Send(c)
		if e := p.Next(t.Timings().Answer); e.Packet == nil || e.Packet.Type != octets.CONNACK {
			t.Fail(probe.Failure{Why: "CONNACK comes first", Sent: "CONNECT", Acceptable: []string{"CONNACK"}, Got: e.String()})
		}
		got := p.Messages(2, "what waited comes after CONNACK")
		t.Expect(got).To(gomega.HaveLen(2), "messages that waited in the Session")
	},
})
