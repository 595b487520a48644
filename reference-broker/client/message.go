package client

import (
	"bytes"
	"slices"
	"sync"

	core "mqttlab/reference-broker/core/client"
	"mqttlab/reference-broker/mqtt"
)

// Message is an Application Message, in either direction. Properties are for 5.0; other versions do not carry them.
type Message struct {
	Topic   string
	Payload []byte
	QoS     mqtt.QoS
	Retain  bool

	PayloadFormat         mqtt.Opt[byte]   // 0 bytes, 1 UTF-8 text
	MessageExpiryInterval mqtt.Opt[uint32] // seconds
	ContentType           mqtt.Opt[string] //
	ResponseTopic         string           // empty: none
	CorrelationData       []byte           // nil: none
	UserProperties        []mqtt.UserProperty

	// Dup is set on an incoming message that the Server sent before. It says nothing of whether the application has seen it.
	Dup bool
	// SubscriptionIdentifiers of an incoming message are those this client gave its Subscriptions.
	SubscriptionIdentifiers []uint32

	delivery *delivery // incoming QoS 1 and 2 only
}

// publish fills p with m, sharing what m points to.
func (m *Message) publish(p *mqtt.Publish) {
	*p = mqtt.Publish{
		Topic: m.Topic, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain,
		PayloadFormat: m.PayloadFormat, MessageExpiryInterval: m.MessageExpiryInterval, ContentType: m.ContentType,
		ResponseTopic: m.ResponseTopic, CorrelationData: m.CorrelationData, UserProperties: m.UserProperties,
	}
}

// received fills m from p, which the next read overwrites.
func received(m *Message, p *mqtt.Publish, d *delivery) *Message {
	*m = Message{
		Topic: p.Topic, Payload: bytes.Clone(p.Payload), QoS: p.QoS, Retain: p.Retain, Dup: p.Dup,
		PayloadFormat: p.PayloadFormat, MessageExpiryInterval: p.MessageExpiryInterval, ContentType: p.ContentType,
		ResponseTopic: p.ResponseTopic, CorrelationData: bytes.Clone(p.CorrelationData), delivery: d,
	}
	if len(p.UserProperties) > 0 {
		m.UserProperties = slices.Clone(p.UserProperties)
	}
	if len(p.SubscriptionIdentifiers) > 0 {
		m.SubscriptionIdentifiers = slices.Clone(p.SubscriptionIdentifiers)
	}
	return m
}

// delivery is one incoming PUBLISH that has to be acknowledged when all Subscriptions that got it are done with it.
type delivery struct {
	c       *Client
	receipt core.Receipt

	mu   sync.Mutex // guards what follows
	left int        // Subscriptions that are not done
	code mqtt.ReasonCode
}

// Ack acknowledges an incoming message: Success, or in 5.0 a Reason Code that tells the Server why not, such as mqtt.QuotaExceeded. It does nothing
// for QoS 0 and for a message that was acknowledged before. A message whose connection was lost meanwhile comes again if it had
// QoS 1. Without Options.ManualAck there is no need to call it, but for another code than Success.
func (m *Message) Ack(code mqtt.ReasonCode) {
	if d := m.finish(code); d != nil {
		d.c.acknowledge(d)
	}
}

// finish notes that this copy of the message is done with and returns the delivery if it was the last.
func (m *Message) finish(code mqtt.ReasonCode) *delivery {
	d := m.delivery
	if d == nil {
		return nil
	}
	m.delivery = nil
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left--
	if code.Failed() {
		d.code = code
	}
	if d.left > 0 {
		return nil
	}
	return d
}
