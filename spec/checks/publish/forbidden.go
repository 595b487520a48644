package publish

import (
	"context"
	"strings"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "NotAuthorised",
	Title:  "acknowledges a PUBLISH that it does not allow, or closes; in 5.0 it says that it is not authorised",
	Covers: statement.IDs(statement.V311("3.3.5-2"), statement.X5("3.4.2.1-3")),
	Needs:  []target.Feature{target.ACL},
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Settings().ForbiddenTopic
		most := byte(2) // in 3.1.1 a server has no way to offer less
		if t.V5() {
			most = t.Limits().MaximumQoS
		}
		for qos := byte(1); qos <= most; qos++ {
			p := t.Connect()
			answer := octets.PUBACK
			if qos == 2 {
				answer = octets.PUBREC
			}
			p.Send(octets.Publish{Topic: topic, Payload: "forbidden", QoS: qos, ID: 9})
			if t.V5() {
				t.OneOf(p, "a PUBLISH that is not authorised is refused with 0x87",
					conformance.Answered(answer, 0x87), conformance.ClosedWith(0x87),
					conformance.Closed().Nonstrict("closed without saying that the PUBLISH is not authorised"),
				)
				continue
			}
			t.OneOf(p, "a PUBLISH that is not authorised is acknowledged as usual, or the connection closed",
				conformance.Answered(answer), conformance.Closed())
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NotAuthorisedNotDelivered",
	Title:  "does not deliver a message that its publisher may not publish",
	Covers: statement.X5("3.4.2.1-3"),
	Needs:  []target.Feature{target.ACL, target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		// Who may not publish there often may not subscribe there either, but to a filter
		// that the topic matches.
		subscriber, topic := t.Connect(), t.Settings().ForbiddenTopic
		wider := topic[:strings.LastIndexByte(topic, '/')+1] + "+"
		subscriber.Send(octets.Subscribe{ID: subscriber.NextID(), Filters: []octets.Subscription{{Filter: wider}}})
		if ack := subscriber.Want(octets.SUBACK, "SUBSCRIBE is answered"); ack.Codes[0] > 2 {
			t.Unsupported("needs a subscription that the forbidden topic matches, so that somebody could see a message on it")
		}
		open := t.Topic("a")
		subscriber.Subscribe(octets.Subscription{Filter: open})
		publisher := t.Connect()
		publisher.Send(octets.Publish{Topic: topic, Payload: "forbidden"})
		t.OneOf(publisher, "a QoS 0 PUBLISH that is not authorised is dropped", conformance.Ignored(), conformance.Closed())
		subscriber.WantOnly(t.Connect(), octets.Publish{Topic: open}, "the message reaches nobody")
	},
})
