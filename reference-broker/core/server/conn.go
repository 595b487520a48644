package server

import (
	"time"

	"mqttlab/reference-broker/mqtt"
)

type connState uint8

const (
	awaitConnect connState = iota
	authenticating
	connected
)

// conn is one Network Connection.
type conn struct {
	id      ConnID
	session *session // nil until CONNECT is accepted
	timer   timer    // until connected: ConnectTimeout; then Keep Alive
	state   connState
	version mqtt.Version // 0 until CONNECT
	// noProblemInfo: the client wants no Reason Strings and User Properties outside CONNACK, DISCONNECT and PUBLISH.
	noProblemInfo bool
	window        uint16        // messages that may be unacknowledged: the client's Receive Maximum, or less
	maxPacket     uint32        // the client's Maximum Packet Size; 0: none
	lastSeen      time.Duration // when a packet came last
	patience      time.Duration // one and a half times the Keep Alive; 0: for ever
	will          *will         // nil: none
	aliases       *aliases      // nil: none allowed in either direction
	auth          *exchange     // nil: no enhanced authentication
	handshake     *handshake    // nil once connected
}

// handshake is what a connection needs until its CONNECT is accepted.
type handshake struct {
	transport Transport
	connect   *mqtt.Connect // a copy, while the owner decides on it
	assigned  bool          // the Client Identifier was assigned
	held      []mqtt.Packet
	heldBytes int
}

// clientID returns the Client Identifier, empty before CONNECT.
func (c *conn) clientID() string {
	switch {
	case c.session != nil:
		return c.session.id
	case c.handshake != nil && c.handshake.connect != nil:
		return c.handshake.connect.ClientID
	}
	return ""
}

// refusal is why the Server ends a connection or does not accept one.
type refusal struct {
	code       mqtt.ReasonCode
	why        string // becomes the Reason String, if the operator wants those
	reference  string // Server Reference
	properties []mqtt.UserProperty
}

// fail ends a connection because of what the client did.
func (m *Machine) fail(c *conn, code mqtt.ReasonCode, why string) {
	m.refuse(c, refusal{code: code, why: why})
}

// refuse ends a connection: with CONNACK before it is accepted and DISCONNECT afterwards, where the version has the words for it.
func (m *Machine) refuse(c *conn, r refusal) {
	if c.state != connected {
		m.refuseConnect(c, r)
		return
	}
	// [MQTT5 3.14.0-1] [X5 4.13.1-1]; 3.1 and 3.1.1 have no DISCONNECT from the Server.
	if c.version == mqtt.V5 {
		p := &mqtt.Disconnect{ReasonCode: r.code, ServerReference: r.reference, UserProperties: r.properties}
		if m.cfg.ReasonStrings {
			p.ReasonString = r.why
		}
		if m.fitDisconnect(c, p) {
			m.send(c, p)
		}
	}
	m.close(c, r.code, r.why)
}

// close ends a connection; other Sessions do not notice but for its Will Message. [X5 4.13.1-3] [MQTT5 3.14.4-1] [MQTT5 3.14.4-2]
func (m *Machine) close(c *conn, code mqtt.ReasonCode, why string) {
	m.note(Event{Kind: ClientClosed, Conn: c.id, Client: c.clientID(), Code: code, Detail: why})
	// [MQTT5 4.13.1-1] [MQTT5 4.13.2-1] [MQTT311 4.8.0-1]
	m.out.close(c.id)
	m.forget(c)
}

// forget does what the end of a Network Connection brings: the Will Message, and the end of the Session or the beginning of its expiry.
func (m *Machine) forget(c *conn) {
	delete(m.conns, c.id)
	m.timers.stop(&c.timer)
	s := c.session
	if s == nil {
		return
	}
	if c.aliases != nil && m.cfg.Deviations.Has(AliasesNotReset) {
		m.staleAliases[s.id] = c.aliases.in
	}
	c.session = nil
	if s.conn != c { // another connection has the Session: only with NoTakeOver
		return
	}
	s.conn = nil
	m.leaveWill(s, c)
	m.offline(s)
}

// due implements what the timer of a connection waits for.
func (c *conn) due(m *Machine) {
	if c.state != connected {
		// [X5 3.1.4-1] [MQTT311 3.1.4 non-normative]
		m.close(c, mqtt.MaximumConnectTime, "no CONNECT was accepted in time")
		return
	}
	m.keepAlive(c)
}
