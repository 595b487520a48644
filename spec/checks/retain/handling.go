package retain

import (
	"context"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:   "Handling0",
	Title:  "sends retained messages at each SUBSCRIBE with Retain Handling 0",
	Covers: statement.IDs(statement.V5("3.3.1-9"), statement.X5("3.8.4-2")),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		p, topic := t.Connect(), t.Topic("a")
		store(t.Connect(), topic, "kept", t.Limits().MaximumQoS)
		for _, handling := range []byte{0, 0, 2, 0} {
			p.Subscribe(octets.Subscription{Filter: topic, RetainHandling: handling})
			if handling == 0 {
				p.WantMessage(topic, "kept", "a SUBSCRIBE with Retain Handling 0 brings the retained message")
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Handling1",
	Title:  "sends retained messages for a new subscription with Retain Handling 1, and none for one that existed",
	Covers: statement.IDs(statement.V5("3.3.1-10"), statement.X5("3.8.4-2")),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher := t.Connect(), t.Connect()
		topic := t.Topic("a")
		store(publisher, topic, "kept", t.Limits().MaximumQoS)
		ifNew := octets.Subscription{Filter: topic, RetainHandling: 1}
		p.Subscribe(ifNew)
		p.WantMessage(topic, "kept", "a new subscription brings the retained message")
		wantNone(t, p, publisher, ifNew, "the subscription existed")
		p.Unsubscribe(topic)
		p.Subscribe(ifNew)
		p.WantMessage(topic, "kept", "after UNSUBSCRIBE the subscription is new again")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Handling2",
	Title:  "sends no retained messages for a SUBSCRIBE with Retain Handling 2",
	Covers: statement.V5("3.3.1-11"),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher, topic := t.Connect(), t.Connect(), t.Topic("a")
		store(publisher, topic, "kept", t.Limits().MaximumQoS)
		for range 2 {
			wantNone(t, p, publisher, octets.Subscription{Filter: topic, RetainHandling: 2}, "Retain Handling 2 asks for no retained messages")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Handling1Resumed",
	Title:  "counts a subscription of a resumed Session as one that existed",
	Covers: statement.X5("3.8.3.1-3"),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		c, publisher, topic := t.LastingConnect(), t.Connect(), t.Topic("a")
		store(publisher, topic, "kept", t.Limits().MaximumQoS)
		ifNew := octets.Subscription{Filter: topic, RetainHandling: 1}
		p := t.ConnectWith(c)
		p.Subscribe(ifNew)
		p.WantMessage(topic, "kept", "a new subscription brings the retained message")
		p.Disconnect()
		wantNone(t, t.ConnectWith(c), publisher, ifNew, "the subscription is part of the Session")
	},
})
