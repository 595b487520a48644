package publish

import (
	"context"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "IllFormedTopicName",
	Title:  "closes the Network Connection on a Topic Name that is not UTF-8",
	Covers: statement.IDs(statement.V311("1.5.3-1", "3.3.2-1"), statement.V5("1.5.4-1", "3.3.2-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, bad := range []string{
			"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80b",
		} {
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic(bad), Payload: "x"})
			t.WantClosed(p, "the Topic Name has to be well-formed UTF-8", 0x81, 0x90)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NoTopicName",
	Title:  "closes the Network Connection on a PUBLISH that does not begin with a whole Topic Name",
	Covers: statement.IDs(statement.V311("3.3.2-1"), statement.V5("3.3.2-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, packet := range []octets.Packet{
			octets.Raw{0x30, 0x00},
			octets.Raw{0x30, 0x01, 0x00},
			octets.Raw{0x30, 0x03, 0x00, 0x02, 'a'},
		} {
			p := t.Connect()
			p.Send(packet)
			t.WantClosed(p, "the Topic Name is missing or cut", 0x81, 0x82)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "EmptyTopicName",
	Title:  "closes the Network Connection on an empty Topic Name",
	Covers: statement.IDs(statement.V311("4.7.3-1"), statement.V5("4.7.3-1"), statement.X5("3.3.2.1-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for qos := range t.Limits().MaximumQoS + 1 {
			p := t.Connect()
			p.Send(octets.Publish{Payload: "x", QoS: qos, ID: 1})
			t.WantClosed(p, "a Topic Name has at least one character", 0x82, 0x81, 0x90)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WildcardInTopicName",
	Title:  "refuses a Topic Name with a wildcard and does not deliver the message",
	Covers: statement.IDs(statement.V311("3.3.2-2"), statement.V5("3.3.2-2")),
	Needs:  []target.Feature{target.Wildcard, target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		subscriber := t.Connect()
		subscriber.Subscribe(octets.Subscription{Filter: t.Topic("#"), QoS: 1})
		for _, name := range []string{"+", "a/#", "a+", "#a/b", "a/+/b"} {
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic(name), Payload: "wild", QoS: 1, ID: 1})
			const why = "a Topic Name holds no wildcards"
			if t.V5() {
				t.OneOf(p, why, conformance.ClosedWith(0x90, 0x81, 0x82), conformance.Answered(octets.PUBACK, 0x90),
					conformance.Closed().Nonstrict("closed without a DISCONNECT that says why"),
				)
			} else {
				t.OneOf(p, why, conformance.Closed())
			}
		}
		subscriber.WantOnly(t.Connect(), octets.Publish{Topic: t.Topic("a"), QoS: 1}, "a message with a wildcard in its name reaches nobody")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "TopicNameKept",
	Title:  "delivers a message under the name it was published to",
	Covers: statement.X5("3.3.2.1-2"),
	Needs:  []target.Feature{target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		subscriber := t.Connect()
		subscriber.Subscribe(octets.Subscription{Filter: t.Topic("#")})
		name := t.Topic("Levels//of any/\u00e9\U0001F600 $ kind/")
		t.Connect().Publish(octets.Publish{Topic: name, Payload: "x"})
		if m := subscriber.Want(octets.PUBLISH, "the message is delivered"); m.Topic != name {
			t.Info("delivered as " + m.Topic + ": a server may map names to others")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "TopicNameMatches",
	Title:  "delivers only messages whose Topic Name matches a filter of the subscriber",
	Covers: statement.IDs(statement.V311("3.3.2-3"), statement.V5("3.3.2-3")),
	Needs:  []target.Feature{target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		subscriber, publisher := t.Connect(), t.Connect()
		subscriber.Subscribe(
			octets.Subscription{Filter: t.Topic("one")},
			octets.Subscription{Filter: t.Topic("plus/+/end")},
			octets.Subscription{Filter: t.Topic("last/+")},
			octets.Subscription{Filter: t.Topic("hash/#")},
		)
		for _, m := range []struct {
			name    string
			matches bool
		}{
			{"One", false},
			{"one", true},
			{"one/more", false},
			{"on", false},
			{"plus/x/end", true},
			{"plus/x/y/end", false},
			{"plus/x", false},
			{"last/x", true},
			{"last/x/y", false},
			{"hash", true},
			{"hash/a/b", true},
			{"hashes", false},
			{"/one", false},
			{"one/", false},
		} {
			publisher.Publish(octets.Publish{Topic: t.Topic(m.name), Payload: m.name})
			if m.matches {
				subscriber.WantMessage(t.Topic(m.name), m.name, "the messages that match arrive, and no other")
			}
		}
		subscriber.WantOnly(publisher, octets.Publish{Topic: t.Topic("one")}, "no message that does not match arrives")
	},
})
