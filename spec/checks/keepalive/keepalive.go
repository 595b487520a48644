// Package keepalive checks Keep Alive and the exchange of PINGREQ and PINGRESP.
package keepalive

import (
	"context"
	"time"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// longest is the longest Keep Alive that a check waits for, seconds.
const longest = 3

// connect connects a client with this Keep Alive, or ends the check if the target wants
// another one that takes too long. It returns what holds.
func connect(t *conformance.T, c octets.Connect, seconds uint16) (*probe.Peer, time.Duration) {
	c.KeepAlive = seconds
	p := t.ConnectWith(c)
	effective := p.Connack().Number(octets.ServerKeepAlive, uint32(seconds))
	if effective > longest || effective == 0 {
		t.Unsupported("the target replaces the Keep Alive by one that takes too long to wait for")
	}
	return p, time.Duration(effective) * time.Second
}

// closes wants a client that says nothing to be disconnected in time.
func closes(t *conformance.T, p *probe.Peer, keepAlive time.Duration) *probe.End {
	sent, _ := p.LastSent()
	limit, slack := keepAlive*3/2, t.Timings().Slack
	// The standard names no time by which the close has to have happened, and there
	// are servers that look every few seconds only: late is not the same as never.
	end := p.WantCloseBetween(keepAlive, limit+3*slack, "a silent client is disconnected after 1.5 times its Keep Alive")
	switch after := end.At.Sub(sent); {
	case after < limit:
		t.Nonstrict("closed before 1.5 times the Keep Alive was over")
	case after > limit+slack:
		t.Nonstrict("closed more than " + slack.String() + " after 1.5 times the Keep Alive")
	}
	return end
}

var _ = conformance.Register(conformance.Check{
	Name:  "Expiry",
	Title: "closes the Network Connection after one and a half times the Keep Alive without a packet, and publishes the will",
	Covers: statement.IDs(statement.V311("3.1.2-24", "3.1.2-8"), statement.V5("3.1.2-22", "3.2.2-22", "3.1.2-8"),
		statement.X5("3.1.2.5-1", "3.1.2.10-3")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := t.Connect()
		w.Subscribe(octets.Subscription{Filter: topic})
		c := t.NewConnect()
		c.Will = &octets.Will{Topic: topic, Payload: "silent"}
		p, keepAlive := connect(t, c, 1)
		start, _ := p.LastSent()
		w.Elapse(start, keepAlive, "the watcher stays connected")
		w.Send(octets.Pingreq{}) // the watcher may be subject to the same Keep Alive
		w.Want(octets.PINGRESP, "PINGREQ is answered")
		end := closes(t, p, keepAlive)
		if t.V5() && end.Refusal == nil {
			t.Info("closes without DISCONNECT 0x8D, which is optional")
		}
		t.About(statement.V311("3.1.2-24", "3.1.2-8"), statement.V5("3.1.2-22", "3.1.2-8"), statement.X5("3.1.2.5-1"))
		w.WantMessage(topic, "silent", "the end of the Keep Alive is a loss of the connection, so the will is published")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "OnlyClientCounts",
	Title:  "disconnects a client that is silent itself, though it gets messages",
	Covers: statement.IDs(statement.V311("3.1.2-24"), statement.V5("3.1.2-22")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		p, keepAlive := connect(t, t.NewConnect(), 1)
		p.Subscribe(octets.Subscription{Filter: topic})
		publisher, start := t.Connect(), time.Now()
		for after := keepAlive / 2; after <= 3*keepAlive/2; after += keepAlive / 2 {
			publisher.Elapse(start, after, "the publisher stays connected")
			publisher.Publish(octets.Publish{Topic: topic, Payload: "are you there"})
		}
		closes(t, p, keepAlive)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "AnyPacketCounts",
	Takes:  3 * time.Second,
	Title:  "keeps a client connected that sends something within each Keep Alive",
	Covers: statement.IDs(statement.V311("3.1.2-24"), statement.V5("3.1.2-22")),
	Run: func(_ context.Context, t *conformance.T) {
		// So often, and of a Keep Alive so long, that a busy machine of ours is not late by it.
		p, keepAlive := connect(t, t.NewConnect(), 2)
		start := time.Now()
		for i := range 8 {
			p.Elapse(start, time.Duration(i)*keepAlive/4, "a client that sends something in time stays connected")
			if i%2 == 0 {
				p.Send(octets.Publish{Topic: t.Topic("a"), Payload: "here"})
			} else {
				p.Barrier("a client that sends something in time stays connected")
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Zero",
	Takes:  2 * time.Second,
	Title:  "keeps a silent client connected whose Keep Alive is 0",
	Covers: statement.X5("3.1.2.10-1"),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.ConnectWith(t.NewConnect())
		if s := p.Connack().Number(octets.ServerKeepAlive, 0); s > 0 && s <= longest {
			t.Unsupported("the target wants a Keep Alive of its own")
		}
		start, _ := p.LastSent()
		p.Elapse(start, 2*time.Second, "Keep Alive 0 turns the mechanism off")
		p.Barrier("Keep Alive 0 turns the mechanism off")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ServerKeepAlive",
	Title:  "uses the Server Keep Alive that it announces in place of the client's",
	Covers: statement.X5("3.2.2.3.14-1"),
	Needs:  []target.Feature{target.ServerKeepAlive},
	Run: func(_ context.Context, t *conformance.T) {
		p, keepAlive := connect(t, t.NewConnect(), 600)
		closes(t, p, keepAlive)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Pingreq",
	Title:  "answers PINGREQ with PINGRESP",
	Covers: statement.IDs(statement.V311("3.12.4-1"), statement.V5("3.12.4-1")),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.WantSilence("PINGREQ is answered by one PINGRESP and nothing else")
		p.Send(octets.Pingreq{}, octets.Pingreq{}, octets.Pingreq{})
		for range 3 {
			p.Want(octets.PINGRESP, "each PINGREQ is answered")
		}
	},
})
