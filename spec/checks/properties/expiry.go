package properties

import (
	"context"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// expiring is a message with a Message Expiry Interval in seconds.
func expiring(topic, payload string, seconds uint32) octets.Publish {
	return octets.Publish{Topic: topic, Payload: payload, QoS: 1, Properties: octets.Properties{octets.MessageExpiryInterval.Prop(seconds)}}
}

// wantLeft wants the Message Expiry Interval of a message to be what is left of it, give
// or take the second that counting in whole ones costs.
func wantLeft(t *conformance.T, m *octets.Received, published uint32, since time.Time) {
	left, has := m.Prop(octets.MessageExpiryInterval)
	t.Expect(has).To(gomega.BeTrue(), "Message Expiry Interval in the delivered message")
	waited := uint32(time.Since(since) / time.Second)
	t.Expect(left.Number).To(gomega.And(
		gomega.BeNumerically(">=", published-waited-2), gomega.BeNumerically("<=", published-waited+1),
	), "Message Expiry Interval after %d s, published with %d s", waited, published)
}

var _ = conformance.Register(conformance.Check{
	Name:   "ExpiryCountedDown",
	Takes:  2 * time.Second,
	Title:  "delivers what is left of the Message Expiry Interval: at once, out of the queue, retained",
	Covers: statement.V5("3.3.2-6"),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		c := t.LastingConnect()
		away := t.ConnectWith(c)
		away.Subscribe(octets.Subscription{Filter: topic, QoS: 1})
		away.Disconnect()
		live, publisher := t.Connect(), t.Connect()
		live.Subscribe(octets.Subscription{Filter: topic, QoS: 1})
		start := time.Now()
		publisher.Publish(expiring(topic, "counted", 100))
		m := live.WantMessage(topic, "counted", "the message is delivered")
		wantLeft(t, m, 100, start)
		live.Ack(m)
		if t.Has(target.Retained) {
			kept := expiring(t.Topic("kept"), "kept", 100)
			kept.Retain = true
			publisher.Publish(kept)
		}

		publisher.Elapse(start, counted, "waiting is no error")
		away = t.ConnectWith(c)
		m = away.WantMessage(topic, "counted", "the queued message is delivered")
		wantLeft(t, m, 100, start)
		away.Ack(m)
		if t.Has(target.Retained) {
			live.Subscribe(octets.Subscription{Filter: t.Topic("kept"), QoS: 1})
			m = live.WantMessage(t.Topic("kept"), "kept", "the retained message is delivered")
			wantLeft(t, m, 100, start)
			live.Ack(m)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ExpiredDropped",
	Takes:  2 * time.Second,
	Title:  "does not deliver a message whose Message Expiry Interval is over, and delivers the others",
	Covers: statement.IDs(statement.V5("3.3.2-5"), statement.X5("3.3.2.3.3-1")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		c := t.LastingConnect()
		away := t.ConnectWith(c)
		away.Subscribe(octets.Subscription{Filter: topic, QoS: 1})
		away.Disconnect()
		publisher := t.Connect()
		start := time.Now()
		publisher.Publish(expiring(topic, "short", 1))
		publisher.Publish(octets.Publish{Topic: topic, Payload: "for ever", QoS: 1})
		publisher.Publish(expiring(topic, "long", 1000))

		publisher.Elapse(start, counted, "waiting is no error")
		away = t.ConnectWith(c)
		arrived := map[string]*octets.Received{}
		for _, m := range away.Messages(3, "the connection stays open") {
			arrived[m.Payload] = m
			away.Ack(m)
		}
		t.About(statement.V5("3.3.2-5"))
		t.Expect(arrived).NotTo(gomega.HaveKey("short"), "messages delivered %v later: one had an interval of 1 s", counted)
		t.About(statement.X5("3.3.2.3.3-1"))
		t.Expect(arrived).To(gomega.HaveKey("for ever"), "messages delivered: one has no interval, and does not expire")
		_, has := arrived["for ever"].Prop(octets.MessageExpiryInterval)
		t.Expect(has).To(gomega.BeFalse(), "Message Expiry Interval in a message published without")
		t.About()
		t.Expect(arrived).To(gomega.HaveKey("long"), "messages delivered: one has an interval that is not over")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ExpiryNotAdded",
	Title:  "delivers a message published without Message Expiry Interval without it",
	Covers: statement.X5("3.3.2.3.3-1"),
	Run: func(_ context.Context, t *conformance.T) {
		forwarded(t, nil, func(m *octets.Received) {
			_, has := m.Prop(octets.MessageExpiryInterval)
			t.Expect(has).To(gomega.BeFalse(), "Message Expiry Interval in a message published without")
		})
	},
})
