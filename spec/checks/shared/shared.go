// Package shared checks Shared Subscriptions.
package shared

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var needs = []target.Feature{target.Shared}

// filter is a shared filter whose Share Name no other check has.
func filter(t *conformance.T, name, path string) string {
	return "$share/" + t.ClientID() + name + "/" + path
}

// gather publishes count messages and returns which of them each client got: the payloads
// count from 0. It waits until all have come once, or no more comes.
func gather(t *conformance.T, publisher *probe.Peer, topic string, qos byte, count int, clients ...*probe.Peer) [][]string {
	for i := range count {
		publisher.Publish(octets.Publish{Topic: topic, Payload: fmt.Sprint(i), QoS: qos})
	}
	publisher.Barrier("the messages are handled")
	got := make([][]string, len(clients))
	for i, p := range clients {
		for _, m := range p.Messages(count+1, "the connection stays open") {
			got[i] = append(got[i], m.Payload)
			p.Ack(m)
		}
	}
	return got
}

// told are messages in words, for failures.
func told(messages []*octets.Received) []string {
	words := make([]string, len(messages))
	for i, m := range messages {
		words[i] = m.String()
	}
	return words
}

// numbers are the payloads that gather publishes.
func numbers(count int) []string {
	all := make([]string, count)
	for i := range all {
		all[i] = fmt.Sprint(i)
	}
	return all
}

