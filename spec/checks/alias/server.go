package alias

import (
	"context"
	"fmt"
	"strings"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// resolver knows what the aliases of one Network Connection from the target stand for.
type resolver map[uint32]string

// name is the topic of a message, by its alias if it comes without one. The statements
// are those that an alias breaks which was never set.
func (r resolver) name(t *conformance.T, m *octets.Received, most uint32, unset ...statement.ID) string {
	alias, has := m.Prop(octets.TopicAlias)
	if !has {
		return m.Topic
	}
	t.About(statement.V5("3.1.2-26", "3.1.2-27", "3.3.2-11"))
	t.Expect(alias.Number).To(gomega.BeNumerically("<=", most), "Topic Alias from the target; the client's Topic Alias Maximum is %d", most)
	t.About()
	if m.Topic == "" {
		known, ok := r[alias.Number]
		if !ok {
			t.Fail(probe.Failure{
				Why: "an alias stands for a topic only after it was set on this Network Connection", Statements: unset,
				Acceptable: []string{"PUBLISH with a Topic Name"}, Got: m.String(),
			})
		}
		return known
	}
	r[alias.Number] = m.Topic
	return m.Topic
}

var _ = conformance.Register(conformance.Check{
	Name:   "NoneUnasked",
	Title:  "sends no Topic Alias to a client that did not announce a Topic Alias Maximum, or 0",
	Covers: statement.V5("3.1.2-26", "3.1.2-27", "3.3.2-11"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, props := range []octets.Properties{nil, {octets.TopicAliasMaximum.Prop(0)}} {
			c := t.NewConnect()
			c.Properties = props
			s, publisher, topic := t.ConnectWith(c), t.Connect(), t.Topic("a")
			s.Subscribe(octets.Subscription{Filter: topic})
			m := octets.Publish{Topic: topic, Payload: "x"}
			if t.Has(target.TopicAlias) { // which is not to be passed on
				m = aliased(topic, 1, "x")
			}
			for range 3 {
				publisher.Publish(m)
				got := s.WantMessage(topic, "x", "without an alias, a message has its Topic Name")
				_, has := got.Prop(octets.TopicAlias)
				t.Expect(has).To(gomega.BeFalse(), "Topic Alias in a message to a client that announced no Topic Alias Maximum")
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FromTarget",
	Title:  "uses Topic Aliases up to the client's maximum, and each only after setting it",
	Covers: statement.V5("3.1.2-26", "3.3.2-7", "3.3.2-8", "3.3.2-11"),
	Needs:  []target.Feature{target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		const most = 2
		c := t.LastingConnect()
		c.Properties = append(c.Properties, octets.TopicAliasMaximum.Prop(most))
		p := t.ConnectWith(c)
		p.Subscribe(octets.Subscription{Filter: t.Topic("#")})
		publisher := t.Connect()
		used := false
		for range 2 { // two connections of one Session
			known := resolver{}
			for i := range 12 {
				topic, payload := t.Topic(fmt.Sprint(i%4)), fmt.Sprint(i)
				publisher.Publish(octets.Publish{Topic: topic, Payload: payload})
				m := p.Want(octets.PUBLISH, "the messages are delivered")
				t.Expect(known.name(t, m, most, statement.V5("3.3.2-7")...)).To(gomega.Equal(topic), "Topic Name that the message is meant for")
				t.Expect(m.Payload).To(gomega.Equal(payload), "payload of the message")
			}
			used = used || len(known) > 0
			p.Close()
			p = t.ConnectWith(c)
		}
		if !used {
			t.Info("the target uses no Topic Aliases of its own")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "OfDroppedMessage",
	Title:  "does not use a Topic Alias that it would have set in a message too large for the client",
	Covers: statement.X5("3.3.4-5"),
	Run: func(_ context.Context, t *conformance.T) {
		// CONNACK has to fit too, and tells how small the limit may be.
		limit := max(len(t.Connect().Connack().Raw), 200)
		c, topic := t.NewConnect(), t.Topic("a")
		c.Properties = octets.Properties{octets.TopicAliasMaximum.Prop(5), octets.MaximumPacketSize.Prop(uint32(limit))}
		p, publisher := t.ConnectWith(c), t.Connect()
		p.Subscribe(octets.Subscription{Filter: topic})
		publisher.Publish(octets.Publish{Topic: topic, Payload: strings.Repeat("x", limit)})
		known := resolver{}
		for i := range 3 {
			publisher.Publish(octets.Publish{Topic: topic, Payload: fmt.Sprint(i)})
			m := p.Want(octets.PUBLISH, "the messages that fit are delivered")
			t.Expect(known.name(t, m, 5, statement.X5("3.3.4-5")...)).To(gomega.Equal(topic), "Topic Name that the message is meant for")
			t.Expect(m.Payload).To(gomega.Equal(fmt.Sprint(i)), "payload of the message")
		}
		if len(known) == 0 {
			t.Info("the target uses no Topic Aliases of its own")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "DirectionsApart",
	Title:  "keeps its own Topic Aliases and those of the client apart",
	Covers: statement.X5("3.3.2.3.4-3"),
	Needs:  []target.Feature{target.TopicAlias},
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.Properties = octets.Properties{octets.TopicAliasMaximum.Prop(5)}
		p, other := t.ConnectWith(c), t.Connect()
		in, out := t.Topic("in"), t.Topic("out")
		p.Subscribe(octets.Subscription{Filter: in})
		other.Subscribe(octets.Subscription{Filter: out})
		known := resolver{}
		for i := range 3 {
			payload := fmt.Sprint(i)
			other.Publish(octets.Publish{Topic: in, Payload: payload})
			m := p.Want(octets.PUBLISH, "the message is delivered")
			t.Expect(known.name(t, m, 5)).To(gomega.Equal(in), "Topic Name that the message is meant for")
			topic := out
			if i > 0 {
				topic = ""
			}
			p.Send(aliased(topic, 1, payload))
			other.WantMessage(out, payload, "the client's alias is another than the target's")
		}
	},
})
