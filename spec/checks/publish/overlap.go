package publish

import (
	"context"
	"slices"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "OverlappingQoS",
	Title:  "delivers at the highest QoS granted among the subscriptions that match",
	Covers: statement.IDs(statement.V311("3.3.5-1"), statement.V5("3.3.4-2")),
	Needs:  []target.Feature{target.Wildcard, target.QoS1, target.QoS2},
	Run: func(_ context.Context, t *conformance.T) {
		publisher := t.Connect()
		for i, granted := range [][]byte{{0, 1, 2}, {2, 1, 0}, {1, 0, 1}} {
			subscriber := t.Connect()
			level := string(rune('a' + i))
			topic := t.Topic(level + "/x")
			for j, filter := range []string{level + "/x", level + "/+", level + "/#"} {
				subscriber.Subscribe(octets.Subscription{Filter: t.Topic(filter), QoS: granted[j]})
			}
			for published := range byte(3) {
				publisher.Publish(octets.Publish{Topic: topic, Payload: string('0' + rune(published)), QoS: published})
			}
			most := map[string]byte{}
			for _, m := range subscriber.Messages(3*len(granted), "the messages are delivered") {
				most[m.Payload] = max(most[m.Payload], m.QoS)
				subscriber.Ack(m)
			}
			for published := range byte(3) {
				got, came := most[string('0'+rune(published))]
				t.Expect(came).To(gomega.BeTrue(), "a message that matches three subscriptions is delivered")
				t.Expect(got).To(gomega.Equal(min(published, slices.Max(granted))),
					"highest QoS among the copies of a message published with QoS %d, granted %d", published, granted)
			}
		}
	},
})
