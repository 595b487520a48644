package sequence

import (
	"fmt"
	"slices"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
)

// receiver is subscribed, and acknowledges when it is told to, in the order the standard asks of a
// client.
type receiver struct {
	t      *conformance.T
	c      octets.Connect
	p      *probe.Peer
	window int                      // Receive Maximum of this connection, 0 if it named none
	under  map[uint16]bool          // identifiers of PUBLISH packets of this connection that count against it
	held   map[uint16]bool          // identifiers of QoS 2 messages that are not released
	owed   []octets.Packet          // acknowledgements not sent yet
	got    messages                 // as often as they were delivered
	judge  func(m *octets.Received) // looks at each PUBLISH, if it is set
}

func newReceiver(t *conformance.T) *receiver {
	r := &receiver{t: t, c: t.LastingConnect(), held: map[uint16]bool{}, under: map[uint16]bool{}}
	r.p = t.ConnectWith(r.c)
	return r
}

// take takes all that has arrived.
func (r *receiver) take() {
	for _, m := range r.p.Barrier("the connection stays open") {
		r.handle(m)
	}
}

// acknowledge sends the first acknowledgement that is owed.
func (r *receiver) acknowledge() {
	if len(r.owed) == 0 {
		return
	}
	switch a := r.owed[0].(type) {
	case octets.Ack:
		if a.Type != octets.PUBREC {
			delete(r.under, a.ID)
		}
		r.p.Send(a)
	}
	r.owed = r.owed[1:]
}

// handle is what a client does with a packet.
func (r *receiver) handle(m *octets.Received) {
	switch m.Type {
	case octets.PUBLISH:
		if r.judge != nil {
			r.judge(m)
		}
		if r.under[m.ID] = true; r.window > 0 {
			r.t.About(statement.V5("3.3.4-9"))
			r.t.Expect(len(r.under)).To(gomega.BeNumerically("<=", r.window), "messages on their way to a client with this Receive Maximum")
			r.t.About()
		}
		again := m.QoS == 2 && r.held[m.ID]
		if !again {
			r.got = append(r.got, message{m.Topic, m.Payload, m.QoS})
		}
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

// again comes back, in 5.0 with a Receive Maximum if it is not 0. What was owed is not: the target
// sends it again. It is given the time to; qos/ShortConnections is about less.
func (r *receiver) again(how end, window int) {
	if !r.t.V5() {
		window = 0
	}
	c := r.c
	if r.window = window; window > 0 {
		c.Properties = append(slices.Clone(c.Properties), octets.ReceiveMaximum.Prop(uint32(window)))
	}
	r.p = reconnect(r.t, r.p, c, how)
	r.owed, r.under = nil, map[uint16]bool{}
	r.take()
}

// finish takes and acknowledges until all messages have come and no exchange is open.
func (r *receiver) finish(sent messages) {
	// Each round settles something, unless the target sends the same again and again.
	for range 10 * (len(sent) + 1) {
		r.take()
		for len(r.owed) > 0 {
			r.acknowledge()
		}
		r.take()
		came := 0
		for _, m := range sent {
			if slices.Contains(r.got, m) {
				came++
			}
		}
		switch {
		case len(r.owed) > 0:
		case came < len(sent):
			r.handle(next(r.t, r.p, fmt.Sprintf("the rest of %d messages, of which %d have come", len(sent), came)))
		case len(r.held) > 0:
			r.handle(next(r.t, r.p, "PUBREL for what was answered with PUBREC"))
		default:
			return
		}
	}
	r.t.Fail(probe.Failure{Why: "every exchange comes to its end", Acceptable: []string{"silence after the last acknowledgement"}, Got: "more and more packets"})
}

// first returns the payloads in the order of their first delivery.
func (r *receiver) first(qos byte, topic string) []string {
	var first []string
	for _, m := range r.got {
		if m.qos == qos && m.topic == topic && !slices.Contains(first, m.payload) {
			first = append(first, m.payload)
		}
	}
	return first
}

// twice returns the payloads of QoS 2 that were delivered more than once.
func (r *receiver) twice() []string {
	var seen, twice []string
	for _, m := range r.got {
		if m.qos != 2 {
			continue
		}
		if slices.Contains(seen, m.payload) {
			twice = append(twice, m.payload)
		}
		seen = append(seen, m.payload)
	}
	return twice
}
