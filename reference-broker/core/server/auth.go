package server

import (
	"time"

	"mqttlab/reference-broker/mqtt"
)

// Admission is the owner's answer to an Authenticate action. [X5 3.1.4-3] [X5 4.12-2]
type Admission struct {
	// ReasonCode is Success, ContinueAuthentication for another step of an enhanced authentication, or a failure, which ends the connection.
	ReasonCode mqtt.ReasonCode
	// Username is who the client is, for Access. Only with Success.
	Username string
	// AuthenticationData goes with AUTH, or with CONNACK if the method of CONNECT is done.
	AuthenticationData []byte
	// ServerReference goes with UseAnotherServer and ServerMoved.
	ServerReference string
	// UserProperties go with CONNACK.
	UserProperties []mqtt.UserProperty
	// Reason becomes the Reason String of a failure, if Config.ReasonStrings is on.
	Reason string
}

// exchange is the enhanced authentication of a connection.
type exchange struct {
	method   string
	running  bool // between its first packet and its result
	expected bool // the client's AUTH is due
}

// Admit answers an Authenticate action. Connections that are gone meanwhile are ignored, and answers that nobody waits for.
func (m *Machine) Admit(now time.Time, id ConnID, a Admission) {
	c := m.conns[id]
	if c == nil || c.state == awaitConnect {
		return
	}
	initial := c.state == authenticating
	if !initial && (c.auth == nil || !c.auth.running || c.auth.expected) {
		return
	}
	m.tick(now)
	switch {
	case a.ReasonCode == mqtt.ContinueAuthentication && c.auth != nil:
		// [MQTT5 4.12.0-2] [MQTT5 4.12.0-5]
		c.auth.expected = true
		m.auth(c, mqtt.ContinueAuthentication, a)
	case a.ReasonCode != mqtt.Success:
		// [MQTT5 3.1.4-2] [MQTT5 4.12.0-4] [MQTT5 4.12.1-2] [MQTT311 3.1.4-2 non-normative]
		m.refuse(c, refusal{code: a.ReasonCode, why: a.Reason, reference: a.ServerReference, properties: a.UserProperties})
	case initial:
		m.admit(c, c.handshake.connect, a)
	default: // [X5 4.12.1-1]
		c.auth.running = false
		c.session.username = a.Username
		m.auth(c, mqtt.Success, a)
	}
}

// auth writes an AUTH, without Reason String and User Properties. [MQTT5 3.15.2-2] [MQTT5 3.15.2-3] [X5 4.12-1]
func (m *Machine) auth(c *conn, code mqtt.ReasonCode, a Admission) {
	m.send(c, &mqtt.Auth{ReasonCode: code, AuthenticationMethod: mqtt.Some(c.auth.method), AuthenticationData: a.AuthenticationData})
}

// continueAuthentication takes an AUTH before CONNACK.
func (m *Machine) continueAuthentication(c *conn, p *mqtt.Auth) {
	switch {
	case c.auth == nil: // [MQTT5 4.12.0-7]
		m.fail(c, mqtt.ProtocolError, "AUTH without an Authentication Method in CONNECT")
	case p.AuthenticationMethod != mqtt.Some(c.auth.method): // [X5 3.15-1]
		m.fail(c, mqtt.ProtocolError, "AUTH with another Authentication Method than CONNECT")
	case p.ReasonCode != mqtt.ContinueAuthentication || !c.auth.expected: // [MQTT5 4.12.0-3] [X5 3.15.2.1-1]
		m.fail(c, mqtt.ProtocolError, "AUTH out of turn")
	default:
		c.auth.expected = false
		m.out.packet(Authenticate, c.id, p)
	}
}

// reauthenticate takes an AUTH of a connected client.
func (m *Machine) reauthenticate(c *conn, p *mqtt.Auth) {
	switch {
	case c.auth == nil: // [MQTT5 4.12.0-7]
		m.fail(c, mqtt.ProtocolError, "AUTH without an Authentication Method in CONNECT")
	case p.AuthenticationMethod != mqtt.Some(c.auth.method): // [MQTT5 4.12.1-1]
		m.fail(c, mqtt.ProtocolError, "AUTH with another Authentication Method than CONNECT")
	case p.ReasonCode == mqtt.ReAuthenticate && !c.auth.running, p.ReasonCode == mqtt.ContinueAuthentication && c.auth.expected:
		c.auth.running, c.auth.expected = true, false
		m.out.packet(Authenticate, c.id, p)
	default: // [X5 3.15.2.1-1]
		m.fail(c, mqtt.ProtocolError, "AUTH out of turn")
	}
}
