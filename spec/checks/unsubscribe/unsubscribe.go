// Package unsubscribe checks UNSUBSCRIBE and UNSUBACK: the answer, what ends, and what goes on.
package unsubscribe

import (
	"context"
	"fmt"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:  "Answered",
	Title: "answers each UNSUBSCRIBE with one UNSUBACK that has its Packet Identifier, whether or not there was a subscription",
	Covers: statement.IDs(
		statement.V311("3.10.4-4", "3.10.4-5", "2.3.1-7"), statement.V5("3.10.4-4", "3.10.4-5", "2.2.1-6"), statement.X5("T2.4-UNSUBACK"),
	),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Subscribe(octets.Subscription{Filter: t.Topic("a")}, octets.Subscription{Filter: t.Topic("b")})
		for i, id := range []uint16{1, 0x0100, 0x7FFF, 0x8000, 0xFFFF, 1} {
			p.Send(octets.Unsubscribe{ID: id, Filters: []string{t.Topic(string(rune('a' + i)))}})
			p.WantID(octets.UNSUBACK, id, "UNSUBSCRIBE is answered under its Packet Identifier")
			p.WantSilence("one UNSUBSCRIBE gets one UNSUBACK")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Stops",
	Title:  "delivers no message that is published after UNSUBACK",
	Covers: statement.IDs(statement.V311("3.10.4-2"), statement.V5("3.10.4-2")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher := t.Connect(), t.Connect()
		for qos := range byte(2) {
			gone, stays := t.Topic("gone"), t.Topic("stays")
			p.Subscribe(octets.Subscription{Filter: gone, QoS: qos}, octets.Subscription{Filter: stays, QoS: qos})
			p.Unsubscribe(gone)
			publisher.Publish(octets.Publish{Topic: gone, Payload: "late", QoS: qos})
			p.Ack(p.WantOnly(publisher, octets.Publish{Topic: stays, QoS: qos}, "the other subscription goes on, this one has ended"))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "StopsWhileAway",
	Title:  "keeps no message for a Session whose subscription has ended",
	Covers: statement.IDs(statement.V311("3.10.4-2"), statement.V5("3.10.4-2")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		c, gone, stays := t.LastingConnect(), t.Topic("gone"), t.Topic("stays")
		p, publisher := t.ConnectWith(c), t.Connect()
		p.Subscribe(octets.Subscription{Filter: gone, QoS: 1}, octets.Subscription{Filter: stays, QoS: 1})
		p.Unsubscribe(gone)
		p.Disconnect()
		publisher.Publish(octets.Publish{Topic: gone, Payload: "late", QoS: 1})
		publisher.Publish(octets.Publish{Topic: stays, Payload: "x", QoS: 1})
		p = t.ConnectWith(c)
		p.Ack(p.WantMessage(stays, "x", "of the two subscriptions one is left in the Session"))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ExactFilter",
	Title:  "removes only the subscription whose filter is the same, character by character",
	Covers: statement.IDs(statement.V311("3.10.4-1"), statement.V5("3.10.4-1")),
	Needs:  []target.Feature{target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher := t.Connect(), t.Connect()
		p.Subscribe(octets.Subscription{Filter: t.Topic("a/b")})
		for i, other := range []string{"a/+", "a/#", "+/b", "#", "A/b", "a/b/", "/a/b", "a/b/#", "a"} {
			p.Unsubscribe(t.Topic(other))
			topic := t.Topic("a/b")
			publisher.Publish(octets.Publish{Topic: topic, Payload: fmt.Sprint(i)})
			p.WantMessage(topic, fmt.Sprint(i), "UNSUBSCRIBE for "+other+" leaves a/b")
		}
		q := t.Connect()
		q.Subscribe(octets.Subscription{Filter: t.Topic("w/+")})
		q.Unsubscribe(t.Topic("w/x"), t.Topic("w/#"), t.Topic("+/+"))
		publisher.Publish(octets.Publish{Topic: t.Topic("w/x"), Payload: "x"})
		q.WantMessage(t.Topic("w/x"), "x", "UNSUBSCRIBE for a name leaves the filter that covers it")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SeveralFilters",
	Title:  "handles the filters of one UNSUBSCRIBE as if each had come alone, and sends one UNSUBACK",
	Covers: statement.IDs(statement.V311("3.10.4-6"), statement.V5("3.10.4-6")),
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher := t.Connect(), t.Connect()
		names := []string{"a", "b", "c", "stays"}
		for _, name := range names {
			p.Subscribe(octets.Subscription{Filter: t.Topic(name)})
		}
		p.Unsubscribe(t.Topic("a"), t.Topic("never"), t.Topic("b"), t.Topic("c"))
		p.WantSilence("several filters in one UNSUBSCRIBE get one UNSUBACK")
		for _, name := range names {
			publisher.Publish(octets.Publish{Topic: t.Topic(name), Payload: name})
		}
		p.WantMessage(t.Topic("stays"), "stays", "each filter of an UNSUBSCRIBE ends its subscription, the others stay")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReasonCodes",
	Title:  "says in UNSUBACK, in the place of each filter, whether there was a subscription",
	Covers: statement.IDs(statement.V5("3.11.3-1", "3.11.3-2"), statement.X5("3.11.3-1", "2.4-1")),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		for _, had := range [][]bool{{true, false}, {false, true}, {false}, {true}, {true, true, false, false, true}} {
			var names []string
			want := make([]byte, len(had))
			for i, had := range had {
				name := t.Topic(string(rune('a' + i)))
				names = append(names, name)
				if had {
					p.Subscribe(octets.Subscription{Filter: name})
				} else {
					want[i] = 0x11
				}
			}
			codes := p.Unsubscribe(names...).Codes
			t.About(statement.V5("3.11.3-2"), statement.X5("2.4-1"))
			t.Expect(codes).To(gomega.HaveLen(len(names)), "codes of the UNSUBACK for %d filters", len(names))
			t.Expect(codes).To(gomega.HaveEach(gomega.BeElementOf([]byte{0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91})), "codes of the UNSUBACK")
			t.About(statement.V5("3.11.3-1"), statement.X5("3.11.3-1"))
			t.Expect(codes).To(gomega.Equal(want), "codes of the UNSUBACK where subscriptions existed: %v", had)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "InFlightQoS2",
	Title:  "completes a QoS 2 delivery that had begun before UNSUBSCRIBE",
	Covers: statement.IDs(statement.V311("3.10.4-3"), statement.V5("3.10.4-3")),
	Needs:  []target.Feature{target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher, topic := t.Connect(), t.Connect(), t.Topic("a")
		p.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
		publisher.Publish(octets.Publish{Topic: topic, Payload: "one", QoS: 2})
		publisher.Publish(octets.Publish{Topic: topic, Payload: "two", QoS: 2})
		one := p.WantMessage(topic, "one", "the message is delivered")
		two := p.WantMessage(topic, "two", "the message is delivered")
		p.Send(octets.Pubrec(one.ID))
		p.WantID(octets.PUBREL, one.ID, "PUBREC is answered by PUBREL")
		p.Unsubscribe(topic)
		p.Send(octets.Pubcomp(one.ID))
		p.Ack(two)
		p.WantSilence("both deliveries are complete")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "InFlightResent",
	Title:  "sends a message again to a resumed Session that had it on its way before UNSUBSCRIBE",
	Covers: statement.IDs(statement.V311("3.10.4-3"), statement.V5("3.10.4-3")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		for qos := byte(1); qos <= t.Limits().MaximumQoS; qos++ {
			c, topic := t.LastingConnect(), t.Topic(string('a'+rune(qos)))
			p := t.ConnectWith(c)
			p.Subscribe(octets.Subscription{Filter: topic, QoS: qos})
			t.Connect().Publish(octets.Publish{Topic: topic, Payload: "begun", QoS: qos})
			p.WantMessage(topic, "begun", "the message is delivered")
			p.Unsubscribe(topic)
			p.Close()
			p = t.ConnectWith(c)
			p.Ack(p.WantMessage(topic, "begun", "a delivery that had begun is completed although the subscription has ended"))
		}
	},
})

// refused wants each of these packets to end the connection of a client that is subscribed.
func refused(t *conformance.T, why string, codes []byte, packets ...octets.Packet) {
	for _, packet := range packets {
		p := t.Connect()
		p.Send(packet)
		t.WantClosed(p, why, codes...)
	}
}

var _ = conformance.Register(conformance.Check{
	Name:   "NoFilter",
	Title:  "closes the Network Connection on an UNSUBSCRIBE without a filter",
	Covers: statement.IDs(statement.V311("3.10.3-2"), statement.V5("3.10.3-2")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "an UNSUBSCRIBE has at least one filter", []byte{0x82, 0x81}, octets.Unsubscribe{ID: 1})
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WrongFlags",
	Title:  "closes the Network Connection on an UNSUBSCRIBE whose header flags are not 0010",
	Covers: statement.IDs(statement.V311("3.10.1-1"), statement.V5("3.10.1-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for flags := range byte(16) {
			if flags != 2 {
				refused(t, "the flags of UNSUBSCRIBE are fixed", []byte{0x81},
					octets.WithFlags(octets.Unsubscribe{ID: 1, Filters: []string{t.Topic("a")}}, flags))
			}
		}
	},
})

// filters makes an UNSUBSCRIBE of each filter.
func filters(all ...string) []octets.Packet {
	var packets []octets.Packet
	for _, f := range all {
		packets = append(packets, octets.Unsubscribe{ID: 1, Filters: []string{f}})
	}
	return packets
}

var _ = conformance.Register(conformance.Check{
	Name:   "IllFormedFilter",
	Title:  "closes the Network Connection on an UNSUBSCRIBE for a filter that is not UTF-8",
	Covers: statement.IDs(statement.V311("3.10.3-1", "1.5.3-1"), statement.V5("3.10.3-1", "1.5.4-1")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "a filter is well-formed UTF-8", []byte{0x81, 0x8F},
			filters(t.Topic("\xff"), t.Topic("a\xc3"), t.Topic("\xc0\xaf"), t.Topic("\xed\xa0\x80"), "\x80")...)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "CutFilter",
	Title:  "closes the Network Connection on an UNSUBSCRIBE whose last filter is cut",
	Covers: statement.IDs(statement.V311("3.10.3-1"), statement.V5("3.10.3-1"), statement.X5("2.1.4-1")),
	Run: func(_ context.Context, t *conformance.T) {
		whole := octets.Unsubscribe{ID: 1, Filters: []string{t.Topic("a"), t.Topic("b")}}
		refused(t, "a filter has the length it says", []byte{0x81, 0x82},
			octets.Trimmed(whole, 1), octets.Trimmed(whole, 1+len(t.Topic("b"))), octets.Extended(whole, 0x00))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NullInFilter",
	Title:  "closes the Network Connection on an UNSUBSCRIBE for a filter with U+0000",
	Covers: statement.IDs(statement.V311("4.7.3-2", "1.5.3-2"), statement.V5("4.7.3-2", "1.5.4-2")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "a filter holds no U+0000", []byte{0x81, 0x8F}, filters(t.Topic("a\x00b"), "\x00")...)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "EmptyFilter",
	Title:  "closes the Network Connection on an UNSUBSCRIBE for an empty filter, or refuses it",
	Covers: statement.IDs(statement.V311("4.7.3-1"), statement.V5("4.7.3-1")),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(octets.Unsubscribe{ID: 1, Filters: []string{""}})
		if t.V5() {
			t.OneOf(p, "a filter has at least one character", conformance.ClosedWith(0x81, 0x82, 0x8F), conformance.Closed(),
				conformance.Answered(octets.UNSUBACK, 0x80, 0x83, 0x8F),
				conformance.Answered(octets.UNSUBACK, 0x11).Nonstrict("answers an empty filter as one that was never subscribed to"))
			return
		}
		t.OneOf(p, "a filter has at least one character", conformance.Closed())
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PacketIdentifierZero",
	Title:  "does not answer an UNSUBSCRIBE with Packet Identifier 0 as if it were valid",
	Covers: statement.IDs(statement.V311("2.3.1-1"), statement.X5("2.2.1-1")),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(octets.Unsubscribe{Filters: []string{t.Topic("a")}})
		if t.V5() {
			t.OneOf(p, "a Packet Identifier is not 0", conformance.ClosedWith(0x82, 0x81), conformance.Closed(),
				conformance.Ignored().Nonstrict("takes no notice of Packet Identifier 0"))
			return
		}
		t.OneOf(p, "a Packet Identifier is not 0", conformance.Closed())
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReasonFits",
	Title:  "leaves Reason String and User Properties out of an UNSUBACK that they would make larger than Maximum Packet Size",
	Covers: statement.V5("3.11.2-1", "3.11.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		unsubscribe := func(limit uint32) *octets.Received {
			c := t.NewConnect()
			if limit > 0 {
				c.Properties = octets.Properties{octets.MaximumPacketSize.Prop(limit)}
			}
			return t.ConnectWith(c).Unsubscribe(t.Topic("never"))
		}
		free := unsubscribe(0)
		if len(free.Props(octets.ReasonString))+len(free.Props(octets.UserProperty)) == 0 {
			t.Info("sends neither Reason String nor User Property in UNSUBACK, even if there is room")
			return
		}
		limit := uint32(len(free.Raw) - 1)
		t.Expect(len(unsubscribe(limit).Raw)).To(gomega.BeNumerically("<=", limit), "bytes of the UNSUBACK")
	},
})

// open leaves a subscriber's QoS 2 exchange open with this identifier, in the other direction.
func open(p *probe.Peer, topic string, id uint16) {
	p.Send(octets.Publish{Topic: topic, Payload: "open", QoS: 2, ID: id})
	p.WantID(octets.PUBREC, id, "a QoS 2 PUBLISH is received")
}

var _ = conformance.Register(conformance.Check{
	Name:   "IdentifierInUse",
	Title:  "answers SUBSCRIBE and UNSUBSCRIBE under an identifier in use with 0x91, or takes no notice of that",
	Covers: statement.X5("2.2.1-2"),
	Needs:  []target.Feature{target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		for _, packet := range []octets.Packet{
			octets.Subscribe{ID: 7, Filters: []octets.Subscription{{Filter: t.Topic("b")}}},
			octets.Unsubscribe{ID: 7, Filters: []string{t.Topic("b")}},
		} {
			p := t.Connect()
			open(p, t.Topic("a"), 7)
			p.Send(packet)
			r := t.OneOf(p, "an identifier that is in use is answered with 0x91, or as any other",
				conformance.Answered(octets.SUBACK, 0x91), conformance.Answered(octets.UNSUBACK, 0x91),
				conformance.Answered(octets.SUBACK, 0x00).Info("does not look whether a Packet Identifier is in use"),
				conformance.Answered(octets.UNSUBACK, 0x00, 0x11).Info("does not look whether a Packet Identifier is in use"),
				conformance.ClosedWith(0x82).Info("closes on a Packet Identifier in use"))
			if !r.Closed() {
				p.Send(octets.Pubrel(7))
				p.WantID(octets.PUBCOMP, 7, "the exchange that had begun under the identifier goes on")
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "IdentifierFreed",
	Title:  "lets an identifier be used again after SUBACK and UNSUBACK",
	Covers: statement.X5("2.2.1-4"),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		p, topic := t.Connect(), t.Topic("a")
		for range 3 {
			p.SubscribeWith(octets.Subscribe{ID: 5, Filters: []octets.Subscription{{Filter: topic}}})
			p.Publish(octets.Publish{Topic: topic, Payload: "x", QoS: 1, ID: 5})
			p.WantMessage(topic, "x", "the identifier was free: the message is delivered")
			p.Send(octets.Unsubscribe{ID: 5, Filters: []string{topic}})
			ack := p.WantID(octets.UNSUBACK, 5, "the identifier is free again after PUBACK")
			t.Expect(ack.Codes).To(gomega.Equal([]byte{0}), "codes of an UNSUBACK for a subscription that existed, under an identifier that is free")
		}
	},
})
