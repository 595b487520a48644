package server

import (
	"mqttlab/reference-broker/core/size"
	"mqttlab/reference-broker/mqtt"
)

// fits reports whether the client takes a packet of so many bytes. [MQTT5 3.1.2-24]
func (m *Machine) fits(c *conn, n int) bool {
	return c.maxPacket == 0 || n <= int(c.maxPacket) || m.cfg.Deviations.Has(MaximumPacketSizeIgnored)
}

// explains reports whether an acknowledgement or SUBACK of n bytes may have the Reason String why.
func (m *Machine) explains(c *conn, n int, why string) bool {
	if !m.cfg.ReasonStrings || why == "" || c.version != mqtt.V5 {
		return false
	}
	// [MQTT5 3.1.2-29] [MQTT5 3.4.2-2] [MQTT5 3.5.2-2] [MQTT5 3.7.2-2]
	return (!c.noProblemInfo || m.cfg.Deviations.Has(ReasonStringsUnasked)) && m.fits(c, n)
}

// roomy reports whether a message is small enough for the client of a Subscription.
func (m *Machine) roomy(c *conn, p *mqtt.Publish, sub *subscription) bool {
	if c.maxPacket == 0 {
		return true
	}
	return m.fits(c, size.Publish(c.version, p, min(p.QoS, sub.qos), false, sub.ids))
}

// fitsPublish reports whether a message is small enough for a client, and counts it as dropped if not. [MQTT5 3.1.2-25]
func (m *Machine) fitsPublish(c *conn, p *mqtt.Publish, x *pending) bool {
	if c.maxPacket == 0 || m.fits(c, size.Publish(c.version, p, x.qos, false, x.ids)) {
		return true
	}
	m.counters.Dropped++
	m.note(Event{Kind: MessageDropped, Conn: c.id, Client: c.clientID(), Code: mqtt.PacketTooLarge, Topic: p.Topic})
	return false
}

// fitDisconnect takes out what makes a DISCONNECT too large for the client, and reports whether the rest fits. [MQTT5 3.14.2-3] [MQTT5 3.14.2-4]
func (m *Machine) fitDisconnect(c *conn, p *mqtt.Disconnect) bool {
	if !m.fits(c, size.Disconnect(p)) {
		p.ReasonString = ""
	}
	if !m.fits(c, size.Disconnect(p)) {
		p.UserProperties = nil
	}
	return m.fits(c, size.Disconnect(p))
}

// fitConnack takes out what makes a CONNACK too large for the client, and reports whether the rest fits. [MQTT5 3.2.2-19] [MQTT5 3.2.2-20]
func (m *Machine) fitConnack(c *conn, k *mqtt.Connack) bool {
	if c.version != mqtt.V5 {
		return true
	}
	if !m.fits(c, size.Connack(k)) {
		k.ReasonString = ""
	}
	if !m.fits(c, size.Connack(k)) {
		k.UserProperties = nil
	}
	return m.fits(c, size.Connack(k))
}
