package subscribe

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "NotAuthorised",
	Title:  "refuses the filters that a client may not subscribe to in their places of SUBACK, and grants the others",
	Covers: statement.IDs(statement.V311("3.9.3-2", "3.8.4-5"), statement.V5("3.9.3-2"), statement.X5("3.9.3-1", "4.13.2-1")),
	Needs:  []target.Feature{target.ACL},
	Run: func(_ context.Context, t *conformance.T) {
		forbidden, p, publisher := t.Settings().ForbiddenTopic, t.Connect(), t.Connect()
		before, behind := t.Topic("a"), t.Topic("b")
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: before}, {Filter: forbidden}, {Filter: behind}}})
		codes := p.WantID(octets.SUBACK, 1, "SUBSCRIBE is answered").Codes
		t.Expect(codes).To(gomega.HaveLen(3), "codes of the SUBACK for 3 filters")
		if codes[1] < 0x80 { // a target may grant the filter, and judge each message instead
			t.Lenient()
			t.Expect(codes[1]).To(gomega.BeNumerically(">=", 0x80), "code for the filter that is not allowed")
		}
		t.Expect(codes).To(gomega.HaveEach(gomega.BeElementOf(allowed(t.V5()))), "codes of the SUBACK")
		if t.V5() && codes[1] != 0x87 {
			t.Info("refuses with another code than 0x87 (Not authorized)")
		}
		for i, topic := range []string{before, behind} {
			t.Expect(codes[2*i]).To(gomega.BeZero(), "code for a filter that is allowed")
			publisher.Publish(octets.Publish{Topic: topic, Payload: "x"})
			p.WantMessage(topic, "x", "the filters that are allowed make subscriptions")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WildcardsRefused",
	Title:  "refuses every filter with a wildcard where it supports none",
	Covers: statement.V311("3.8.3-2"),
	Needs:  []target.Feature{target.NoWildcard},
	Run: func(_ context.Context, t *conformance.T) {
		for _, filter := range []string{"#", "+", "a/+", "a/#", "+/a"} {
			p := t.Connect()
			p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: filter}, {Filter: t.Topic(filter)}}})
			t.OneOf(p, "a server without wildcards refuses each of them", conformance.Where("SUBACK with 0x80 in each place", true, func(r conformance.Reaction) bool {
				i := came(r, octets.SUBACK)
				return i >= 0 && len(r.Packets[i].Codes) == 2 && r.Packets[i].Codes[0] >= 0x80 && r.Packets[i].Codes[1] >= 0x80
			}), conformance.Closed().Nonstrict("closes on a wildcard that it does not support"))
		}
	},
})

// refused wants each of these packets to end the connection.
func refused(t *conformance.T, why string, codes []byte, packets ...octets.Packet) {
	for _, packet := range packets {
		p := t.Connect()
		p.Send(packet)
		t.WantClosed(p, why, codes...)
	}
}

var _ = conformance.Register(conformance.Check{
	Name:   "NoFilter",
	Title:  "closes the Network Connection on a SUBSCRIBE without a filter",
	Covers: statement.IDs(statement.V311("3.8.3-3"), statement.V5("3.8.3-2")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "a SUBSCRIBE has at least one filter", []byte{0x82, 0x81}, octets.Subscribe{ID: 1})
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FilterWithoutOptions",
	Title:  "closes the Network Connection on a SUBSCRIBE that ends within a filter and its options",
	Covers: statement.IDs(statement.X5("3.8.3-1"), statement.V311("3.8.3-3")),
	Run: func(_ context.Context, t *conformance.T) {
		one := octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a")}}}
		two := octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a")}, {Filter: t.Topic("b")}}}
		refused(t, "each filter is followed by its options", []byte{0x81, 0x82},
			octets.Trimmed(one, 1), octets.Trimmed(two, 1), octets.Trimmed(one, 2), octets.Trimmed(two, 3), octets.Extended(one, 0x00))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WrongFlags",
	Title:  "closes the Network Connection on a SUBSCRIBE whose header flags are not 0010",
	Covers: statement.IDs(statement.V311("3.8.1-1"), statement.V5("3.8.1-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for flags := range byte(16) {
			if flags != 2 {
				refused(t, "the flags of SUBSCRIBE are fixed", []byte{0x81},
					octets.WithFlags(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a")}}}, flags))
			}
		}
	},
})

// filters makes a SUBSCRIBE of each filter.
func filters(all ...string) []octets.Packet {
	var packets []octets.Packet
	for _, f := range all {
		packets = append(packets, octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: f}}})
	}
	return packets
}