var _ = conformance.Register(conformance.Check{
	Name:   "OneMember",
	Takes:  2 * time.Second,
	Title:  "sends each message to exactly one member of a Shared Subscription",
	Covers: statement.X5("4.8.2-1"),
	Needs:  append([]target.Feature{target.QoS1}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		for qos := range byte(2) {
			f := filter(t, "", t.Topic("a"))
			members := []*probe.Peer{t.Connect(), t.Connect(), t.Connect()}
			for _, m := range members {
				m.Subscribe(octets.Subscription{Filter: f, QoS: 1})
			}
			got := gather(t, t.Connect(), t.Topic("a"), qos, 10, members...)
			t.Expect(slices.Concat(got...)).To(gomega.ConsistOf(numbers(10)), "messages that all members together got")
			for _, m := range members {
				m.Unsubscribe(f)
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Matching",
	Title:  "matches with what follows $share and the Share Name",
	Covers: statement.X5("4.8.2-2"),
	Needs:  append([]target.Feature{target.Wildcard}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		publisher := t.Connect()
		for _, c := range []struct{ path, matches, other string }{
			{t.Topic("a"), t.Topic("a"), t.Topic("a/b")},
			{t.Topic("b/+"), t.Topic("b/x"), t.Topic("b")},
			{t.Topic("c/#"), t.Topic("c/x/y"), t.Topic("d")},
			{"/" + t.Topic("e"), "/" + t.Topic("e"), t.Topic("e")},
			{t.Topic("f/"), t.Topic("f/"), t.Topic("f")},
		} {
			p, f := t.Connect(), filter(t, "", c.path)
			p.Subscribe(octets.Subscription{Filter: f})
			publisher.Publish(octets.Publish{Topic: c.other, Payload: "no"})
			publisher.Publish(octets.Publish{Topic: c.matches, Payload: "yes"})
			p.WantMessage(c.matches, "yes", "$share and the Share Name are no part of what is matched, in "+f)
			p.WantSilence("no other name matches " + f)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "GroupsApart",
	Takes:  2 * time.Second,
	Title:  "sends each message once to every Share Name, every filter and every subscription that is not shared",
	Covers: statement.X5("4.8.2-3", "4.8.1-1"),
	Needs:  append([]target.Feature{target.Wildcard}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		topic, name := t.Topic("a"), t.ClientID()
		clients := make([]*probe.Peer, 6)
		for i, f := range []string{
			"$share/" + name + "/" + topic, "$share/" + name + "x/" + topic, "$share/" + name + "/" + t.Topic("+"), "$share/" + name + "/" + t.Topic("#"),
			topic, topic,
		} {
			clients[i] = t.Connect()
			clients[i].Subscribe(octets.Subscription{Filter: f})
		}
		for i, got := range gather(t, t.Connect(), topic, 0, 5, clients...) {
			t.Expect(got).To(gomega.ConsistOf(numbers(5)), "messages that client %d got, alone under its Share Name and filter", i+1)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "BesideOwn",
	Title:  "sends a member the message for its subscription that is not shared as well",
	Covers: statement.X5("4.8.2-3"),
	Needs:  append([]target.Feature{target.SubscriptionIDs}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		p, topic := t.Connect(), t.Topic("a")
		for id, f := range map[uint32]string{1: topic, 2: filter(t, "", topic)} {
			p.SubscribeWith(octets.Subscribe{
				Filters: []octets.Subscription{{Filter: f}}, Properties: octets.Properties{octets.SubscriptionIdentifier.Prop(id)},
			})
		}
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "x"})
		var ids []uint32
		for _, m := range p.Messages(3, "the connection stays open") {
			for _, v := range m.Props(octets.SubscriptionIdentifier) {
				ids = append(ids, v.Number)
			}
		}
		t.Expect(ids).To(gomega.ConsistOf(uint32(1), uint32(2)), "Subscription Identifiers of the copies that a client got as member and as subscriber")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "EachItsCopy",
	Title:  "sends every client with a subscription that is not shared its own copy",
	Covers: statement.X5("4.8.1-1"),
	Run: func(_ context.Context, t *conformance.T) {
		clients := []*probe.Peer{t.Connect(), t.Connect(), t.Connect()}
		for _, p := range clients {
			p.Subscribe(octets.Subscription{Filter: t.Topic("a")})
		}
		for i, got := range gather(t, t.Connect(), t.Topic("a"), 0, 5, clients...) {
			t.Expect(got).To(gomega.ConsistOf(numbers(5)), "messages that client %d got", i+1)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Leaving",
	Title:  "takes out the member that unsubscribes, once is enough, and goes on with the others",
	Covers: statement.X5("4.8.2-4", "3.11.3-1"),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		leaver, stayer, publisher := t.Connect(), t.Connect(), t.Connect()
		f, topic := filter(t, "", t.Topic("a")), t.Topic("a")
		for range 2 {
			leaver.Subscribe(octets.Subscription{Filter: f})
		}
		stayer.Subscribe(octets.Subscription{Filter: f})
		t.Expect(leaver.Unsubscribe(f).Codes).To(gomega.Equal([]byte{0x00}), "codes of the UNSUBACK")
		t.About(statement.X5("4.8.2-4"))
		got := gather(t, publisher, topic, 0, 4, leaver, stayer)
		t.Expect(got[0]).To(gomega.BeEmpty(), "messages that the member got who had left")
		t.Expect(got[1]).To(gomega.ConsistOf(numbers(4)), "messages that the member got who had stayed")
		t.About(statement.X5("3.11.3-1"))
		t.Expect(leaver.Unsubscribe(f).Codes).To(gomega.Equal([]byte{0x11}), "codes of the UNSUBACK of who has left before")
		t.Expect(stayer.Unsubscribe(t.Topic("a")).Codes).To(gomega.Equal([]byte{0x11}), "codes of the UNSUBACK for the filter without its Share Name")
		t.About(statement.X5("4.8.2-4"))
		t.Expect(gather(t, publisher, topic, 0, 1, stayer)[0]).To(gomega.ConsistOf("0"), "messages that the member got who had stayed")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "MemberQoS",
	Title:  "sends to each member at the QoS that was granted to it",
	Covers: statement.V5("4.8.2-3"),
	Needs:  append([]target.Feature{target.QoS2}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		f, publisher := filter(t, "", t.Topic("a")), t.Connect()
		members := make([]*probe.Peer, 3)
		for qos := range members {
			members[qos] = t.Connect()
			members[qos].Subscribe(octets.Subscription{Filter: f, QoS: byte(qos)})
		}
		const count = 9
		for i := range count {
			publisher.Publish(octets.Publish{Topic: t.Topic("a"), Payload: fmt.Sprint(i), QoS: 2})
		}
		total := 0
		for granted, p := range members {
			for _, m := range p.Messages(count+1, "the connection stays open") {
				t.Expect(m.QoS).To(gomega.Equal(byte(granted)), "QoS of a message for the member that was granted %d", granted)
				p.Ack(m)
				total++
			}
		}
		t.Expect(total).To(gomega.Equal(count), "messages that all members together got")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NoRetained",
	Title:  "sends no retained messages for a Shared Subscription",
	Covers: statement.X5("3.8.4-3"),
	Needs:  append([]target.Feature{target.Retained}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		publisher, topic := t.Connect(), t.Topic("a")
		publisher.Publish(octets.Publish{Topic: topic, Payload: "kept", QoS: t.Limits().MaximumQoS, Retain: true})
		publisher.Barrier("the retained message is handled")
		f := filter(t, "", topic)
		for _, p := range []*probe.Peer{t.Connect(), t.Connect()} {
			for range 2 {
				p.Subscribe(octets.Subscription{Filter: f})
				t.Expect(told(p.Messages(1, "the connection stays open"))).To(gomega.BeEmpty(), "retained messages for a Shared Subscription")
			}
		}
	},
})
