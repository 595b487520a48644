package server

import "mqttlab/reference-broker/mqtt"

// disconnect takes a DISCONNECT from a client.
func (m *Machine) disconnect(c *conn, p *mqtt.Disconnect) {
	s := c.session
	if c.version == mqtt.V5 {
		expiry := p.SessionExpiryInterval.Or(s.expiry)
		switch {
		case !fromClient(p.ReasonCode): // [X5 3.14.2.1-3]
			m.fail(c, mqtt.ProtocolError, "DISCONNECT with a Reason Code that only a Server sends")
			return
		case p.ServerReference != "":
			m.fail(c, mqtt.ProtocolError, "Server Reference from a client")
			return
		case s.expiry == 0 && expiry > 0 && !m.cfg.Deviations.Has(DisconnectRaisesExpiry): // [X5 3.14.2.2.2-3]
			m.fail(c, mqtt.ProtocolError, "Session Expiry Interval raised from 0 in DISCONNECT")
			return
		}
		if !m.cfg.Deviations.Has(DisconnectExpiryIgnored) {
			s.expiry = min(expiry, m.cfg.MaximumSessionExpiry) // [X5 3.14.2.2.2-2]
		}
	}
	// [MQTT5 3.14.4-3] [X5 3.14.2.1-2] [MQTT311 3.14.4-3]: any other Reason Code leaves the Will Message.
	if p.ReasonCode == mqtt.NormalDisconnection && !m.cfg.Deviations.Has(WillOnNormalDisconnect) {
		m.dropWill(c)
	}
	m.note(Event{Kind: ClientDisconnected, Conn: c.id, Client: s.id, Code: p.ReasonCode})
	m.out.close(c.id) // [X5 3.14.4-1]
	m.forget(c)
}

// fromClient reports whether a client may send the Reason Code in DISCONNECT.
func fromClient(code mqtt.ReasonCode) bool {
	switch code {
	case mqtt.NormalDisconnection, mqtt.DisconnectWithWill, mqtt.UnspecifiedError, mqtt.MalformedPacket, mqtt.ProtocolError,
		mqtt.ImplementationSpecificError, mqtt.TopicNameInvalid, mqtt.ReceiveMaximumExceeded, mqtt.TopicAliasInvalid, mqtt.PacketTooLarge,
		mqtt.MessageRateTooHigh, mqtt.QuotaExceeded, mqtt.AdministrativeAction, mqtt.PayloadFormatInvalid:
		return true
	}
	return false
}
