// Package sequence plays long conversations that are drawn from the seed out of a small model of
// the standard, and shows one that fails in its shortest form. What single checks of
// other areas look at one by one meets here: losses on both sides, take-overs while messages are on
// their way, aliases over several connections, windows that are full, time that runs out.
//
// Not drawn: running out of Packet Identifiers, as one case would take 65,535 messages. Receive
// Maximum makes the same happen with few: a place in a window has to be free, and is freed by the same
// packets as an identifier.
package sequence

import (
	"context"
	"fmt"
	"slices"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/sequence"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:  "Exchanges",
	Title: "delivers QoS 2 once, QoS 1 at least once, and each in order, whatever befalls the Network Connections of both sides",
	Covers: statement.IDs(
		statement.V311("4.3.2-2", "4.3.3-1", "4.3.3-2", "4.4.0-1", "4.5.0-1", "4.6.0-6", "3.1.4-2"),
		statement.V5("4.3.2-3", "4.3.3-3", "4.3.3-5", "4.3.3-8", "4.3.3-10", "4.3.3-12", "4.4.0-1", "4.5.0-1", "4.6.0-5", "3.3.4-9", "3.1.4-3"),
	),
	Needs: []target.Feature{target.QoS1, target.QoS2, target.Wildcard},
	Steps: []sequence.Word{
		{Name: "publish-1", Weight: 6},
		{Name: "publish-2", Weight: 8},
		{Name: "publish-alias", Weight: 4},
		{Name: "go-on", Weight: 10},
		{Name: "cut-publisher", Weight: 3},
		{Name: "leave-publisher", Weight: 1},
		{Name: "replace-publisher", Weight: 2},
		{Name: "take", Weight: 8},
		{Name: "acknowledge", Weight: 10},
		{Name: "cut-subscriber", Weight: 3},
		{Name: "leave-subscriber", Weight: 1},
		{Name: "replace-subscriber", Weight: 2},
		{Name: "narrow-subscriber", Weight: 1},
	},
	Run: func(_ context.Context, t *conformance.T) {
		const cases, steps = 3, 60
		t.Sequences(cases, steps, playExchanges)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Windows",
	Title:  "delivers all, and within its window, while the windows of both sides are full, whatever befalls the Network Connections",
	Covers: statement.IDs(statement.V5("3.3.4-7", "3.3.4-9", "3.3.4-10", "4.9.0-2", "4.9.0-3"), statement.X5("4.9-2")),
	Needs:  []target.Feature{target.QoS1, target.QoS2, target.Wildcard},
	Steps: []sequence.Word{
		{Name: "fill-publisher", Weight: 4},
		{Name: "publish-1", Weight: 2},
		{Name: "go-on", Weight: 8},
		{Name: "cut-publisher", Weight: 3},
		{Name: "take", Weight: 4},
		{Name: "acknowledge", Weight: 8},
		{Name: "narrow-subscriber", Weight: 2},
		{Name: "cut-subscriber", Weight: 1},
	},
	Run: func(_ context.Context, t *conformance.T) {
		const cases, steps = 6, 30
		t.Sequences(cases, steps, playExchanges)
	},
})

// playExchanges plays a case, lets all exchanges come to their end, and counts.
func playExchanges(t *conformance.T, c sequence.Case) {
	r := newReceiver(t)
	r.p.Subscribe(octets.Subscription{Filter: t.Topic("+"), QoS: 2})
	s := newSender(t)
	steps := map[string]func(){
		"publish-1": func() { s.publish(1, false) }, "publish-2": func() { s.publish(2, false) },
		"publish-alias": func() { s.publish(1, true) }, "fill-publisher": s.fill, "go-on": s.goOn,
		"cut-publisher": func() { s.again(cut) }, "leave-publisher": func() { s.again(leave) }, "replace-publisher": func() { s.again(replace) },
		"take": r.take, "acknowledge": r.acknowledge,
		"cut-subscriber": func() { r.again(cut, 0) }, "leave-subscriber": func() { r.again(leave, 0) },
		"replace-subscriber": func() { r.again(replace, 0) }, "narrow-subscriber": func() { r.again(cut, 1) },
	}
	for _, step := range c {
		steps[step]()
	}
	for len(s.open) > 0 {
		s.goOn()
	}
	s.publish(1, false) // the last of each order: nothing comes behind them
	s.publish(2, false)
	for len(s.open) > 0 {
		s.goOn()
	}
	r.finish(s.sent)
	for qos := byte(1); qos <= 2; qos++ {
		for topic, payloads := range s.sent.of(qos) {
			t.Expect(r.first(qos, topic)).To(gomega.Equal(payloads), "messages with QoS %d for a topic, in the order of their first delivery", qos)
		}
	}
	t.Expect(r.twice()).To(gomega.BeEmpty(), "messages with QoS 2 that were delivered again")
}

// end is how a client leaves a connection before it comes back.
type end int

const (
	cut     end = iota // it is lost
	leave              // by DISCONNECT
	replace            // it stands until the new one takes over
)

