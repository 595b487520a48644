package publish

import (
	"context"
	"strconv"
	"strings"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "EverySubscriber",
	Title:  "delivers a message to every client with a matching subscription, connected or not",
	Covers: statement.IDs(statement.V311("4.5.0-1"), statement.V5("4.5.0-1")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		away := t.LastingConnect()
		absent := t.ConnectWith(away)
		absent.Subscribe(octets.Subscription{Filter: topic, QoS: 1})
		absent.Disconnect()
		subscribers := []*probe.Peer{t.Connect(), t.Connect(), t.Connect()}
		for i, s := range subscribers {
			s.Subscribe(octets.Subscription{Filter: topic, QoS: byte(i % 2)})
		}

		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "to all", QoS: 1})
		for _, s := range append(subscribers, t.ConnectWith(away)) {
			s.Ack(s.WantMessage(topic, "to all", "each client with a matching subscription gets the message"))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PublisherIsSubscriber",
	Title:  "delivers a message to its publisher too, if that has subscribed",
	Covers: statement.IDs(statement.V311("4.5.0-1"), statement.V5("4.5.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		p, topic := t.Connect(), t.Topic("a")
		p.Subscribe(octets.Subscription{Filter: topic})
		p.Publish(octets.Publish{Topic: topic, Payload: "to myself"})
		p.WantMessage(topic, "to myself", "a matching subscription of the publisher counts as any other")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "EmptyPayload",
	Title:  "delivers a message without payload",
	Covers: statement.IDs(statement.X5("3.3.3-1"), statement.V311("4.5.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		subscriber, publisher := t.Connect(), t.Connect()
		topic := t.Topic("a")
		most := t.Limits().MaximumQoS
		subscriber.Subscribe(octets.Subscription{Filter: topic, QoS: most})
		for qos := range most + 1 {
			publisher.Publish(octets.Publish{Topic: topic, QoS: qos})
			subscriber.Ack(subscriber.WantMessage(topic, "", "an empty payload is valid"))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PayloadKept",
	Title:  "delivers every byte of a payload, whatever its length",
	Covers: statement.IDs(statement.V311("4.5.0-1"), statement.V5("4.5.0-1")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		subscriber, publisher := t.Connect(), t.Connect()
		topic := t.Topic("a")
		subscriber.Subscribe(octets.Subscription{Filter: topic})
		var all strings.Builder
		for b := range 256 {
			all.WriteByte(byte(b))
		}
		// The lengths put the packet on both sides of where Remaining Length takes one
		// more byte.
		room := len(octets.Bytes(t.Version(), octets.Publish{Topic: topic, QoS: 1})) - 2
		for _, remaining := range []int{127, 128, 16383, 16384, 70000} {
			size := max(remaining-room, 0)
			if most := t.Limits().MaximumPacketSize; most != 0 && uint32(remaining)+5 > most {
				continue
			}
			payload := strings.Repeat(all.String(), size/256+1)[:size]
			publisher.Send(octets.Publish{Topic: topic, Payload: payload, QoS: 1, ID: 1})
			r := t.OneOf(publisher, "a large PUBLISH is taken, or ends the connection where a limit could not be announced",
				conformance.Answered(octets.PUBACK), conformance.Closed().Info("takes no PUBLISH of "+strconv.Itoa(remaining)+" bytes"))
			if r.Closed() {
				return
			}
			subscriber.WantMessage(topic, payload, "the payload arrives as it was sent")
		}
	},
})
