// Package connack checks the answer to CONNECT: that it comes, once and first, that it is
// formed well, and that the server keeps to what it says there.
package connack

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// refusable are CONNECT packets that every server refuses, most of them with CONNACK, and
// the return code that 3.1.1 has for it.
func refusable(t *conformance.T, lasting octets.Connect) []octets.Connect {
	level := byte(0x7F)
	version := lasting
	version.Level = &level
	if !t.V5() {
		empty := t.NewConnect()
		empty.ClientID, empty.Clean = "", false
		return []octets.Connect{version, empty}
	}
	method := lasting
	method.Properties = append(octets.Properties{octets.AuthenticationMethod.Text("mqttlab-invented")}, lasting.Properties...)
	zero := lasting
	zero.Properties = octets.Properties{octets.ReceiveMaximum.Prop(0)}
	flags := byte(0x03)
	reserved := lasting
	reserved.Flags = &flags
	return []octets.Connect{method, zero, reserved}
}

var _ = conformance.Register(conformance.Check{
	Name:   "Accepts",
	Title:  "answers a valid CONNECT with one CONNACK 0x00, before anything else",
	Covers: statement.IDs(statement.V311("3.1.4-4", "3.2.0-1"), statement.V5("3.1.4-5", "3.2.0-1", "3.2.0-2", "3.2.2-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, keepAlive := range []uint16{0, 60, 65535} {
			c := t.NewConnect()
			c.KeepAlive = keepAlive
			p := t.ConnectWith(c) // the audit watches order, flags and number of CONNACK
			p.Subscribe(octets.Subscription{Filter: t.Topic("a")})
			p.WantSilence("one CONNECT gets one CONNACK")
			p.Disconnect()
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:  "RefusalCloses",
	Title: "closes the Network Connection after a CONNACK that refuses, and says Session Present 0 in it",
	Covers: statement.IDs(statement.V311("3.2.2-4", "3.2.2-5", "3.2.2-6"),
		statement.V5("3.2.2-6", "3.2.2-7", "3.2.2-8")),
	Run: func(_ context.Context, t *conformance.T) {
		stored := t.LastingConnect()
		t.ConnectWith(stored).Disconnect()
		stored.Clean = false
		codes := codes311
		if t.V5() {
			codes = codes5
		}
		said := false
		for _, c := range refusable(t, stored) {
			p := t.Dial()
			p.Send(c)
			r := t.OneOf(p, "a refusal is followed by a close", conformance.Closed(),
				conformance.Answered(octets.CONNACK, 0x00).Info("accepted what should be refused, which other checks judge"))
			code, ok := r.Refusal()
			if !ok {
				continue
			}
			said = true
			t.About(statement.V311("3.2.2-4"), statement.V5("3.2.2-6"))
			t.Expect(p.Connack().SessionPresent).To(gomega.BeFalse(), "Session Present in a CONNACK that refuses with 0x%02X", code)
			t.About(statement.V311("3.2.2-6"), statement.V5("3.2.2-8"))
			t.Expect(codes).To(gomega.ContainElement(code), "code of a CONNACK that refuses")
			t.About()
		}
		if !said {
			t.Unsupported("the target refuses without CONNACK")
		}
	},
})

var (
	codes311 = []byte{1, 2, 3, 4, 5}
	codes5   = []byte{
		0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
	}
)

var _ = conformance.Register(conformance.Check{
	Name:  "LegalProperties",
	Title: "announces its limits in CONNACK with legal values, each once",
	Covers: statement.X5("3.2.2.3-1", "3.2.2.3.3-1", "3.2.2.3.4-1", "3.2.2.3.5-1", "3.2.2.3.6-1", "3.2.2.3.11-1",
		"3.2.2.3.12-1", "3.2.2.3.13-1", "T2.4-CONNACK"),
	Run: func(_ context.Context, t *conformance.T) {
		plain, asking := t.NewConnect(), t.LastingConnect()
		asking.Properties = append(asking.Properties, octets.RequestResponseInformation.Prop(1), octets.TopicAliasMaximum.Prop(10),
			octets.ReceiveMaximum.Prop(7), octets.MaximumPacketSize.Prop(5000))
		for _, c := range []octets.Connect{plain, asking} {
			// The audit judges each property by itself.
			t.ConnectWith(c).Barrier("the client is served")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "AssignedClientIDOnlyIfEmpty",
	Title:  "assigns a Client Identifier only to clients that bring none",
	Covers: statement.X5("3.2.2.3.7-1"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, c := range []octets.Connect{t.NewConnect(), t.LastingConnect()} {
			_, has := t.ConnectWith(c).Connack().Prop(octets.AssignedClientIdentifier)
			t.Expect(has).To(gomega.BeFalse(), "Assigned Client Identifier for a client that has one")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ResponseInformation",
	Title:  "may give Response Information to a client that asks for it",
	Covers: statement.X5("3.2.2.3.15-1"),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.Properties = octets.Properties{octets.RequestResponseInformation.Prop(1)}
		if info, has := t.ConnectWith(c).Connack().Prop(octets.ResponseInformation); has {
			t.Info("gives Response Information such as " + info.Text)
		} else {
			t.Info("gives no Response Information")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ServerReferenceWithRedirect",
	Title:  "names another server only together with 0x9C or 0x9D",
	Covers: statement.X5("3.2.2.3.16-1"),
	Run: func(_ context.Context, t *conformance.T) {
		_, has := t.Connect().Connack().Prop(octets.ServerReference)
		t.Expect(has).To(gomega.BeFalse(), "Server Reference in a CONNACK that accepts")
		for _, c := range refusable(t, t.NewConnect()) {
			p := t.Dial()
			p.Send(c)
			r := t.OneOf(p, "a wrong CONNECT is refused", conformance.Closed(),
				conformance.Answered(octets.CONNACK, 0x00).Info("accepted what should be refused, which other checks judge"))
			if code, ok := r.Refusal(); ok && code != 0x9C && code != 0x9D {
				_, has := r.End.Refusal.Prop(octets.ServerReference)
				t.Expect(has).To(gomega.BeFalse(), "Server Reference in CONNACK 0x%02X", code)
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FitsMaximumPacketSize",
	Title:  "leaves Reason String and User Properties out of a CONNACK that would be too large with them",
	Covers: statement.V5("3.2.2-19", "3.2.2-20", "3.1.2-24"),
	Run: func(_ context.Context, t *conformance.T) {
		explained := false
		method := t.NewConnect()
		method.Properties = octets.Properties{octets.AuthenticationMethod.Text("mqttlab-invented")}
		policy := t.NewConnect()
		policy.Will = &octets.Will{Topic: t.Topic("#"), Payload: "will"}
		for _, c := range []octets.Connect{t.NewConnect(), method, policy} {
			ack := answer(t, c)
			if ack == nil {
				continue
			}
			_, reason := ack.Prop(octets.ReasonString)
			_, user := ack.Prop(octets.UserProperty)
			if !reason && !user {
				continue
			}
			explained = true
			c.Properties = append(c.Properties, octets.MaximumPacketSize.Prop(uint32(len(ack.Raw)-1)))
			if again := answer(t, c); again != nil {
				t.Expect(len(again.Raw)).To(gomega.BeNumerically("<", len(ack.Raw)), "bytes of a CONNACK for a client that takes less")
			}
		}
		if !explained {
			t.Info("puts neither Reason String nor User Property into CONNACK")
		}
	},
})

// answer is the CONNACK to a CONNECT, nil if there is none.
func answer(t *conformance.T, c octets.Connect) *octets.Received {
	p := t.Dial()
	p.Send(c)
	if e := p.Next(t.Timings().Answer); e.Packet != nil && e.Packet.Type == octets.CONNACK {
		return e.Packet
	}
	return nil
}
