// Package subscribe checks SUBSCRIBE and SUBACK: the answer, what is granted and delivered,
// replaced subscriptions, options, identifiers, and what is refused.
package subscribe

import (
	"context"
	"slices"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:  "Answered",
	Title: "answers each SUBSCRIBE with one SUBACK that has its Packet Identifier",
	Covers: statement.IDs(
		statement.V311("3.8.4-1", "3.8.4-2", "2.3.1-7"), statement.V5("3.8.4-1", "3.8.4-2", "2.2.1-6"), statement.X5("T2.4-SUBACK"),
	),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		for i, id := range []uint16{1, 2, 0x0100, 0x7FFF, 0x8000, 0xFFFF, 1} {
			p.Send(octets.Subscribe{ID: id, Filters: []octets.Subscription{{Filter: t.Topic(string(rune('a' + i)))}}})
			p.WantID(octets.SUBACK, id, "SUBSCRIBE is answered under its Packet Identifier")
			p.WantSilence("one SUBSCRIBE gets one SUBACK")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "AnsweredEach",
	Title:  "answers every one of several SUBSCRIBE packets sent in one piece",
	Covers: statement.IDs(statement.V311("3.8.4-1", "3.8.4-2"), statement.V5("3.8.4-1", "3.8.4-2")),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		ids := []uint16{9, 3, 400, 8, 65535}
		var all []octets.Packet
		for _, id := range ids {
			all = append(all, octets.Subscribe{ID: id, Filters: []octets.Subscription{{Filter: t.Topic("a")}}})
		}
		p.Send(all...)
		var got []uint16
		for range ids {
			got = append(got, p.Want(octets.SUBACK, "each SUBSCRIBE gets a SUBACK").ID)
		}
		t.Expect(got).To(gomega.ConsistOf(ids), "Packet Identifiers of the SUBACK packets")
		p.WantSilence("one SUBSCRIBE gets one SUBACK")
	},
})

// allowed are the codes that SUBACK may hold.
func allowed(v5 bool) []byte {
	if v5 {
		return []byte{0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2}
	}
	return []byte{0x00, 0x01, 0x02, 0x80}
}

