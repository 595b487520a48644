package wire

import "mqttlab/reference-broker/mqtt"

func (r *reader) unsuback(v5 bool) *mqtt.Unsuback {
	u := &mqtt.Unsuback{PacketID: r.packetID()}
	if v5 {
		u.ReasonString, u.UserProperties = r.problem()
		u.ReasonCodes = r.reasonCodes(mqtt.V5)
	}
	return u
}

func appendUnsuback(dst []byte, v mqtt.Version, u *mqtt.Unsuback) ([]byte, error) {
	w := begin(dst, mqtt.TypeUnsuback, 0)
	w.uint16(u.PacketID)
	if v == mqtt.V5 {
		at := w.open()
		w.problem(u.ReasonString, u.UserProperties)
		w.close(at)
		for _, code := range u.ReasonCodes { // [MQTT5 3.11.3-1]
			w.byte(byte(code))
		}
	}
	return w.end(0)
}
