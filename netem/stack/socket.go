package stack

import (
	"errors"
	"io"
	"sync/atomic"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// Handler is told what happens to one socket. The event loop calls it, never two
// calls at a time; it must not block. In the calls it may use the socket, open
// others, and set timers.
type Handler interface {
	// Opened: the connection is established. Not called for sockets of a
	// listener, which are open from the start.
	Opened(s *Socket)
	// Readable: bytes have arrived. Receive until it returns 0; what is left
	// unread is not announced again, and holds the sender back.
	Readable(s *Socket)
	// Writable: after a Send that accepted less than it was given, there is
	// room again.
	Writable(s *Socket)
	// Closed: the connection is over, for any reason but Close, Abort or
	// PowerOff on this side. It is the last call for the socket. The error is
	// io.EOF when the peer closed and everything was read, otherwise it
	// matches a syscall.Errno: ECONNREFUSED, ECONNRESET, ETIMEDOUT and the
	// like. Calling Close then is allowed and does nothing.
	Closed(s *Socket, err error)
}

// Socket is one end of a TCP connection, driven by events.
type Socket struct {
	// UserData belongs to the user.
	UserData any

	n       *Network
	device  *Device // nil on the side of a listener
	ep      tcpip.Endpoint
	queue   *waiter.Queue
	own     waiter.Queue // what queue points to for opened sockets
	waiting waiter.Entry
	handler Handler
	number  uint64        // order of creation: order of callbacks in one instant
	pending atomic.Uint64 // waiter.EventMask not yet handled; nonzero while in n.ready

	opened, wantWrite, eof, dead bool
	failure                      tcpip.Error // from Send or Receive, reported by end

	accept func(*Socket) Handler // of a listener, which is a Socket that only accepts
}

// Send queues bytes for sending and returns how many were accepted: fewer than
// given when the send buffer is full, in which case Writable follows, and 0 on a
// connection that is not open.
func (s *Socket) Send(p []byte) int {
	if s.dead || !s.opened {
		return 0
	}
	sent := 0
	for sent < len(p) {
		s.n.source.Reset(p[sent:])
		k, err := s.ep.Write(&s.n.source, tcpip.WriteOptions{})
		sent += int(k)
		if err != nil || k == 0 {
			s.note(err)
			s.wantWrite = true
			break
		}
	}
	return sent
}

// Receive moves arrived bytes to p and returns how many, or 0 when there are none
// (now or any more).
func (s *Socket) Receive(p []byte) int {
	if s.dead || len(p) == 0 {
		return 0
	}
	s.n.sink = p
	r, err := s.ep.Read(&s.n.sink, tcpip.ReadOptions{})
	s.n.sink = nil
	if _, over := err.(*tcpip.ErrClosedForReceive); over && !s.eof {
		s.eof = true
		s.notify(waiter.EventRdHUp)
	}
	s.note(err)
	return r.Count
}

// note keeps an error that TCP tells only once, for Closed.
func (s *Socket) note(err tcpip.Error) {
	switch err.(type) {
	case nil, *tcpip.ErrWouldBlock, *tcpip.ErrClosedForReceive, *tcpip.ErrClosedForSend:
	default:
		if s.failure == nil {
			s.failure = err
		}
	}
}

// watch starts taking note of events on the endpoint.
func (s *Socket) watch() {
	s.n.sockets++
	s.number = s.n.sockets
	s.waiting.Init((*listener)(s), socketEvents)
	s.queue.EventRegister(&s.waiting)
}

// retransmissions returns how often this end has sent a segment again.
func (s *Socket) retransmissions() uint64 {
	stats, ok := s.ep.Stats().(*tcp.Stats)
	if !ok {
		return 0
	}
	return stats.SendErrors.Retransmits.Value()
}

// Close ends the connection in order: what was accepted is still sent, then a
// FIN. The socket is dead at once and its Handler is not called again.
func (s *Socket) Close() {
	if s.detach() {
		s.ep.Close()
	}
}

// Abort ends the connection with a reset, as a crashed program does.
func (s *Socket) Abort() {
	if s.detach() {
		s.ep.Abort()
	}
}

// Device returns the device the socket belongs to, or nil for a socket of a
// listener.
func (s *Socket) Device() *Device { return s.device }

// detach makes the socket dead, once.
func (s *Socket) detach() bool {
	if s.dead {
		return false
	}
	s.dead = true
	s.queue.EventUnregister(&s.waiting)
	if s.device != nil {
		s.device.forget(s)
	}
	return true
}

// listener is Socket as seen by gVisor's wait queues.
type listener Socket

// NotifyEvent runs on any goroutine with locks of TCP held: it only takes note.
func (l *listener) NotifyEvent(mask waiter.EventMask) { (*Socket)(l).notify(mask) }

func (s *Socket) notify(mask waiter.EventMask) {
	if s.pending.Or(uint64(mask)) != 0 {
		return
	}
	s.n.mu.Lock()
	s.n.ready = append(s.n.ready, s)
	s.n.wakeLocked(0)
	s.n.mu.Unlock()
}

const socketEvents = waiter.ReadableEvents | waiter.WritableEvents | waiter.EventErr | waiter.EventHUp | waiter.EventRdHUp

// handle tells the Handler what has happened since the last call. The socket may
// die in any of the calls.
func (s *Socket) handle() {
	mask := waiter.EventMask(s.pending.Swap(0))
	if s.dead {
		return
	}
	state := tcp.EndpointState(s.ep.State())
	failed := state == tcp.StateError || state == tcp.StateClose
	if !s.opened && !failed && mask&waiter.WritableEvents != 0 {
		s.opened = true
		s.handler.Opened(s)
	}
	if !s.dead && s.opened && mask&(waiter.ReadableEvents|waiter.EventHUp) != 0 {
		s.handler.Readable(s)
	}
	if !s.dead && s.wantWrite && mask&waiter.WritableEvents != 0 {
		s.wantWrite = false
		s.handler.Writable(s)
	}
	if !s.dead && (failed || s.eof) {
		s.end(failed)
	}
}

// end reports the end of a connection and gives the endpoint back.
func (s *Socket) end(failed bool) {
	err := io.EOF
	if failed && !s.eof {
		s.note(s.ep.LastError())
		if s.failure == nil {
			_, readErr := s.ep.Read(io.Discard, tcpip.ReadOptions{})
			s.note(readErr)
		}
		err = connectionError(s.failure)
	}
	s.handler.Closed(s, err)
	s.Close()
}

// connectionError maps what gVisor calls an error to what the system calls it.
func connectionError(err tcpip.Error) error {
	switch err.(type) {
	case nil:
		return syscall.ECONNABORTED
	case *tcpip.ErrConnectionRefused:
		return syscall.ECONNREFUSED
	case *tcpip.ErrConnectionReset:
		return syscall.ECONNRESET
	case *tcpip.ErrConnectionAborted, *tcpip.ErrAborted:
		return syscall.ECONNABORTED
	case *tcpip.ErrTimeout:
		return syscall.ETIMEDOUT
	case *tcpip.ErrHostUnreachable:
		return syscall.EHOSTUNREACH
	case *tcpip.ErrNetworkUnreachable:
		return syscall.ENETUNREACH
	case *tcpip.ErrNoPortAvailable, *tcpip.ErrPortInUse:
		return syscall.EADDRINUSE
	}
	return errors.New(err.String())
}
