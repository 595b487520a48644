package retain

import (
	"context"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "RemovedByEmpty",
	Title:  "removes the retained message of a topic on an empty one, and delivers that to existing subscriptions as any other",
	Covers: statement.IDs(statement.V311("3.3.1-10", "3.3.1-11"), statement.V5("3.3.1-6", "3.3.1-7")),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		publisher, live := t.Connect(), t.Connect()
		most := t.Limits().MaximumQoS
		live.Subscribe(octets.Subscription{Filter: t.Topic("a"), QoS: most})
		for qos := range most + 1 {
			topic := t.Topic("a")
			store(publisher, topic, "kept", qos)
			store(publisher, topic, "", qos)
			t.About(statement.V311("3.3.1-10"), statement.V5("3.3.1-6"))
			for _, payload := range []string{"kept", ""} {
				m := live.WantMessage(topic, payload, "an existing subscription gets the empty message too")
				t.Expect(m.Retain).To(gomega.BeFalse(), "RETAIN of a message for an existing subscription")
				live.Ack(m)
			}
			p := t.Connect()
			p.Subscribe(octets.Subscription{Filter: topic})
			for _, m := range p.Messages(1, "the connection stays open") {
				if m.Payload == "" {
					t.About(statement.V311("3.3.1-11"), statement.V5("3.3.1-7"))
				}
				t.Expect(m.Payload).To(gomega.Equal("no message at all"), "retained message after an empty one")
			}
			t.About()
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "EmptyNotStored",
	Title:  "does not keep an empty message as retained where there was none",
	Covers: statement.IDs(statement.V311("3.3.1-11"), statement.V5("3.3.1-7")),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		publisher, p, topic := t.Connect(), t.Connect(), t.Topic("a")
		store(publisher, topic, "", t.Limits().MaximumQoS)
		wantNone(t, p, publisher, octets.Subscription{Filter: topic}, "an empty message is not retained")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NotStoredWithoutFlag",
	Title:  "does not keep a message with RETAIN 0, and leaves the retained message of its topic",
	Covers: statement.IDs(statement.V311("3.3.1-12"), statement.V5("3.3.1-8")),
	Needs:  append([]target.Feature{target.QoS1}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		publisher, p := t.Connect(), t.Connect()
		bare, topic := t.Topic("bare"), t.Topic("a")
		for qos := range byte(2) {
			publisher.Publish(octets.Publish{Topic: bare, Payload: "passing", QoS: qos})
		}
		publisher.Barrier("the messages are handled")
		wantNone(t, p, publisher, octets.Subscription{Filter: bare}, "a message with RETAIN 0 is not retained")
		store(publisher, topic, "kept", 1)
		for qos := range byte(2) {
			for _, payload := range []string{"passing", ""} {
				publisher.Publish(octets.Publish{Topic: topic, Payload: payload, QoS: qos})
				publisher.Barrier("the message is handled")
				wantRetained(t, topic, "kept", "a message with RETAIN 0 leaves the retained message")
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReplacedByQoS0",
	Title:  "drops the retained message of a topic for a QoS 0 one: later subscribers get that or none",
	Covers: statement.IDs(statement.V311("3.3.1-7"), statement.V5("3.3.1-5")),
	Needs:  append([]target.Feature{target.QoS1}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		publisher, p, topic := t.Connect(), t.Connect(), t.Topic("a")
		store(publisher, topic, "old", 1)
		store(publisher, topic, "new", 0)
		p.Subscribe(octets.Subscription{Filter: topic, QoS: 1})
		got := p.Messages(1, "the connection stays open")
		if len(got) == 0 {
			t.Info("keeps no QoS 0 message as retained")
			return
		}
		t.Expect(got[0].Payload).To(gomega.Equal("new"), "retained message after one with QoS 0")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "QoS0Stored",
	Title:  "keeps a QoS 0 message with RETAIN 1",
	Covers: statement.X5("3.3.1.3-3"),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		store(t.Connect(), topic, "kept", 0)
		wantRetained(t, topic, "kept", "a QoS 0 message with RETAIN 1 should be stored")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Expired",
	Takes:  3 * time.Second,
	Title:  "removes a retained message when its Message Expiry Interval has passed",
	Covers: statement.X5("3.3.1.3-4"),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		publisher, p, topic := t.Connect(), t.Connect(), t.Topic("a")
		start := time.Now()
		publisher.Publish(octets.Publish{
			Topic: topic, Payload: "brief", QoS: t.Limits().MaximumQoS, Retain: true,
			Properties: octets.Properties{octets.MessageExpiryInterval.Prop(1)},
		})
		// A server that counts whole seconds and looks once in a second may be late by nearly two.
		publisher.Elapse(start, time.Second+t.Timings().Slack, "time passes")
		wantNone(t, p, publisher, octets.Subscription{Filter: topic}, "the retained message has expired")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Unavailable",
	Title:  "closes with 0x9A on a PUBLISH with RETAIN 1 where it keeps no retained messages",
	Covers: statement.X5("3.3.1.3-1"),
	Needs:  []target.Feature{target.RetainUnavailable},
	Run: func(_ context.Context, t *conformance.T) {
		for qos := range t.Limits().MaximumQoS + 1 {
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic("a"), Payload: "x", QoS: qos, ID: 1, Retain: true})
			t.OneOf(p, "RETAIN is not supported, and should be answered with DISCONNECT 0x9A", conformance.ClosedWith(0x9A))
		}
	},
})
