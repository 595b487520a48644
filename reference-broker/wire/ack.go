package wire

import (
	"fmt"

	"mqttlab/reference-broker/mqtt"
)

// ack reads PUBACK, PUBREC, PUBREL or PUBCOMP: the four share one layout (MQTT 5.0 sections 3.4 to 3.7).
func (d *Decoder) ack(r *reader) *mqtt.Ack {
	a := d.acks.next()
	*a = mqtt.Ack{UserProperties: a.UserProperties[:0]}
	a.PacketID = r.packetID()
	if d.Version != mqtt.V5 || !r.more() { // [X5 3.4.2.1-1]
		return a
	}
	a.ReasonCode = r.reason(d.From)
	if !r.more() {
		return a
	}
	for p := r.properties(); p.next(); {
		switch p.id {
		case reasonString:
			a.ReasonString = p.text()
		case userProperty:
			a.UserProperties = append(a.UserProperties, p.pair())
		}
	}
	return a
}

// AppendAck writes a PUBACK, PUBREC, PUBREL or PUBCOMP behind dst, in the shortest form that says all.
func AppendAck(dst []byte, v mqtt.Version, t mqtt.Type, a *mqtt.Ack) ([]byte, error) {
	if t < mqtt.TypePuback || t > mqtt.TypePubcomp {
		return dst, fmt.Errorf("%s is not an acknowledgement of a PUBLISH", t)
	}
	problem := a.ReasonString != "" || len(a.UserProperties) > 0
	if v != mqtt.V5 || a.ReasonCode == mqtt.Success && !problem {
		return append(dst, byte(t)<<4|fixedFlags(t), 2, byte(a.PacketID>>8), byte(a.PacketID)), nil
	}
	w := begin(dst, t, fixedFlags(t))
	w.uint16(a.PacketID)
	w.byte(byte(a.ReasonCode))
	if problem {
		at := w.open()
		w.problem(a.ReasonString, a.UserProperties)
		w.close(at)
	}
	return w.end(0)
}
