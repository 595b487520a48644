package client

import (
	"slices"
	"time"

	"mqttlab/reference-broker/mqtt"
)

// session is what the machine knows of its Session apart from the messages under way.
type session struct {
	begun      bool   // a CONNECT was sent before
	held       bool   // this side has Session State, so the Server may have the other half
	askedClean bool   // the last CONNECT asked for a new Session
	expiry     uint32 // Session Expiry Interval of the last connection, seconds
}

// Opened tells that a Network Connection is open and sends CONNECT: c with the machine's own Client Identifier, and with Clean Start as the Session
// wants it. c is shared, not modified, and must stay as it is until the connection ends.
//
// c.CleanStart says how the first connection starts. Later ones resume the Session as long as it lives: in 3.1 and 3.1.1 it lives on if c.CleanStart
// is false, in 5.0 for the Session Expiry Interval.
func (m *Machine) Opened(now time.Time, c *mqtt.Connect) {
	m.tick(now)
	m.dropUnsent()
	if m.state != Disconnected {
		m.offline(ErrConnectionLost)
	}
	if m.held && m.connect != nil && m.expired() { // a Session of an earlier process is the Server's to judge
		m.endSession()
	}
	m.connect, m.limits = c, Limits{}
	m.askedClean = m.cleanStart()
	if m.askedClean { // [MQTT5 3.1.2-4] [MQTT311 3.1.2-6]
		m.endSession()
	}
	m.begun = true
	out := *c
	out.ClientID, out.CleanStart = m.clientID, m.askedClean
	m.state, m.waiting = Connecting, m.now
	m.send(&out) // [MQTT5 3.1.0-1] [MQTT311 3.1.0-1]
}

func (m *Machine) cleanStart() bool {
	if m.connect.Version != mqtt.V5 {
		// [MQTT311 3.1.3-7]
		return m.connect.CleanStart || m.clientID == ""
	}
	if !m.begun {
		return m.connect.CleanStart
	}
	// Without Session State on this side a Session on the other must not be resumed. [MQTT5 3.2.2-4]
	return !m.held
}

// expired reports whether the Session ended while there was no Network Connection. It never ends before. [MQTT5 3.1.2-23] [MQTT5 4.1.0-1]
// [MQTT311 3.1.2-4] [MQTT311 4.1.0-1] [MQTT311 4.1.0-2]
func (m *Machine) expired() bool {
	if m.connect.Version != mqtt.V5 {
		return m.askedClean
	}
	expiry := m.expiry
	return expiry != mqtt.SessionNeverExpires && m.now >= m.downAt+time.Duration(expiry)*time.Second
}

// endSession forgets the Session State of this side.
func (m *Machine) endSession() {
	m.held = false
	m.incoming.forget()
	m.abandon()
}

// receiveConnecting handles what comes between CONNECT and CONNACK.
func (m *Machine) receiveConnecting(p mqtt.Packet) {
	switch p := p.(type) {
	case *mqtt.Connack:
		m.receiveConnack(p)
	case *mqtt.Auth:
		m.receiveAuth(p)
	case *mqtt.Disconnect:
		m.receiveDisconnect(p)
	default:
		m.violation(mqtt.ProtocolError, p.Type().String()+" before CONNACK")
	}
}

func (m *Machine) receiveConnack(p *mqtt.Connack) {
	if p.ReasonCode.Failed() {
		m.down(&RefusedError{Packet: mqtt.TypeConnack, Code: p.ReasonCode, Reason: p.ReasonString, Reference: p.ServerReference})
		return
	}
	if p.SessionPresent && m.askedClean { // [MQTT5 3.2.2-4]
		m.violation(mqtt.ProtocolError, "CONNACK says Session Present though CONNECT asked for a clean start")
		return
	}
	// [MQTT5 4.12.0-5]
	if p.AuthenticationMethod != m.connect.AuthenticationMethod && m.connect.AuthenticationMethod.Set {
		m.violation(mqtt.ProtocolError, "CONNACK with another Authentication Method than CONNECT")
		return
	}
	if p.AssignedClientID != "" {
		m.clientID = p.AssignedClientID
	}
	m.limits = limitsOf(m.connect, p)
	m.expiry = m.limits.SessionExpiryInterval
	// 3.1 has no Session Present: there the client has to believe that the Server kept its half.
	kept := p.SessionPresent || m.connect.Version == mqtt.V31 && !m.askedClean
	if !kept { // [MQTT5 3.2.2-5]
		m.endSession()
	}
	m.state, m.held = Connected, true
	a := m.act(StateChange)
	a.State, a.Packet = Connected, p
	m.resume()
}

// Lost tells that the Network Connection is gone, or could not be used; err says why and comes back in StateChange. What was to be sent on it and was
// not drained yet is dropped. Disconnected, that is all it does.
func (m *Machine) Lost(now time.Time, err error) {
	m.tick(now)
	m.dropUnsent()
	if m.state != Disconnected {
		m.offline(err)
	}
}

// dropUnsent forgets actions that were for a Network Connection that is gone.
func (m *Machine) dropUnsent() {
	m.actions = slices.DeleteFunc(m.actions, func(a Action) bool { return a.Kind <= SendPublish || a.Kind == Close })
}

// down closes the Network Connection because of err. Disconnected, the machine sends nothing. [MQTT5 3.14.4-1] [MQTT311 3.14.4-2]
func (m *Machine) down(err error) {
	m.act(Close) // [MQTT5 3.14.4-2] [MQTT5 4.13.2-1] [MQTT311 3.14.4-1]
	m.offline(err)
}

// offline ends what does not outlive the Network Connection.
func (m *Machine) offline(err error) {
	m.state, m.downAt = Disconnected, m.now
	m.pinging, m.reauth = false, false
	m.limits, m.aliases = Limits{}, aliases{}
	m.incoming.disconnected()
	a := m.act(StateChange)
	a.State, a.Err = Disconnected, err
	m.dropRequests()
	if m.held && m.expired() {
		m.endSession()
	}
}