// reconnect comes back to the Session of c.
func reconnect(t *conformance.T, p *probe.Peer, c octets.Connect, how end) *probe.Peer {
	switch how {
	case cut:
		p.Close()
	case leave:
		p.Disconnect()
	}
	again := t.ConnectWith(c)
	t.Expect(again.Connack().SessionPresent).To(gomega.BeTrue(), "Session Present for a Session that was left a moment ago")
	if how == replace {
		p.WantClose("a client that connects again takes over from itself")
		p.Close()
	}
	return again
}

// message is what the sender expects to be delivered.
type message struct {
	topic, payload string
	qos            byte
}

type messages []message

// of returns the payloads of a QoS by topic.
func (m messages) of(qos byte) map[string][]string {
	all := map[string][]string{}
	for _, x := range m {
		if x.qos == qos {
			all[x.topic] = append(all[x.topic], x.payload)
		}
	}
	return all
}

// exchange is a message on its way from the sender.
type exchange struct {
	packet   octets.Publish
	topic    string // also where the packet has an alias only
	released bool   // PUBREL was sent
}

// answer is an acknowledgement that came.
type answer struct {
	kind octets.Type
	id   uint16
}

// sender publishes, in the way that the standard asks of a client.
type sender struct {
	t     *conformance.T
	c     octets.Connect
	p     *probe.Peer
	open  []*exchange // in the order of their first PUBLISH
	sent  messages
	came  map[answer]bool
	alias string // the topic of Topic Alias 1 on this connection, empty if not set
	conns int
}

func newSender(t *conformance.T) *sender {
	s := &sender{t: t, c: t.LastingConnect(), came: map[answer]bool{}}
	s.p = t.ConnectWith(s.c)
	return s
}

// publish begins an exchange, if not many are open already.
func (s *sender) publish(qos byte, alias bool) {
	if len(s.open) < min(5, s.most()) {
		s.begin(qos, alias)
	}
}

// fill opens as many exchanges as there may be.
func (s *sender) fill() {
	for len(s.open) < s.most() {
		s.begin(2, false)
	}
}

// most is how many exchanges may be open: the target's Receive Maximum, if that is not a lot.
func (s *sender) most() int { return min(20, int(s.t.Limits().ReceiveMaximum)) }

// begin sends a new message, with the smallest Packet Identifier that is free. With alias it is
// sent by a Topic Alias where there are any; the alias stands for another topic on each connection.
func (s *sender) begin(qos byte, alias bool) {
	m := octets.Publish{Topic: s.t.Topic("a"), QoS: qos, ID: 1}
	for slices.ContainsFunc(s.open, func(e *exchange) bool { return e.packet.ID == m.ID }) {
		m.ID++
	}
	m.Payload = fmt.Sprintf("message %d", len(s.sent)+1)
	topic := m.Topic
	if alias && s.t.Has(target.TopicAlias) {
		m.Properties = octets.Properties{octets.TopicAlias.Prop(1)}
		if m.Topic = ""; s.alias == "" {
			s.alias = s.t.Topic(fmt.Sprint("aliased", s.conns%2))
			m.Topic = s.alias
		}
		topic = s.alias
	}
	s.sent = append(s.sent, message{topic, m.Payload, qos})
	s.open = append(s.open, &exchange{packet: m, topic: topic})
	s.p.Send(m)
}

// goOn takes an open exchange a step further: the first that is not released, so that PUBREL
// packets keep the order of the messages, or the first of all.
func (s *sender) goOn() {
	if len(s.open) == 0 {
		return
	}
	i := max(0, slices.IndexFunc(s.open, func(e *exchange) bool { return !e.released }))
	switch e := s.open[i]; {
	case e.packet.QoS == 1:
		s.await(octets.PUBACK, e.packet.ID)
	case !e.released:
		s.await(octets.PUBREC, e.packet.ID)
		s.p.Send(octets.Pubrel(e.packet.ID))
		e.released = true
		return
	default:
		s.await(octets.PUBCOMP, e.packet.ID)
	}
	s.open = slices.Delete(s.open, i, i+1)
}

// await waits for an acknowledgement of what is open; others are kept for later.
func (s *sender) await(kind octets.Type, id uint16) {
	for want := (answer{kind, id}); !s.came[want]; {
		m := next(s.t, s.p, fmt.Sprintf("%s with packet identifier %d", kind, id))
		s.came[answer{m.Type, m.ID}] = true
	}
	delete(s.came, answer{kind, id})
}

// again comes back and sends again what is open. Topic Aliases are gone with the connection.
func (s *sender) again(how end) {
	s.p = reconnect(s.t, s.p, s.c, how)
	s.came, s.alias = map[answer]bool{}, ""
	s.conns++
	for _, e := range s.open {
		if e.released {
			s.p.Send(octets.Pubrel(e.packet.ID))
			continue
		}
		e.packet.Topic, e.packet.Properties = e.topic, nil
		m := e.packet
		m.Dup = true
		s.p.Send(m)
	}
}

// next returns the next packet, and fails if none comes.
func next(t *conformance.T, p *probe.Peer, acceptable string) *octets.Received {
	e := p.Next(t.Timings().Answer)
	if e.Packet == nil {
		_, sent := p.LastSent()
		t.Fail(probe.Failure{Why: "every exchange comes to its end", Sent: sent, Acceptable: []string{acceptable}, Got: e.String()})
	}
	return e.Packet
}
