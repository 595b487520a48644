// Package connect checks how a server treats CONNECT: what it accepts, what it refuses,
// and what may come first and only once on a Network Connection.
package connect

import (
	"context"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:   "SecondConnect",
	Title:  "closes the Network Connection on a second CONNECT",
	Covers: statement.IDs(statement.V311("3.1.0-2"), statement.V5("3.1.0-2")),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		p := t.ConnectWith(c)
		p.Send(c)
		t.WantClosed(p, "a second CONNECT is a Protocol Error", 0x82)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FirstPacketIsConnect",
	Title:  "closes the Network Connection when the first packet is not CONNECT, and does not act on it",
	Covers: statement.IDs(statement.V311("3.1.0-1"), statement.V5("3.1.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		m := octets.Publish{Topic: t.Topic("early"), Payload: "too early"}
		subscriber, publisher := t.Connect(), t.Connect()
		subscriber.Subscribe(octets.Subscription{Filter: m.Topic})

		intruder := t.Dial()
		intruder.Send(m)
		t.OneOf(intruder, "the first packet is CONNECT", conformance.ClosedSilently(),
			conformance.Closed().Nonstrict("sent a packet to a client that had not sent CONNECT"))

		sentinel := octets.Publish{Topic: m.Topic, Payload: "sentinel"}
		subscriber.WantOnly(publisher, sentinel, "the message sent before CONNECT is not delivered")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "OtherFirstPackets",
	Title:  "closes the Network Connection whatever other packet comes first",
	Covers: statement.IDs(statement.V311("3.1.0-1"), statement.V5("3.1.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		first := []octets.Packet{
			octets.Pingreq{},
			octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a")}}},
			octets.Unsubscribe{ID: 1, Filters: []string{t.Topic("a")}},
			octets.Publish{Topic: t.Topic("a"), QoS: 1, ID: 1},
			octets.Pubrel(1),
		}
		if t.V5() {
			first = append(first, octets.Auth{Code: 0x18, Properties: octets.Properties{octets.AuthenticationMethod.Text("mqttlab")}})
		}
		for _, packet := range first {
			p := t.Dial()
			p.Send(packet)
			t.OneOf(p, "the first packet is CONNECT", conformance.ClosedSilently(),
				conformance.Closed().Nonstrict("sent a packet to a client that had not sent CONNECT"))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "RefusedWithoutDisconnect",
	Title:  "answers a wrong CONNECT with CONNACK or a plain close, never with DISCONNECT or AUTH",
	Covers: statement.IDs(statement.X5("3.1.0-1"), statement.V5("3.14.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		user := t.NewConnect()
		user.UserName, user.Password = new("user"), nil
		for _, packet := range []octets.Packet{
			withFlags(t.NewConnect(), 0x03), octets.Trimmed(t.NewConnect(), 1), withFlags(user, 0xC2),
		} {
			p := t.Dial()
			p.Send(packet) // the audit fails the check on a DISCONNECT before CONNACK
			t.OneOf(p, "errors in CONNECT are answered with CONNACK or a close",
				conformance.Where("CONNACK with 0x80 or above, then a close", false, func(r conformance.Reaction) bool {
					return r.Closed() && len(r.Packets) == 1 && r.Packets[0].Type == octets.CONNACK && r.Packets[0].Code >= 0x80
				}),
				conformance.Where("a close without a packet", false, func(r conformance.Reaction) bool {
					return r.Closed() && len(r.Packets) == 0
				}))
		}
	},
})

// withFlags replaces the Connect Flags and leaves the payload as it is.
func withFlags(c octets.Connect, flags byte) octets.Connect {
	c.Flags = &flags
	return c
}

// refused sends each CONNECT on a connection of its own and wants none accepted. The
// codes are those that fit in 5.0, best first.
func refused(t *conformance.T, why string, codes []byte, packets ...octets.Packet) {
	for _, packet := range packets {
		p := t.Dial()
		p.Send(packet)
		t.WantClosed(p, why, codes...)
	}
}
