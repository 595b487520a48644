// Package alias checks Topic Aliases of MQTT 5.0, those of clients and those of the
// target.
package alias

import (
	"context"
	"fmt"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// aliased is a message with a Topic Alias; an empty topic uses the alias.
func aliased(topic string, alias uint32, payload string) octets.Publish {
	return octets.Publish{Topic: topic, Payload: payload, Properties: octets.Properties{octets.TopicAlias.Prop(alias)}}
}

var _ = conformance.Register(conformance.Check{
	Name:   "Zero",
	Title:  "closes the Network Connection on Topic Alias 0",
	Covers: statement.IDs(statement.V5("3.3.2-8"), statement.X5("3.3.4-4")),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(aliased(t.Topic("a"), 0, "x"))
		t.WantClosed(p, "a Topic Alias is not 0", 0x94)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "AboveMaximum",
	Title:  "closes the Network Connection on a Topic Alias above the maximum it announced",
	Covers: statement.IDs(statement.V5("3.3.2-9"), statement.X5("3.3.4-4")),
	Run: func(_ context.Context, t *conformance.T) {
		most := uint32(t.Limits().TopicAliasMaximum)
		if most == 65535 {
			t.Unsupported("needs a Topic Alias Maximum below 65535: there is no alias above it")
		}
		for _, alias := range []uint32{most + 1, 65535} {
			p := t.Connect()
			p.Send(aliased(t.Topic("a"), alias, "x"))
			t.WantClosed(p, fmt.Sprintf("the Topic Alias Maximum is %d", most), 0x94)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "AllAccepted",
	Title:  "accepts each Topic Alias from 1 up to the maximum it announced",
	Covers: statement.V5("3.3.2-12"),
	Needs:  []target.Feature{target.TopicAlias},
	Run: func(_ context.Context, t *conformance.T) {
		most := uint32(t.Limits().TopicAliasMaximum)
		s, p := t.Connect(), t.Connect()
		s.Subscribe(octets.Subscription{Filter: t.Topic("first")}, octets.Subscription{Filter: t.Topic("middle")}, octets.Subscription{Filter: t.Topic("last")})
		aliases := map[string]uint32{"first": 1, "middle": (most + 1) / 2, "last": most}
		for _, name := range []string{"first", "middle", "last"} {
			p.Send(aliased(t.Topic(name), aliases[name], "set"), aliased("", aliases[name], "used"))
			s.WantMessage(t.Topic(name), "set", fmt.Sprintf("alias %d of %d is accepted", aliases[name], most))
			s.WantMessage(t.Topic(name), "used", fmt.Sprintf("alias %d of %d is accepted", aliases[name], most))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SetUsedChanged",
	Title:  "delivers to the topic that the alias stands for: set, used, changed, used again",
	Covers: statement.X5("3.3.2.3.4-2"),
	Needs:  []target.Feature{target.TopicAlias, target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		s, p := t.Connect(), t.Connect()
		most := t.Limits().MaximumQoS
		s.Subscribe(octets.Subscription{Filter: t.Topic("+"), QoS: most})
		one, two := t.Topic("one"), t.Topic("two")
		for i, step := range []struct{ sent, meant string }{
			{one, one}, {"", one}, {"", one}, {two, two}, {"", two}, {one, one}, {"", one},
		} {
			m := aliased(step.sent, 1, fmt.Sprint(i))
			m.QoS = byte(i) % (most + 1)
			p.Publish(m)
			got := s.WantMessage(step.meant, m.Payload, "the message goes to the topic that the alias stands for")
			s.Ack(got)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Unknown",
	Title:  "closes the Network Connection on an empty Topic Name with an alias never set",
	Covers: statement.X5("3.3.4-5"),
	Needs:  []target.Feature{target.TopicAlias},
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(aliased("", 1, "x"))
		t.WantClosed(p, "the alias stands for no topic yet", 0x82)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Twice",
	Title:  "closes the Network Connection on a PUBLISH with two Topic Aliases",
	Covers: statement.X5("3.3.2.3.4-1"),
	Needs:  []target.Feature{target.TopicAlias},
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		m := aliased(t.Topic("a"), 1, "x")
		m.Properties = append(m.Properties, m.Properties[0])
		p.Send(m)
		t.WantClosed(p, "a Topic Alias may be there once", 0x82, 0x81)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ForgottenOnReconnect",
	Title:  "forgets Topic Aliases when the Network Connection ends, also if the Session goes on",
	Covers: statement.V5("3.3.2-7"),
	Needs:  []target.Feature{target.TopicAlias},
	Run: func(_ context.Context, t *conformance.T) {
		c := t.LastingConnect()
		p := t.ConnectWith(c)
		p.Send(aliased(t.Topic("a"), 1, "x"))
		p.WantSilence("the alias is accepted")
		p.Disconnect()
		p = t.ConnectWith(c)
		p.Send(aliased("", 1, "x"))
		t.WantClosed(p, "an alias of the connection before stands for nothing", 0x82)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ClientsApart",
	Title:  "keeps the Topic Aliases of two clients apart",
	Covers: statement.X5("3.3.2.3.4-3"),
	Needs:  []target.Feature{target.TopicAlias},
	Run: func(_ context.Context, t *conformance.T) {
		s, one, two := t.Connect(), t.Connect(), t.Connect()
		s.Subscribe(octets.Subscription{Filter: t.Topic("one")}, octets.Subscription{Filter: t.Topic("two")})
		one.Send(aliased(t.Topic("one"), 1, "one sets"))
		s.WantMessage(t.Topic("one"), "one sets", "the alias is accepted")
		two.Send(aliased(t.Topic("two"), 1, "two sets"))
		s.WantMessage(t.Topic("two"), "two sets", "the alias is accepted")
		one.Send(aliased("", 1, "one uses"))
		s.WantMessage(t.Topic("one"), "one uses", "each client has its own aliases")
		two.Send(aliased("", 1, "two uses"))
		s.WantMessage(t.Topic("two"), "two uses", "each client has its own aliases")
	},
})