var _ = conformance.Register(conformance.Check{
	Name:  "CodePerFilter",
	Title: "gives each filter a code in the place of the filter, none above what was asked for",
	Covers: statement.IDs(
		statement.V311("3.8.4-5", "3.9.3-1", "3.9.3-2"), statement.V5("3.8.4-6", "3.9.3-1", "3.9.3-2"), statement.X5("2.4-1"),
	),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		for i, asked := range [][]byte{{0, 1, 2}, {2, 1, 0}, {2}, {0, 2, 0, 1, 0}, {2, 2, 0, 2}} {
			s := octets.Subscribe{ID: uint16(i + 1)}
			for j, qos := range asked {
				s.Filters = append(s.Filters, octets.Subscription{Filter: t.Topic(string(rune('a'+i)) + "/" + string(rune('a'+j))), QoS: qos})
			}
			p.Send(s)
			codes := p.WantID(octets.SUBACK, s.ID, "SUBSCRIBE is answered").Codes
			t.About(statement.V311("3.8.4-5"), statement.V5("3.8.4-6"))
			t.Expect(codes).To(gomega.HaveLen(len(asked)), "codes of the SUBACK for %d filters", len(asked))
			t.About(statement.V311("3.9.3-2"), statement.V5("3.9.3-2"), statement.X5("2.4-1"))
			t.Expect(codes).To(gomega.HaveEach(gomega.BeElementOf(allowed(t.V5()))), "codes of the SUBACK")
			t.About(statement.V311("3.9.3-1"), statement.V5("3.9.3-1"))
			for j, code := range codes {
				t.Expect(code).To(gomega.BeNumerically("<=", asked[j]), "code in place %d of %v, in answer to the maximum QoS values %v", j, codes, asked)
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "GrantedIsDelivered",
	Title:  "delivers at the QoS that SUBACK granted, which may be less than was asked for",
	Covers: statement.IDs(statement.V311("3.8.4-5"), statement.V5("3.8.4-7"), statement.X5("3.8.4-5")),
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher, most := t.Connect(), t.Connect(), t.Limits().MaximumQoS
		for asked := range byte(3) {
			topic := t.Topic(string('a' + rune(asked)))
			granted := p.Subscribe(octets.Subscription{Filter: topic, QoS: asked}).Codes[0]
			if granted != asked {
				t.Info("grants less than the maximum QoS asked for")
			}
			publisher.Publish(octets.Publish{Topic: topic, Payload: "x", QoS: most})
			m := p.WantMessage(topic, "x", "the subscription delivers")
			t.Expect(m.QoS).To(gomega.Equal(min(most, granted)), "QoS of a message published with %d, granted %d", most, granted)
			p.Ack(m)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "DeliveryQoS",
	Title:  "delivers at the lower of the QoS published and the QoS granted",
	Covers: statement.IDs(statement.V311("3.8.4-6"), statement.V5("3.8.4-8")),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		publisher := t.Connect()
		for granted := range byte(3) {
			p, topic := t.Connect(), t.Topic(string('a'+rune(granted)))
			granted = p.Subscribe(octets.Subscription{Filter: topic, QoS: granted}).Codes[0]
			for published := range byte(3) {
				payload := string('0' + rune(published))
				publisher.Publish(octets.Publish{Topic: topic, Payload: payload, QoS: published})
				m := p.WantMessage(topic, payload, "the message is delivered")
				t.Expect(m.QoS).To(gomega.Equal(min(granted, published)), "QoS of a message published with %d, granted %d", published, granted)
				p.Ack(m)
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "RetainedQoS",
	Title:  "delivers retained messages at the lower of the QoS published and the QoS granted, whatever the filter",
	Covers: statement.IDs(statement.V311("3.8.4-6", "3.3.1-5"), statement.V5("3.8.4-8")),
	Needs:  []target.Feature{target.Retained, target.Wildcard, target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		publisher, topic := t.Connect(), t.Topic("a/b")
		for published := range byte(3) {
			publisher.Publish(octets.Publish{Topic: topic, Payload: "kept", QoS: published, Retain: true})
			publisher.Barrier("the retained message is handled")
			for _, filter := range []string{"a/b", "a/+", "a/#"} {
				for asked := range byte(3) {
					p := t.Connect()
					granted := p.Subscribe(octets.Subscription{Filter: t.Topic(filter), QoS: asked}).Codes[0]
					got := p.Messages(1, "the connection stays open")
					if published == 0 && len(got) == 0 {
						t.Info("does not keep a QoS 0 message as retained")
						continue
					}
					t.Expect(len(got)).To(gomega.Equal(1), "retained messages for %s", filter)
					t.Expect(got[0].QoS).To(gomega.Equal(min(granted, published)),
						"QoS of a retained message published with %d, granted %d for %s", published, granted, filter)
				}
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SeveralFilters",
	Title:  "handles the filters of one SUBSCRIBE as if each had come alone, and sends one SUBACK",
	Covers: statement.IDs(statement.V311("3.8.4-4"), statement.V5("3.8.4-5")),
	Needs:  []target.Feature{target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher := t.Connect(), t.Connect()
		p.Subscribe(
			octets.Subscription{Filter: t.Topic("a")},
			octets.Subscription{Filter: t.Topic("b/+")},
			octets.Subscription{Filter: t.Topic("c/#")},
			octets.Subscription{Filter: t.Topic("a")},
			octets.Subscription{Filter: t.Topic("d")},
		)
		p.WantSilence("several filters in one SUBSCRIBE get one SUBACK")
		for _, name := range []string{"a", "b/x", "c/x/y", "d"} {
			publisher.Publish(octets.Publish{Topic: t.Topic(name), Payload: name})
			p.WantMessage(t.Topic(name), name, "each filter of a SUBSCRIBE makes a subscription")
		}
		p.WantOnly(publisher, octets.Publish{Topic: t.Topic("a")}, "a filter that stands there twice makes one subscription")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SeveralFiltersInOrder",
	Title:  "lets the last of equal filters in one SUBSCRIBE decide",
	Covers: statement.IDs(statement.V311("3.8.4-4"), statement.V5("3.8.4-5")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		publisher := t.Connect()
		for i, asked := range [][]byte{{1, 0}, {0, 1}, {1, 0, 1}} {
			p, topic := t.Connect(), t.Topic(string(rune('a'+i)))
			var filters []octets.Subscription
			for _, qos := range asked {
				filters = append(filters, octets.Subscription{Filter: topic, QoS: qos})
			}
			codes := p.Subscribe(filters...).Codes
			publisher.Publish(octets.Publish{Topic: topic, Payload: "x", QoS: 1})
			m := p.WantMessage(topic, "x", "the subscription delivers")
			t.Expect(m.QoS).To(gomega.Equal(codes[len(codes)-1]), "QoS of a message to a filter that was asked for with %v in this order", asked)
			p.Ack(m)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "RetainedAndSuback",
	Title:  "may send retained messages before SUBACK",
	Covers: statement.X5("3.8.4-1", "3.8.4-2"),
	Needs:  []target.Feature{target.Retained},
	Run: func(_ context.Context, t *conformance.T) {
		publisher, p, topic := t.Connect(), t.Connect(), t.Topic("a")
		publisher.Publish(octets.Publish{Topic: topic, Payload: "kept", Retain: true})
		publisher.Barrier("the retained message is handled")
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: topic}}})
		r := t.OneOf(p, "SUBACK and the retained message come in either order", conformance.Where("SUBACK and PUBLISH", true, func(r conformance.Reaction) bool {
			return came(r, octets.SUBACK) >= 0 && came(r, octets.PUBLISH) >= 0
		}))
		if came(r, octets.PUBLISH) < came(r, octets.SUBACK) {
			t.Info("sends retained messages before SUBACK")
		}
	},
})

// came is the place of the first packet of a type, -1 if there is none.
func came(r conformance.Reaction, typ octets.Type) int {
	return slices.IndexFunc(r.Packets, func(p *octets.Received) bool { return p.Type == typ })
}
