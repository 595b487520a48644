package publish

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "DupNotPassedOn",
	Title:  "sets DUP on a first delivery to 0, whatever the publisher's DUP says",
	Covers: statement.IDs(statement.V311("3.3.1-3", "4.3.2-1", "4.3.3-1"), statement.V5("3.3.1-3", "4.3.2-2", "4.3.3-2")),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		subscriber, publisher := t.Connect(), t.Connect()
		topic := t.Topic("a")
		subscriber.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
		for qos := byte(1); qos <= 2; qos++ {
			publisher.Publish(octets.Publish{Topic: topic, Payload: "again", QoS: qos, Dup: true})
			m := subscriber.WantMessage(topic, "again", "a PUBLISH with DUP whose first copy was lost is a message")
			t.Expect(m.Dup).To(gomega.BeFalse(), "DUP of a first delivery")
			t.Expect(m.QoS).To(gomega.Equal(qos), "QoS of the delivered message")
			subscriber.Ack(m)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "DupAtQoS0",
	Title:  "closes on a QoS 0 PUBLISH with DUP, or delivers it without",
	Covers: statement.IDs(statement.V311("3.3.1-2"), statement.X5("3.3.1.1-1"), statement.V5("3.3.1-2")),
	Run: func(_ context.Context, t *conformance.T) {
		subscriber, publisher := t.Connect(), t.Connect()
		topic := t.Topic("a")
		subscriber.Subscribe(octets.Subscription{Filter: topic})
		publisher.Send(octets.Publish{Topic: topic, Payload: "zero", Dup: true})
		t.OneOf(publisher, "DUP has to be 0 at QoS 0; no reaction is named",
			conformance.Closed(), conformance.Ignored().Info("DUP at QoS 0 does not make the target close"))
		// The sentinel finds a copy with DUP: the reader refuses it wherever it comes.
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "last"})
		for {
			if m := subscriber.Want(octets.PUBLISH, "messages go on"); m.Payload == "last" {
				return
			}
		}
	},
})
