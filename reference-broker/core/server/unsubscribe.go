package server

import (
	"mqttlab/reference-broker/core/size"
	"mqttlab/reference-broker/mqtt"
)

// unsubscribe takes an UNSUBSCRIBE. Messages already on their way or in the queue still arrive. [MQTT5 3.10.4-3] [MQTT311 3.10.4-3]
func (m *Machine) unsubscribe(c *conn, p *mqtt.Unsubscribe) {
	switch {
	case p.PacketID == 0: // [X5 2.2.1-1] [MQTT311 2.3.1-1]
		m.fail(c, mqtt.ProtocolError, "Packet Identifier 0")
		return
	case len(p.TopicFilters) == 0: // [MQTT5 3.10.3-2] [MQTT311 3.10.3-2]
		m.fail(c, mqtt.ProtocolError, "UNSUBSCRIBE without a Topic Filter")
		return
	}
	for _, filter := range p.TopicFilters {
		if _, err := m.parseFilter(c.version, filter); err != nil {
			m.fail(c, mqtt.TopicFilterInvalid, "not a Topic Filter")
			return
		}
	}
	k := &mqtt.Unsuback{PacketID: p.PacketID, ReasonCodes: make([]mqtt.ReasonCode, len(p.TopicFilters))}
	for i, filter := range p.TopicFilters {
		k.ReasonCodes[i] = m.unsubscribeOne(c, filter, p.PacketID)
	}
	if !m.fits(c, size.Suback(len(k.ReasonCodes), "")) {
		m.fail(c, mqtt.PacketTooLarge, "UNSUBACK above Maximum Packet Size")
		return
	}
	// UNSUBACK has neither Reason String nor User Properties. [MQTT5 3.11.2-1] [MQTT5 3.11.2-2]
	// [MQTT5 3.10.4-4] [MQTT5 3.10.4-5] [MQTT5 3.10.4-6] [MQTT5 3.11.3-1] [MQTT311 3.10.4-4] [MQTT311 3.10.4-5] [MQTT311 3.10.4-6]
	m.send(c, k)
}

// unsubscribeOne removes a Subscription and returns its Reason Code.
func (m *Machine) unsubscribeOne(c *conn, filter string, id uint16) mqtt.ReasonCode {
	s := c.session
	if c.version == mqtt.V5 && s.flow != nil && s.flow.in.Has(id) { // [X5 2.2.1-2]
		return mqtt.PacketIdentifierInUse
	}
	e := s.find(filter)
	switch {
	case e == nil && m.cfg.Deviations.Has(UnsubackAlwaysSuccess):
		return mqtt.Success
	case e == nil: // [X5 3.11.3-1]
		return mqtt.NoSubscriptionExisted
	}
	if !m.cfg.Deviations.Has(UnsubscribeIgnored) {
		m.removeSubscription(e) // [MQTT5 3.10.4-2] [MQTT311 3.10.4-2]
	}
	return mqtt.Success
}
