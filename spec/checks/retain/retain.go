// Package retain checks retained messages: what is stored, replaced and removed, and what
// a subscription brings and when.
package retain

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// store publishes a message with RETAIN 1 and returns when the target has handled it.
func store(p *probe.Peer, topic, payload string, qos byte) {
	p.Publish(octets.Publish{Topic: topic, Payload: payload, QoS: qos, Retain: true})
	p.Barrier("the retained message is handled")
}

// wantRetained subscribes a new client and wants the retained message.
func wantRetained(t *conformance.T, topic, payload, why string) *octets.Received {
	p := t.Connect()
	p.Subscribe(octets.Subscription{Filter: topic, QoS: t.Limits().MaximumQoS})
	m := p.WantMessage(topic, payload, why)
	p.Ack(m)
	return m
}

// wantNone wants a subscription to bring no retained message, but the next one published.
func wantNone(t *conformance.T, p, publisher *probe.Peer, s octets.Subscription, why string) {
	p.Subscribe(s)
	publisher.Publish(octets.Publish{Topic: s.Filter, Payload: "sentinel"})
	var got []string
	for _, m := range p.Messages(2, why) {
		got = append(got, m.Payload)
	}
	t.Expect(got).To(gomega.Equal([]string{"sentinel"}), "messages after a SUBSCRIBE and one PUBLISH: %s", why)
}

var needs = []target.Feature{target.Retained}

