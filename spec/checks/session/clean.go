package session

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:  "CleanStartDrops",
	Title: "drops the stored Session when the client starts clean: Subscriptions, queued and open messages",
	Covers: statement.IDs(statement.V311("3.1.2-6", "3.2.2-1", "3.1.4-3"),
		statement.V5("3.1.2-4", "3.2.2-2", "3.1.4-4")),
	Run: func(_ context.Context, t *conformance.T) {
		c, topic, qos := t.LastingConnect(), t.Topic("a"), t.Limits().MaximumQoS
		p := t.ConnectWith(c)
		p.Subscribe(octets.Subscription{Filter: topic, QoS: qos})
		publisher := t.Connect()
		publisher.Publish(octets.Publish{Topic: topic, Payload: "open", QoS: qos})
		p.WantMessage(topic, "open", "the message is delivered") // and not acknowledged
		p.Close()
		publisher.Publish(octets.Publish{Topic: topic, Payload: "queued", QoS: qos})

		c.Clean = true
		p = t.ConnectWith(c)
		t.About(statement.V311("3.2.2-1"), statement.V5("3.2.2-2"))
		t.Expect(p.Connack().SessionPresent).To(gomega.BeFalse(), "Session Present in answer to a clean start")
		t.About(statement.V311("3.1.2-6", "3.1.4-3"), statement.V5("3.1.2-4", "3.1.4-4"))
		p.WantSilence("a clean start drops what was queued and open")
		p.Subscribe(octets.Subscription{Filter: topic + "/end"})
		publisher.Publish(octets.Publish{Topic: topic, Payload: "late"})
		p.WantOnly(publisher, octets.Publish{Topic: topic + "/end", Payload: "end"}, "a clean start drops the Subscriptions")
		p.Disconnect()
	},
})

var _ = conformance.Register(conformance.Check{
	Name:  "EndsWithConnection",
	Title: "ends a Session that is not to last when its connection ends",
	Covers: statement.IDs(statement.V311("3.1.2-6", "3.2.2-3"), statement.V5("3.2.2-3"),
		statement.X5("3.1.2.11.2-2")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		publisher, witness := t.Connect(), t.Connect()
		witness.Subscribe(octets.Subscription{Filter: topic + "/will"})
		props := []octets.Properties{nil}
		if t.V5() {
			props = append(props, octets.Properties{octets.SessionExpiryInterval.Prop(0)})
		}
		for i, prop := range append(props, props...) {
			c := t.NewConnect()
			c.Properties = prop
			c.Will = &octets.Will{Topic: topic + "/will", Payload: c.ClientID}
			p := t.ConnectWith(c)
			p.Subscribe(octets.Subscription{Filter: topic, QoS: t.Limits().MaximumQoS})
			if i < len(props) {
				p.Disconnect()
			} else {
				p.Close()
				witness.WantMessage(topic+"/will", c.ClientID, "the will shows that the target has noticed the end of the connection")
			}
			pause(t)
			c.Clean, c.Will = false, nil
			again := t.ConnectWith(c)
			t.Expect(again.Connack().SessionPresent).To(gomega.BeFalse(), "Session Present for a Session that ended with its connection")
			again.Subscribe(octets.Subscription{Filter: topic + "/end"})
			publisher.Publish(octets.Publish{Topic: topic, Payload: "late"})
			again.WantOnly(publisher, octets.Publish{Topic: topic + "/end", Payload: "end"}, "the Subscriptions ended with the connection")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "CleanStartThenKept",
	Title:  "keeps a Session that was begun clean with an expiry, for the client to resume",
	Covers: statement.IDs(statement.X5("3.1.2.4-1"), statement.V5("3.1.2-23")),
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		c.Clean = true
		p := t.ConnectWith(c)
		p.Subscribe(octets.Subscription{Filter: topic})
		p.Disconnect()
		c.Clean = false
		p = t.ConnectWith(c)
		t.Expect(p.Connack().SessionPresent).To(gomega.BeTrue(), "Session Present after a clean start with an expiry")
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "hello"})
		p.WantMessage(topic, "hello", "the Session has its Subscription")
	},
})