var _ = conformance.Register(conformance.Check{
	Name:   "IllFormedFilter",
	Title:  "closes the Network Connection on a SUBSCRIBE to a filter that is not UTF-8",
	Covers: statement.IDs(statement.V311("3.8.3-1", "1.5.3-1"), statement.V5("3.8.3-1", "1.5.4-1")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "a filter is well-formed UTF-8", []byte{0x81, 0x8F}, filters(
			t.Topic("\xff"), t.Topic("a\xc3"), t.Topic("\xc0\xaf"), t.Topic("\xed\xa0\x80/b"), t.Topic("\xf4\x90\x80\x80"), "\x80")...)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NullInFilter",
	Title:  "closes the Network Connection on a SUBSCRIBE to a filter with U+0000",
	Covers: statement.IDs(statement.V311("4.7.3-2", "1.5.3-2"), statement.V5("4.7.3-2", "1.5.4-2")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "a filter holds no U+0000", []byte{0x81, 0x8F}, filters(t.Topic("a\x00b"), "\x00", t.Topic("a/\x00"))...)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "EmptyFilter",
	Title:  "refuses a SUBSCRIBE to an empty filter",
	Covers: statement.IDs(statement.V311("4.7.3-1"), statement.V5("4.7.3-1")),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a")}, {Filter: ""}}})
		if t.V5() {
			t.OneOf(p, "a filter has at least one character", conformance.ClosedWith(0x81, 0x82, 0x8F), conformance.Closed(), refusedPlace(1))
			return
		}
		t.OneOf(p, "a filter has at least one character", conformance.Closed(),
			refusedPlace(1).Nonstrict("answers a protocol violation in SUBACK, where 4.8 wants the connection closed"))
	},
})

// refusedPlace is a SUBACK that refuses the filter in a place.
func refusedPlace(i int) conformance.Outcome {
	return conformance.Where("SUBACK that refuses the filter", true, func(r conformance.Reaction) bool {
		at := came(r, octets.SUBACK)
		return at >= 0 && i < len(r.Packets[at].Codes) && r.Packets[at].Codes[i] >= 0x80
	})
}

var _ = conformance.Register(conformance.Check{
	Name:   "IdentifierZero",
	Title:  "closes the Network Connection on a SUBSCRIBE with Subscription Identifier 0",
	Covers: statement.X5("3.8.2.1.2-1"),
	Needs:  []target.Feature{target.SubscriptionIDs},
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "a Subscription Identifier is not 0", []byte{0x82, 0x81}, octets.Subscribe{
			ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a")}}, Properties: octets.Properties{octets.SubscriptionIdentifier.Prop(0)},
		})
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "IdentifierTwice",
	Title:  "closes the Network Connection on a SUBSCRIBE with two Subscription Identifiers",
	Covers: statement.X5("3.8.2.1.2-2"),
	Needs:  []target.Feature{target.SubscriptionIDs},
	Run: func(_ context.Context, t *conformance.T) {
		for _, second := range []uint32{1, 2} {
			refused(t, "a second Subscription Identifier is a Protocol Error", []byte{0x82, 0x81}, octets.Subscribe{
				ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a")}},
				Properties: octets.Properties{octets.SubscriptionIdentifier.Prop(1), octets.SubscriptionIdentifier.Prop(second)},
			})
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PacketIdentifierZero",
	Title:  "does not grant a SUBSCRIBE with Packet Identifier 0",
	Covers: statement.IDs(statement.V311("2.3.1-1"), statement.X5("2.2.1-1")),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(octets.Subscribe{Filters: []octets.Subscription{{Filter: t.Topic("a")}}})
		if t.V5() {
			t.OneOf(p, "a Packet Identifier is not 0", conformance.ClosedWith(0x82, 0x81), conformance.Closed(),
				conformance.Ignored().Nonstrict("takes no notice of Packet Identifier 0"))
			return
		}
		t.OneOf(p, "a Packet Identifier is not 0", conformance.Closed())
	},
})
