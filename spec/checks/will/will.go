// Package will checks when a server publishes a Will Message, when it must not, and that
// what it publishes is what the client left.
package will

import (
	"context"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
)

// leaves is a CONNECT with a Will Message of QoS 0.
func leaves(t *conformance.T, topic, payload string) octets.Connect {
	c := t.NewConnect()
	c.Will = &octets.Will{Topic: topic, Payload: payload}
	return c
}

// watcher is a client that is subscribed to a topic.
func watcher(t *conformance.T, topic string) *probe.Peer {
	p := t.Connect()
	p.Subscribe(octets.Subscription{Filter: topic, QoS: t.Limits().MaximumQoS})
	return p
}

// noMore proves that no will is on its way: what is published afterwards comes next.
func noMore(t *conformance.T, w *probe.Peer, topic, why string) {
	w.WantOnly(t.Connect(), octets.Publish{Topic: topic, Payload: "sentinel"}, why)
}

var _ = conformance.Register(conformance.Check{
	Name:  "PublishedOnLoss",
	Title: "publishes the will when the Network Connection is lost",
	Covers: statement.IDs(statement.V311("3.1.2-8", "3.1.2-9"), statement.V5("3.1.2-7", "3.1.2-8"),
		statement.X5("3.1.2.5-1", "3.14-1")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		for qos := range t.Limits().MaximumQoS + 1 {
			c := leaves(t, topic, "left at QoS "+string('0'+qos))
			c.Will.QoS = qos
			t.ConnectWith(c).Close()
			m := w.WantMessage(topic, c.Will.Payload, "the will is published when the connection is lost")
			t.About(statement.V311("3.1.2-9"), statement.V5("3.1.2-7"))
			t.Expect(m.QoS).To(gomega.Equal(qos), "QoS of the will, subscribed with the highest")
			t.About()
			w.Ack(m)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PublishedOnError",
	Title:  "publishes the will when it closes the Network Connection because of an error",
	Covers: statement.IDs(statement.V311("3.1.2-8"), statement.V5("3.1.2-8"), statement.X5("3.1.2.5-1", "3.14-1")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		for i, wrong := range []octets.Packet{
			octets.WithFlags(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: topic}}}, 0),
			t.NewConnect(),
		} {
			c := leaves(t, topic, "wrong packet "+string(rune('1'+i)))
			p := t.ConnectWith(c)
			p.Send(wrong)
			p.WantClose("the packet is an error")
			w.WantMessage(topic, c.Will.Payload, "the will is published when the server closes because of an error")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NotAfterDisconnect",
	Title:  "does not publish the will after DISCONNECT, nor when the client is lost later without one",
	Covers: statement.IDs(statement.V311("3.1.2-10", "3.14.4-3"), statement.V5("3.1.2-10", "3.14.4-3")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		c := t.LastingConnect()
		c.Will = &octets.Will{Topic: topic, Payload: "not to be seen"}
		t.ConnectWith(c).Disconnect()
		noMore(t, w, topic, "DISCONNECT removes the will")
		c.Will = nil
		t.ConnectWith(c).Close()
		t.ConnectWith(c).Disconnect() // it takes over from the lost one, if that is still there
		noMore(t, w, topic, "a will that DISCONNECT removed does not come back")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PublishedOnce",
	Title:  "publishes the will once, although the client comes back and is lost again without one",
	Covers: statement.IDs(statement.V311("3.1.2-10", "3.1.2-12"), statement.V5("3.1.2-10")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		c := t.LastingConnect()
		c.Will = &octets.Will{Topic: topic, Payload: "once"}
		t.ConnectWith(c).Close()
		w.WantMessage(topic, "once", "the will is published")
		c.Will = nil
		for range 2 {
			t.ConnectWith(c).Close()
			t.ConnectWith(c).Disconnect()
		}
		noMore(t, w, topic, "a will that was published is deleted")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NoneWithoutFlag",
	Title:  "publishes no will for a client that left none, whoever left one before",
	Covers: statement.V311("3.1.2-12"),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		c := leaves(t, topic, "not to be seen")
		t.ConnectWith(c).Disconnect()
		c.Will = nil
		p := t.ConnectWith(c)
		p.Send(c) // a second CONNECT makes the server close
		p.WantClose("a second CONNECT is an error")
		noMore(t, w, topic, "a client without Will Flag has no will")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "TakeOver",
	Title:  "publishes the will of a connection that is taken over",
	Covers: statement.IDs(statement.V311("3.1.2-8"), statement.X5("3.1.3.2.2-3")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		for _, clean := range []bool{false, true} {
			c := t.LastingConnect()
			c.Will = &octets.Will{Topic: topic, Payload: "taken over"}
			t.ConnectWith(c)
			c.Will, c.Clean = nil, clean
			t.ConnectWith(c)
			w.WantMessage(topic, "taken over", "the old connection ended without DISCONNECT, and the will has no delay")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "TakeOverWithinDelay",
	Takes:  2 * time.Second,
	Title:  "does not publish a delayed will when the client takes over its own Session",
	Covers: statement.IDs(statement.V5("3.1.3-9"), statement.X5("3.1.3.2.2-3")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		c := t.LastingConnect()
		c.Will = &octets.Will{Topic: topic, Payload: "not to be seen", Properties: octets.Properties{octets.WillDelayInterval.Prop(1)}}
		t.ConnectWith(c)
		c.Will = nil
		again := t.ConnectWith(c)
		taken, _ := again.LastSent()
		again.Elapse(taken, time.Second+t.Timings().Slack/2, "the client stays connected")
		noMore(t, w, topic, "the Session goes on, so that the will is cancelled")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "TopicWithWildcard",
	Title:  "does not accept a will for a topic with wildcards, nor for an empty one",
	Covers: statement.IDs(statement.V311("4.7.1-1", "4.7.3-1"), statement.V5("4.7.0-1", "4.7.3-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, topic := range []string{t.Topic("+"), t.Topic("#"), t.Topic("a+"), "#", ""} {
			t.About(statement.V311("4.7.1-1"), statement.V5("4.7.0-1"))
			if topic == "" {
				t.About(statement.V311("4.7.3-1"), statement.V5("4.7.3-1"))
			}
			p := t.Dial()
			p.Send(leaves(t, topic, "will"))
			t.WantClosed(p, "a will is published to one topic", 0x90, 0x82, 0x81)
		}
	},
})
