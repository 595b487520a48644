package qos

import (
	"context"
	"fmt"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:  "PublisherCutOff",
	Title: "delivers a QoS 2 message once, at whatever step its publisher loses the Network Connection",
	Covers: statement.IDs(
		statement.V311("4.3.3-2"), statement.V5("4.3.3-8", "4.3.3-10", "4.3.3-11"),
	),
	Needs: both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s := subscriber(t, topic)
		publish := octets.Publish{Topic: topic, QoS: 2, ID: 1}
		for cut := range 5 {
			c := t.LastingConnect()
			p := t.ConnectWith(c)
			publish.Payload = fmt.Sprint("cut at step ", cut)
			repeat := publish
			repeat.Dup = true
			// What was sent before the cut, and what its sender sends again after it.
			p.Send(publish)
			var again octets.Packet = repeat
			if cut >= 1 {
				p.WantID(octets.PUBREC, 1, "PUBLISH is answered with PUBREC")
			}
			if cut == 2 { // a repeat is under way when the connection is lost
				p.Send(repeat)
			}
			if cut >= 3 {
				p.Send(octets.Pubrel(1))
				again = octets.Pubrel(1)
			}
			if cut >= 4 {
				p.WantID(octets.PUBCOMP, 1, "PUBREL is answered with PUBCOMP")
			}
			p = drop(t, p, c)
			onlyWhatIsOwed(t, p)
			p.Send(again)
			if cut < 3 {
				rec := p.WantID(octets.PUBREC, 1, "PUBLISH that is sent again is answered with PUBREC")
				t.Expect(rec.Code).To(gomega.BeNumerically("<", 0x80), "Reason Code of PUBREC for a PUBLISH that is rightly sent again")
				p.Send(octets.Pubrel(1))
			}
			p.WantID(octets.PUBCOMP, 1, "PUBREL is answered with PUBCOMP")
			p.WantSilence("nothing is answered twice")
			receives(t, s, topic, 2, "the message is delivered once", publish.Payload)
			p.Disconnect()
		}
	},
})

// onlyWhatIsOwed takes acknowledgements that come by themselves on a resumed Session.
func onlyWhatIsOwed(t *conformance.T, p *probe.Peer) {
	if len(p.Barrier("the connection is accepted")) > 0 {
		t.Nonstrict("acknowledgements are sent again on a resumed Session, where PUBLISH and PUBREL only are")
	}
}

var _ = conformance.Register(conformance.Check{
	Name:  "SubscriberCutOff",
	Title: "hands over a QoS 2 message once, at whatever step the subscriber loses the Network Connection",
	Covers: statement.IDs(
		statement.V311("4.3.3-1", "4.4.0-1"), statement.V5("4.3.3-3", "4.3.3-4", "4.3.3-5", "4.3.3-6", "4.4.0-1"),
	),
	Needs: both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		for cut := range 4 {
			c := t.LastingConnect()
			payload := fmt.Sprint("cut at step ", cut)
			p, sent := deliveries(t, c, topic, octets.Publish{Payload: payload, QoS: 2})
			id := sent[0].ID
			if cut >= 1 {
				p.Send(octets.Pubrec(id))
			}
			if cut >= 2 {
				p.WantID(octets.PUBREL, id, "PUBREC is answered with PUBREL")
			}
			if cut >= 3 {
				p.Send(octets.Pubcomp(id))
			}
			p = drop(t, p, c)
			// The target may have seen the last packet before the cut or not: it sends
			// what is open from its point of view, and the receiver goes along.
			for done := false; !done; {
				r := t.OneOf(p, "the exchange goes on where it was", outcomesAfter(cut, id, payload)...)
				done = true
				for _, m := range r.Packets {
					switch m.Type {
					case octets.PUBLISH:
						p.Send(octets.Pubrec(m.ID))
						p.WantID(octets.PUBREL, m.ID, "PUBREC is answered with PUBREL")
						p.Send(octets.Pubcomp(m.ID))
					case octets.PUBREL:
						p.Send(octets.Pubcomp(m.ID))
					}
				}
			}
			p.WantSilence("the exchange is over")
			p = drop(t, p, c)
			p.WantSilence("what is completed is not sent again")
			p.Disconnect()
		}
	},
})

