// Package session checks what a server keeps of a Session, for how long, and what it
// says about that in CONNACK.
package session

import (
	"context"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// pause gives a target the time to end a Session whose connection has ended: nothing
// says that both happen at once.
func pause(t *conformance.T) {
	t.Connect().Elapse(time.Now(), t.Timings().Settle, "another client stays connected")
}

var _ = conformance.Register(conformance.Check{
	Name:  "Present",
	Title: "says in CONNACK whether it has the Session, and delivers what was queued in it",
	Covers: statement.IDs(
		statement.V311("3.2.2-2", "3.2.2-3", "3.1.2-5", "4.5.0-1"),
		statement.V5("3.2.2-3", "3.1.2-5", "3.1.2-23", "4.5.0-1"), statement.X5("4.1-2")),
	Needs: []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		first := t.ConnectWith(c)
		t.About(statement.V311("3.2.2-3"), statement.V5("3.2.2-3"))
		t.Expect(first.Connack().SessionPresent).To(gomega.BeFalse(), "Session Present for a Client Identifier never used")
		t.About()
		first.Subscribe(octets.Subscription{Filter: topic, QoS: t.Limits().MaximumQoS})
		first.Disconnect()

		p := t.Connect()
		for qos := byte(1); qos <= t.Limits().MaximumQoS; qos++ {
			p.Publish(octets.Publish{Topic: topic, Payload: "while away", QoS: qos})
		}
		again := t.ConnectWith(c)
		t.Expect(again.Connack().SessionPresent).To(gomega.BeTrue(), "Session Present for a stored Session")
		for qos := byte(1); qos <= t.Limits().MaximumQoS; qos++ {
			again.Ack(again.WantMessage(topic, "while away", "a message for a stored Session is kept"))
		}
		again.WantSilence("each message is delivered once")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:  "EmptyPresent",
	Title: "keeps a Session that has nothing in it",
	Covers: statement.IDs(statement.V311("3.1.2-4", "3.2.2-2"), statement.V5("3.1.2-23", "3.2.2-3"),
		statement.X5("4.1-2")),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.LastingConnect()
		t.ConnectWith(c).Disconnect()
		p := t.ConnectWith(c)
		t.Expect(p.Connack().SessionPresent).To(gomega.BeTrue(), "Session Present after DISCONNECT")
		p.Close()
		t.Expect(t.ConnectWith(c).Connack().SessionPresent).To(gomega.BeTrue(), "Session Present after a lost connection")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:  "NewIfNone",
	Title: "makes a new Session for a client that wants to resume one and has none",
	Covers: statement.IDs(statement.V311("3.1.2-4", "3.2.2-3"),
		statement.V5("3.1.2-6", "3.2.2-3")),
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		c.Clean = false
		p := t.ConnectWith(c)
		t.Expect(p.Connack().SessionPresent).To(gomega.BeFalse(), "Session Present for a Client Identifier never used")
		p.Subscribe(octets.Subscription{Filter: topic})
		p.Publish(octets.Publish{Topic: topic, Payload: "hello"})
		p.WantMessage(topic, "hello", "the new Session works")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:  "SubscriptionsKept",
	Title: "keeps the Subscriptions of a Session over DISCONNECT and over a lost connection",
	Covers: statement.IDs(statement.V311("3.1.2-4", "4.1.0-1"), statement.V5("3.1.2-5", "3.1.2-23"),
		statement.X5("4.1-2")),
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		p := t.ConnectWith(c)
		p.Subscribe(octets.Subscription{Filter: topic}, octets.Subscription{Filter: topic + "/b"})
		p.Disconnect()
		p = t.ConnectWith(c)
		p.Close()
		p = t.ConnectWith(c)
		publisher := t.Connect()
		for _, name := range []string{topic, topic + "/b"} {
			publisher.Publish(octets.Publish{Topic: name, Payload: "hello"})
			p.WantMessage(name, "hello", "a resumed Session has its Subscriptions")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SubscriptionIdentifierKept",
	Title:  "keeps the Subscription Identifier and the options of a Subscription in the Session",
	Covers: statement.X5("4.1-2"),
	Needs:  []target.Feature{target.SubscriptionIDs},
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		p := t.ConnectWith(c)
		p.SubscribeWith(octets.Subscribe{
			Filters:    []octets.Subscription{{Filter: topic, RetainAsPublished: true}},
			Properties: octets.Properties{octets.SubscriptionIdentifier.Prop(300)},
		})
		p.Disconnect()
		p = t.ConnectWith(c)
		retain := t.Has(target.Retained)
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "hello", Retain: retain})
		m := p.WantMessage(topic, "hello", "a resumed Session has its Subscription")
		t.Expect(m.Number(octets.SubscriptionIdentifier, 0)).To(gomega.Equal(uint32(300)), "Subscription Identifier of a message for a resumed Session")
		t.Expect(m.Retain).To(gomega.Equal(retain), "RETAIN of a message for a resumed Session with Retain As Published")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "RetainedOutlives",
	Title:  "keeps a retained message when the Session of its publisher ends",
	Covers: statement.IDs(statement.V311("3.1.2-7"), statement.X5("4.1-1")),
	Needs:  []target.Feature{target.Retained},
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		p := t.Connect()
		p.Publish(octets.Publish{Topic: topic, Payload: "kept", Retain: true})
		p.Barrier("the retained message is handled")
		p.Disconnect()
		s := t.Connect()
		s.Subscribe(octets.Subscription{Filter: topic})
		m := s.WantMessage(topic, "kept", "a retained message belongs to no Session")
		t.Expect(m.Retain).To(gomega.BeTrue(), "RETAIN of a retained message for a new subscription")
	},
})
