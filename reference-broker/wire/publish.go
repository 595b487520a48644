package wire

import (
	"encoding/binary"

	"mqttlab/reference-broker/mqtt"
)

// publishFlags judges the flags of a PUBLISH: DUP, QoS and RETAIN.
func (d *Decoder) publishFlags(flags byte) error {
	qos, dup := mqtt.QoS(flags>>1&3), flags&8 != 0
	switch {
	case qos > mqtt.ExactlyOnce: // [MQTT5 3.3.1-4] [MQTT311 3.3.1-4]
		return &Error{Code: mqtt.MalformedPacket, Type: mqtt.TypePublish, Field: "QoS", Problem: "is 3"}
	case dup && qos == mqtt.AtMostOnce && d.Version != mqtt.V31: // [MQTT5 3.3.1-2] [MQTT311 3.3.1-2]
		return &Error{Code: mqtt.MalformedPacket, Type: mqtt.TypePublish, Field: "DUP", Problem: "is set with QoS 0"}
	}
	return nil
}

func (d *Decoder) publish(r *reader, flags byte) *mqtt.Publish {
	m := d.publishes.next()
	*m = mqtt.Publish{UserProperties: m.UserProperties[:0], SubscriptionIdentifiers: m.SubscriptionIdentifiers[:0]}
	m.Retain, m.QoS, m.Dup = flags&1 != 0, mqtt.QoS(flags>>1&3), flags&8 != 0
	at := r.at
	m.Topic = r.text("Topic Name") // [MQTT5 3.3.2-1] [MQTT311 3.3.2-1]
	if m.QoS > mqtt.AtMostOnce {   // [MQTT5 2.2.1-2] [MQTT311 2.3.1-5]
		m.PacketID = r.packetID()
	}
	if d.Version == mqtt.V5 {
		d.publishProperties(r, m)
	}
	if m.Topic == "" && m.TopicAlias == 0 { // [X5 3.3.2.1-1] [MQTT311 4.7.3-1]
		r.fail(mqtt.ProtocolError, "Topic Name", at, "is empty")
	}
	m.Payload = r.b[r.at:r.end]
	r.at = r.end
	return m
}

func (d *Decoder) publishProperties(r *reader, m *mqtt.Publish) {
	for p := r.properties(); p.next(); {
		switch p.id {
		case payloadFormatIndicator:
			m.PayloadFormat = p.format()
		case messageExpiryInterval:
			m.MessageExpiryInterval = mqtt.Some(p.uint32())
		case topicAlias:
			m.TopicAlias = p.uint16()
			if m.TopicAlias == 0 { // [MQTT5 3.3.2-8] [X5 3.3.4-4] [X5 3.3.4-8]
				r.fail(mqtt.TopicAliasInvalid, p.id.String(), p.at, "is 0")
			}
		case contentType: // [MQTT5 3.3.2-19]
			m.ContentType = mqtt.Some(p.text())
		case responseTopic: // [MQTT5 3.3.2-13]
			m.ResponseTopic = p.text()
		case correlationData:
			m.CorrelationData = p.binary()
		case subscriptionIdentifier:
			if d.From == FromClient { // [MQTT5 3.3.4-6]
				p.invalid("is for the Server to send")
			}
			m.SubscriptionIdentifiers = append(m.SubscriptionIdentifiers, p.subscriptionID())
		case userProperty: // [MQTT5 3.3.2-18]
			m.UserProperties = append(m.UserProperties, p.pair())
		}
	}
}

// Delivery is what one receiver of a PUBLISH gets in place of the packet's own fields, so that a message for many is never copied to say who
// gets it how.
type Delivery struct {
	PacketID                uint16 // not written for QoS 0
	QoS                     mqtt.QoS
	Retain, Dup             bool
	TopicAlias              uint16           // 0: none
	OmitTopic               bool             // the Topic Name is empty: the alias alone is sent
	MessageExpiryInterval   mqtt.Opt[uint32] // seconds left
	SubscriptionIdentifiers []uint32
}

// AppendPublish writes a PUBLISH behind dst: m with the fields of d in place of its own.
//
// idOffset is where the Packet Identifier stands, in bytes from the start of the PUBLISH, and 0 if there is none: bytes written for one receiver can
// be copied for another of the same layout and patched with [SetPacketID].
func AppendPublish(dst []byte, v mqtt.Version, m *mqtt.Publish, d Delivery) (b []byte, idOffset int, err error) {
	w := begin(dst, mqtt.TypePublish, bit(d.Retain, 0)|byte(d.QoS&3)<<1|bit(d.Dup, 3))
	topic := m.Topic
	if d.OmitTopic && v == mqtt.V5 {
		topic = ""
	}
	w.text("Topic Name", topic)
	if d.QoS > mqtt.AtMostOnce { // [MQTT5 2.2.1-2] [MQTT311 2.3.1-5]
		idOffset = len(w.b) - w.start
		w.uint16(d.PacketID)
	}
	if v == mqtt.V5 {
		w.publishProperties(m, &d)
	}
	before := len(w.b)
	b, err = w.end(len(m.Payload))
	if err != nil {
		return b, 0, err
	}
	if idOffset > 0 {
		idOffset += len(b) - before // Remaining Length may have grown
	}
	return append(b, m.Payload...), idOffset, nil
}

func (w *writer) publishProperties(m *mqtt.Publish, d *Delivery) {
	at := w.open()
	w.optByte(payloadFormatIndicator, m.PayloadFormat)          // [MQTT5 3.3.2-4]
	w.optUint32(messageExpiryInterval, d.MessageExpiryInterval) // [MQTT5 3.3.2-6]
	w.someUint16(topicAlias, d.TopicAlias)                      // [MQTT5 3.3.2-8]
	w.optText(contentType, m.ContentType)                       // [MQTT5 3.3.2-20]
	w.someText(responseTopic, m.ResponseTopic)                  // [MQTT5 3.3.2-15]
	w.someBinary(correlationData, m.CorrelationData)            // [MQTT5 3.3.2-16]
	for _, id := range d.SubscriptionIdentifiers {              // [MQTT5 3.3.4-3] [MQTT5 3.3.4-4]
		w.subscriptionID(id)
	}
	w.userProperties(m.UserProperties) // [MQTT5 3.3.2-17] [MQTT5 3.3.2-18]
	w.close(at)
}

// SetPacketID changes the Packet Identifier of an encoded PUBLISH; idOffset is what AppendPublish returned. An offset of 0 changes nothing.
func SetPacketID(publish []byte, idOffset int, id uint16) {
	if idOffset > 0 {
		binary.BigEndian.PutUint16(publish[idOffset:], id)
	}
}
