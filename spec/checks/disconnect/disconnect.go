// Package disconnect checks DISCONNECT in both directions: what a server makes of one, and
// what it says in its own.
package disconnect

import (
	"context"
	"fmt"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
)

// leaves connects a client that has left a will, and a watcher of it.
func leaves(t *conformance.T, c octets.Connect) (p, w *probe.Peer, topic string) {
	topic = t.Topic("will")
	w = t.Connect()
	w.Subscribe(octets.Subscription{Filter: topic})
	c.Will = &octets.Will{Topic: topic, Payload: "will of " + c.ClientID}
	return t.ConnectWith(c), w, topic
}

// noWill proves that the will was removed.
func noWill(t *conformance.T, w *probe.Peer, topic, why string) {
	w.WantOnly(t.Connect(), octets.Publish{Topic: topic, Payload: "sentinel"}, why)
}

// ended waits for the end of a connection whose client has said DISCONNECT, and ends it
// if the target does not.
func ended(p *probe.Peer, t *conformance.T) {
	for e := p.Next(t.Timings().Settle); e.Packet != nil; {
		e = p.Next(t.Timings().Settle)
	}
	p.Close()
}

var _ = conformance.Register(conformance.Check{
	Name:   "Closes",
	Title:  "closes the Network Connection after DISCONNECT if the client does not",
	Covers: statement.X5("3.14.4-1"),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(octets.Disconnect{})
		if e := p.Next(t.Timings().Answer); e.End == nil || !e.End.ByTarget() {
			t.Nonstrict("the receiver of DISCONNECT closes the connection if its sender does not; got " + e.String())
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ShortForms",
	Title:  "takes DISCONNECT without Reason Code, and with nothing but one, for a normal disconnection",
	Covers: statement.IDs(statement.X5("3.14.2.1-1"), statement.V5("3.14.4-3")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, packet := range []octets.Packet{
			octets.Raw{0xE0, 0x00}, octets.Raw{0xE0, 0x01, 0x00}, octets.Raw{0xE0, 0x02, 0x00, 0x00},
		} {
			p, w, topic := leaves(t, t.NewConnect())
			p.Send(packet)
			t.OneOf(p, "a normal disconnection is no error", conformance.ClosedSilently(),
				conformance.StaysOpen().Nonstrict("the receiver of DISCONNECT closes the connection if its sender does not"))
			p.Close()
			noWill(t, w, topic, "a normal disconnection removes the will")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WithWill",
	Title:  "publishes the will after a DISCONNECT with any Reason Code but 0x00",
	Covers: statement.IDs(statement.X5("3.14.2.1-2", "3.14-1"), statement.V5("3.1.2-8")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, code := range []byte{0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99} {
			t.About(statement.X5("3.14-1"), statement.V5("3.1.2-8"))
			if code == 0x04 {
				t.About(statement.X5("3.14.2.1-2", "3.14-1"))
			}
			p, w, topic := leaves(t, t.NewConnect())
			p.Send(octets.Disconnect{Code: code})
			ended(p, t)
			w.Want(octets.PUBLISH, fmt.Sprintf("DISCONNECT 0x%02X leaves the will to be published on %s", code, topic))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReservedFlags",
	Title:  "does not take a DISCONNECT with wrong flags for one: it closes and publishes the will",
	Covers: statement.IDs(statement.V311("3.14.1-1"), statement.V5("3.14.1-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, flags := range []byte{1, 2, 8} {
			p, w, topic := leaves(t, t.NewConnect())
			p.Send(octets.WithFlags(octets.Disconnect{}, flags))
			t.WantClosed(p, "wrong flags are malformed", 0x81)
			w.Want(octets.PUBLISH, "a malformed DISCONNECT does not remove the will on "+topic)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ServerOnlyReason",
	Title:  "refuses a DISCONNECT with a Reason Code that only servers send, and publishes the will",
	Covers: statement.IDs(statement.X5("3.14.2.1-3"), statement.V5("3.14.2-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, code := range []byte{0x8B, 0x8E, 0x9D, 0x01, 0xFF} {
			p, w, topic := leaves(t, t.NewConnect())
			p.Send(octets.Disconnect{Code: code})
			t.OneOf(p, "a client does not send this Reason Code", conformance.ClosedWith(0x81, 0x82),
				conformance.ClosedSilently().Nonstrict("closed without saying that the Reason Code is wrong"),
				conformance.Closed().Nonstrict("closed with another code than 0x81 or 0x82"))
			w.Want(octets.PUBLISH, fmt.Sprintf("DISCONNECT 0x%02X does not remove the will on %s", code, topic))
		}
	},
})

// A DISCONNECT that is wrong is no DISCONNECT: the will tells whether it was taken for one.
func init() {
	for _, p := range []struct {
		name string
		prop octets.Property
		id   string
	}{
		{"SessionExpiryTwice", octets.SessionExpiryInterval.Prop(60), "3.14.2.2.2-1"},
		{"ReasonStringTwice", octets.ReasonString.Text("bye"), "3.14.2.2.3-1"},
		{"ServerReferenceTwice", octets.ServerReference.Text("elsewhere"), "3.14.2.2.5-1"},
	} {
		conformance.Register(conformance.Check{
			Name:   p.name,
			Title:  "does not take a DISCONNECT with " + p.prop.ID.String() + " twice for one",
			Covers: statement.X5(p.id),
			Run: func(_ context.Context, t *conformance.T) {
				q, w, topic := leaves(t, t.LastingConnect())
				q.Send(octets.Disconnect{Properties: octets.Properties{p.prop, p.prop}})
				t.WantClosed(q, p.prop.ID.String()+" may be there once", 0x82, 0x81)
				w.Want(octets.PUBLISH, "a wrong DISCONNECT does not remove the will on "+topic)
			},
		})
	}
}
