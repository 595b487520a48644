package client

import (
	"time"

	"mqttlab/reference-broker/core/size"
	"mqttlab/reference-broker/mqtt"
)

// Disconnect sends d and closes. The Session lives on as far as its expiry says, which d may change in 5.0. Before CONNACK the connection
// is closed without a DISCONNECT. d may be reused once Drain has returned; nil stands for a normal disconnection.
func (m *Machine) Disconnect(now time.Time, d *mqtt.Disconnect) error {
	m.tick(now)
	if d == nil {
		d = &mqtt.Disconnect{}
	}
	if err := m.checkDisconnect(d); err != nil {
		return err
	}
	if m.state == Connected {
		if d.SessionExpiryInterval.Set {
			m.expiry = d.SessionExpiryInterval.Value
		}
		m.sendDisconnect(*d)
	}
	m.down(nil)
	return nil
}

func (m *Machine) checkDisconnect(d *mqtt.Disconnect) error {
	if m.state == Disconnected {
		return ErrNotConnected
	}
	// [MQTT5 3.14.2-1] [X5 3.14.2.1-3]
	switch c := d.ReasonCode; {
	case c == mqtt.NormalDisconnection, c == mqtt.DisconnectWithWill,
		c >= mqtt.UnspecifiedError && c <= mqtt.ImplementationSpecificError,
		c == mqtt.TopicNameInvalid, c >= mqtt.ReceiveMaximumExceeded && c <= mqtt.PayloadFormatInvalid:
	default:
		return invalid(mqtt.ProtocolError, "a client's DISCONNECT can't carry %v", c)
	}
	// [X5 3.14.2.2.2-3]
	if d.SessionExpiryInterval.Value > 0 && m.connect.SessionExpiryInterval == 0 {
		return invalid(mqtt.ProtocolError, "DISCONNECT can't give the session an expiry interval that CONNECT did not have")
	}
	if err := checkString("reason string", d.ReasonString); err != nil {
		return err
	}
	return checkUser(d.UserProperties)
}

// sendDisconnect drops what would make d too large. [MQTT5 3.14.2-3] [MQTT5 3.14.2-4]
func (m *Machine) sendDisconnect(d mqtt.Disconnect) {
	limit := int(m.limits.MaximumPacketSize)
	if limit > 0 && size.Disconnect(&d) > limit {
		d.UserProperties = nil
	}
	if limit > 0 && size.Disconnect(&d) > limit {
		d.ReasonString = ""
	}
	m.send(&d)
}

// violation ends the Network Connection because of what the Server sent. [X5 4.13.1-4] [MQTT311 4.8.0-1]
func (m *Machine) violation(code mqtt.ReasonCode, detail string) {
	// Before CONNACK it is not known whether the Server speaks 5.0 at all, but the standard lets a client send DISCONNECT any time after CONNECT.
	if m.connect.Version == mqtt.V5 {
		m.sendDisconnect(mqtt.Disconnect{ReasonCode: code})
	}
	m.down(&ViolationError{Code: code, Detail: detail})
}

// Malformed tells that bytes came that are no Control Packet; code is MalformedPacket, PacketTooLarge or what else the codec says, detail its words.
func (m *Machine) Malformed(now time.Time, code mqtt.ReasonCode, detail string) {
	m.tick(now)
	if m.state != Disconnected {
		m.violation(code, detail) // [X5 3.1.2.11.4-3]
	}
}

func (m *Machine) receiveDisconnect(p *mqtt.Disconnect) {
	if m.connect.Version != mqtt.V5 {
		m.violation(mqtt.ProtocolError, "DISCONNECT, which a server does not send in MQTT "+m.connect.Version.String())
		return
	}
	// [X5 3.14.4-1]
	m.down(&RefusedError{Packet: mqtt.TypeDisconnect, Code: p.ReasonCode, Reason: p.ReasonString, Reference: p.ServerReference})
}
