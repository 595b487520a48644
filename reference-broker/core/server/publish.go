package server

import (
	"unicode/utf8"

	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// publish takes a PUBLISH from a client.
func (m *Machine) publish(c *conn, p *mqtt.Publish) {
	if code, why := m.checkPublish(c, p); code != mqtt.Success {
		m.fail(c, code, why)
		return
	}
	if p.QoS > mqtt.AtMostOnce && !m.mayBegin(c, p) {
		return
	}
	if code, why := m.admissible(c, p); code != mqtt.Success {
		m.refusePublish(c, p, code, why)
		return
	}
	if p.QoS == mqtt.ExactlyOnce {
		// [MQTT5 4.3.3-10] [MQTT311 4.3.3-2]: noted before it is passed on, so that no repetition is.
		m.received(c.session, p.PacketID)
	}
	if p.QoS == mqtt.ExactlyOnce && p.Dup && m.cfg.Deviations.Has(QoS2DupDiscarded) {
		m.acknowledge(c, p, mqtt.Success, "")
		return
	}
	m.counters.Received[p.QoS].add(p)
	code := mqtt.Success
	if !m.accept(p, c.session) && !m.cfg.HideNoSubscribers {
		code = mqtt.NoMatchingSubscribers // [X5 3.4.2.1-2]
	}
	m.acknowledge(c, p, code, "")
}

// accept stores a message if it is retained and passes it on; it reports whether a Subscription matched.
func (m *Machine) accept(p *mqtt.Publish, origin *session) (matched bool) {
	var kept *message
	if p.Retain { // [MQTT5 3.3.1-8] [MQTT311 3.3.1-12]
		kept = m.storeRetained(p, nil)
	}
	return m.route(p, kept, origin)
}

// acknowledge answers a PUBLISH by its QoS. [MQTT5 3.3.4-1] [MQTT311 3.3.4-1] [MQTT5 4.3.2-4] [MQTT5 4.3.3-8] [MQTT311 4.3.2-2] [MQTT311 4.3.3-2]
func (m *Machine) acknowledge(c *conn, p *mqtt.Publish, code mqtt.ReasonCode, why string) {
	switch p.QoS {
	case mqtt.AtLeastOnce:
		m.ack(c, mqtt.TypePuback, p.PacketID, code, why)
	case mqtt.ExactlyOnce:
		m.ack(c, mqtt.TypePubrec, p.PacketID, code, why)
	}
}

// checkPublish returns which rule of the protocol a PUBLISH breaks, and puts the Topic Name in place of a Topic Alias.
func (m *Machine) checkPublish(c *conn, p *mqtt.Publish) (code mqtt.ReasonCode, why string) {
	switch {
	case p.QoS > mqtt.ExactlyOnce: // [MQTT5 3.3.1-4] [MQTT311 3.3.1-4]
		return mqtt.MalformedPacket, "QoS 3"
	case p.QoS > m.cfg.MaximumQoS.Or(mqtt.ExactlyOnce): // [MQTT5 3.2.2-11] [X5 3.3.1.2-1]
		return mqtt.QoSNotSupported, "QoS above Maximum QoS"
	case p.Retain && m.cfg.NoRetain: // [MQTT5 3.2.2-14] [X5 3.3.1.3-1]
		return mqtt.RetainNotSupported, "RETAIN without retained messages"
	case p.QoS > mqtt.AtMostOnce && p.PacketID == 0: // [X5 2.2.1-1] [MQTT311 2.3.1-1]
		return mqtt.ProtocolError, "Packet Identifier 0"
	case len(p.SubscriptionIdentifiers) > 0: // [MQTT5 3.3.4-6]
		return mqtt.ProtocolError, "Subscription Identifier from a client"
	case p.ResponseTopic != "" && topic.CheckName(p.ResponseTopic) != nil: // [MQTT5 3.3.2-14]
		return mqtt.ProtocolError, "Response Topic is not a Topic Name"
	case p.PayloadFormat.Value > 1: // [X5 3.3.2.3.2-1]
		return mqtt.ProtocolError, "Payload Format Indicator is not 0 or 1"
	}
	if c.version == mqtt.V5 {
		if code, why = c.resolveAlias(p); code != mqtt.Success {
			return code, why
		}
	}
	if topic.CheckName(p.Topic) != nil { // [MQTT5 3.3.2-2] [MQTT311 3.3.2-2] [MQTT5 4.7.3-1]
		return mqtt.TopicNameInvalid, "not a Topic Name"
	}
	return mqtt.Success, ""
}

// admissible returns why this Server does not take a PUBLISH that breaks no rule.
func (m *Machine) admissible(c *conn, p *mqtt.Publish) (code mqtt.ReasonCode, why string) {
	switch {
	case topic.Levels(p.Topic) > m.cfg.TopicLevels:
		m.note(Event{Kind: LimitReached, Conn: c.id, Client: c.session.id, Detail: "TopicLevels"})
		return mqtt.TopicNameInvalid, "too many topic levels"
	case p.Topic[0] == '$' && !m.cfg.DollarTopics: // [X5 4.7.2-1] [MQTT311 4.7.2 non-normative]
		return mqtt.TopicNameInvalid, "topics that begin with $ belong to the Server"
	case m.cfg.CheckPayloadFormat && !validPayload(p.PayloadFormat, p.Payload): // [X5 3.3.2.3.2-2]
		return mqtt.PayloadFormatInvalid, "payload is not UTF-8"
	case !m.allowed(Access{PublishTo, c.session.id, c.session.username, p.Topic, p.QoS, p.Retain}): // [X5 3.4.2.1-3]
		return mqtt.NotAuthorized, "not authorized to publish there"
	case p.Retain && p.QoS > 0 && c.version == mqtt.V5 && !m.retained.hasRoom(p, &m.cfg.Limits):
		m.note(Event{Kind: LimitReached, Conn: c.id, Client: c.session.id, Topic: p.Topic, Detail: "RetainedMessages or RetainedBytes"})
		return mqtt.QuotaExceeded, "no room for another retained message"
	}
	return mqtt.Success, ""
}

// refusePublish answers a PUBLISH that is not admissible and drops it.
func (m *Machine) refusePublish(c *conn, p *mqtt.Publish, code mqtt.ReasonCode, why string) {
	if code == mqtt.NotAuthorized && m.cfg.CloseUnauthorized { // [MQTT311 3.3.5-2]
		m.fail(c, code, why)
		return
	}
	m.note(Event{Kind: MessageDropped, Conn: c.id, Client: c.session.id, Code: code, Topic: p.Topic, Detail: why})
	if c.version != mqtt.V5 {
		// [MQTT311 3.3.5-2]: these versions can't be told; the exchange takes its usual course without a message.
		if p.QoS == mqtt.ExactlyOnce {
			m.received(c.session, p.PacketID)
		}
		code = mqtt.Success
	}
	m.acknowledge(c, p, code, why)
}

// allowed asks the operator's rules.
func (m *Machine) allowed(a Access) bool { return m.cfg.Authorize == nil || m.cfg.Authorize(a) }

// validPayload reports whether a payload is what its Payload Format Indicator says.
func validPayload(format mqtt.Opt[byte], payload []byte) bool {
	return format.Value != 1 || utf8.Valid(payload)
}
