package connack

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

// largest is the largest packet that a check sends to a target in order to pass its limit.
const largest = 8 << 20

var _ = conformance.Register(conformance.Check{
	Name:   "MaximumQoSHolds",
	Title:  "takes messages up to the Maximum QoS that it announces, 2 if it announces none",
	Covers: statement.V5("3.2.2-9"),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s, p := t.Connect(), t.Connect()
		s.Subscribe(octets.Subscription{Filter: topic, QoS: t.Limits().MaximumQoS})
		for qos := range t.Limits().MaximumQoS + 1 {
			payload := fmt.Sprint("QoS ", qos)
			ack := p.Publish(octets.Publish{Topic: topic, Payload: payload, QoS: qos})
			if ack != nil {
				t.Expect(ack.Code).To(gomega.BeNumerically("<", 0x80), "Reason Code for a message within the Maximum QoS")
			}
			s.Ack(s.WantMessage(topic, payload, "a message within the Maximum QoS is delivered"))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "MaximumQoSSubscribe",
	Title:  "takes subscriptions of each QoS, whatever its Maximum QoS",
	Covers: statement.V5("3.2.2-10"),
	Needs:  []target.Feature{target.MaximumQoSBelow2},
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		for qos := range byte(3) {
			p.Subscribe(octets.Subscription{Filter: t.Topic(fmt.Sprint(qos)), QoS: qos})
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "MaximumQoSExceeded",
	Title:  "closes the Network Connection on a PUBLISH above its Maximum QoS",
	Covers: statement.V5("3.2.2-11"),
	Needs:  []target.Feature{target.MaximumQoSBelow2},
	Run: func(_ context.Context, t *conformance.T) {
		for qos := t.Limits().MaximumQoS + 1; qos <= 2; qos++ {
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic("a"), QoS: qos, ID: 1})
			t.WantClosed(p, "a PUBLISH above the Maximum QoS is a Protocol Error", 0x9B)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "MaximumQoSOfWill",
	Title:  "refuses a CONNECT with a Will QoS above its Maximum QoS",
	Covers: statement.V5("3.2.2-12"),
	Needs:  []target.Feature{target.MaximumQoSBelow2},
	Run: func(_ context.Context, t *conformance.T) {
		for qos := t.Limits().MaximumQoS + 1; qos <= 2; qos++ {
			c := t.NewConnect()
			c.Will = &octets.Will{Topic: t.Topic("will"), QoS: qos}
			p := t.Dial()
			p.Send(c)
			t.WantClosed(p, "a Will QoS above the Maximum QoS is refused", 0x9B)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "RetainUnavailable",
	Title:  "closes the Network Connection on RETAIN, and refuses Will Retain, where it retains nothing",
	Covers: statement.V5("3.2.2-13", "3.2.2-14"),
	Needs:  []target.Feature{target.RetainUnavailable},
	Run: func(_ context.Context, t *conformance.T) {
		t.About(statement.V5("3.2.2-14"))
		p := t.Connect()
		p.Send(octets.Publish{Topic: t.Topic("a"), Payload: "keep", Retain: true})
		t.WantClosed(p, "RETAIN is not supported", 0x9A)
		t.About(statement.V5("3.2.2-13"))
		c := t.NewConnect()
		c.Will = &octets.Will{Topic: t.Topic("will"), Payload: "keep", Retain: true}
		p = t.Dial()
		p.Send(c)
		t.WantClosed(p, "Will Retain is not supported", 0x9A)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "MaximumPacketSizeExceeded",
	Title:  "closes the Network Connection on a packet above its Maximum Packet Size, and takes one just as large",
	Covers: statement.IDs(statement.V5("3.2.2-15"), statement.X5("3.2.2.3.6-2")),
	Needs:  []target.Feature{target.MaxPacketSize},
	Run: func(_ context.Context, t *conformance.T) {
		limit := t.Limits().MaximumPacketSize
		if limit > largest {
			t.Unsupported(fmt.Sprintf("its Maximum Packet Size is %d bytes, more than is sent here", limit))
		}
		m := octets.Publish{Topic: t.Topic("a")}
		size := func(n int) int {
			m.Payload = strings.Repeat("x", n)
			return len(octets.Bytes(octets.V5, m))
		}
		n := max(0, int(limit)-size(0)-4)
		for size(n) < int(limit) {
			n++
		}
		p := t.Connect()
		p.Send(m)
		p.Barrier("a packet of the Maximum Packet Size is taken")
		size(n + 1)
		p.Send(m)
		t.WantClosed(p, "a packet above the Maximum Packet Size is too large", 0x95)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "TopicAliasMaximumExceeded",
	Title:  "closes the Network Connection on a Topic Alias above what it announced",
	Covers: statement.V5("3.2.2-17", "3.2.2-18"),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		most := p.Connack().Number(octets.TopicAliasMaximum, 0)
		t.About(statement.V5("3.2.2-17"))
		if most == 0 {
			t.About(statement.V5("3.2.2-18"))
		}
		if most == 65535 {
			t.Unsupported("every Topic Alias is within its maximum")
		}
		p.Send(octets.Publish{Topic: t.Topic("a"), Properties: octets.Properties{octets.TopicAlias.Prop(most + 1)}})
		t.WantClosed(p, "a Topic Alias above the maximum is invalid", 0x94)
	},
})

// unavailable are features that a server may lack and announce so, with the code that it
// disconnects who uses them with.
var unavailable = []struct {
	name, id string
	need     target.Feature
	code     byte
	use      func(t *conformance.T) octets.Subscribe
}{
	{"WildcardUnavailable", "3.2.2.3.11-2", target.NoWildcard, 0xA2, func(t *conformance.T) octets.Subscribe {
		return octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("+")}}}
	}},
	{"SubscriptionIDUnavailable", "3.2.2.3.12-2", target.NoSubscriptionIDs, 0xA1, func(t *conformance.T) octets.Subscribe {
		return octets.Subscribe{
			ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a")}},
			Properties: octets.Properties{octets.SubscriptionIdentifier.Prop(1)},
		}
	}},
	{"SharedUnavailable", "3.2.2.3.13-2", target.NoShared, 0x9E, func(t *conformance.T) octets.Subscribe {
		return octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: "$share/group/" + t.Topic("a")}}}
	}},
}

