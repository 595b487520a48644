package probe

import (
	"fmt"

	"mqttlab/spec/octets"
)

// The verbs in this file are for the steps that a check takes for granted. They do the
// whole exchange, and fail the check with a plain phrase if the target does not play.

// Connect sends CONNECT and wants it accepted.
func (p *Peer) Connect(c octets.Connect) *octets.Received {
	p.Send(c)
	ack := p.Want(octets.CONNACK, "a valid CONNECT is accepted")
	if ack.Code != 0 {
		p.fail("a valid CONNECT is accepted", []string{"CONNACK 0x00"}, Event{Packet: ack})
	}
	return ack
}

// Subscribe subscribes with a fresh Packet Identifier, wants every filter granted, and
// returns the SUBACK.
func (p *Peer) Subscribe(filters ...octets.Subscription) *octets.Received {
	return p.SubscribeWith(octets.Subscribe{Filters: filters})
}

// SubscribeWith is [Peer.Subscribe] with properties; an ID of 0 stands for a fresh one.
func (p *Peer) SubscribeWith(s octets.Subscribe) *octets.Received {
	if s.ID == 0 {
		s.ID = p.NextID()
	}
	p.Send(s)
	ack := p.WantID(octets.SUBACK, s.ID, "SUBSCRIBE is answered")
	for _, code := range ack.Codes {
		if code > 2 {
			p.fail("the subscription is granted", []string{"SUBACK with 0x00, 0x01 or 0x02"}, Event{Packet: ack})
		}
	}
	if len(ack.Codes) != len(s.Filters) {
		p.fail("SUBACK has one code per filter", []string{fmt.Sprintf("%d codes", len(s.Filters))}, Event{Packet: ack})
	}
	return ack
}

// Unsubscribe takes subscriptions back and returns the UNSUBACK.
func (p *Peer) Unsubscribe(filters ...string) *octets.Received {
	u := octets.Unsubscribe{ID: p.NextID(), Filters: filters}
	p.Send(u)
	return p.WantID(octets.UNSUBACK, u.ID, "UNSUBSCRIBE is answered")
}

// Publish sends a message and goes through the exchange of its QoS. It returns the
// last acknowledgement: nil at QoS 0, PUBACK at 1, PUBCOMP at 2, or the PUBREC that
// refused. An ID of 0 stands for a fresh one.
func (p *Peer) Publish(m octets.Publish) *octets.Received {
	if m.QoS > 0 && m.ID == 0 {
		m.ID = p.NextID()
	}
	p.Send(m)
	switch m.QoS {
	case 1:
		return p.WantID(octets.PUBACK, m.ID, "a QoS 1 PUBLISH is acknowledged")
	case 2:
		rec := p.WantID(octets.PUBREC, m.ID, "a QoS 2 PUBLISH is received")
		if rec.Code >= 0x80 {
			return rec
		}
		p.Send(octets.Pubrel(m.ID))
		return p.WantID(octets.PUBCOMP, m.ID, "a QoS 2 PUBLISH is completed")
	}
	return nil
}

// Ack goes through the receiver's side of the exchange for a message that came.
func (p *Peer) Ack(m *octets.Received) {
	switch m.QoS {
	case 1:
		p.Send(octets.Puback(m.ID))
	case 2:
		p.Send(octets.Pubrec(m.ID))
		p.WantID(octets.PUBREL, m.ID, "PUBREC is answered by PUBREL")
		p.Send(octets.Pubcomp(m.ID))
	}
}
