package wire

import "mqttlab/reference-broker/mqtt"

func (r *reader) suback(version mqtt.Version) *mqtt.Suback {
	s := &mqtt.Suback{PacketID: r.packetID()}
	if version == mqtt.V5 {
		s.ReasonString, s.UserProperties = r.problem()
	}
	s.ReasonCodes = r.reasonCodes(version)
	return s
}

// problem reads the properties of an answer that has no others.
func (r *reader) problem() (reason string, user []mqtt.UserProperty) {
	for p := r.properties(); p.next(); {
		switch p.id {
		case reasonString:
			reason = p.text()
		case userProperty:
			user = append(user, p.pair())
		}
	}
	return reason, user
}

// reasonCodes reads the payload of SUBACK or UNSUBACK: one code for each Topic Filter of the request, which has at least one.
func (r *reader) reasonCodes(version mqtt.Version) []mqtt.ReasonCode {
	if !r.more() {
		r.fail(mqtt.ProtocolError, "Reason Code", r.at, "is missing: there must be at least one")
	}
	var list []mqtt.ReasonCode
	for r.more() {
		if version == mqtt.V5 {
			list = append(list, r.reason(FromServer))
			continue
		}
		at := r.at
		code := r.byte("return code")
		if code > 2 && code != 0x80 { // [MQTT311 3.9.3-2]
			r.fail(mqtt.MalformedPacket, "return code", at, "0x%02X is reserved", code)
		}
		list = append(list, mqtt.ReasonCode(code))
	}
	return list
}

func appendSuback(dst []byte, v mqtt.Version, s *mqtt.Suback) ([]byte, error) {
	w := begin(dst, mqtt.TypeSuback, 0)
	w.uint16(s.PacketID)
	if v == mqtt.V5 {
		at := w.open()
		w.problem(s.ReasonString, s.UserProperties)
		w.close(at)
	}
	for _, code := range s.ReasonCodes { // [MQTT5 3.9.3-1] [MQTT311 3.9.3-1]
		if v != mqtt.V5 && code.Failed() {
			code = mqtt.UnspecifiedError // [MQTT311 3.9.3-2] the one failure there is; 3.1 has none and gets it too
		}
		w.byte(byte(code))
	}
	return w.end(0)
}
