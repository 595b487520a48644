package qos

import (
	"fmt"
	"slices"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
)

type peer = *probe.Peer

// next returns the next packet as an answer, and fails if none comes.
func next(t *conformance.T, p peer, acceptable string) answer {
	m := nextPacket(t, p, acceptable)
	return answer{m.Type, m.ID}
}

func nextPacket(t *conformance.T, p peer, acceptable string) *octets.Received {
	e := p.Next(t.Timings().Answer)
	if e.Packet == nil {
		_, sent := p.LastSent()
		t.Fail(probe.Failure{Why: "every exchange comes to its end", Sent: sent, Acceptable: []string{acceptable}, Got: e.String()})
	}
	return e.Packet
}

// receiver is subscribed, and acknowledges late, in the order the standard asks of a client.
type receiver struct {
	t    *conformance.T
	c    octets.Connect
	p    peer
	held map[uint16]bool // identifiers of QoS 2 messages that are not released
	owed []octets.Packet // acknowledgements not sent yet
	got  [3][]string     // payloads by QoS, each as often as it was delivered
}

// take takes all that has arrived, and sends so many of the acknowledgements it owes.
func (r *receiver) take(pay int) {
	for _, m := range r.p.Barrier("the connection stays open") {
		r.handle(m)
	}
	pay = min(pay, len(r.owed))
	r.p.Send(r.owed[:pay]...)
	r.owed = r.owed[pay:]
}

// handle is what a client does with a packet.
func (r *receiver) handle(m *octets.Received) {
	switch m.Type {
	case octets.PUBLISH:
		if m.QoS == 2 && r.held[m.ID] { // sent again
			r.owed = append(r.owed, octets.Pubrec(m.ID))
			return
		}
		r.got[m.QoS] = append(r.got[m.QoS], m.Payload)
		if m.QoS == 2 {
			r.held[m.ID] = true
			r.owed = append(r.owed, octets.Pubrec(m.ID))
		} else {
			r.owed = append(r.owed, octets.Puback(m.ID))
		}
	case octets.PUBREL:
		delete(r.held, m.ID)
		r.owed = append(r.owed, octets.Pubcomp(m.ID))
	}
}

// cut loses the Network Connection and resumes the Session. What was owed is not: the
// target sends it again. It is given the time to; ShortConnections is about less.
func (r *receiver) cut() {
	r.p, r.owed = drop(r.t, r.p, r.c), nil
	r.take(0)
}

// finish takes and acknowledges until all messages have come and no exchange is open.
func (r *receiver) finish(sent [3][]string) {
	total := len(sent[1]) + len(sent[2])
	// Each round settles something, unless the target sends the same again and again.
	for range 10 * (total + 1) {
		r.take(len(r.owed))
		came := len(r.inOrder(1)) + len(r.inOrder(2))
		switch {
		case len(r.owed) > 0:
		case came < total:
			r.handle(nextPacket(r.t, r.p, fmt.Sprintf("the rest of %d messages, of which %d have come", total, came)))
		case len(r.held) > 0:
			r.handle(nextPacket(r.t, r.p, "PUBREL for what was answered with PUBREC"))
		default:
			return
		}
	}
	r.t.Fail(probe.Failure{Why: "every exchange comes to its end", Acceptable: []string{"silence after the last acknowledgement"}, Got: "more and more packets"})
}

// inOrder returns the messages in the order of their first delivery.
func (r *receiver) inOrder(qos byte) []string {
	var first []string
	for _, payload := range r.got[qos] {
		if !slices.Contains(first, payload) {
			first = append(first, payload)
		}
	}
	return first
}
