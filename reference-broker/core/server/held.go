package server

import (
	"slices"

	"mqttlab/reference-broker/mqtt"
)

// hold keeps a packet that came before the CONNECT is decided on. [X5 3.1.4-2]
func (m *Machine) hold(c *conn, p mqtt.Packet) {
	switch p := p.(type) {
	case *mqtt.Auth:
		m.continueAuthentication(c, p)
		return
	case *mqtt.Connect: // [MQTT5 3.1.0-2]
		m.fail(c, mqtt.ProtocolError, "second CONNECT")
		return
	}
	h := c.handshake
	h.heldBytes += heldBytes(p)
	if len(h.held) >= m.cfg.HeldPackets || h.heldBytes > m.cfg.HeldBytes {
		m.note(Event{Kind: LimitReached, Conn: c.id, Client: c.clientID(), Detail: "HeldPackets or HeldBytes"})
		m.fail(c, mqtt.QuotaExceeded, "too many packets before CONNACK")
		return
	}
	h.held = append(h.held, clonePacket(p))
}

// heldBytes returns what a packet counts against HeldBytes.
func heldBytes(p mqtt.Packet) (n int) {
	switch p := p.(type) {
	case *mqtt.Publish:
		n = publishBytes(p)
		for _, u := range p.UserProperties {
			n += len(u.Name) + len(u.Value)
		}
	case *mqtt.Subscribe:
		for i := range p.Subscriptions {
			n += len(p.Subscriptions[i].TopicFilter)
		}
	case *mqtt.Unsubscribe:
		for _, f := range p.TopicFilters {
			n += len(f)
		}
	}
	return n
}

// clonePacket copies a packet that a client may send after CONNECT.
func clonePacket(p mqtt.Packet) mqtt.Packet {
	switch p := p.(type) {
	case *mqtt.Publish:
		return p.Clone()
	case *mqtt.Puback:
		c := *p
		return &c
	case *mqtt.Pubrec:
		c := *p
		return &c
	case *mqtt.Pubrel:
		c := *p
		return &c
	case *mqtt.Pubcomp:
		c := *p
		return &c
	case *mqtt.Subscribe:
		c := *p
		c.Subscriptions = slices.Clone(p.Subscriptions)
		return &c
	case *mqtt.Unsubscribe:
		c := *p
		c.TopicFilters = slices.Clone(p.TopicFilters)
		return &c
	case *mqtt.Disconnect:
		c := *p
		return &c
	}
	return p // the rest has no fields, or is refused without a look at them
}
