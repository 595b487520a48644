package wire

import "mqttlab/reference-broker/mqtt"

func (r *reader) disconnect(v5 bool, from Side) *mqtt.Disconnect {
	d := &mqtt.Disconnect{}
	if !v5 || !r.more() { // [X5 3.14.2.1-1]
		return d
	}
	d.ReasonCode = r.reason(from)
	if !r.more() {
		return d
	}
	for p := r.properties(); p.next(); {
		switch p.id {
		case sessionExpiryInterval:
			if from == FromServer { // [MQTT5 3.14.2-2]
				p.invalid("is for the Client to send")
			}
			d.SessionExpiryInterval = mqtt.Some(p.uint32())
		case reasonString:
			d.ReasonString = p.text()
		case serverReference:
			d.ServerReference = p.text()
		case userProperty:
			d.UserProperties = append(d.UserProperties, p.pair())
		}
	}
	return d
}

func appendDisconnect(dst []byte, v mqtt.Version, d *mqtt.Disconnect) ([]byte, error) {
	w := begin(dst, mqtt.TypeDisconnect, 0)
	problem := d.SessionExpiryInterval.Set || d.ReasonString != "" || d.ServerReference != "" || len(d.UserProperties) > 0
	if v != mqtt.V5 || d.ReasonCode == mqtt.NormalDisconnection && !problem {
		return w.end(0)
	}
	w.byte(byte(d.ReasonCode))
	if problem {
		at := w.open()
		w.optUint32(sessionExpiryInterval, d.SessionExpiryInterval)
		w.someText(serverReference, d.ServerReference)
		w.problem(d.ReasonString, d.UserProperties)
		w.close(at)
	}
	return w.end(0)
}
