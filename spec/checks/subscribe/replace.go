package subscribe

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
	Name:   "Replaced",
	Title:  "replaces a subscription to the same filter: the new QoS holds, and messages come once",
	Covers: statement.IDs(statement.V311("3.8.4-3"), statement.V5("3.8.4-3")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher, topic := t.Connect(), t.Connect(), t.Topic("a")
		for i, qos := range []byte{1, 0, 1, 1, 0} {
			granted := p.Subscribe(octets.Subscription{Filter: topic, QoS: qos}).Codes[0]
			payload := fmt.Sprint(i)
			publisher.Publish(octets.Publish{Topic: topic, Payload: payload, QoS: 1})
			m := p.WantMessage(topic, payload, "one copy of each message comes")
			t.Expect(m.QoS).To(gomega.Equal(granted), "QoS after subscribing %d times, last with %d", i+1, qos)
			p.Ack(m)
		}
		p.WantOnly(publisher, octets.Publish{Topic: topic}, "one copy of each message comes")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReplacedOptions",
	Title:  "replaces the Subscription Options with those of a later SUBSCRIBE to the same filter",
	Covers: statement.V5("3.8.4-3"),
	Needs:  []target.Feature{target.Retained},
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher, topic := t.Connect(), t.Connect(), t.Topic("a")
		for i, options := range []octets.Subscription{
			{},
			{RetainAsPublished: true, RetainHandling: 2},
			{RetainHandling: 2},
			{RetainAsPublished: true, RetainHandling: 2, NoLocal: true},
		} {
			options.Filter = topic
			p.Subscribe(options)
			payload := fmt.Sprint(i)
			publisher.Publish(octets.Publish{Topic: topic, Payload: payload, Retain: true})
			m := p.WantMessage(topic, payload, "one copy of each message comes")
			t.Expect(m.Retain).To(gomega.Equal(options.RetainAsPublished), "RETAIN of a message with Retain As Published %t", options.RetainAsPublished)
		}
		p.Publish(octets.Publish{Topic: topic, Payload: "own"})
		p.WantOnly(publisher, octets.Publish{Topic: topic}, "No Local of the last SUBSCRIBE holds")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReplacedRetained",
	Title:  "sends retained messages again when a subscription is repeated",
	Covers: statement.IDs(statement.V311("3.8.4-3"), statement.V5("3.8.4-4", "3.3.1-9")),
	Needs:  []target.Feature{target.Retained},
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher, topic := t.Connect(), t.Connect(), t.Topic("a")
		publisher.Publish(octets.Publish{Topic: topic, Payload: "kept", Retain: true, QoS: min(1, t.Limits().MaximumQoS)})
		publisher.Barrier("the retained message is handled")
		for range 3 {
			p.Subscribe(octets.Subscription{Filter: topic})
			m := p.WantMessage(topic, "kept", "each SUBSCRIBE brings the retained message")
			t.Expect(m.Retain).To(gomega.BeTrue(), "RETAIN of a message sent because of a SUBSCRIBE")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReplacedWithoutLoss",
	Title:  "loses no message that is published while a subscription is repeated",
	Covers: statement.IDs(statement.V311("3.8.4-3"), statement.V5("3.8.4-4")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher, topic := t.Connect(), t.Connect(), t.Topic("a")
		p.Subscribe(octets.Subscription{Filter: topic, QoS: 1})
		// As many as any server keeps in flight without an acknowledgement.
		count := int(min(10, t.Limits().ReceiveMaximum))
		acked := 0
		for i := range count {
			publisher.Send(octets.Publish{Topic: topic, Payload: fmt.Sprint(i), QoS: 1, ID: uint16(i + 1)})
			p.Send(octets.Subscribe{ID: uint16(i + 10), Filters: []octets.Subscription{{Filter: topic, QoS: 1}}})
			if i%3 != 2 && i != count-1 {
				continue // two connections at a time are handled in any order
			}
			for ; acked <= i; acked++ {
				publisher.WantID(octets.PUBACK, uint16(acked+1), "each PUBLISH is acknowledged")
				p.WantID(octets.SUBACK, uint16(acked+10), "each SUBSCRIBE is acknowledged")
			}
		}
		for i := range count {
			p.Ack(p.WantMessage(topic, fmt.Sprint(i), "a message published while a subscription is replaced arrives"))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "IdentifierReplaced",
	Title:  "changes or removes the Subscription Identifier when a subscription is repeated, and drops it at UNSUBSCRIBE",
	Covers: statement.IDs(statement.V5("3.8.4-3"), statement.X5("3.8.4-4")),
	Needs:  []target.Feature{target.SubscriptionIDs},
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher, topic := t.Connect(), t.Connect(), t.Topic("a")
		wants := func(why string, ids ...uint32) {
			publisher.Publish(octets.Publish{Topic: topic, Payload: why})
			wantIdentifiers(t, p.WantMessage(topic, why, "the subscription delivers"), why, ids...)
		}
		subscribe(p, topic, 1)
		wants("first identifier", 1)
		subscribe(p, topic, 2)
		wants("changed", 2)
		subscribe(p, topic, 0)
		wants("removed by a SUBSCRIBE without one")
		subscribe(p, topic, 3)
		wants("given again", 3)
		p.Unsubscribe(topic)
		subscribe(p, topic, 0)
		wants("gone after UNSUBSCRIBE")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "IdentifierKept",
	Title:  "keeps the Subscription Identifier with the Session",
	Covers: statement.X5("3.8.4-4"),
	Needs:  []target.Feature{target.SubscriptionIDs},
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		p := t.ConnectWith(c)
		subscribe(p, topic, 77)
		p.Disconnect()
		p = t.ConnectWith(c)
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "x"})
		wantIdentifiers(t, p.WantMessage(topic, "x", "the subscription is part of the Session"), "after the Session was resumed", 77)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "IdentifierForAllFilters",
	Title:  "gives the Subscription Identifier of a SUBSCRIBE to all its filters, from 1 to 268,435,455",
	Covers: statement.X5("3.8.2.1.2-3"),
	Needs:  []target.Feature{target.SubscriptionIDs, target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		publisher := t.Connect()
		for i, id := range []uint32{1, 268435455} {
			p, level := t.Connect(), string(rune('a'+i))
			p.SubscribeWith(octets.Subscribe{
				Filters: []octets.Subscription{
					{Filter: t.Topic(level + "/one")}, {Filter: t.Topic(level + "/two/+")}, {Filter: t.Topic(level + "/three/#")},
				},
				Properties: octets.Properties{octets.SubscriptionIdentifier.Prop(id)},
			})
			for _, name := range []string{"/one", "/two/x", "/three/x/y"} {
				topic := t.Topic(level + name)
				publisher.Publish(octets.Publish{Topic: topic, Payload: "x"})
				wantIdentifiers(t, p.WantMessage(topic, "x", "the message is delivered"), "for each filter", id)
			}
		}
	},
})

// subscribe makes one subscription with an identifier; 0 stands for none.
func subscribe(p *probe.Peer, filter string, id uint32) {
	s := octets.Subscribe{Filters: []octets.Subscription{{Filter: filter}}}
	if id != 0 {
		s.Properties = octets.Properties{octets.SubscriptionIdentifier.Prop(id)}
	}
	p.SubscribeWith(s)
}

func wantIdentifiers(t *conformance.T, m *octets.Received, why string, want ...uint32) {
	var got []uint32
	for _, v := range m.Props(octets.SubscriptionIdentifier) {
		got = append(got, v.Number)
	}
	if len(want) == 0 {
		t.Expect(got).To(gomega.BeEmpty(), "Subscription Identifiers, %s", why)
		return
	}
	t.Expect(got).To(gomega.Equal(want), "Subscription Identifiers, %s", why)
}
