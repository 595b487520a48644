package connect

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

var _ = conformance.Register(conformance.Check{
	Name:   "MaximumPacketSize",
	Title:  "sends no packet larger than the client's Maximum Packet Size, and drops a message that is",
	Covers: statement.V5("3.1.2-24", "3.1.2-25"),
	Run: func(_ context.Context, t *conformance.T) {
		const most = 120
		topic, qos := t.Topic("a"), min(1, t.Limits().MaximumQoS)
		c := t.NewConnect()
		c.Properties = octets.Properties{octets.MaximumPacketSize.Prop(most), octets.ReceiveMaximum.Prop(1)}
		s := t.ConnectWith(c)
		s.Subscribe(octets.Subscription{Filter: topic, QoS: qos})
		p := t.Connect()
		for i := range 3 {
			large, small := strings.Repeat("x", most+i), fmt.Sprint("small ", i)
			p.Publish(octets.Publish{Topic: topic, Payload: large, QoS: qos})
			p.Publish(octets.Publish{Topic: topic, Payload: small, QoS: qos})
			t.About(statement.V5("3.1.2-24"))
			m := s.Want(octets.PUBLISH, "a message that fits is delivered behind one that does not")
			t.Expect(len(m.Raw)).To(gomega.BeNumerically("<=", most), "bytes of a PUBLISH to a client with a Maximum Packet Size")
			t.About(statement.V5("3.1.2-25"))
			t.Expect(m.Payload).To(gomega.Equal(small), "the message behind one that is too large")
			s.Ack(m)
		}
		s.WantSilence("messages that are too large are dropped for good")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "MaximumPacketSizeExact",
	Title:  "delivers a message that is just as large as the client's Maximum Packet Size",
	Covers: statement.V5("3.1.2-24", "3.1.2-25"),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		size := uint32(len(octets.Bytes(octets.V5, octets.Publish{Topic: topic, Payload: strings.Repeat("x", 60)})))
		c := t.NewConnect()
		c.Properties = octets.Properties{octets.MaximumPacketSize.Prop(size)}
		s := t.ConnectWith(c)
		s.Subscribe(octets.Subscription{Filter: topic})
		p := t.Connect()
		p.Publish(octets.Publish{Topic: topic, Payload: strings.Repeat("y", 61)})
		p.Publish(octets.Publish{Topic: topic, Payload: strings.Repeat("x", 60)})
		m := s.Want(octets.PUBLISH, "a message that fits exactly is delivered")
		t.About(statement.V5("3.1.2-24"))
		t.Expect(uint32(len(m.Raw))).To(gomega.BeNumerically("<=", size), "bytes of the PUBLISH")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReceiveMaximumPerConnection",
	Title:  "takes the Receive Maximum of each connection, and 65,535 if there is none",
	Covers: statement.X5("3.1.2.11.3-3"),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		const messages = 12 // the smallest windows in use hold 20
		topic := t.Topic("a")
		c := t.LastingConnect()
		c.Properties = append(c.Properties, octets.ReceiveMaximum.Prop(1))
		s := t.ConnectWith(c)
		s.Subscribe(octets.Subscription{Filter: topic, QoS: 1})
		s.Disconnect()
		c.Properties = c.Properties[:1]
		s = t.ConnectWith(c)
		p := t.Connect()
		for i := range messages {
			p.Publish(octets.Publish{Topic: topic, Payload: fmt.Sprint(i), QoS: 1})
		}
		got := s.Messages(messages, "messages come without acknowledgement up to the Receive Maximum")
		if len(got) == 1 {
			t.Expect(got).To(gomega.HaveLen(messages), "messages on a connection without Receive Maximum, after one with 1")
		}
		if len(got) < messages {
			t.Info(fmt.Sprintf("sends %d messages at most without acknowledgement", len(got)))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ProblemInformationUnwanted",
	Title:  "sends no Reason String and no User Property where the client does not want them",
	Covers: statement.V5("3.1.2-29"),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.Properties = octets.Properties{octets.RequestProblemInformation.Prop(0)}
		p := t.ConnectWith(c)
		unwanted := func(r *octets.Received) {
			_, reason := r.Prop(octets.ReasonString)
			_, user := r.Prop(octets.UserProperty)
			t.Expect(reason || user).To(gomega.BeFalse(), "%s tells the problem to a client that asked not to be told", r)
		}
		p.Send(octets.Unsubscribe{ID: 1, Filters: []string{t.Topic("never subscribed")}})
		unwanted(p.WantID(octets.UNSUBACK, 1, "UNSUBSCRIBE is answered"))
		if filter := t.Settings().ForbiddenTopic; filter != "" {
			p.Send(octets.Subscribe{ID: 2, Filters: []octets.Subscription{{Filter: filter}}})
			unwanted(p.WantID(octets.SUBACK, 2, "SUBSCRIBE is answered"))
		}
		topic := t.Topic("nobody is here")
		if t.Has(target.QoS1) {
			unwanted(p.Publish(octets.Publish{Topic: topic, QoS: 1}))
		}
		if t.Has(target.QoS2) {
			p.Send(octets.Pubrel(77)) // of no exchange: Packet Identifier not found
			unwanted(p.WantID(octets.PUBCOMP, 77, "PUBREL is answered"))
			unwanted(p.Publish(octets.Publish{Topic: topic, QoS: 2}))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ResponseInformationUnwanted",
	Title:  "sends no Response Information to a client that did not ask for it",
	Covers: statement.V5("3.1.2-28"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, props := range []octets.Properties{nil, {octets.RequestResponseInformation.Prop(0)}} {
			c := t.NewConnect()
			c.Properties = props
			_, has := t.ConnectWith(c).Connack().Prop(octets.ResponseInformation)
			t.Expect(has).To(gomega.BeFalse(), "Response Information in CONNACK that was not asked for")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "MaximumPacketSizeShared",
	Title:  "drops a message that is too large for a member of a Shared Subscription, or gives it to another",
	Covers: statement.X5("3.1.2.11.4-4"),
	Needs:  []target.Feature{target.Shared},
	Run: func(_ context.Context, t *conformance.T) {
		const most, messages = 120, 6
		topic := t.Topic("a")
		filter := octets.Subscription{Filter: "$share/group/" + topic}
		c := t.NewConnect()
		c.Properties = octets.Properties{octets.MaximumPacketSize.Prop(most)}
		small, large := t.ConnectWith(c), t.Connect()
		small.Subscribe(filter)
		large.Subscribe(filter)
		p := t.Connect()
		for range messages {
			p.Publish(octets.Publish{Topic: topic, Payload: strings.Repeat("x", most)})
		}
		p.Barrier("the messages are handled")
		t.Expect(small.Messages(1, "the member stays connected")).To(gomega.BeEmpty(), "messages for the member that cannot take them")
		got := len(large.Messages(messages+1, "the member stays connected"))
		t.Expect(got).To(gomega.BeNumerically("<=", messages), "messages for the member that can take them")
		t.Info(fmt.Sprintf("gives %d of %d messages that are too large for one of two members to the other", got, messages))
	},
})
