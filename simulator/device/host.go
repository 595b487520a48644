package device

import (
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"

	core "mqttlab/reference-broker/core/client"
)

// Host is where one device lives.
type Host interface {
	// Now returns the time on the host's clock.
	Now() time.Time
	// Open starts a connection to the target. h.Opened or h.Closed follows, never before Open has returned. After an error neither does.
	Open(h Handler) error
	// NewTimer returns a stopped timer that will call f on the host's event loop.
	NewTimer(f func()) Timer
	// Vanish takes the device off the network without a word to the target, which keeps its half of the connections. Their Handlers are not called any more.
	// Open may not be called until Return.
	Vanish()
	Return()
	// SetDark makes all that is sent to or from the device vanish on the way, or not any more. Nobody is told.
	SetDark(dark bool)
}

// Conn is an open connection.
type Conn interface {
	// Send queues bytes and returns how many it took: fewer than given when its buffer is full, in which case Writable follows.
	Send(p []byte) int
	// Close ends the connection in order: what was taken is still sent. Its Handler is not called again.
	Close()
	// Abort ends the connection with a reset. Its Handler is not called again.
	Abort()
}

// Handler is told what happens to one connection.
type Handler interface {
	// Opened: the connection is established.
	Opened(c Conn)
	// Received: bytes have arrived; they are valid during the call only.
	Received(p []byte)
	// Writable: there is room again after a Send that took less than it was given.
	Writable()
	// Closed: the connection is over or could not be opened. It is the last call for it.
	Closed(err error)
}

// Timer calls a function at a time. Setting it again replaces the earlier time.
type Timer interface {
	Set(at time.Time)
	Stop() bool
}

// Scratch is what the devices of one event loop share, so that an idle device holds no buffers. Make one per loop with NewScratch.
type Scratch struct {
	decoder *wire.Decoder
	packets []mqtt.Packet
	out     []byte
	ack     mqtt.Ack
	free    []*message

	// The device whose actions are being carried out, and at what time. drain is made once: a new closure per call would be an allocation per
	// message.
	current *endpoint
	now     time.Time
	drain   func(*core.Action)
}

// NewScratch returns a Scratch for one event loop.
func NewScratch() *Scratch {
	s := &Scratch{decoder: wire.NewDecoder(wire.FromServer)}
	s.drain = func(a *core.Action) { s.current.act(s.now, a) }
	return s
}

// message is a PUBLISH in a device's hands. It is used again once the device is done with it.
type message struct {
	mqtt.Publish
	sequence uint32
}

// keptMessages bounds the free messages of a loop.
const keptMessages = 4096

func (s *Scratch) newMessage() *message {
	n := len(s.free)
	if n == 0 {
		return &message{}
	}
	m := s.free[n-1]
	s.free = s.free[:n-1]
	return m
}

func (s *Scratch) recycle(m *message) {
	if len(s.free) < keptMessages {
		s.free = append(s.free, m)
	}
}