// outcomesAfter are what may come on a resumed Session after a cut at a step of the
// receiver: 0 after PUBLISH came, 1 after PUBREC was sent, 2 after PUBREL came, 3 after
// PUBCOMP was sent.
func outcomesAfter(cut int, id uint16, payload string) []conformance.Outcome {
	only := func(kind octets.Type) func(conformance.Reaction) bool {
		return func(r conformance.Reaction) bool {
			return r.End == nil && len(r.Packets) == 1 && r.Packets[0].Type == kind && r.Packets[0].ID == id &&
				(kind != octets.PUBLISH || r.Packets[0].Dup && r.Packets[0].Payload == payload)
		}
	}
	publish := conformance.Where("PUBLISH again, with DUP", true, only(octets.PUBLISH))
	pubrel := conformance.Where("PUBREL again", true, only(octets.PUBREL))
	return [][]conformance.Outcome{
		{publish}, {pubrel, publish}, {pubrel}, {conformance.Ignored(), pubrel},
	}[cut]
}

var _ = conformance.Register(conformance.Check{
	Name:   "TakenOverMidway",
	Title:  "goes on with open exchanges in both directions when the client takes over its own Session",
	Covers: statement.IDs(statement.V311("4.3.3-1", "4.3.3-2", "4.4.0-1"), statement.V5("4.3.3-3", "4.3.3-10", "4.4.0-1")),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		in, out := t.Topic("in"), t.Topic("out")
		s := subscriber(t, out)
		c := t.LastingConnect()
		p, sent := deliveries(t, c, in, octets.Publish{Payload: "to you", QoS: 2})
		m := octets.Publish{Topic: out, Payload: "from you", QoS: 2, ID: sent[0].ID + 700}
		p.Send(m)
		p.WantID(octets.PUBREC, m.ID, "PUBLISH is answered with PUBREC")

		again := t.ConnectWith(c) // while the old connection is open
		redelivered := again.WantMessage(in, "to you", "the unacknowledged PUBLISH is sent again")
		onlyWhatIsOwed(t, again)
		again.Ack(redelivered)
		m.Dup = true
		again.Send(m)
		again.WantID(octets.PUBREC, m.ID, "the repeat is answered with PUBREC")
		again.Send(octets.Pubrel(m.ID))
		again.WantID(octets.PUBCOMP, m.ID, "PUBREL is answered with PUBCOMP")
		again.WantSilence("all exchanges are over")
		receives(t, s, out, 2, "the message is delivered once", "from you")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SameIdentifierBothWays",
	Title:  "sends an unacknowledged PUBLISH again although the client has used its Packet Identifier for one of its own",
	Covers: statement.IDs(statement.X5("2.2.1-3"), statement.V5("4.3.3-3"), statement.V311("4.3.3-1", "4.4.0-1")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		in, out := t.Topic("in"), t.Topic("out")
		c := t.LastingConnect()
		p, sent := deliveries(t, c, in, octets.Publish{Payload: "to you", QoS: 2})
		p.Publish(octets.Publish{Topic: out, Payload: "from you", QoS: 2, ID: sent[0].ID})
		p = drop(t, p, c)
		p.Ack(p.WantMessage(in, "to you", "the client's exchange with the same identifier is another one"))
		p.WantSilence("all exchanges are over")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ShortConnections",
	Title:  "remembers what it has released over Network Connections too short to say so",
	Covers: statement.IDs(statement.V311("4.3.3-1", "4.4.0-1"), statement.V5("4.3.3-5", "4.3.3-6", "4.4.0-1")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		var messages []octets.Publish
		for i := range 8 {
			messages = append(messages, octets.Publish{Payload: fmt.Sprint(i), QoS: 2})
		}
		p, sent := deliveries(t, c, topic, messages...)
		for _, m := range sent {
			p.Send(octets.Pubrec(m.ID))
			p.WantID(octets.PUBREL, m.ID, "PUBREC is answered with PUBREL")
		}
		p.Close()
		const attempts = 20 // what the target has time for before the close differs
		for range attempts {
			t.ConnectWith(c).Close()
		}
		p = t.ConnectWith(c)
		for range sent {
			rel := nextPacket(t, p, "PUBREL again")
			t.Expect(rel.Type).To(gomega.Equal(octets.PUBREL), "packet that is sent again after PUBREL was sent")
			p.Send(octets.Pubcomp(rel.ID))
		}
		p.WantSilence("no PUBLISH is sent again after PUBREL")
	},
})

// nextPacket returns the next packet, and fails if none comes.
func nextPacket(t *conformance.T, p *probe.Peer, acceptable string) *octets.Received {
	e := p.Next(t.Timings().Answer)
	if e.Packet == nil {
		_, sent := p.LastSent()
		t.Fail(probe.Failure{Why: "every exchange comes to its end", Sent: sent, Acceptable: []string{acceptable}, Got: e.String()})
	}
	return e.Packet
}
