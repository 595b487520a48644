package qos

import (
	"context"
	"strconv"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
)

// answering brings a fresh client to where it has to send an acknowledgement of this type,
// and returns it with the Packet Identifier.
func answering(t *conformance.T, kind octets.Type) (*probe.Peer, uint16) {
	topic := t.Topic("a")
	if kind == octets.PUBREL {
		p := t.Connect()
		p.Send(octets.Publish{Topic: topic, QoS: 2, ID: 1, Payload: "x"})
		p.WantID(octets.PUBREC, 1, "PUBLISH is answered")
		return p, 1
	}
	m := octets.Publish{Payload: "x", QoS: 2}
	if kind == octets.PUBACK {
		m.QoS = 1
	}
	p, sent := deliveries(t, t.NewConnect(), topic, m)
	id := sent[0].ID
	if kind == octets.PUBCOMP {
		p.Send(octets.Pubrec(id))
		p.WantID(octets.PUBREL, id, "PUBREC is answered")
	}
	return p, id
}

// acknowledgements are the four types, PUBREL from a publisher.
var acknowledgements = []octets.Type{octets.PUBACK, octets.PUBREC, octets.PUBREL, octets.PUBCOMP}

var _ = conformance.Register(conformance.Check{
	Name:   "WrongReasonCode",
	Title:  "closes the Network Connection on an acknowledgement with a Reason Code that it may not have",
	Covers: statement.X5("3.4.2.1-4"),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		t.Lenient() // the codes bind the sender; of the receiver nothing is asked
		for _, kind := range acknowledgements {
			codes := []byte{0x01, 0x92, 0xFF}
			if kind == octets.PUBREL || kind == octets.PUBCOMP {
				codes = []byte{0x10, 0x80, 0xFF}
			}
			for _, code := range codes {
				p, id := answering(t, kind)
				p.Send(octets.Ack{Type: kind, ID: id, Code: code})
				t.WantClosed(p, "the Reason Code does not exist in this packet", 0x81, 0x82)
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReasonStringTwice",
	Title:  "closes the Network Connection on an acknowledgement with two Reason Strings",
	Covers: statement.X5("3.4.2.2-1"),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		for _, kind := range acknowledgements {
			p, id := answering(t, kind)
			text := octets.ReasonString.Text("said twice")
			p.Send(octets.Ack{Type: kind, ID: id, Properties: octets.Properties{text, text}})
			t.WantClosed(p, "a Reason String may be there once", 0x82, 0x81)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ForeignProperty",
	Title:  "closes the Network Connection on an acknowledgement with a property of other packets",
	Covers: statement.X5("T2.4-PUBACK", "T2.4-PUBREC", "T2.4-PUBREL", "T2.4-PUBCOMP"),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		for _, kind := range acknowledgements {
			t.About(statement.X5("T2.4-" + kind.String()))
			for _, property := range []octets.Property{
				octets.MessageExpiryInterval.Prop(1), octets.TopicAlias.Prop(1), octets.ServerReference.Text("x"),
			} {
				p, id := answering(t, kind)
				p.Send(octets.Ack{Type: kind, ID: id, Properties: octets.Properties{property}})
				t.WantClosed(p, "the property does not belong in this packet", 0x81, 0x82)
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:  "AcknowledgementFits",
	Title: "leaves Reason String and User Properties out of acknowledgements that would be larger than Maximum Packet Size",
	Covers: statement.V5(
		"3.4.2-2", "3.4.2-3", "3.5.2-2", "3.5.2-3", "3.6.2-2", "3.6.2-3", "3.7.2-2", "3.7.2-3",
	),
	Needs: both,
	Run: func(_ context.Context, t *conformance.T) {
		roomy := t.NewConnect()
		// CONNACK has to fit too, and tells how small the limit may be.
		limit := max(len(t.ConnectWith(roomy).Connack().Raw), 16)
		narrow := t.NewConnect()
		narrow.Properties = octets.Properties{octets.MaximumPacketSize.Prop(uint32(limit))}
		steps := []struct {
			ask    octets.Packet
			answer octets.Type
		}{
			{octets.Publish{Topic: t.Topic("a"), QoS: 1, ID: 1}, octets.PUBACK},
			{octets.Publish{Topic: t.Topic("a"), QoS: 2, ID: 2}, octets.PUBREC},
			{octets.Pubrel(2), octets.PUBCOMP},
			{octets.Pubrel(77), octets.PUBCOMP},
			{octets.Pubrec(78), octets.PUBREL},
		}
		large := false
		for _, c := range []octets.Connect{roomy, narrow} {
			p := t.ConnectWith(c)
			for _, s := range steps {
				p.Send(s.ask)
				r := p.Want(s.answer, "an acknowledgement of at most "+strconv.Itoa(limit)+" bytes is possible")
				large = large || len(r.Raw) > limit
				if c.Properties != nil {
					fits(t, r, limit)
				}
			}
		}
		if !large {
			t.Info("acknowledgements carry no Reason String or User Property, or none that a small Maximum Packet Size would not hold")
		}
	},
})

// fits wants a packet to be no larger than the limit that the client has set.
func fits(t *conformance.T, r *octets.Received, limit int) {
	section := map[octets.Type]string{octets.PUBACK: "3.4.2", octets.PUBREC: "3.5.2", octets.PUBREL: "3.6.2", octets.PUBCOMP: "3.7.2"}[r.Type]
	var broken [][]statement.ID
	if _, ok := r.Prop(octets.ReasonString); ok {
		broken = append(broken, statement.V5(section+"-2"))
	}
	if _, ok := r.Prop(octets.UserProperty); ok {
		broken = append(broken, statement.V5(section+"-3"))
	}
	t.About(broken...)
	t.Expect(len(r.Raw)).To(gomega.BeNumerically("<=", limit), "bytes of %s to a client that announced this Maximum Packet Size", r)
	t.About()
}
