package client

import (
	"time"

	"mqttlab/reference-broker/core/inflight"
	"mqttlab/reference-broker/mqtt"
)

// State says how far the machine is with its Network Connection.
type State uint8

// The states.
const (
	Disconnected State = iota // no Network Connection
	Connecting                // CONNECT is sent, CONNACK has not come
	Connected
)

// String returns "disconnected", "connecting" or "connected".
func (s State) String() string {
	return [...]string{"disconnected", "connecting", "connected"}[s]
}

// Machine is the Client's state. It is not safe for concurrent use.
type Machine struct {
	cfg      *Config
	connect  *mqtt.Connect // of the present or last Network Connection; the owner's
	clientID string
	actions  []Action
	calm     uint8 // calls of Drain in a row that needed little of the buffer

	epoch   time.Time     // of the first input; the times below count from it
	now     time.Duration // of the present input
	sent    time.Duration // when the last packet left
	waiting time.Duration // since when CONNACK or, with pinging, a sign of life is awaited
	downAt  time.Duration // when the last Network Connection ended

	state   State
	pinging bool // a PINGREQ is unanswered
	reauth  bool // a re-authentication is under way
	session
	limits   Limits
	aliases  aliases
	requests []request
	queue    queue
	outgoing inflight.Outgoing[message]
	incoming incoming
}

// New returns a Client without a Network Connection, with one Client Identifier for the one Session it keeps. [MQTT5 3.1.3-2] [MQTT311 3.1.3-2]
// An empty Client Identifier asks the Server to assign one, which the machine then keeps.
func New(cfg *Config, clientID string) *Machine {
	return &Machine{cfg: cfg, clientID: clientID}
}

// State returns where the machine is.
func (m *Machine) State() State { return m.state }

// ClientID returns the Client Identifier: the one given or the one assigned; empty until then.
func (m *Machine) ClientID() string { return m.clientID }

// Limits returns what the Server allows; zero unless Connected.
func (m *Machine) Limits() Limits { return m.limits }

// Drain hands out the actions since the last Drain, in order, and forgets them. do must not call the machine.
func (m *Machine) Drain(do func(*Action)) {
	for i := range m.actions {
		do(&m.actions[i])
	}
	if 8*len(m.actions) > cap(m.actions) {
		m.calm = 0
	} else {
		m.calm++
	}
	clear(m.actions)
	m.actions = m.actions[:0]
	if cap(m.actions) > keptActions && m.calm > calmDrains {
		m.actions = nil
	}
}

// A machine gives the buffer of a burst back after calmDrains calls of Drain that needed little of it, unless it is no larger than keptActions. Most
// inputs cause one to three actions.
const (
	keptActions = 16
	calmDrains  = 100
)

func (m *Machine) tick(now time.Time) {
	if m.epoch.IsZero() {
		m.epoch = now
	}
	m.now = now.Sub(m.epoch)
}

// act appends an empty action for the caller to fill in.
func (m *Machine) act(kind ActionKind) *Action {
	m.actions = append(m.actions, Action{Kind: kind})
	return &m.actions[len(m.actions)-1]
}

func (m *Machine) send(p mqtt.Packet) {
	m.sent = m.now
	m.act(SendPacket).Packet = p
}

// sendAck answers with the Packet Identifier of what it answers, and never with a Reason String or User Property, so that it always fits.
// [MQTT5 2.2.1-5] [MQTT5 3.4.2-2] [MQTT5 3.4.2-3] [MQTT5 3.5.2-2] [MQTT5 3.5.2-3] [MQTT5 3.6.2-2] [MQTT5 3.6.2-3] [MQTT5 3.7.2-2] [MQTT5 3.7.2-3]
// [MQTT311 2.3.1-6]
func (m *Machine) sendAck(t mqtt.Type, id uint16, code mqtt.ReasonCode) {
	m.sent = m.now
	a := m.act(SendAck)
	a.AckType, a.AckID, a.Code = t, id, code
}

func (m *Machine) done(t Token, code mqtt.ReasonCode, err error) *Action {
	a := m.act(Done)
	a.Token, a.Code, a.Err = t, code, err
	return a
}

// Receive takes one Control Packet read from the Network Connection. Nothing of p is kept after Drain has returned; a Topic Alias in p is resolved in
// place.
func (m *Machine) Receive(now time.Time, p mqtt.Packet) {
	m.tick(now)
	switch m.state {
	case Disconnected: // what the closed connection still held
		return
	case Connecting:
		m.receiveConnecting(p)
		return
	}
	if m.pinging {
		m.waiting = m.now
	}
	if m.revealsProblem(p) {
		m.violation(mqtt.ProtocolError, "Reason String or User Property in "+p.Type().String()+" though CONNECT asked for none")
		return
	}
	switch p := p.(type) {
	case *mqtt.Publish:
		m.receivePublish(p)
	case *mqtt.Pubrel:
		m.receivePubrel(p)
	case *mqtt.Puback:
		m.receivePuback(p)
	case *mqtt.Pubrec:
		m.receivePubrec(p)
	case *mqtt.Pubcomp:
		m.receivePubcomp(p)
	case *mqtt.Suback:
		m.receiveSuback(p)
	case *mqtt.Unsuback:
		m.receiveUnsuback(p)
	case *mqtt.Pingresp:
		m.pinging = false
	case *mqtt.Disconnect:
		m.receiveDisconnect(p)
	case *mqtt.Auth:
		m.receiveAuth(p)
	default: // [X5 2.1.2-3]
		m.violation(mqtt.ProtocolError, "unexpected "+p.Type().String())
	}
}

// revealsProblem reports whether p breaks Request Problem Information 0. [X5 3.1.2.11.7-3]
func (m *Machine) revealsProblem(p mqtt.Packet) bool {
	if m.connect.RequestProblemInformation.Or(true) {
		return false
	}
	switch p := p.(type) {
	case *mqtt.Puback:
		return p.ReasonString != "" || len(p.UserProperties) > 0
	case *mqtt.Pubrec:
		return p.ReasonString != "" || len(p.UserProperties) > 0
	case *mqtt.Pubrel:
		return p.ReasonString != "" || len(p.UserProperties) > 0
	case *mqtt.Pubcomp:
		return p.ReasonString != "" || len(p.UserProperties) > 0
	case *mqtt.Suback:
		return p.ReasonString != "" || len(p.UserProperties) > 0
	case *mqtt.Unsuback:
		return p.ReasonString != "" || len(p.UserProperties) > 0
	case *mqtt.Auth:
		return p.ReasonString != "" || len(p.UserProperties) > 0
	}
	return false
}
