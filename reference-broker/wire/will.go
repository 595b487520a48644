package wire

import "mqttlab/reference-broker/mqtt"

// will reads the part of a CONNECT payload that the Will Flag announces.
func (r *reader) will(version mqtt.Version, flags connectFlags) *mqtt.Will {
	m := &mqtt.Will{QoS: flags.willQoS(), Retain: flags.has(flagWillRetain)}
	if version == mqtt.V5 {
		for p := r.willProperties(); p.next(); {
			switch p.id {
			case willDelayInterval:
				m.DelayInterval = p.uint32()
			case payloadFormatIndicator:
				m.PayloadFormat = p.format()
			case messageExpiryInterval:
				m.MessageExpiryInterval = mqtt.Some(p.uint32())
			case contentType:
				m.ContentType = mqtt.Some(p.text())
			case responseTopic:
				m.ResponseTopic = p.text()
			case correlationData:
				m.CorrelationData = p.copied()
			case userProperty:
				m.UserProperties = append(m.UserProperties, p.pair())
			}
		}
	}
	m.Topic = r.text("Will Topic") // [MQTT5 3.1.3-11] [MQTT311 3.1.3-10]
	m.Payload = r.copied("Will Payload")
	return m
}

func (w *writer) will(version mqtt.Version, m *mqtt.Will) {
	if version == mqtt.V5 {
		at := w.open()
		w.someUint32(willDelayInterval, m.DelayInterval)
		w.optByte(payloadFormatIndicator, m.PayloadFormat)
		w.optUint32(messageExpiryInterval, m.MessageExpiryInterval)
		w.optText(contentType, m.ContentType)
		w.someText(responseTopic, m.ResponseTopic)
		w.someBinary(correlationData, m.CorrelationData)
		w.userProperties(m.UserProperties) // [MQTT5 3.1.3-10]
		w.close(at)
	}
	w.text("Will Topic", m.Topic)
	w.binary("Will Payload", m.Payload)
}
