// Package properties checks the properties of PUBLISH in MQTT 5.0: that they reach the
// subscriber as they were sent, that messages expire, and that wrong ones are refused.
package properties

import (
	"context"
	"strings"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// forwarded publishes a message on each path that messages take (to a connected subscriber
// with each QoS, out of the queue of a Session, as a retained message) and hands each copy
// that arrives to judge.
func forwarded(t *conformance.T, props octets.Properties, judge func(m *octets.Received)) {
	most := t.Limits().MaximumQoS
	publisher := t.Connect()
	live, topic := t.Connect(), t.Topic("live")
	live.Subscribe(octets.Subscription{Filter: topic, QoS: most})
	for qos := range most + 1 {
		publisher.Publish(octets.Publish{Topic: topic, Payload: "live", QoS: qos, Properties: props})
		m := live.WantMessage(topic, "live", "the message is delivered")
		judge(m)
		live.Ack(m)
	}
	if t.Has(target.Retained) {
		kept := t.Topic("retained")
		publisher.Publish(octets.Publish{Topic: kept, Payload: "retained", QoS: most, Retain: true, Properties: props})
		publisher.Barrier("the retained message is handled")
		live.Subscribe(octets.Subscription{Filter: kept, QoS: most})
		m := live.WantMessage(kept, "retained", "the retained message is delivered")
		judge(m)
		live.Ack(m)
	}
	if most == 0 {
		return
	}
	c, queue := t.LastingConnect(), t.Topic("queued")
	away := t.ConnectWith(c)
	away.Subscribe(octets.Subscription{Filter: queue, QoS: most})
	away.Disconnect()
	publisher.Publish(octets.Publish{Topic: queue, Payload: "queued", QoS: most, Properties: props})
	away = t.ConnectWith(c)
	m := away.WantMessage(queue, "queued", "the queued message is delivered")
	judge(m)
	away.Ack(m)
}

// wantTexts wants a string or binary property to be there as often and with the values
// given.
func wantTexts(t *conformance.T, m *octets.Received, id octets.PropertyID, want ...string) {
	var got []string
	for _, v := range m.Props(id) {
		got = append(got, v.Text)
	}
	t.Expect(got).To(gomega.Equal(want), "%s of the delivered message", id)
}

var _ = conformance.Register(conformance.Check{
	Name:   "PayloadFormatForwarded",
	Title:  "delivers Payload Format Indicator 0, 1 and none as published",
	Covers: statement.V5("3.3.2-4"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, value := range []uint32{0, 1} {
			forwarded(t, octets.Properties{octets.PayloadFormatIndicator.Prop(value)}, func(m *octets.Received) {
				// 0 is what its absence means, and what a server may leave out is not told.
				got, has := m.Prop(octets.PayloadFormatIndicator)
				t.Expect(got.Number).To(gomega.Equal(value), "Payload Format Indicator of the delivered message")
				if !has {
					t.Nonstrict("Payload Format Indicator 0 is left out, which means the same; it is to be sent unaltered")
				}
			})
		}
		forwarded(t, nil, func(m *octets.Received) {
			t.Expect(m.Number(octets.PayloadFormatIndicator, 0)).To(gomega.BeZero(), "Payload Format Indicator of a message published without")
		})
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ResponseTopicForwarded",
	Title:  "delivers the Response Topic as published",
	Covers: statement.V5("3.3.2-15"),
	Run: func(_ context.Context, t *conformance.T) {
		answers := t.Topic("answers/\u00fc//x")
		forwarded(t, octets.Properties{octets.ResponseTopic.Text(answers)}, func(m *octets.Received) {
			wantTexts(t, m, octets.ResponseTopic, answers)
		})
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "CorrelationDataForwarded",
	Title:  "delivers Correlation Data as published, binary, long and empty",
	Covers: statement.V5("3.3.2-16"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, data := range []string{"", "\x00\xff\x80+#", strings.Repeat("\x01\xfe", 300)} {
			forwarded(t, octets.Properties{octets.CorrelationData.Text(data)}, func(m *octets.Received) {
				wantTexts(t, m, octets.CorrelationData, data)
			})
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ContentTypeForwarded",
	Title:  "delivers the Content Type as published",
	Covers: statement.V5("3.3.2-20"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, text := range []string{"application/json; charset=utf-8", ""} {
			forwarded(t, octets.Properties{octets.ContentType.Text(text)}, func(m *octets.Received) {
				wantTexts(t, m, octets.ContentType, text)
			})
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "UserPropertiesForwarded",
	Title:  "delivers all User Properties as published and in their order, those with the same name too",
	Covers: statement.V5("3.3.2-17", "3.3.2-18"),
	Run: func(_ context.Context, t *conformance.T) {
		pairs := [][2]string{{"b", "1"}, {"a", "2"}, {"b", "3"}, {"b", "1"}, {"", ""}, {"a", "\u00fc"}, {"c", strings.Repeat("x", 200)}}
		var props octets.Properties
		for _, pair := range pairs {
			props = append(props, octets.User(pair[0], pair[1]))
		}
		forwarded(t, props, func(m *octets.Received) {
			var got [][2]string
			for _, v := range m.Props(octets.UserProperty) {
				got = append(got, [2]string{v.Name, v.Text})
			}
			t.About(statement.V5("3.3.2-17"))
			t.Expect(got).To(gomega.ConsistOf(pairs), "User Properties of the delivered message")
			t.About(statement.V5("3.3.2-18"))
			t.Expect(got).To(gomega.Equal(pairs), "User Properties of the delivered message, in order")
			t.About()
		})
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "AnyOrder",
	Title:  "takes the properties of a PUBLISH in any order",
	Covers: statement.X5("2.2.2.2-4"),
	Run: func(_ context.Context, t *conformance.T) {
		s, p, topic := t.Connect(), t.Connect(), t.Topic("a")
		s.Subscribe(octets.Subscription{Filter: topic})
		props := octets.Properties{
			octets.ContentType.Text("text"), octets.PayloadFormatIndicator.Prop(1), octets.User("a", "1"),
			octets.CorrelationData.Text("data"), octets.ResponseTopic.Text("answers"), octets.MessageExpiryInterval.Prop(1000),
		}
		for range 10 {
			t.Rand().Shuffle(len(props), func(i, j int) { props[i], props[j] = props[j], props[i] })
			p.Publish(octets.Publish{Topic: topic, Payload: "x", Properties: props})
			m := s.WantMessage(topic, "x", "the order of properties has no meaning")
			wantTexts(t, m, octets.ContentType, "text")
			wantTexts(t, m, octets.CorrelationData, "data")
			wantTexts(t, m, octets.ResponseTopic, "answers")
		}
	},
})

// counted is a wait after which a target that counts in whole seconds has counted at least
// two.
const counted = 2100 * time.Millisecond
