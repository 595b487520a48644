package connect

import (
	"context"
	"strings"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:   "RefusedHasNoEffect",
	Title:  "does not act on what is sent behind a CONNECT that it refuses",
	Covers: statement.IDs(statement.V311("3.1.4-5"), statement.V5("3.1.4-6")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s := t.Connect()
		s.Subscribe(octets.Subscription{Filter: topic})
		level, bad := byte(0x7F), t.NewConnect()
		bad.Level = &level
		wrong := []octets.Packet{bad, withFlags(t.NewConnect(), 0x03)}
		if t.V5() {
			method := t.NewConnect()
			method.Properties = octets.Properties{octets.AuthenticationMethod.Text("mqttlab-invented")}
			wrong = append(wrong, method)
		} else {
			empty := t.NewConnect()
			empty.ClientID, empty.Clean = "", false
			wrong = append(wrong, empty)
		}
		for _, c := range wrong {
			p := t.Dial()
			p.Send(c, octets.Publish{Topic: topic, Payload: "from a client that was refused"})
			t.OneOf(p, "the CONNECT is refused", conformance.Closed())
		}
		s.WantOnly(t.Connect(), octets.Publish{Topic: topic}, "nothing is published by a client that was refused")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PipelinedBehindConnect",
	Title:  "acts on packets that come right behind CONNECT, before CONNACK is seen",
	Covers: statement.X5("3.1.4-2"),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		p := t.Dial()
		p.Send(t.NewConnect(), octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: topic}}},
			octets.Publish{Topic: topic, Payload: "at once"})
		ack := p.Want(octets.CONNACK, "a valid CONNECT is accepted")
		if ack.Code != 0 {
			t.Inconclusive("the CONNECT was refused")
		}
		p.WantID(octets.SUBACK, 1, "the SUBSCRIBE behind CONNECT is answered")
		p.WantMessage(topic, "at once", "the PUBLISH behind SUBSCRIBE is delivered")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "IdleWithoutConnect",
	Takes:  10 * time.Second,
	Title:  "closes a Network Connection on which no CONNECT comes",
	Covers: statement.X5("3.1.4-1"),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Dial()
		const patience = 12 * time.Second // longer than the 10 s that are in wide use
		switch e := p.Next(patience); {
		case e.End != nil && e.End.ByTarget():
		case e.Packet != nil:
			t.Nonstrict("sent " + e.String() + " to a client that said nothing")
		default:
			t.Nonstrict("keeps a Network Connection without CONNECT for " + patience.String() + " or longer")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "OrderedStream",
	Title:  "offers a transport that loses nothing and keeps the order, however the bytes are cut",
	Covers: statement.IDs(statement.V311("7.1.1-1"), statement.V5("4.2.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s, p := t.Connect(), t.Connect()
		s.Subscribe(octets.Subscription{Filter: topic})
		var stream []byte
		var want []string
		for range 50 {
			payload := strings.Repeat(string(rune('a'+t.Rand().IntN(26))), 1+t.Rand().IntN(300))
			want = append(want, payload)
			stream = append(stream, octets.Bytes(t.Version(), octets.Publish{Topic: topic, Payload: payload})...)
		}
		for len(stream) > 0 {
			n := min(len(stream), 1+t.Rand().IntN(200))
			p.Write(stream[:n])
			stream = stream[n:]
		}
		var got []string
		for _, m := range s.Messages(len(want), "the messages are delivered") {
			got = append(got, m.Payload)
		}
		t.Expect(got).To(gomega.Equal(want), "messages over an ordered stream without losses")
	},
})