var _ = conformance.Register(conformance.Check{
	Name:   "Stored",
	Title:  "keeps the latest message with RETAIN 1 of each topic, with its QoS, for subscribers to come",
	Covers: statement.IDs(statement.V311("3.3.1-5", "3.3.1-6"), statement.V5("3.3.1-5"), statement.X5("3.8.4-2")),
	Needs:  append([]target.Feature{target.QoS1}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		publisher := t.Connect()
		for qos := byte(1); qos <= t.Limits().MaximumQoS; qos++ {
			topic := t.Topic(string('a' + rune(qos)))
			for _, payload := range []string{"first", "second", "third"} {
				store(publisher, topic, payload, qos)
				m := wantRetained(t, topic, payload, "a new subscription brings the latest retained message")
				t.Expect(m.QoS).To(gomega.Equal(qos), "QoS of the retained message")
			}
		}
		publisher.Disconnect()
		wantRetained(t, t.Topic("b"), "third", "a retained message stays when its publisher goes")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "OnePerTopic",
	Title:  "sends one retained message for each topic that a new subscription matches",
	Covers: statement.IDs(statement.V311("3.3.1-6"), statement.V5("3.3.1-9"), statement.X5("3.8.4-2")),
	Needs:  append([]target.Feature{target.Wildcard, target.QoS1}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		publisher := t.Connect()
		for _, name := range []string{"a", "a/b", "a/b/c", "a/x", "x", "a/"} {
			store(publisher, t.Topic(name), "old "+name, 1)
			store(publisher, t.Topic(name), name, 1)
		}
		for _, c := range []struct {
			filter string
			names  []string
		}{
			{"#", []string{"a", "a/b", "a/b/c", "a/x", "x", "a/"}},
			{"a/#", []string{"a", "a/b", "a/b/c", "a/x", "a/"}},
			{"a/+", []string{"a/b", "a/x", "a/"}},
			{"+", []string{"a", "x"}},
			{"+/b/#", []string{"a/b", "a/b/c"}},
			{"a/b", []string{"a/b"}},
			{"a/b/c/d", nil},
		} {
			p := t.Connect()
			p.Subscribe(octets.Subscription{Filter: t.Topic(c.filter), QoS: 1})
			var got []string
			for _, m := range p.Messages(len(c.names), "the retained messages are delivered") {
				got = append(got, m.Payload)
			}
			t.Expect(got).To(gomega.ConsistOf(c.names), "retained messages for filter %s", c.filter)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FlagSet",
	Title:  "sets RETAIN in a message that is sent because of a SUBSCRIBE",
	Covers: statement.IDs(statement.V311("3.3.1-8"), statement.X5("3.3.1.3-2")),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		publisher, topic := t.Connect(), t.Topic("a")
		store(publisher, topic, "kept", t.Limits().MaximumQoS)
		options := []octets.Subscription{{Filter: topic}}
		if t.V5() {
			options = append(options, octets.Subscription{Filter: topic, RetainAsPublished: true}, octets.Subscription{Filter: topic, RetainHandling: 1})
		}
		for _, o := range options {
			p := t.Connect()
			p.Subscribe(o)
			m := p.WantMessage(topic, "kept", "a new subscription brings the retained message")
			t.Expect(m.Retain).To(gomega.BeTrue(), "RETAIN of a message sent because of a SUBSCRIBE")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FlagCleared",
	Title:  "clears RETAIN in a message for a subscription that exists, unless that has Retain As Published",
	Covers: statement.IDs(statement.V311("3.3.1-9"), statement.V5("3.3.1-12")),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher, topic := t.Connect(), t.Connect(), t.Topic("a")
		most := t.Limits().MaximumQoS
		p.Subscribe(octets.Subscription{Filter: topic, QoS: most})
		for qos := range most + 1 {
			for _, retain := range []bool{true, false} {
				publisher.Publish(octets.Publish{Topic: topic, Payload: "live", QoS: qos, Retain: retain})
				m := p.WantMessage(topic, "live", "the message is delivered")
				t.Expect(m.Retain).To(gomega.BeFalse(), "RETAIN of a message for an existing subscription")
				p.Ack(m)
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "AsPublished",
	Title:  "passes on RETAIN as it was published to a subscription with Retain As Published",
	Covers: statement.V5("3.3.1-13"),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher, topic := t.Connect(), t.Connect(), t.Topic("a")
		most := t.Limits().MaximumQoS
		p.Subscribe(octets.Subscription{Filter: topic, QoS: most, RetainAsPublished: true})
		for qos := range most + 1 {
			for _, retain := range []bool{true, false} {
				publisher.Publish(octets.Publish{Topic: topic, Payload: "live", QoS: qos, Retain: retain})
				m := p.WantMessage(topic, "live", "the message is delivered")
				t.Expect(m.Retain).To(gomega.Equal(retain), "RETAIN of a message for an existing subscription with Retain As Published")
				p.Ack(m)
			}
		}
	},
})

// A message that went through the queue of a client that was away has lost its RETAIN
// flag in a broker of the past (vernemq/vernemq 2551).
var _ = conformance.Register(conformance.Check{
	Name:   "AsPublishedWhileAway",
	Title:  "passes on RETAIN as it was published to a client that was away",
	Covers: statement.V5("3.3.1-13", "3.3.1-12"),
	Needs:  append([]target.Feature{target.QoS1}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		for _, asPublished := range []bool{true, false} {
			c, topic := t.LastingConnect(), t.Topic("a")
			p, publisher := t.ConnectWith(c), t.Connect()
			p.Subscribe(octets.Subscription{Filter: topic, QoS: 1, RetainAsPublished: asPublished, RetainHandling: 2})
			p.Disconnect()
			publisher.Publish(octets.Publish{Topic: topic, Payload: "kept", QoS: 1, Retain: true})
			publisher.Publish(octets.Publish{Topic: topic, Payload: "plain", QoS: 1})
			p = t.ConnectWith(c)
			for range 2 { // their order is another rule
				m := p.Want(octets.PUBLISH, "the messages waited for the client")
				t.Expect(m.Retain).To(gomega.Equal(asPublished && m.Payload == "kept"),
					"RETAIN of the message %q that waited for the client, Retain As Published %t", m.Payload, asPublished)
				p.Ack(m)
			}
		}
	},
})
