// Package websocket checks MQTT over WebSocket: what frames a server takes, and how it reads the
// packets in them. The checks frame what they send themselves, see [probe.Web].
package websocket

import (
	"context"
	"errors"
	"fmt"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// packets lays packets out.
func packets(t *conformance.T, p ...octets.Packet) []byte { return octets.Bytes(t.Version(), p...) }

// client is one that sends frames of its own.
type client struct {
	*probe.Peer
	web *probe.Web
}

func open(t *conformance.T) client {
	p, web := t.DialWeb()
	return client{p, web}
}

// frame sends one frame that holds these bytes. An error is not a failure yet, as in
// [probe.Peer.Send].
func (c client) frame(opcode byte, fin bool, b []byte) {
	what := map[byte]string{probe.TextFrame: "a text frame", probe.BinaryFrame: "a binary frame", probe.Continuation: "a continuation frame"}[opcode]
	if !fin {
		what += " without FIN"
	}
	c.Note(fmt.Sprintf("%s of %d bytes", what, len(b)), b)
	_ = c.web.Frame(opcode, fin, true, b)
}

var _ = conformance.Register(conformance.Check{
	Name:   "Subprotocol",
	Title:  "names the subprotocol mqtt in its WebSocket handshake",
	Covers: statement.IDs(statement.V311("6.0.0-4"), statement.V5("6.0.0-4")),
	Needs:  []target.Feature{target.WebSocket},
	Run: func(_ context.Context, t *conformance.T) {
		for _, offered := range []string{"mqtt", "chat, mqtt"} {
			web, err := t.OpenWeb(offered)
			t.Expect(err).NotTo(gomega.HaveOccurred(), "the handshake of a client that offers %s", offered)
			t.Expect(web.Protocol).To(gomega.Equal("mqtt"), "the subprotocol chosen from %s", offered)
			web.Close()
		}
		web, err := t.OpenWeb("")
		var refused *probe.Refused
		switch {
		case errors.As(err, &refused):
			t.Info("refuses a client that does not offer the subprotocol mqtt: " + refused.Status)
		case err != nil:
			t.Info("closes the connection of a client that does not offer the subprotocol mqtt")
		default:
			t.Info("accepts a client that does not offer the subprotocol mqtt")
			web.Close()
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "TextFrame",
	Title:  "closes the Network Connection on a text frame",
	Covers: statement.IDs(statement.V311("6.0.0-1"), statement.V5("6.0.0-1")),
	Needs:  []target.Feature{target.WebSocket},
	Run: func(_ context.Context, t *conformance.T) {
		p := open(t)
		p.frame(probe.TextFrame, true, packets(t, t.NewConnect()))
		p.WantClose("CONNECT in a text frame is refused")
		p = open(t)
		p.Connect(t.NewConnect())
		p.frame(probe.TextFrame, true, packets(t, octets.Pingreq{}))
		p.WantClose("a packet in a text frame ends the connection")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "UnmaskedFrame",
	Title:  "closes the Network Connection on a frame that is not masked",
	Covers: statement.IDs(statement.V311("6.0.0-1"), statement.V5("6.0.0-1")),
	Needs:  []target.Feature{target.WebSocket},
	Run: func(_ context.Context, t *conformance.T) {
		t.Lenient() // RFC 6455, section 5.1, asks for it; the standards of MQTT refer to that as a whole
		p := open(t)
		p.Connect(t.NewConnect())
		ping := packets(t, octets.Pingreq{})
		p.Note("PINGREQ in a frame that is not masked", ping)
		_ = p.web.Frame(probe.BinaryFrame, true, false, ping)
		p.WantClose("a client's frames are masked")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "BinaryFrames",
	Title:  "sends its packets in binary frames",
	Covers: statement.IDs(statement.V311("6.0.0-1"), statement.V5("6.0.0-1")),
	Needs:  []target.Feature{target.WebSocket},
	Run: func(_ context.Context, t *conformance.T) {
		p := open(t)
		p.Connect(t.NewConnect())
		topic := t.Topic("a")
		p.Subscribe(octets.Subscription{Filter: topic})
		p.Publish(octets.Publish{Topic: topic, Payload: "hello"})
		p.WantMessage(topic, "hello", "a message comes in a binary frame")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SplitPacket",
	Title:  "puts a packet together that comes in several frames",
	Covers: statement.IDs(statement.V311("6.0.0-2"), statement.V5("6.0.0-2")),
	Needs:  []target.Feature{target.WebSocket},
	Run: func(_ context.Context, t *conformance.T) {
		t.Cases([]conformance.Case{
			{Name: "a message for each byte", Run: func(t *conformance.T) {
				split(t, func(p client, b []byte) {
					for i := range b {
						p.frame(probe.BinaryFrame, true, b[i:i+1])
					}
				})
			}},
			{Name: "a fragmented message", Run: func(t *conformance.T) {
				split(t, func(p client, b []byte) {
					p.frame(probe.BinaryFrame, false, b[:1])
					p.frame(probe.Continuation, false, nil)
					p.frame(probe.Continuation, false, b[1:len(b)/2])
					p.frame(probe.Continuation, true, b[len(b)/2:])
				})
			}},
			{Name: "an empty message in between", Run: func(t *conformance.T) {
				split(t, func(p client, b []byte) {
					p.frame(probe.BinaryFrame, true, b[:len(b)-1])
					p.frame(probe.BinaryFrame, true, nil)
					p.frame(probe.BinaryFrame, true, b[len(b)-1:])
				})
			}},
		})
	},
})

// split sends CONNECT and PINGREQ in pieces and wants both answered.
func split(t *conformance.T, send func(client, []byte)) {
	p := open(t)
	send(p, packets(t, t.NewConnect()))
	t.Expect(p.Want(octets.CONNACK, "CONNECT in several frames is answered").Code).To(gomega.BeZero(), "the code for a CONNECT in several frames")
	send(p, packets(t, octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a")}}}))
	p.WantID(octets.SUBACK, 1, "SUBSCRIBE in several frames is answered")
}

var _ = conformance.Register(conformance.Check{
	Name:   "SeveralPackets",
	Title:  "reads every packet of a frame that holds several, and parts of others",
	Covers: statement.IDs(statement.V311("6.0.0-2"), statement.V5("6.0.0-2")),
	Needs:  []target.Feature{target.WebSocket},
	Run: func(_ context.Context, t *conformance.T) {
		p := open(t)
		b := packets(t, t.NewConnect(), octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a")}}},
			octets.Subscribe{ID: 2, Filters: []octets.Subscription{{Filter: t.Topic("b")}}}, octets.Pingreq{})
		p.frame(probe.BinaryFrame, true, b[:len(b)-3])
		t.Expect(p.Want(octets.CONNACK, "the first packet of a frame is answered").Code).To(gomega.BeZero(), "the code for the CONNECT")
		p.WantID(octets.SUBACK, 1, "the second packet of a frame is answered")
		p.frame(probe.BinaryFrame, true, b[len(b)-3:])
		p.WantID(octets.SUBACK, 2, "a packet that begins in one frame and ends in the next is answered")
		p.Want(octets.PINGRESP, "a packet behind the end of another is answered")
	},
})