func init() {
	for _, u := range unavailable {
		conformance.Register(conformance.Check{
			Name:   u.name,
			Title:  "closes the Network Connection on a SUBSCRIBE that uses what it announced not to have",
			Covers: statement.X5(u.id),
			Needs:  []target.Feature{u.need},
			Run: func(_ context.Context, t *conformance.T) {
				p := t.Connect()
				p.Send(u.use(t))
				t.WantClosed(p, "the target announced that it does not offer this", u.code)
			},
		})
	}
}

var _ = conformance.Register(conformance.Check{
	Name:   "AnnouncedAsObserved",
	Title:  "does what it announces in CONNACK: what it says to have works, and nothing else",
	Covers: statement.IDs(statement.V5("3.2.2-14"), statement.X5("3.2.2.3.11-2", "3.2.2.3.12-2", "3.2.2.3.13-2")),
	Run: func(_ context.Context, t *conformance.T) {
		about := map[target.Feature][]statement.ID{
			target.Retained: statement.V5("3.2.2-14"), target.Wildcard: statement.X5("3.2.2.3.11-2"),
			target.SubscriptionIDs: statement.X5("3.2.2.3.12-2"), target.Shared: statement.X5("3.2.2.3.13-2"),
		}
		for _, feature := range target.Features() {
			if ids, known := about[feature]; known {
				t.About(ids)
				t.Expect(t.Evidence(feature).Contradiction()).To(gomega.BeEmpty(), "what CONNACK says of %s", feature)
			}
		}
	},
})
