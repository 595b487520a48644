package disconnect

import (
	"context"
	"strings"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
)

// wrongPackets are packets after which a server has to disconnect, each for a reason of
// its own.
func wrongPackets(t *conformance.T) []octets.Packet {
	topic := t.Topic("a")
	return []octets.Packet{
		t.NewConnect(),
		octets.WithFlags(octets.Pingreq{}, 1),
		octets.Publish{Topic: topic, QoS: 3, ID: 1},
		octets.Publish{Topic: t.Topic("#"), QoS: 0},
		octets.Subscribe{ID: 1},
		octets.Publish{Topic: "", QoS: 0, Properties: octets.Properties{octets.TopicAlias.Prop(0)}},
		octets.Auth{Code: 0x18, Properties: octets.Properties{octets.AuthenticationMethod.Text("mqttlab")}},
	}
}

// serverReasons are the Reason Codes that a server may put into DISCONNECT.
var serverReasons = "\x00\x80\x81\x82\x83\x87\x89\x8B\x8D\x8E\x8F\x90\x93\x94\x95\x96\x97\x98\x99\x9A\x9B\x9C\x9D\x9E\x9F\xA0\xA1\xA2"

var _ = conformance.Register(conformance.Check{
	Name:  "OfServer",
	Title: "sends in DISCONNECT what a server may send, then closes and sends nothing more",
	Covers: statement.IDs(statement.V5("3.14.2-1", "3.14.2-2", "3.14.4-1", "3.14.4-2", "3.14.0-1"),
		statement.X5("3.2.2.3.16-1")),
	Run: func(_ context.Context, t *conformance.T) {
		said := false
		for _, wrong := range wrongPackets(t) {
			p := t.Connect()
			p.Send(wrong)
			t.About(statement.V5("3.14.4-2"))
			r := t.OneOf(p, "a DISCONNECT from the server is followed by its close", conformance.Closed(),
				conformance.Where("the packet is tolerated", false, func(r conformance.Reaction) bool {
					return r.End == nil && (len(r.Packets) == 0 || r.Packets[len(r.Packets)-1].Type != octets.DISCONNECT)
				}))
			for _, d := range r.Packets {
				if d.Type != octets.DISCONNECT {
					continue
				}
				said = true
				t.About(statement.V5("3.14.2-1"))
				t.Expect(strings.IndexByte(serverReasons, d.Code)).To(gomega.BeNumerically(">=", 0), "Reason Code 0x%02X in a server's DISCONNECT", d.Code)
				t.About(statement.V5("3.14.2-2"))
				_, has := d.Prop(octets.SessionExpiryInterval)
				t.Expect(has).To(gomega.BeFalse(), "Session Expiry Interval in a server's DISCONNECT")
				t.About(statement.X5("3.2.2.3.16-1"))
				_, moved := d.Prop(octets.ServerReference)
				t.Expect(moved && d.Code != 0x9C && d.Code != 0x9D).To(gomega.BeFalse(), "Server Reference in DISCONNECT 0x%02X", d.Code)
			}
		}
		if !said {
			t.Unsupported("the target closes without DISCONNECT")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FitsMaximumPacketSize",
	Title:  "leaves Reason String and User Properties out of a DISCONNECT that would be too large with them",
	Covers: statement.V5("3.14.2-3", "3.14.2-4", "3.1.2-24"),
	Run: func(_ context.Context, t *conformance.T) {
		explained := false
		for _, wrong := range wrongPackets(t) {
			p := t.Connect()
			p.Send(wrong)
			d := refusal(p.Reaction(nil))
			if d == nil || len(d.Properties) == 0 {
				continue
			}
			explained = true
			c := t.NewConnect()
			// DISCONNECT with a Reason Code and no properties takes four bytes, the CONNACK before it more.
			c.Properties = octets.Properties{octets.MaximumPacketSize.Prop(uint32(max(len(d.Raw)-1, 5)))}
			p = t.Dial()
			p.Send(c)
			if e := p.Next(t.Timings().Answer); e.Packet == nil || e.Packet.Code != 0 {
				continue // CONNACK does not fit either
			}
			p.Send(wrong)
			if again := refusal(p.Reaction(nil)); again != nil {
				t.Expect(len(again.Raw)).To(gomega.BeNumerically("<", len(d.Raw)), "bytes of a DISCONNECT for a client that takes less")
			}
		}
		if !explained {
			t.Info("puts neither Reason String nor User Property into DISCONNECT")
		}
	},
})

// refusal is the DISCONNECT among what came, nil if there is none.
func refusal(_ *probe.End, packets []*octets.Received) *octets.Received {
	for _, p := range packets {
		if p.Type == octets.DISCONNECT {
			return p
		}
	}
	return nil
}
