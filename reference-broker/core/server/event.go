package server

import "mqttlab/reference-broker/mqtt"

// EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	ClientConnected    EventKind = iota + 1 // CONNECT accepted; Resumed tells of a Session that was found
	ClientRefused                           // CONNECT refused with Code
	ClientDisconnected                      // the client sent DISCONNECT with Code
	ClientClosed                            // the Server closed the connection for Code
	ConnectionLost                          // the Network Connection ended without DISCONNECT
	SessionEnded                            // expired, replaced by Clean Start, or ended with its connection
	WillPublished                           // on Topic
	MessageDropped                          // for Client, because of Code: PacketTooLarge, QuotaExceeded (queue full); or of Client, refused with Code
	LimitReached                            // Detail names the limit of Config
)

// Event is something that happened, for logs, metrics and accounts.
type Event struct {
	Kind    EventKind
	Conn    ConnID // 0: none
	Client  string // Client Identifier; empty before CONNECT
	Code    mqtt.ReasonCode
	Topic   string
	Detail  string // constant text: the rule that was broken, the limit that was reached
	Resumed bool
}

var eventNames = [...]string{
	"no event", "client connected", "client refused", "client disconnected", "client closed", "connection lost", "session ended", "will published",
	"message dropped", "limit reached",
}

// String returns the event's name in lower case, fit for a log message.
func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return "unknown event"
}

// Stats are counts of what the machine holds now, and of messages since New.
type Stats struct {
	Connections      int
	Sessions         int // connected or not
	Subscriptions    int
	RetainedMessages int
	RetainedBytes    int // topic and payload
	Queued           int // messages that wait for a Session

	Received  [3]Traffic // PUBLISH packets accepted from clients, by QoS
	Delivered [3]Traffic // PUBLISH packets to clients, sent first, by QoS
	Resent    uint64     // PUBLISH packets to clients, sent again
	Dropped   uint64     // messages dropped for a receiver: queue full, too large, expired
}

// Traffic counts messages and the bytes of their payloads.
type Traffic struct{ Messages, Bytes uint64 }

func (t *Traffic) add(p *mqtt.Publish) {
	t.Messages++
	t.Bytes += uint64(len(p.Payload))
}

// Stats returns the counts. It is cheap.
func (m *Machine) Stats() Stats {
	s := m.counters
	s.Connections, s.Sessions = len(m.conns), len(m.sessions)
	s.RetainedMessages, s.RetainedBytes = m.retained.names.Len(), m.retained.bytes
	return s
}
