package connect

import (
	"context"
	"fmt"
	"strings"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

var _ = conformance.Register(conformance.Check{
	Name:   "ClientIDCharacters",
	Title:  "accepts Client Identifiers of 1 to 23 letters and digits",
	Covers: statement.IDs(statement.V311("3.1.3-5"), statement.V5("3.1.3-5")),
	Run: func(_ context.Context, t *conformance.T) {
		// The versions run at the same time and must not take each other's place.
		one := 2*t.Rand().IntN(len(alphanumeric)/2) + int(t.Version())%2
		ids := []string{alphanumeric[one : one+1]}
		for rest := alphanumeric; rest != ""; rest = rest[min(16, len(rest)):] {
			id := rest[:min(16, len(rest))] + t.ClientID()[len("mqttlab"):]
			ids = append(ids, id[:min(23, len(id))])
		}
		ids = append(ids, strings.Repeat("Z", 23-8)+t.ClientID()[len("mqttlab"):][:8])
		for _, id := range ids {
			c := t.NewConnect()
			c.ClientID = id
			p := t.ConnectWith(c)
			p.Barrier(fmt.Sprintf("a client with an identifier of %d letters and digits is served", len(id)))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "EmptyClientIDWithoutClean",
	Title:  "refuses an empty Client Identifier with CleanSession 0 with return code 0x02",
	Covers: statement.V311("3.1.3-7", "3.1.3-8"),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.ClientID, c.Clean = "", false
		p := t.Dial()
		p.Send(c)
		t.OneOf(p, "an empty Client Identifier needs CleanSession 1", conformance.ClosedWith(0x02))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "EmptyClientIDUnique",
	Title:  "gives each client with an empty Client Identifier one of its own",
	Covers: statement.IDs(statement.V311("3.1.3-6"), statement.V5("3.1.3-6", "3.2.2-16")),
	Needs:  []target.Feature{target.ZeroLengthClientID},
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.ClientID = ""
		topic, seen := t.Topic("a"), map[string]bool{}
		var side []string
		first, second := t.ConnectWith(c), t.ConnectWith(c)
		first.Subscribe(octets.Subscription{Filter: topic})
		second.Barrier("a client without identifier disturbs no other")
		first.Barrier("a client without identifier is not taken over by the next one")
		if !t.V5() {
			return
		}
		for _, p := range []interface{ Connack() *octets.Received }{first, second} {
			id, _ := p.Connack().Prop(octets.AssignedClientIdentifier)
			side = append(side, id.Text)
			t.Expect(id.Text).NotTo(gomega.BeEmpty(), "Assigned Client Identifier in answer to an empty one")
			t.Expect(seen[id.Text]).To(gomega.BeFalse(), "%q is assigned twice: %q", id.Text, side)
			seen[id.Text] = true
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "AssignedClientIDWorks",
	Title:  "lets a client come back with the Client Identifier it was assigned, and finds its Session",
	Covers: statement.V5("3.1.3-7", "3.2.2-16"),
	Needs:  []target.Feature{target.ZeroLengthClientID},
	Run: func(_ context.Context, t *conformance.T) {
		c := t.LastingConnect()
		c.ClientID, c.Clean = "", true
		p := t.ConnectWith(c)
		assigned, ok := p.Connack().Prop(octets.AssignedClientIdentifier)
		t.Expect(ok).To(gomega.BeTrue(), "CONNACK has an Assigned Client Identifier")
		topic := t.Topic("a")
		p.Subscribe(octets.Subscription{Filter: topic})
		p.Disconnect()

		c.ClientID, c.Clean = assigned.Text, false
		again := t.ConnectWith(c)
		t.Expect(again.Connack().SessionPresent).To(gomega.BeTrue(), "Session Present for the assigned Client Identifier")
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "hello"})
		again.WantMessage(topic, "hello", "the subscription belongs to the assigned Client Identifier")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ClientIDRefused",
	Title:  "refuses a Client Identifier with the code made for it",
	Covers: statement.IDs(statement.V311("3.1.3-9"), statement.V5("3.1.3-8")),
	Needs:  []target.Feature{target.ClientIDPolicy},
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.ClientID = t.Settings().RefusedClientID
		p := t.Dial()
		p.Send(c)
		if t.V5() {
			t.WantClosed(p, "the Client Identifier is not allowed", 0x85)
			if ack := p.Connack(); ack != nil {
				t.Expect(ack.Code).NotTo(gomega.BeZero(), "the code for a Client Identifier that is not allowed")
			}
			return
		}
		t.OneOf(p, "a Client Identifier that is not allowed is refused with return code 0x02", conformance.ClosedWith(0x02))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "LongClientIDWhole",
	Title:  "refuses a long Client Identifier or takes it as a whole",
	Covers: statement.X5("3.1.3.1-1"),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		for _, n := range []int{24, 64, 200} {
			c.ClientID = t.ClientID() + strings.Repeat("a", n)
			p := t.Dial()
			p.Send(c)
			t.OneOf(p, "a long Client Identifier is accepted or refused", conformance.Answered(octets.CONNACK, 0x00),
				conformance.ClosedWith(0x85).Info("refuses long Client Identifiers"))
			if p.End() != nil {
				return
			}
			c.ClientID += "b"
			other := t.Dial()
			other.Send(c)
			t.OneOf(other, "a long Client Identifier is accepted or refused", conformance.Answered(octets.CONNACK, 0x00),
				conformance.ClosedWith(0x85).Info("refuses long Client Identifiers"))
			p.Barrier("Client Identifiers that differ at their end only are different clients")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ClientIDOtherCharacters",
	Title:  "refuses Client Identifiers of other characters, or takes them as they are",
	Covers: statement.X5("3.1.3.1-1"),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		for _, id := range []string{"a b", "a/b", "a+b#", "\u00fc\u4e2d\U0001F600", "-._:$@"} {
			c.ClientID = id + t.ClientID()
			p := t.Dial()
			p.Send(c)
			t.OneOf(p, "other characters are accepted or refused", conformance.Answered(octets.CONNACK, 0x00),
				conformance.ClosedWith(0x85).Info(fmt.Sprintf("refuses the Client Identifier %q", c.ClientID)),
				conformance.ClosedSilently().Info(fmt.Sprintf("closes on the Client Identifier %q", c.ClientID)))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SessionOfClientID",
	Title:  "finds the Session of a Client Identifier, and never that of another",
	Covers: statement.IDs(statement.V311("3.1.3-2"), statement.V5("3.1.3-2")),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.LastingConnect()
		c.ClientID += "aB"
		p := t.ConnectWith(c)
		topic := t.Topic("a")
		p.Subscribe(octets.Subscription{Filter: topic})
		p.Disconnect()

		for _, id := range []string{c.ClientID[:len(c.ClientID)-1], c.ClientID[:len(c.ClientID)-1] + "b"} {
			other := c
			other.ClientID = id
			t.Expect(t.ConnectWith(other).Connack().SessionPresent).To(gomega.BeFalse(), "Session Present for a Client Identifier that differs in its end")
		}
		again := t.ConnectWith(c)
		t.Expect(again.Connack().SessionPresent).To(gomega.BeTrue(), "Session Present for the Client Identifier that has a Session")
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "hello"})
		again.WantMessage(topic, "hello", "the Session has its subscription")
	},
})
