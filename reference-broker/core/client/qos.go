package client

import (
	"fmt"
	"slices"

	"mqttlab/reference-broker/core/inflight"
	"mqttlab/reference-broker/mqtt"
)

// resume sends again what the Session has under way, then what waits. Only here is anything sent again.
// [MQTT5 4.4.0-1] [MQTT5 4.6.0-1] [MQTT5 4.6.0-4] [MQTT311 4.4.0-1] [MQTT311 4.6.0-1]
func (m *Machine) resume() {
	window := m.limits.ReceiveMaximum
	if m.cfg.MaxInflight > 0 {
		window = min(window, m.cfg.MaxInflight)
	}
	m.outgoing.Resume(window)
	for id := range m.outgoing.Released() {
		m.release(id) // [MQTT5 4.3.3-5] [MQTT5 4.3.3-6]
	}
	m.flush()
}

// release sends PUBREL for a message of this side.
func (m *Machine) release(id uint16) {
	m.sendAck(mqtt.TypePubrel, id, mqtt.Success)
	m.actions[len(m.actions)-1].Token = m.outgoing.Message(id).token
}

// resend sends a PUBLISH again, with its own Packet Identifier. [MQTT5 4.3.2-3] [MQTT5 4.3.3-3] [MQTT311 2.3.1-3]
func (m *Machine) resend(id uint16, msg message) {
	if err := m.limits.admits(m.connect.Version, msg.Publish); err != nil {
		// The Server that took it before has new limits. Sending it would end the connection each time.
		m.outgoing.Finish(id)
		m.done(msg.token, mqtt.Success, fmt.Errorf("%w: %v", ErrNotResent, err)) //nolint:errorlint // err is of type "not sent"; this one was
		return
	}
	m.sendPublish(msg, id, true)
}

// abandon ends all exchanges with the Session: their messages are over, or new again.
func (m *Machine) abandon() {
	if m.outgoing.Len() == 0 {
		return
	}
	var lost []message // oldest first: what was released was sent before what was not
	for id := range m.outgoing.Released() {
		lost = append(lost, *m.outgoing.Message(id))
	}
	for _, msg := range m.outgoing.Sent() {
		lost = append(lost, *msg)
	}
	m.outgoing = inflight.Outgoing[message]{}
	if m.cfg.Requeue {
		for _, msg := range slices.Backward(lost) {
			m.queue.pushFront(msg)
		}
		return
	}
	for _, msg := range lost {
		m.done(msg.token, mqtt.Success, ErrSessionLost)
	}
}

// finish ends an exchange with the code the Server gave. [MQTT5 4.4.0-2]
func (m *Machine) finish(id uint16, packet mqtt.Type, code mqtt.ReasonCode, reason string) {
	msg, _ := m.outgoing.Finish(id)
	var err error
	if code.Failed() {
		err = &RefusedError{Packet: packet, Code: code, Reason: reason}
	}
	m.done(msg.token, code, err)
	m.flush() // [X5 4.9-1]
}

func (m *Machine) receivePuback(p *mqtt.Puback) {
	switch m.outgoing.Phase(p.PacketID) {
	case inflight.AwaitPuback:
		m.finish(p.PacketID, mqtt.TypePuback, p.ReasonCode, p.ReasonString)
	case inflight.Free: // nothing that this side waits for
	default:
		m.violation(mqtt.ProtocolError, "PUBACK for what is no QoS 1 message")
	}
}

func (m *Machine) receivePubrec(p *mqtt.Pubrec) {
	switch m.outgoing.Phase(p.PacketID) {
	case inflight.AwaitPubrec:
		if p.ReasonCode.Failed() { // [X5 4.3.3-1]
			m.finish(p.PacketID, mqtt.TypePubrec, p.ReasonCode, p.ReasonString)
			return
		}
		m.outgoing.ReceivedKeep(p.PacketID)
		m.release(p.PacketID) // [MQTT5 4.3.3-4] [MQTT311 4.3.3-1]
	case inflight.AwaitPubcomp:
		m.release(p.PacketID)
	case inflight.Free: // [X5 3.6.2.1-1] [MQTT5 3.6.2-1]
		if !p.ReasonCode.Failed() {
			m.sendAck(mqtt.TypePubrel, p.PacketID, mqtt.PacketIdentifierNotFound)
		}
	default:
		m.violation(mqtt.ProtocolError, "PUBREC for what is no QoS 2 message")
	}
}

func (m *Machine) receivePubcomp(p *mqtt.Pubcomp) {
	switch m.outgoing.Phase(p.PacketID) {
	case inflight.AwaitPubcomp:
		// Whatever the code, the Server has the message since its PUBREC: 0x92 only says that it had forgotten the exchange.
		m.finish(p.PacketID, mqtt.TypePubcomp, mqtt.Success, "")
	case inflight.Free:
	default:
		m.violation(mqtt.ProtocolError, "PUBCOMP for what was not released with PUBREL")
	}
}
