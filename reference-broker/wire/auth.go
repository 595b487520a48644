package wire

import (
	"fmt"

	"mqttlab/reference-broker/mqtt"
)

func (r *reader) auth(from Side) *mqtt.Auth {
	a := &mqtt.Auth{}
	at := r.at
	if r.more() { // [X5 3.15.2.1-1]
		a.ReasonCode = r.reason(from)
	}
	if r.more() {
		for p := r.properties(); p.next(); {
			switch p.id {
			case authenticationMethod:
				a.AuthenticationMethod = mqtt.Some(p.text())
			case authenticationData:
				a.AuthenticationData = p.copied()
			case reasonString:
				a.ReasonString = p.text()
			case userProperty:
				a.UserProperties = append(a.UserProperties, p.pair())
			}
		}
	}
	// [X5 3.15.2.2.2-1] The end of an exchange may go without any property: section 3.15.2.1 lets a Remaining Length of 0 stand for success.
	if !a.AuthenticationMethod.Set && (a.ReasonCode != mqtt.Success || from == FromClient) {
		r.fail(mqtt.ProtocolError, "Authentication Method", at, "is missing")
	}
	return a
}

func appendAuth(dst []byte, v mqtt.Version, a *mqtt.Auth) ([]byte, error) {
	if v != mqtt.V5 {
		return dst, fmt.Errorf("AUTH does not exist in MQTT %s", v)
	}
	w := begin(dst, mqtt.TypeAuth, 0)
	problem := a.AuthenticationMethod.Set || a.AuthenticationData != nil || a.ReasonString != "" || len(a.UserProperties) > 0
	if a.ReasonCode == mqtt.Success && !problem {
		return w.end(0)
	}
	w.byte(byte(a.ReasonCode))
	at := w.open()
	w.optText(authenticationMethod, a.AuthenticationMethod)
	w.someBinary(authenticationData, a.AuthenticationData)
	w.problem(a.ReasonString, a.UserProperties)
	w.close(at)
	return w.end(0)
}
