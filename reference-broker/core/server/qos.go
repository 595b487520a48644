package server

import (
	"mqttlab/reference-broker/core/inflight"
	"mqttlab/reference-broker/mqtt"
)

// mayBegin decides whether a QoS 1 or 2 PUBLISH from a client begins an exchange; if not, it is answered here.
func (m *Machine) mayBegin(c *conn, p *mqtt.Publish) bool {
	f := c.session.flow
	if f == nil {
		return true
	}
	// What is not in the set begins an exchange, whatever DUP says: [MQTT5 4.3.2-5] [MQTT5 4.3.3-9] [MQTT5 4.3.3-12] [X5 2.2.1-4]
	switch {
	case p.QoS == mqtt.ExactlyOnce && f.in.Has(p.PacketID) && !m.cfg.Deviations.Has(QoS2Duplicated):
		// [MQTT5 4.3.3-10] [MQTT311 4.3.3-2]: DUP is no help, the Packet Identifier alone counts.
		m.ack(c, mqtt.TypePubrec, p.PacketID, mqtt.Success, "")
		return false
	case p.QoS == mqtt.AtLeastOnce && f.in.Has(p.PacketID) && c.version == mqtt.V5: // [X5 2.2.1-2]
		m.ack(c, mqtt.TypePuback, p.PacketID, mqtt.PacketIdentifierInUse, "Packet Identifier of a QoS 2 message that is not released")
		return false
	case p.QoS == mqtt.ExactlyOnce && f.in.Len() >= int(m.cfg.ReceiveMaximum) && c.version == mqtt.V5 && !m.cfg.Deviations.Has(NoReceiveMaximumClose):
		// [MQTT5 3.3.4-7] [X5 3.3.4-6]
		m.fail(c, mqtt.ReceiveMaximumExceeded, "more unreleased messages than Receive Maximum")
		return false
	}
	return true
}

// validAck reports whether a client may send the Reason Code in that packet. [MQTT5 3.4.2-1] [MQTT5 3.5.2-1] [MQTT5 3.6.2-1] [MQTT5 3.7.2-1]
func validAck(t mqtt.Type, code mqtt.ReasonCode) bool {
	if t == mqtt.TypePubrel || t == mqtt.TypePubcomp {
		return code == mqtt.Success || code == mqtt.PacketIdentifierNotFound
	}
	switch code {
	case mqtt.Success, mqtt.NoMatchingSubscribers, mqtt.UnspecifiedError, mqtt.ImplementationSpecificError, mqtt.NotAuthorized,
		mqtt.TopicNameInvalid, mqtt.PacketIdentifierInUse, mqtt.QuotaExceeded, mqtt.PayloadFormatInvalid:
		return true
	}
	return false
}

// phase checks an acknowledgement and returns what its Packet Identifier waits for; ok is false if the connection was closed.
func (m *Machine) phase(c *conn, t mqtt.Type, a *mqtt.Ack) (p inflight.Phase, ok bool) {
	if a.PacketID == 0 || !validAck(t, a.ReasonCode) { // [X5 3.4.2.1-4]
		m.fail(c, mqtt.ProtocolError, "acknowledgement with Packet Identifier 0 or a Reason Code that it can't have")
		return inflight.Free, false
	}
	if c.session.flow == nil {
		return inflight.Free, true
	}
	return c.session.flow.out.Phase(a.PacketID), true
}

// puback ends a QoS 1 exchange that the Server began. One for an unknown identifier is ignored: it may answer a message of an earlier connection.
func (m *Machine) puback(c *conn, a *mqtt.Ack) {
	switch phase, ok := m.phase(c, mqtt.TypePuback, a); {
	case !ok || phase == inflight.Free:
	case phase != inflight.AwaitPuback:
		m.fail(c, mqtt.ProtocolError, "PUBACK for a QoS 2 message")
	default: // [MQTT5 4.3.2-3] [MQTT5 4.4.0-2] [MQTT5 4.8.2-6]
		m.finish(c.session, a.PacketID)
	}
}

// pubrec is the first answer to a QoS 2 message of the Server.
func (m *Machine) pubrec(c *conn, a *mqtt.Ack) {
	phase, ok := m.phase(c, mqtt.TypePubrec, a)
	if !ok {
		return
	}
	switch {
	case phase == inflight.AwaitPuback:
		m.fail(c, mqtt.ProtocolError, "PUBREC for a QoS 1 message")
	case phase == inflight.AwaitPubrec && a.ReasonCode.Failed(): // [X5 4.3.3-1] [MQTT5 4.4.0-2] [MQTT5 4.8.2-6]
		m.finish(c.session, a.PacketID)
	case phase == inflight.AwaitPubrec: // [MQTT5 4.3.3-4] [MQTT311 4.3.3-1]
		d, _ := c.session.flow.out.Received(a.PacketID)
		m.putReleased(c.session, &d, a.PacketID)
		m.release(d.message)
		m.ack(c, mqtt.TypePubrel, a.PacketID, mqtt.Success, "")
	case a.ReasonCode.Failed(): // settled before
	case phase == inflight.AwaitPubcomp:
		m.ack(c, mqtt.TypePubrel, a.PacketID, mqtt.Success, "")
	default: // [X5 3.6.2.1-1]
		m.ack(c, mqtt.TypePubrel, a.PacketID, mqtt.PacketIdentifierNotFound, "no such QoS 2 message")
	}
}

// pubrel releases a QoS 2 message of the client.
func (m *Machine) pubrel(c *conn, a *mqtt.Ack) {
	if a.PacketID == 0 || !validAck(mqtt.TypePubrel, a.ReasonCode) {
		m.fail(c, mqtt.ProtocolError, "PUBREL with Packet Identifier 0 or a Reason Code that it can't have")
		return
	}
	code := mqtt.Success
	if !m.released(c.session, a.PacketID) {
		code = mqtt.PacketIdentifierNotFound // [X5 3.7.2.1-1]
	}
	// [MQTT5 4.3.3-11] [MQTT5 4.3.3-13] [MQTT311 4.3.3-2]
	m.ack(c, mqtt.TypePubcomp, a.PacketID, code, "no such QoS 2 message")
}

// pubcomp ends a QoS 2 exchange that the Server began.
func (m *Machine) pubcomp(c *conn, a *mqtt.Ack) {
	switch phase, ok := m.phase(c, mqtt.TypePubcomp, a); {
	case !ok || phase == inflight.Free:
	case phase != inflight.AwaitPubcomp:
		m.fail(c, mqtt.ProtocolError, "PUBCOMP before PUBREL")
	default:
		m.finish(c.session, a.PacketID)
	}
}

// finish ends an exchange, whatever its Reason Code, and lets waiting messages use its place. [X5 4.9-1] [X5 4.13.2-1]
func (m *Machine) finish(s *session, id uint16) {
	d, _ := s.flow.out.Finish(id)
	m.removeDelivery(s, &d)
	m.release(d.message)
	m.pump(s)
}
