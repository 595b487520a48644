package shared

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// member is one of two clients that share a subscription.
type member struct {
	*probe.Peer
	connect octets.Connect
}

// lasting makes two members whose Sessions outlive their connections.
func lasting(t *conformance.T, f string, qos byte) []member {
	members := make([]member, 2)
	for i := range members {
		members[i].connect = t.LastingConnect()
		members[i].Peer = t.ConnectWith(members[i].connect)
		members[i].Subscribe(octets.Subscription{Filter: f, QoS: qos})
	}
	return members
}

// receiver publishes one message and returns the member who got it, first, and the message.
func receiver(t *conformance.T, members []member, m octets.Publish) (got, other member, message *octets.Received) {
	t.Connect().Publish(m)
	for i := range members {
		if came := members[i].Messages(1, "the connection stays open"); len(came) == 1 {
			return members[i], members[1-i], came[0]
		}
	}
	t.Fail(probe.Failure{Why: "a message for a Shared Subscription goes to one of its members", Sent: "PUBLISH to two members", Acceptable: []string{"PUBLISH"}, Got: "nothing"})
	return got, other, nil
}

var qos2 = append([]target.Feature{target.QoS2}, needs...)

var _ = conformance.Register(conformance.Check{
	Name:   "QoS2Completed",
	Title:  "completes a QoS 2 delivery with the member it began with, when that comes back",
	Covers: statement.V5("4.8.2-4"),
	Needs:  qos2,
	Run: func(_ context.Context, t *conformance.T) {
		for _, received := range []bool{false, true} {
			f, topic := filter(t, "", t.Topic("a")), t.Topic("a")
			members := lasting(t, f, 2)
			got, other, m := receiver(t, members, octets.Publish{Topic: topic, Payload: "begun", QoS: 2})
			if received {
				got.Send(octets.Pubrec(m.ID))
				got.WantID(octets.PUBREL, m.ID, "PUBREC is answered by PUBREL")
			}
			got.Close()
			t.Expect(told(other.Messages(1, "the connection stays open"))).To(gomega.BeEmpty(), "messages for the other member while the one that had it is away")
			p := t.ConnectWith(got.connect)
			if received {
				p.WantID(octets.PUBREL, m.ID, "the delivery goes on where it was cut off")
				p.Send(octets.Pubcomp(m.ID))
			} else {
				p.Ack(p.WantMessage(topic, "begun", "the delivery is completed with the same member"))
			}
			p.Unsubscribe(f)
			other.Unsubscribe(f)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "QoS2NotPassedOn",
	Title:  "gives a QoS 2 message that was on its way to a member whose Session ends to no other",
	Covers: statement.V5("4.8.2-5"),
	Needs:  qos2,
	Run: func(_ context.Context, t *conformance.T) {
		f, topic := filter(t, "", t.Topic("a")), t.Topic("a")
		got, other, m := receiver(t, lasting(t, f, 2), octets.Publish{Topic: topic, Payload: "begun", QoS: 2})
		got.Send(octets.Pubrec(m.ID))
		got.WantID(octets.PUBREL, m.ID, "PUBREC is answered by PUBREL")
		got.Close()
		ended := got.connect
		ended.Clean, ended.Properties = true, nil
		t.ConnectWith(ended)
		t.Expect(told(other.Messages(1, "the connection stays open"))).To(gomega.BeEmpty(), "messages for the other member after the Session of the one that had it has ended")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "RefusedNotPassedOn",
	Title:  "drops a message that a member refuses, and gives it to no other",
	Covers: statement.V5("4.8.2-6"),
	Needs:  qos2,
	Run: func(_ context.Context, t *conformance.T) {
		for qos := byte(1); qos <= 2; qos++ {
			f, topic := filter(t, "", t.Topic("a")), t.Topic("a")
			got, other, m := receiver(t, lasting(t, f, qos), octets.Publish{Topic: topic, Payload: "unwanted", QoS: qos})
			refusal := octets.Ack{Type: octets.PUBACK, ID: m.ID, Code: 0x80}
			if qos == 2 {
				refusal.Type = octets.PUBREC
			}
			got.Send(refusal)
			got.Barrier("a refusal leaves the connection open")
			t.Expect(told(other.Messages(1, "the connection stays open"))).To(gomega.BeEmpty(), "messages for the other member after the first has refused one with QoS %d", qos)
			got.Unsubscribe(f)
			other.Unsubscribe(f)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "QoS1PassedOn",
	Title:  "gives a QoS 1 message that a member had not acknowledged when its Session ended to another",
	Covers: statement.X5("4.8.2-5"),
	Needs:  append([]target.Feature{target.QoS1}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		f, topic := filter(t, "", t.Topic("a")), t.Topic("a")
		got, other, _ := receiver(t, lasting(t, f, 1), octets.Publish{Topic: topic, Payload: "open", QoS: 1})
		got.Close()
		ended := got.connect
		ended.Clean, ended.Properties = true, nil
		t.ConnectWith(ended)
		came := other.Messages(1, "the connection stays open")
		t.Expect(told(came)).To(gomega.HaveLen(1), "messages for the other member after the Session of the one that had it has ended")
		other.Ack(came[0])
	},
})
