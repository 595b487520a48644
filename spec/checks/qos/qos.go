// Package qos checks the delivery protocols of QoS 1 and 2, with the target as receiver
// and as sender, over lost and repeated packets and new Network Connections.
package qos

import (
	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/target"
)

// both are what checks of a whole exchange need.
var both = []target.Feature{target.QoS1, target.QoS2}

// subscriber is a client that gets everything published on the topic.
func subscriber(t *conformance.T, topic string) *probe.Peer {
	p := t.Connect()
	p.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
	return p
}

// receives wants these messages in this order, each of them once and at this QoS, and
// acknowledges them. A sentinel proves that no more come.
func receives(t *conformance.T, p *probe.Peer, topic string, qos byte, why string, payloads ...string) {
	for _, payload := range payloads {
		m := p.WantMessage(topic, payload, why)
		t.Expect(m.QoS).To(gomega.Equal(qos), "QoS of the delivered message")
		p.Ack(m)
	}
	p.Ack(p.WantOnly(t.Connect(), octets.Publish{Topic: topic, QoS: qos}, why))
}

// drop ends the Network Connection of a peer without DISCONNECT and resumes its Session.
func drop(t *conformance.T, p *probe.Peer, c octets.Connect) *probe.Peer {
	p.Close()
	again := t.ConnectWith(c)
	if !again.Connack().SessionPresent {
		t.Fail(probe.Failure{Why: "the Session outlives its Network Connection", Acceptable: []string{"CONNACK with Session Present"}, Got: again.Connack().String()})
	}
	return again
}
