package properties

import (
	"context"
	"fmt"
	"slices"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// subscribe makes one subscription with an identifier; 0 stands for none.
func subscribe(p *probe.Peer, filter string, id uint32) {
	s := octets.Subscribe{Filters: []octets.Subscription{{Filter: filter}}}
	if id != 0 {
		s.Properties = octets.Properties{octets.SubscriptionIdentifier.Prop(id)}
	}
	p.SubscribeWith(s)
}

// identifiers are the Subscription Identifiers of a message, in ascending order.
func identifiers(m *octets.Received) []uint32 {
	var ids []uint32
	for _, v := range m.Props(octets.SubscriptionIdentifier) {
		ids = append(ids, v.Number)
	}
	slices.Sort(ids)
	return ids
}

var _ = conformance.Register(conformance.Check{
	Name:   "SubscriptionIdentifier",
	Title:  "delivers each message with the Subscription Identifier of its subscription, from the smallest to the largest",
	Covers: statement.X5("3.3.4-1", "3.3.2.3.8-1"),
	Needs:  []target.Feature{target.SubscriptionIDs},
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher := t.Connect(), t.Connect()
		for _, id := range []uint32{1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455} {
			topic := t.Topic(fmt.Sprint(id))
			subscribe(p, topic, id)
			publisher.Publish(octets.Publish{Topic: topic, Payload: "x"})
			m := p.WantMessage(topic, "x", "the message is delivered")
			t.Expect(identifiers(m)).To(gomega.Equal([]uint32{id}), "Subscription Identifiers of the delivered message")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SubscriptionIdentifierRetained",
	Title:  "delivers a retained message with the Subscription Identifier of its subscription",
	Covers: statement.X5("3.3.4-1"),
	Needs:  []target.Feature{target.SubscriptionIDs, target.Retained},
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher, topic := t.Connect(), t.Connect(), t.Topic("a")
		publisher.Publish(octets.Publish{Topic: topic, Payload: "kept", Retain: true})
		publisher.Barrier("the retained message is handled")
		subscribe(p, topic, 42)
		m := p.WantMessage(topic, "kept", "the retained message is delivered")
		t.Expect(identifiers(m)).To(gomega.Equal([]uint32{42}), "Subscription Identifiers of the retained message")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SubscriptionIdentifiersOfOthers",
	Title:  "delivers no Subscription Identifier but those of the subscriptions that match",
	Covers: statement.X5("3.3.4-2"),
	Needs:  []target.Feature{target.SubscriptionIDs},
	Run: func(_ context.Context, t *conformance.T) {
		topic, other := t.Topic("a"), t.Topic("b")
		without, with, elsewhere := t.Connect(), t.Connect(), t.Connect()
		subscribe(without, topic, 0)
		subscribe(without, other, 5)
		subscribe(with, topic, 6)
		subscribe(elsewhere, other, 7)
		publisher := t.Connect()
		for range 3 {
			publisher.Publish(octets.Publish{Topic: topic, Payload: "x"})
			m := without.WantMessage(topic, "x", "the message is delivered")
			t.Expect(identifiers(m)).To(gomega.BeEmpty(), "Subscription Identifiers for a subscription without one")
			m = with.WantMessage(topic, "x", "the message is delivered")
			t.Expect(identifiers(m)).To(gomega.Equal([]uint32{6}), "Subscription Identifiers of the delivered message")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "OverlappingIdentifiers",
	Title:  "delivers the Subscription Identifiers of all subscriptions that match: in one copy, or each with its own",
	Covers: statement.V5("3.3.4-3", "3.3.4-4", "3.3.4-5"),
	Needs:  []target.Feature{target.SubscriptionIDs, target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		publisher := t.Connect()
		for i, ids := range [][]uint32{{1, 2, 3}, {7, 7, 8}, {0, 4, 5}} {
			p, level := t.Connect(), fmt.Sprint(i)
			topic := t.Topic(level + "/a")
			for j, filter := range []string{level + "/a", level + "/+", level + "/#"} {
				subscribe(p, t.Topic(filter), ids[j])
			}
			publisher.Publish(octets.Publish{Topic: topic, Payload: "x"})
			judgeCopies(t, p.Messages(len(ids), "the message is delivered"), ids)
		}
	},
})

// judgeCopies judges the identifiers of the copies of one message that matched
// subscriptions with these identifiers, 0 for none.
func judgeCopies(t *conformance.T, copies []*octets.Received, of []uint32) {
	var want, got []uint32
	bare, none := 0, 0 // copies and subscriptions without an identifier
	for _, id := range of {
		if id == 0 {
			none++
		} else {
			want = append(want, id)
		}
	}
	for _, m := range copies {
		ids := identifiers(m)
		got = append(got, ids...)
		if len(ids) == 0 {
			bare++
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	t.Expect(copies).NotTo(gomega.BeEmpty(), "copies of a message that matches %d subscriptions", len(of))
	t.About(statement.V5("3.3.4-3"))
	t.Expect(slices.Compact(slices.Clone(got))).To(gomega.Equal(slices.Compact(slices.Clone(want))), "Subscription Identifiers in all copies together")
	if len(copies) == 1 {
		t.About(statement.V5("3.3.4-4"))
		t.Expect(got).To(gomega.Equal(want), "Subscription Identifiers in a single copy, equal ones repeated")
	} else {
		t.About(statement.V5("3.3.4-5"))
		t.Expect(bare).To(gomega.BeNumerically("<=", none), "copies without a Subscription Identifier, of %d", len(copies))
	}
	t.About()
}

var _ = conformance.Register(conformance.Check{
	Name:   "SharedIdentifiers",
	Title:  "delivers to a member of a shared subscription its own Subscription Identifier",
	Covers: statement.X5("3.3.4-3"),
	Needs:  []target.Feature{target.SubscriptionIDs, target.Shared},
	Run: func(_ context.Context, t *conformance.T) {
		one, two, publisher := t.Connect(), t.Connect(), t.Connect()
		filter := "$share/" + t.ClientID() + "/" + t.Topic("a")
		subscribe(one, filter, 11)
		subscribe(two, filter, 22)
		const count = 10
		for i := range count {
			publisher.Publish(octets.Publish{Topic: t.Topic("a"), Payload: fmt.Sprint(i)})
		}
		first := one.Messages(count, "the messages are delivered")
		second := two.Messages(count-len(first), "the messages are delivered")
		t.Expect(len(first)+len(second)).To(gomega.Equal(count), "messages that one or the other member got")
		for _, m := range first {
			t.Expect(identifiers(m)).To(gomega.Equal([]uint32{11}), "Subscription Identifiers for the member whose identifier is 11")
		}
		for _, m := range second {
			t.Expect(identifiers(m)).To(gomega.Equal([]uint32{22}), "Subscription Identifiers for the member whose identifier is 22")
		}
	},
})
