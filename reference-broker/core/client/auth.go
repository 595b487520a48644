package client

import (
	"time"

	"mqttlab/reference-broker/core/size"
	"mqttlab/reference-broker/mqtt"
)

// Authenticate answers a Challenge with the Authentication Data of a, or starts a re-authentication if a.ReasonCode is ReAuthenticate. The method is
// always that of CONNECT; any other Reason Code is sent as ContinueAuthentication. a may be reused once Drain has returned.
func (m *Machine) Authenticate(now time.Time, a *mqtt.Auth) error {
	m.tick(now)
	switch {
	case m.state == Disconnected:
		return ErrNotConnected
	case !m.connect.AuthenticationMethod.Set: // [MQTT5 4.12.0-7]
		return invalid(mqtt.ProtocolError, "AUTH needs an authentication method in CONNECT")
	case a.ReasonCode == mqtt.ReAuthenticate && (m.state != Connected || m.reauth):
		return invalid(mqtt.ProtocolError, "an authentication is under way already")
	case a.ReasonCode != mqtt.ReAuthenticate && m.state == Connected && !m.reauth:
		return invalid(mqtt.ProtocolError, "there is no challenge to answer: start with Reason Code %v", mqtt.ReAuthenticate)
	}
	out := *a
	out.AuthenticationMethod = m.connect.AuthenticationMethod // [MQTT5 4.12.0-5] [MQTT5 4.12.1-1]
	if out.ReasonCode == mqtt.ReAuthenticate {
		m.reauth = true
	} else {
		out.ReasonCode = mqtt.ContinueAuthentication // [MQTT5 4.12.0-3] [MQTT5 3.15.2-1]
	}
	// [MQTT5 3.15.2-2] [MQTT5 3.15.2-3]
	limit := int(m.limits.MaximumPacketSize)
	if limit > 0 && size.Auth(&out) > limit {
		out.UserProperties, out.ReasonString = nil, ""
	}
	m.send(&out)
	return nil
}

func (m *Machine) receiveAuth(p *mqtt.Auth) {
	switch {
	case m.connect.Version != mqtt.V5 || !m.connect.AuthenticationMethod.Set: // [X5 3.15-1]
		m.violation(mqtt.ProtocolError, "AUTH though CONNECT had no Authentication Method")
		return
	case p.AuthenticationMethod != m.connect.AuthenticationMethod: // [MQTT5 4.12.0-5]
		m.violation(mqtt.ProtocolError, "AUTH with another Authentication Method than CONNECT")
		return
	case m.state == Connected && !m.reauth:
		m.violation(mqtt.ProtocolError, "AUTH though no re-authentication was started")
		return
	}
	switch p.ReasonCode {
	case mqtt.ContinueAuthentication:
		m.waiting = m.now
	case mqtt.Success: // [X5 3.15.2.1-1]
		if m.state == Connecting {
			m.violation(mqtt.ProtocolError, "AUTH with Success in place of CONNACK")
			return
		}
		m.reauth = false
	default:
		m.violation(mqtt.ProtocolError, "AUTH with "+p.ReasonCode.String())
		return
	}
	m.act(Challenge).Packet = p
}
