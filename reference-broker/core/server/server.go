// Package server is the MQTT Server as a sans-I/O machine.
//
// Its owner calls, from one goroutine at a time:
//
//	Open      a Network Connection was accepted
//	Receive   a Control Packet was read from it
//	Malformed bytes came that are no Control Packet
//	Lost      the Network Connection is gone
//	Advance   the time that Deadline named has come
//	Admit     the answer to an Authenticate action
//
// and after each call, or after a batch of calls, Drain, which hands out the [Action] values in the order in which they must be carried out.
// Packets and slices passed in may be reused by the caller once Drain has returned; packets handed out are valid until the callback of Drain
// returns. Between Receive and Drain a packet belongs to the machine.
//
// The mental model is four tables and a clock. A conn is one Network Connection; a session is what outlives it (Subscriptions, unfinished
// exchanges, a queue); a tree of filters leads from a Topic Name to Subscriptions, and a tree of names holds the retained messages. A PUBLISH is
// matched once, its receivers collected, then offered to each Session in turn: sent, queued, or dropped. Whatever waits for time hangs in one
// heap of timers.
//
// # Design
//
// State changes that an acknowledgement promises come before it in the order of actions, so that a store can be put between the two: with
// [Config.Persist] they are Store actions, small records of what changed, and [Machine.Restore] makes of the records a Server that goes on. A message
// is stored once, however many Sessions it waits for. Writing down each Session as a whole was simpler and lost: its cost grows with the queue.
//
// A message is copied only if it must outlive the call: for a queue, for an exchange of a Session that can be resumed or of a Shared
// Subscription, or as a retained message, and then once for all holders. Copies count their holders and are used again after the next Drain; leaving
// them to the garbage collector was simpler and lost by two allocations per message. Everything else points into the caller's packet.
//
// Keep Alive timers are not moved when a packet arrives: the packet's time is noted, and a timer that fires too early is set anew. Moving them
// costs a heap operation per packet.
//
// Nothing that can be seen from outside depends on the order of a Go map; Client Identifiers are assigned from a seeded source. The same calls
// give the same actions.
package server

