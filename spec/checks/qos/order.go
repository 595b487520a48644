package qos

import (
	"context"
	"fmt"
	"slices"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "Ordered",
	Title:  "delivers messages of one publisher, topic and QoS in the order they came",
	Covers: statement.IDs(statement.V311("4.6.0-5", "4.6.0-6"), statement.V5("4.6.0-5", "4.6.0-6")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		s, p := subscriber(t, topic), t.Connect()
		const each = 40
		for i := range each {
			for qos := range byte(3) {
				p.Publish(octets.Publish{Topic: topic, Payload: fmt.Sprint(i), QoS: qos})
			}
		}
		var got, want [3][]string
		for range 3 * each {
			m := s.Want(octets.PUBLISH, "all messages are delivered")
			got[m.QoS] = append(got[m.QoS], m.Payload)
			want[m.QoS] = append(want[m.QoS], fmt.Sprint(len(want[m.QoS])))
			s.Ack(m)
		}
		for qos := range got {
			t.Expect(got[qos]).To(gomega.Equal(want[qos]), "order of the messages with QoS %d", qos)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "OrderedQueue",
	Title:  "delivers a queue longer than its window in order, and what was in flight before what was not",
	Covers: statement.IDs(statement.V311("4.6.0-5", "4.6.0-6"), statement.V5("4.6.0-5", "4.6.0-6")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		for _, qos := range []byte{1, 2} {
			c, topic := t.LastingConnect(), t.Topic(fmt.Sprint(qos))
			if t.V5() {
				c.Properties = append(c.Properties, octets.ReceiveMaximum.Prop(3))
			}
			p := t.ConnectWith(c)
			p.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
			p.Disconnect()
			publisher := t.Connect()
			var want []string
			for i := range 30 {
				payload := fmt.Sprintf("%02d", i)
				publisher.Publish(octets.Publish{Topic: topic, Payload: payload, QoS: qos})
				want = append(want, payload)
			}
			p = t.ConnectWith(c)
			p.Want(octets.PUBLISH, "queued messages are delivered when the Session is resumed")
			p = drop(t, p, c) // nothing acknowledged: all of them are still owed

			var got []string
			for len(got) < len(want) {
				m := p.Want(octets.PUBLISH, "queued messages are delivered when the Session is resumed")
				got = append(got, m.Payload)
				p.Ack(m)
			}
			t.Expect(got).To(gomega.Equal(want), "order of the queued messages with QoS %d", qos)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PubrelOrder",
	Title:  "sends PUBREL in the order of the PUBRECs, and sends PUBLISH and PUBREL again in their order",
	Covers: statement.IDs(statement.V311("4.6.0-6")),
	Needs:  both,
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		var messages []octets.Publish
		for i := range 4 {
			messages = append(messages, octets.Publish{Payload: fmt.Sprint(i), QoS: 2})
		}
		p, sent := deliveries(t, c, topic, messages...)
		order := t.Rand().Perm(len(sent))
		var pubrecs []octets.Packet
		for _, i := range order {
			pubrecs = append(pubrecs, octets.Pubrec(sent[i].ID))
		}
		p.Send(pubrecs...)
		for _, i := range order {
			p.WantID(octets.PUBREL, sent[i].ID, "PUBREL packets come in the order of the PUBREC packets")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ResentInOrder",
	Title:  "sends unacknowledged messages again in the order they were first sent",
	Covers: statement.IDs(statement.V311("4.6.0-6"), statement.V5("4.6.0-5")),
	Needs:  []target.Feature{target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		var messages []octets.Publish
		for i := range 6 {
			messages = append(messages, octets.Publish{Payload: fmt.Sprint(i), QoS: 1})
		}
		p, sent := deliveries(t, c, topic, messages...)
		// Holes in the window: what is left has to keep its order.
		p.Send(octets.Puback(sent[1].ID), octets.Puback(sent[4].ID))
		p = drop(t, settled(p), c)
		for i, m := range sent {
			if !slices.Contains([]int{1, 4}, i) {
				p.WantMessage(topic, m.Payload, "unacknowledged messages are sent again in their order")
			}
		}
	},
})
