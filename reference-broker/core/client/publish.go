package client

import (
	"time"

	"mqttlab/reference-broker/mqtt"
)

// Publish sends p as soon as the connection and the Server's Receive Maximum allow. p is kept, not copied: it must not change until Done comes back
// with token. PacketID and Dup of p are ignored: they belong to the connection; so does a Topic Alias, which is an error.
//
// An error means that nothing was taken and no Done will follow: *InvalidError, ErrQueueFull, or ErrNotConnected for QoS 0.
// Done comes for QoS 0 when the message is handed to the connection, for QoS 1 with PUBACK, for QoS 2 with PUBCOMP.
func (m *Machine) Publish(now time.Time, token Token, p *mqtt.Publish) error {
	m.tick(now)
	if err := checkPublish(p); err != nil {
		return err
	}
	if m.state == Connected {
		if err := m.limits.admits(m.connect.Version, p); err != nil {
			return err
		}
	}
	msg := message{Publish: p, token: token, taken: m.now}
	if m.maySend(p.QoS) {
		m.sendNew(msg)
		return nil
	}
	if p.QoS == mqtt.AtMostOnce && !m.cfg.QueueQoS0 && m.state != Connected {
		return ErrNotConnected
	}
	if m.queue.count >= m.cfg.maxQueued() {
		return ErrQueueFull
	}
	m.queue.push(msg)
	return nil
}

// maySend reports whether a new message may leave at once, before those that wait; none may before CONNACK. A QoS 0 message needs no place in the
// Receive Maximum, but must not overtake its like. [MQTT5 3.1.2-30]
func (m *Machine) maySend(qos mqtt.QoS) bool {
	if m.state != Connected {
		return false
	}
	if qos == mqtt.AtMostOnce {
		return m.queue.qos0 == 0
	}
	// No other packet asks for quota. [MQTT5 3.3.4-7] [MQTT5 3.3.4-8] [MQTT5 4.9.0-1] [MQTT5 4.9.0-2] [MQTT5 4.9.0-3]
	return m.queue.count == m.queue.qos0 && m.outgoing.Quota() > 0
}

// sendNew sends a message for the first time; QoS 1 and 2 need quota.
func (m *Machine) sendNew(msg message) {
	if msg.QoS == mqtt.AtMostOnce { // [MQTT5 4.3.1-1] [MQTT311 4.3.1-1]
		m.sendPublish(msg, 0, false)
		m.done(msg.token, mqtt.Success, nil)
		return
	}
	// [MQTT5 4.3.2-1] [MQTT5 4.3.3-1] [MQTT311 4.3.2-1]
	id, _ := m.outgoing.Begin(msg, msg.QoS == mqtt.ExactlyOnce)
	m.sendPublish(msg, id, false)
}

// sendPublish sends msg; first sendings have DUP 0, repeated ones DUP 1.
// [MQTT5 3.3.1-1] [MQTT5 3.3.1-2] [MQTT5 4.3.2-2] [MQTT5 4.3.3-2] [MQTT311 3.3.1-1] [MQTT311 3.3.1-2]
func (m *Machine) sendPublish(msg message, id uint16, dup bool) {
	m.sent = m.now
	a := m.act(SendPublish)
	a.Publish, a.Token = msg.Publish, msg.token
	a.Sending = Sending{PacketID: id, Dup: dup, Expiry: m.remaining(msg)}
	if m.cfg.TopicAliases && m.limits.TopicAliasMaximum > 0 {
		a.Sending.TopicAlias, a.Sending.OmitTopic = m.aliases.outgoing(msg.Topic, m.limits.TopicAliasMaximum)
	}
}

// remaining returns what is left of the Message Expiry Interval, in seconds; at least 1 for a message that waited too long after it was sent
// first, because then it no longer expires here. [MQTT5 4.3.3-7]
func (m *Machine) remaining(msg message) uint32 {
	whole := msg.MessageExpiryInterval.Value
	waited := uint32(min((m.now-msg.taken)/time.Second, time.Duration(mqtt.SessionNeverExpires)))
	if waited == 0 {
		return whole
	}
	if waited >= whole {
		return 1
	}
	return whole - waited
}

// flush sends what waits as far as the Receive Maximum goes: first the messages of the resumed Session, then the queue.
func (m *Machine) flush() {
	for {
		id, msg, ok := m.outgoing.Resend()
		if !ok {
			break
		}
		m.resend(id, *msg)
	}
	for m.queue.count > 0 {
		msg := m.queue.front()
		if msg.QoS > mqtt.AtMostOnce && m.outgoing.Quota() == 0 {
			return
		}
		m.queue.pop()
		if err := m.stillSendable(msg); err != nil {
			m.done(msg.token, mqtt.Success, err)
			continue
		}
		m.sendNew(msg)
	}
}

// stillSendable reports why a message that waited must not be sent now.
func (m *Machine) stillSendable(msg message) error {
	if e := msg.MessageExpiryInterval; e.Set && m.connect.Version == mqtt.V5 && m.now > msg.taken &&
		m.now-msg.taken >= time.Duration(e.Value)*time.Second {
		return ErrExpired
	}
	return m.limits.admits(m.connect.Version, msg.Publish)
}

// Unfinished returns how many messages wait to be sent and how many were sent and wait for their acknowledgement.
func (m *Machine) Unfinished() (queued, inflight int) {
	return m.queue.count, m.outgoing.Len() - len(m.requests)
}
