package properties

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// refuses wants each of these property lists of a PUBLISH to end the connection.
func refuses(t *conformance.T, why string, codes []byte, lists ...octets.Properties) {
	for _, props := range lists {
		p := t.Connect()
		p.Send(octets.Publish{Topic: t.Topic("a"), Payload: "x", Properties: props})
		t.WantClosed(p, why, codes...)
	}
}

// illFormed are strings that are not UTF-8.
var illFormed = []string{"\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "x\x00y"}

// texts makes a list of properties for each text.
func texts(id octets.PropertyID, all ...string) []octets.Properties {
	var lists []octets.Properties
	for _, text := range all {
		lists = append(lists, octets.Properties{id.Text(text)})
	}
	return lists
}

var _ = conformance.Register(conformance.Check{
	Name:   "ResponseTopicIllFormed",
	Title:  "closes the Network Connection on a Response Topic that is not UTF-8",
	Covers: statement.V5("3.3.2-13"),
	Run: func(_ context.Context, t *conformance.T) {
		refuses(t, "the Response Topic has to be well-formed UTF-8", []byte{0x81}, texts(octets.ResponseTopic, illFormed...)...)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ContentTypeIllFormed",
	Title:  "closes the Network Connection on a Content Type that is not UTF-8",
	Covers: statement.V5("3.3.2-19"),
	Run: func(_ context.Context, t *conformance.T) {
		refuses(t, "the Content Type has to be well-formed UTF-8", []byte{0x81}, texts(octets.ContentType, illFormed...)...)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ResponseTopicWildcard",
	Title:  "does not pass on a Response Topic with a wildcard",
	Covers: statement.V5("3.3.2-14"),
	Run: func(_ context.Context, t *conformance.T) {
		s, topic := t.Connect(), t.Topic("a")
		s.Subscribe(octets.Subscription{Filter: topic})
		for _, text := range []string{"answers/+", "answers/#", "a+b"} {
			p := t.Connect()
			p.Send(octets.Publish{Topic: topic, Payload: "wild", Properties: octets.Properties{octets.ResponseTopic.Text(text)}})
			t.OneOf(p, "a Response Topic holds no wildcards; no reaction is named",
				conformance.ClosedWith(0x82, 0x81, 0x90), conformance.Closed(), conformance.Ignored())
		}
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "last"})
		for m := s.Want(octets.PUBLISH, "messages go on"); m.Payload != "last"; m = s.Want(octets.PUBLISH, "messages go on") {
			answers, _ := m.Prop(octets.ResponseTopic)
			t.Expect(answers.Text).NotTo(gomega.ContainSubstring("+"), "Response Topic of the delivered message")
			t.Expect(answers.Text).NotTo(gomega.ContainSubstring("#"), "Response Topic of the delivered message")
			t.Nonstrict("delivers a message with a wildcard in its Response Topic, without that property")
		}
	},
})

// once are the properties of PUBLISH that may be there once by the word of their section.
var once = map[string]octets.Property{
	"3.3.2.3.5-1": octets.ResponseTopic.Text("answers"),
	"3.3.2.3.6-1": octets.CorrelationData.Text("data"),
	"3.3.2.3.9-1": octets.ContentType.Text("text"),
}

var _ = conformance.Register(conformance.Check{
	Name:   "Twice",
	Title:  "closes the Network Connection on a second Response Topic, Correlation Data or Content Type",
	Covers: statement.X5("3.3.2.3.5-1", "3.3.2.3.6-1", "3.3.2.3.9-1"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, id := range statement.X5("3.3.2.3.5-1", "3.3.2.3.6-1", "3.3.2.3.9-1") {
			t.About([]statement.ID{id})
			p := once[string(id[len("X5-"):])]
			refuses(t, "a second one is a Protocol Error", []byte{0x82, 0x81}, octets.Properties{p, p})
		}
	},
})

// deliveredOnce lets the target deliver a message with this property, which the reader of
// the subscriber judges by itself: a legal value, and once. It returns the subscriber.
func deliveredOnce(t *conformance.T, property octets.Property) *probe.Peer {
	s, topic := t.Connect(), t.Topic("a")
	s.Subscribe(octets.Subscription{Filter: topic})
	t.Connect().Publish(octets.Publish{Topic: topic, Payload: "once", Properties: octets.Properties{property}})
	s.WantMessage(topic, "once", "the message is delivered")
	return s
}

var _ = conformance.Register(conformance.Check{
	Name:   "NumberTwice",
	Title:  "sends Payload Format Indicator and Message Expiry Interval once, and closes on a second one",
	Covers: statement.X5("3.3.2.3.2-3", "3.3.2.3.3-2"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, c := range []struct {
			about []statement.ID
			first octets.Property
			other octets.Property
		}{
			{statement.X5("3.3.2.3.2-3"), octets.PayloadFormatIndicator.Prop(0), octets.PayloadFormatIndicator.Prop(1)},
			{statement.X5("3.3.2.3.3-2"), octets.MessageExpiryInterval.Prop(10), octets.MessageExpiryInterval.Prop(20)},
		} {
			t.About(c.about)
			s := deliveredOnce(t, c.first)
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic("a"), Payload: "twice", Properties: octets.Properties{c.first, c.other}})
			t.OneOf(p, "the text names no reaction to a property that must not be there twice",
				conformance.ClosedWith(0x82, 0x81), conformance.Closed(),
				conformance.StaysOpen().Nonstrict("accepts "+c.first.ID.String()+" twice"),
			)
			// What is passed on is read by the auditor: a property twice would fail there.
			s.Barrier("the subscriber's connection stays open")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PayloadFormatTwo",
	Title:  "sends Payload Format Indicator 0 or 1, and refuses others",
	Covers: statement.X5("3.3.2.3.2-1"),
	Run: func(_ context.Context, t *conformance.T) {
		deliveredOnce(t, octets.PayloadFormatIndicator.Prop(1))
		for _, value := range []uint32{2, 255} {
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic("b"), Payload: "two", Properties: octets.Properties{octets.PayloadFormatIndicator.Prop(value)}})
			t.OneOf(p, "no reaction is named to a value that is not defined",
				conformance.ClosedWith(0x81, 0x82), conformance.Closed(),
				conformance.StaysOpen().Nonstrict("does not close on a Payload Format Indicator that is not defined"),
			)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PayloadNotUTF8",
	Title:  "delivers or refuses a payload that is not the UTF-8 that its Payload Format Indicator says",
	Covers: statement.X5("3.3.2.3.2-2"),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(octets.Publish{
			Topic: t.Topic("a"), Payload: "\xff\xfe", QoS: 1, ID: 1,
			Properties: octets.Properties{octets.PayloadFormatIndicator.Prop(1)},
		})
		t.OneOf(p, "a receiver may check the format",
			conformance.Answered(octets.PUBACK, 0x99).Info("checks the payload format, and answers 0x99"),
			conformance.ClosedWith(0x99).Info("checks the payload format, and closes with 0x99"),
			conformance.Answered(octets.PUBACK, 0x00, 0x10).Info("does not check the payload format"),
		)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SubscriptionIdentifierFromClient",
	Title:  "closes the Network Connection on a PUBLISH of a client with a Subscription Identifier",
	Covers: statement.IDs(statement.V5("3.3.4-6"), statement.X5("T2.4-PUBLISH")),
	Run: func(_ context.Context, t *conformance.T) {
		t.Lenient() // the rule binds the client; no reaction is named, and the property may be in PUBLISH
		refuses(t, "a client's PUBLISH has no Subscription Identifier", []byte{0x82, 0x81},
			octets.Properties{octets.SubscriptionIdentifier.Prop(1)})
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Foreign",
	Title:  "closes the Network Connection on a PUBLISH with a property of other packets",
	Covers: statement.X5("T2.4-PUBLISH"),
	Run: func(_ context.Context, t *conformance.T) {
		refuses(t, "the property does not belong in PUBLISH", []byte{0x81, 0x82},
			octets.Properties{octets.SessionExpiryInterval.Prop(1)},
			octets.Properties{octets.WillDelayInterval.Prop(1)},
			octets.Properties{octets.ReasonString.Text("x")},
			octets.Properties{octets.ReceiveMaximum.Prop(1)},
			octets.Properties{octets.MaximumQoS.Prop(1)},
		)
	},
})
