package will

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:   "PropertiesForwarded",
	Title:  "publishes the will with the properties it was left with, User Properties in their order",
	Covers: statement.IDs(statement.V5("3.1.3-10"), statement.X5("3.1.3.2-1")),
	Run: func(_ context.Context, t *conformance.T) {
		topic, answers := t.Topic("will"), t.Topic("answers")
		w := watcher(t, topic)
		c := leaves(t, topic, "text")
		c.Will.Properties = octets.Properties{
			octets.User("b", "1"), octets.PayloadFormatIndicator.Prop(1), octets.ContentType.Text("text/plain"),
			octets.User("a", "2"), octets.ResponseTopic.Text(answers), octets.CorrelationData.Text("\x00\xff"), octets.User("b", "1"),
		}
		t.ConnectWith(c).Close()
		m := w.WantMessage(topic, "text", "the will is published")
		var user []string
		for _, v := range m.Props(octets.UserProperty) {
			user = append(user, v.Name+"="+v.Text)
		}
		t.About(statement.V5("3.1.3-10"))
		t.Expect(user).To(gomega.Equal([]string{"b=1", "a=2", "b=1"}), "User Properties of the will")
		t.About(statement.X5("3.1.3.2-1"))
		t.Expect(m.Number(octets.PayloadFormatIndicator, 0)).To(gomega.Equal(uint32(1)), "Payload Format Indicator of the will")
		for id, want := range map[octets.PropertyID]string{
			octets.ContentType: "text/plain", octets.ResponseTopic: answers, octets.CorrelationData: "\x00\xff",
		} {
			got, has := m.Prop(id)
			t.Expect(has).To(gomega.BeTrue(), "the will has %s", id)
			t.Expect(got.Text).To(gomega.Equal(want), "%s of the will", id)
		}
		_, leaked := m.Prop(octets.WillDelayInterval)
		t.Expect(leaked).To(gomega.BeFalse(), "Will Delay Interval in a PUBLISH")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ExpiryForwarded",
	Title:  "publishes the will with its Message Expiry Interval, or without one if it had none",
	Covers: statement.X5("3.1.3.2.4-2"),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		c := leaves(t, topic, "expires")
		c.Will.Properties = octets.Properties{octets.MessageExpiryInterval.Prop(600)}
		t.ConnectWith(c).Close()
		m := w.WantMessage(topic, "expires", "the will is published")
		t.Expect(m.Number(octets.MessageExpiryInterval, 0)).To(gomega.And(gomega.BeNumerically(">=", 590), gomega.BeNumerically("<=", 600)),
			"Message Expiry Interval of a will that was left with 600")
		t.ConnectWith(leaves(t, topic, "lasts")).Close()
		m = w.WantMessage(topic, "lasts", "the will is published")
		_, has := m.Prop(octets.MessageExpiryInterval)
		t.Expect(has).To(gomega.BeFalse(), "Message Expiry Interval of a will that was left without")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PayloadFormatWrong",
	Title:  "refuses a will that is announced as text and is none, or publishes it as it is",
	Covers: statement.X5("3.1.3.2.3-2"),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		c := leaves(t, topic, "\xff\xfe")
		c.Will.Properties = octets.Properties{octets.PayloadFormatIndicator.Prop(1)}
		p := t.Dial()
		p.Send(c)
		t.OneOf(p, "whether the payload is looked at is left to the server",
			conformance.ClosedWith(0x99), conformance.Answered(octets.CONNACK, 0x00).Info("does not look at the payload of a will"))
		if p.End() == nil {
			p.Close()
			w.WantMessage(topic, "\xff\xfe", "a will that was accepted is published as it is")
		}
	},
})

func init() {
	for _, p := range []struct {
		name string
		prop octets.Property
		id   string
	}{
		{"DelayTwice", octets.WillDelayInterval.Prop(0), "3.1.3.2.2-1"},
		{"PayloadFormatTwice", octets.PayloadFormatIndicator.Prop(1), "3.1.3.2.3-1"},
		{"ExpiryTwice", octets.MessageExpiryInterval.Prop(60), "3.1.3.2.4-1"},
		{"ContentTypeTwice", octets.ContentType.Text("text/plain"), "3.1.3.2.5-1"},
		{"ResponseTopicTwice", octets.ResponseTopic.Text("mqttlab/answers"), "3.1.3.2.6-1"},
		{"CorrelationDataTwice", octets.CorrelationData.Text("data"), "3.1.3.2.7-1"},
	} {
		conformance.Register(conformance.Check{
			Name:   p.name,
			Title:  "does not accept a will with " + p.prop.ID.String() + " twice",
			Covers: statement.X5(p.id),
			Run: func(_ context.Context, t *conformance.T) {
				c := leaves(t, t.Topic("will"), "will")
				c.Will.Properties = octets.Properties{p.prop, p.prop}
				q := t.Dial()
				q.Send(c)
				t.WantClosed(q, p.prop.ID.String()+" may be there once", 0x82, 0x81)
			},
		})
	}
}
