package wire

import "mqttlab/reference-broker/mqtt"

func (r *reader) unsubscribe(v5 bool) *mqtt.Unsubscribe {
	u := &mqtt.Unsubscribe{PacketID: r.packetID()}
	if v5 {
		for p := r.properties(); p.next(); {
			u.UserProperties = append(u.UserProperties, p.pair())
		}
	}
	if !r.more() { // [MQTT5 3.10.3-2] [MQTT311 3.10.3-2]
		r.fail(mqtt.ProtocolError, "Topic Filter", r.at, "is missing: there must be at least one")
	}
	for r.more() {
		u.TopicFilters = append(u.TopicFilters, r.text("Topic Filter")) // [MQTT5 3.10.3-1] [MQTT311 3.10.3-1]
	}
	return u
}

func appendUnsubscribe(dst []byte, v mqtt.Version, u *mqtt.Unsubscribe) ([]byte, error) {
	w := begin(dst, mqtt.TypeUnsubscribe, fixedFlags(mqtt.TypeUnsubscribe))
	w.uint16(u.PacketID)
	if v == mqtt.V5 {
		at := w.open()
		w.userProperties(u.UserProperties)
		w.close(at)
	}
	for _, f := range u.TopicFilters {
		w.text("Topic Filter", f)
	}
	return w.end(0)
}
