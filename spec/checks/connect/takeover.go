package connect

import (
	"context"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:   "TakeOver",
	Title:  "disconnects a client when another one connects with its Client Identifier",
	Covers: statement.IDs(statement.V311("3.1.4-2"), statement.V5("3.1.4-3")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, clean := range []bool{true, false} {
			c := t.LastingConnect()
			c.Clean = clean
			first := t.ConnectWith(c)
			second := t.ConnectWith(c)
			takenOver(t, first)
			second.Barrier("the connection that took over is served")
		}
	},
})

// takenOver wants the connection to have been closed in favour of another one.
func takenOver(t *conformance.T, p *probe.Peer) {
	if !t.V5() {
		t.OneOf(p, "a connection of the same client ends this one", conformance.Closed())
		return
	}
	t.OneOf(p, "a connection of the same client ends this one, after DISCONNECT 0x8E", conformance.ClosedWith(0x8E),
		conformance.Closed().Nonstrict("closed without the DISCONNECT 0x8E that 3.1.4 wants before the close"))
}

var _ = conformance.Register(conformance.Check{
	Name:   "TakeOverKeepsSession",
	Title:  "hands the Session over with the Client Identifier, and lets the old connection do no more",
	Covers: statement.IDs(statement.V311("3.1.4-2", "3.1.4-3"), statement.V5("3.1.4-3", "3.1.4-4")),
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		first := t.ConnectWith(c)
		first.Subscribe(octets.Subscription{Filter: topic})
		second := t.ConnectWith(c)
		takenOver(t, first)
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "hello"})
		second.WantMessage(topic, "hello", "the subscription is part of the Session that was taken over")

		c.Clean = true
		third := t.ConnectWith(c)
		takenOver(t, second)
		third.Subscribe(octets.Subscription{Filter: topic + "/end"})
		publisher := t.Connect()
		publisher.Publish(octets.Publish{Topic: topic, Payload: "gone"})
		third.WantOnly(publisher, octets.Publish{Topic: topic + "/end", Payload: "end"}, "the old Session is dropped by a clean start")
	},
})