import (
	"math/rand/v2"
	"time"

	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// ConnID names a Network Connection. The owner chooses it in Open and never uses it twice.
type ConnID uint64

// Machine is the Server's state. It is not safe for concurrent use.
type Machine struct {
	cfg Config
	rng *rand.ChaCha8

	base time.Time     // the first time seen; all others are durations since
	now  time.Duration // of the call in progress
	own  bool          // it is Publish

	conns    map[ConnID]*conn
	sessions map[string]*session
	filters  topic.Tree[subscription]
	groups   map[groupKey]*group
	retained retainedStore
	timers   timers
	messages messagePool
	routing  routing
	out      outbox
	counters Stats

	lastSerial   uint64              // of messages, Sessions and deliveries in the store
	queuedBytes  int                 // of all queues, as TotalQueueBytes counts them
	staleAliases map[string][]string // of clients that are gone, with AliasesNotReset
}

// Transport says what the owner knows of a Network Connection before the first packet.
type Transport struct {
	Remote   string // address for logs and rules; may be empty
	Listener string // name of the listener it came through
	Username string // user proven by the transport (client certificate); empty: none
}

// New returns a Server without connections. The Config is not modified afterwards. Use [Config.Validate] on one that people wrote.
func New(cfg Config) *Machine {
	return &Machine{
		cfg:      cfg.WithDefaults(),
		rng:      rand.NewChaCha8(cfg.Seed),
		conns:    make(map[ConnID]*conn),
		sessions: make(map[string]*session),
		groups:   make(map[groupKey]*group),

		staleAliases: make(map[string][]string),
	}
}

// Open tells of an accepted Network Connection.
func (m *Machine) Open(now time.Time, id ConnID, t Transport) {
	m.tick(now)
	c := &conn{id: id, handshake: &handshake{transport: t}}
	c.timer.owner = c
	m.conns[id] = c
	m.timers.set(&c.timer, m.now+m.cfg.ConnectTimeout)
}

// Receive takes one Control Packet read from conn. Unknown connections are ignored: bytes may arrive after Close.
func (m *Machine) Receive(now time.Time, id ConnID, p mqtt.Packet) {
	c := m.conns[id]
	if c == nil {
		return
	}
	m.tick(now)
	c.lastSeen = m.now
	switch c.state {
	case connected:
		m.dispatch(c, p)
	case awaitConnect:
		connect, ok := p.(*mqtt.Connect)
		if !ok { // [MQTT5 3.1.0-1] [MQTT311 3.1.0-1]
			m.close(c, mqtt.ProtocolError, "the first packet is not CONNECT")
			return
		}
		m.connect(c, connect)
	case authenticating:
		m.hold(c, p)
	}
}

// dispatch acts on a packet of a connection whose CONNECT was accepted.
func (m *Machine) dispatch(c *conn, p mqtt.Packet) {
	switch p := p.(type) {
	case *mqtt.Publish:
		m.publish(c, p)
	case *mqtt.Puback:
		m.puback(c, (*mqtt.Ack)(p))
	case *mqtt.Pubrec:
		m.pubrec(c, (*mqtt.Ack)(p))
	case *mqtt.Pubrel:
		m.pubrel(c, (*mqtt.Ack)(p))
	case *mqtt.Pubcomp:
		m.pubcomp(c, (*mqtt.Ack)(p))
	case *mqtt.Subscribe:
		m.subscribe(c, p)
	case *mqtt.Unsubscribe:
		m.unsubscribe(c, p)
	case *mqtt.Pingreq:
		m.ping(c)
	case *mqtt.Disconnect:
		m.disconnect(c, p)
	case *mqtt.Auth:
		m.reauthenticate(c, p)
	case *mqtt.Connect: // [MQTT5 3.1.0-2] [MQTT311 3.1.0-2]
		m.fail(c, mqtt.ProtocolError, "second CONNECT")
	default: // [X5 2.1.2-2]
		m.fail(c, mqtt.ProtocolError, "packet that only a Server sends")
	}
}

// Malformed tells that bytes came on conn that are no Control Packet; code is MalformedPacket, PacketTooLarge or what else the codec says. For a
// CONNECT whose version is known, use MalformedConnect.
func (m *Machine) Malformed(now time.Time, id ConnID, code mqtt.ReasonCode) {
	c := m.conns[id]
	if c == nil {
		return
	}
	m.tick(now)
	// [MQTT5 4.13.1-1] [X5 4.13.1-1] [MQTT311 4.8.0-1]
	m.fail(c, code, "malformed packet")
}

// MalformedConnect tells that conn began with a CONNECT of version v that is not valid, so that a client of 5.0 can be told why.
func (m *Machine) MalformedConnect(now time.Time, id ConnID, v mqtt.Version, code mqtt.ReasonCode) {
	if c := m.conns[id]; c != nil && c.state == awaitConnect {
		c.version = v
	}
	m.Malformed(now, id, code)
}

// Lost tells that conn is gone without DISCONNECT having been handled. Unknown connections are ignored.
func (m *Machine) Lost(now time.Time, id ConnID) {
	c := m.conns[id]
	if c == nil {
		return
	}
	m.tick(now)
	m.note(Event{Kind: ConnectionLost, Conn: id, Client: c.clientID()})
	m.forget(c)
}

// Disconnect closes conn for a reason of the owner's: ServerShuttingDown, AdministrativeAction, QuotaExceeded, UseAnotherServer and the like.
// reference is the Server Reference; empty: none.
func (m *Machine) Disconnect(now time.Time, id ConnID, code mqtt.ReasonCode, reference string) {
	c := m.conns[id]
	if c == nil {
		return
	}
	m.tick(now)
	m.refuse(c, refusal{code: code, reference: reference})
}

// Publish sends a message of the Server's own, such as one of the $SYS topics, to its subscribers and keeps it if it is retained, but not over
// a restart: what a Server says of itself ends with it. It passes no access rules. The Topic Name must be valid.
func (m *Machine) Publish(now time.Time, p *mqtt.Publish) {
	m.tick(now)
	m.own = true
	m.accept(p, nil)
	m.own = false
}

// Deadline returns when Advance wants to be called next; ok is false if nothing waits for time.
func (m *Machine) Deadline() (t time.Time, ok bool) {
	at, ok := m.timers.next()
	if !ok {
		return time.Time{}, false
	}
	return m.base.Add(at), true
}

// Advance does what is due at now: Keep Alive, Will Delay, Session Expiry and the expiry of retained messages. Queued messages expire when
// their turn comes.
func (m *Machine) Advance(now time.Time) {
	m.tick(now)
	for {
		owner := m.timers.due(m.now)
		if owner == nil {
			return
		}
		owner.due(m)
	}
}

// tick sets the machine's clock; one that runs backwards stands still.
func (m *Machine) tick(now time.Time) {
	if m.base.IsZero() {
		m.base = now
	}
	m.now = max(m.now, now.Sub(m.base))
}
