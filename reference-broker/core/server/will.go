package server

import (
	"time"

	"mqttlab/reference-broker/mqtt"
)

// will is a Will Message that waits: with the connection for its end, then with the Session for its delay. [MQTT5 3.1.2-7] [MQTT311 3.1.2-8]
type will struct {
	message *message
	delay   time.Duration
}

// newWill keeps the Will Message of a CONNECT.
func (m *Machine) newWill(w *mqtt.Will) *will {
	p := mqtt.Publish{
		Topic: w.Topic, Payload: w.Payload, QoS: w.QoS, Retain: w.Retain, // [MQTT5 3.1.2-14] [MQTT5 3.1.2-15] [MQTT311 3.1.2-16] [MQTT311 3.1.2-17]
		// [X5 3.1.3.2-1] [X5 3.1.3.2.4-2] [MQTT5 3.1.3-10]
		PayloadFormat: w.PayloadFormat, MessageExpiryInterval: w.MessageExpiryInterval, ContentType: w.ContentType,
		ResponseTopic: w.ResponseTopic, CorrelationData: w.CorrelationData, UserProperties: w.UserProperties,
	}
	if m.cfg.Deviations.Has(WillRetainIgnored) {
		p.Retain = false
	}
	return &will{
		message: m.messages.clone(&p, m.now).hold(),
		delay:   time.Duration(w.DelayInterval) * time.Second,
	}
}

// dropWill forgets the Will Message of a connection. [MQTT5 3.1.2-10] [MQTT5 3.14.4-3] [MQTT311 3.1.2-10] [MQTT311 3.14.4-3]
func (m *Machine) dropWill(c *conn) {
	if c.will != nil {
		m.release(c.will.message)
		c.will = nil
	}
}

// leaveWill hands the Will Message of a connection that ended, in whatever way, to its Session, to wait for the delay there. [MQTT5 3.1.2-8]
// [X5 3.1.2.5-1] [X5 3.1.2.5-2] [X5 3.14-1] [X5 3.1.3.2.2-3] [MQTT311 3.1.2-8]
func (m *Machine) leaveWill(s *session, c *conn) {
	if m.cfg.Deviations.Has(WillNotPublished) {
		m.dropWill(c)
	}
	if c.will == nil { // [MQTT311 3.1.2-12]
		return
	}
	s.will, c.will = c.will, nil
	s.willDue = m.now + s.will.delay
	if s.will.delay == 0 || m.cfg.Deviations.Has(WillDelayIgnored) {
		m.publishWill(s)
	}
}

// cancelWill drops a Will Message that waits, because its Session was resumed. [MQTT5 3.1.3-9]
func (m *Machine) cancelWill(s *session) {
	if s.will == nil {
		return
	}
	if m.cfg.Deviations.Has(WillNotCancelled) {
		m.publishWill(s)
		return
	}
	m.release(s.will.message)
	s.will = nil
}

// publishWill publishes the Will Message that a Session holds, if it does, and deletes it.
func (m *Machine) publishWill(s *session) {
	w := s.will
	if w == nil {
		return
	}
	s.will = nil
	p := &w.message.publish
	m.removeMessage(w.message) // what is stored next arrives now
	w.message.arrived = m.now
	if p.Retain {
		m.storeRetained(p, w.message)
	}
	m.route(p, w.message, s)
	m.note(Event{Kind: WillPublished, Client: s.id, Topic: p.Topic})
	m.release(w.message)
}
