// Package flow checks flow control of MQTT 5.0: how many messages with QoS 1 and 2 may be
// open in each direction.
package flow

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

// window is the Receive Maximum that the checks announce.
const window = 3

// narrow connects a client with a small window, and fills it: messages are on their way
// for twice as much, with both QoS in turn. It returns what came of them.
func narrow(t *conformance.T, c octets.Connect, topic string) (*probe.Peer, []*octets.Received) {
	c.Properties = append(c.Properties, octets.ReceiveMaximum.Prop(window))
	p := t.ConnectWith(c)
	p.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
	publisher := t.Connect()
	for i := range 2 * window {
		publisher.Publish(octets.Publish{Topic: topic, Payload: fmt.Sprint(i), QoS: 1 + byte(i%2)})
	}
	return p, within(t, p, window)
}

// within takes the messages that come and wants at least one and at most this many.
func within(t *conformance.T, p *probe.Peer, most int) []*octets.Received {
	got := p.Messages(most+1, "the connection stays open while the window is full")
	t.About(statement.V5("3.3.4-9", "4.9.0-1", "4.9.0-2"))
	t.Expect(len(got)).To(gomega.BeNumerically("<=", most), "unacknowledged messages at a time, Receive Maximum %d", window)
	t.About(statement.V5("4.9.0-1"))
	t.Expect(got).NotTo(gomega.BeEmpty(), "messages that come while the window is open")
	t.About()
	return got
}

var _ = conformance.Register(conformance.Check{
	Name:   "ReceiveMaximumKept",
	Title:  "has no more messages with QoS 1 and 2 open than the client's Receive Maximum, and at least one",
	Covers: statement.V5("3.3.4-9", "4.9.0-1", "4.9.0-2"),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		p, first := narrow(t, t.NewConnect(), t.Topic("a"))
		for got := len(first); got < 2*window; got += len(first) {
			for _, m := range first {
				p.Ack(m)
			}
			first = within(t, p, window)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FullWindowBlocksNothingElse",
	Title:  "answers all other packets of a client whose window is full",
	Covers: statement.V5("3.3.4-10", "4.9.0-3"),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		p, _ := narrow(t, t.NewConnect(), topic)
		other := t.Topic("b")
		p.Send(octets.Subscribe{ID: 101, Filters: []octets.Subscription{{Filter: other}}})
		p.WantID(octets.SUBACK, 101, "SUBSCRIBE is answered while the window is full")
		p.Send(octets.Publish{Topic: t.Topic("c"), QoS: 1, ID: 102, Payload: "x"})
		p.WantID(octets.PUBACK, 102, "PUBLISH is answered while the window is full")
		p.Send(octets.Publish{Topic: t.Topic("c"), QoS: 2, ID: 103, Payload: "x"})
		p.WantID(octets.PUBREC, 103, "PUBLISH is answered while the window is full")
		p.Send(octets.Pubrel(103))
		p.WantID(octets.PUBCOMP, 103, "PUBREL is answered while the window is full")
		p.Send(octets.Unsubscribe{ID: 104, Filters: []string{other}})
		p.WantID(octets.UNSUBACK, 104, "UNSUBSCRIBE is answered while the window is full")
		p.Barrier("PINGREQ is answered while the window is full")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FullWindowPubrel",
	Title:  "answers PUBREC with PUBREL while the window is full",
	Covers: statement.V5("3.3.4-10", "4.9.0-3"),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		p, got := narrow(t, t.NewConnect(), t.Topic("a"))
		for _, m := range got {
			if m.QoS == 2 {
				p.Send(octets.Pubrec(m.ID))
				p.WantID(octets.PUBREL, m.ID, "PUBREC is answered while the window is full")
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WindowOpens",
	Title:  "sends one more message for each PUBACK, PUBCOMP and refusing PUBREC, and none for an accepting PUBREC",
	Covers: statement.X5("4.9-1"),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		for _, end := range []struct {
			name   string
			qos    byte
			settle func(p *probe.Peer, id uint16)
		}{
			{"PUBACK", 1, func(p *probe.Peer, id uint16) { p.Send(octets.Puback(id)) }},
			{"PUBACK 0x80", 1, func(p *probe.Peer, id uint16) {
				p.Send(octets.Ack{Type: octets.PUBACK, ID: id, Code: 0x80})
			}},
			{"PUBREC 0x80", 2, func(p *probe.Peer, id uint16) {
				p.Send(octets.Ack{Type: octets.PUBREC, ID: id, Code: 0x80})
			}},
			{"PUBCOMP", 2, func(p *probe.Peer, id uint16) {
				p.Send(octets.Pubrec(id))
				p.WantID(octets.PUBREL, id, "PUBREC is answered with PUBREL")
				t.Expect(p.Messages(1, "the connection stays open")).To(gomega.BeEmpty(), "messages after an accepting PUBREC")
				p.Send(octets.Pubcomp(id))
			}},
		} {
			topic := t.Topic(end.name)
			c := t.NewConnect()
			c.Properties = octets.Properties{octets.ReceiveMaximum.Prop(1)}
			p := t.ConnectWith(c)
			p.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
			publisher := t.Connect()
			for i := range 2 {
				publisher.Publish(octets.Publish{Topic: topic, Payload: fmt.Sprint(i), QoS: end.qos})
			}
			end.settle(p, p.WantMessage(topic, "0", "the first message fits in the window").ID)
			p.Ack(p.WantMessage(topic, "1", end.name+" makes room for the next message"))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WindowStartsAfresh",
	Title:  "begins each Network Connection with a whole window",
	Covers: statement.IDs(statement.X5("4.9-2"), statement.V5("3.3.4-9", "4.9.0-1", "4.9.0-2")),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		p, first := narrow(t, c, topic)
		p.Close()
		c.Properties = append(c.Properties, octets.ReceiveMaximum.Prop(window))
		p = t.ConnectWith(c)
		again := p.Messages(len(first), "the connection stays open while the window is full")
		t.About(statement.X5("4.9-2"))
		t.Expect(len(again)).To(gomega.BeNumerically(">=", len(first)), "messages in the window of the second connection, all of it free")
		t.About()
		for _, m := range again {
			p.Ack(m)
		}
		t.Expect(within(t, p, window)).NotTo(gomega.BeEmpty(), "messages after those were acknowledged")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WindowNeverGrows",
	Title:  "does not count acknowledgements that acknowledge nothing",
	Covers: statement.IDs(statement.X5("4.9-2"), statement.V5("3.3.4-9", "4.9.0-2")),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.NewConnect(), t.Topic("a")
		c.Properties = octets.Properties{octets.ReceiveMaximum.Prop(window)}
		p := t.ConnectWith(c)
		p.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
		p.Send(octets.Puback(1001), octets.Puback(1002), octets.Pubcomp(1003), octets.Pubcomp(1004))
		r := t.OneOf(p, "an acknowledgement of nothing has no effect; no reaction is named",
			conformance.Ignored(), conformance.Closed().Info("closes on an acknowledgement of nothing"))
		if r.Closed() {
			return
		}
		publisher := t.Connect()
		for i := range 2 * window {
			publisher.Publish(octets.Publish{Topic: topic, Payload: fmt.Sprint(i), QoS: 1})
		}
		within(t, p, window)
	},
})
