package secure

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"mqttlab/simulator/device"
)

// errClosed ends what the Layer's Close ends.
var errClosed = errors.New("the fleet is over")

// handshakeTimeout is what a target may take for its part; the standard names no limit.
const handshakeTimeout = 30 * time.Second

// mostUnsent is how much ciphertext may wait before the device is told to wait.
const mostUnsent = 64 << 10

// session is one connection: a Handler to the host below, a Conn to the device, and a net.Conn to crypto/tls.
type session struct {
	host *host
	up   device.Handler
	tls  *tls.Conn

	// Of the device's loop.
	below   device.Conn
	dead    bool // the device is told nothing more
	starved bool // a Send took less than it was given

	mu    sync.Mutex // a leaf
	some  sync.Cond  // in or ended has changed
	in    []byte     // ciphertext that has come
	out   []byte     // ciphertext that has to go
	ended error      // nothing more will come
}

func newSession(h *host, up device.Handler) *session {
	s := &session{host: h, up: up}
	s.some.L = &s.mu
	return s
}

// Opened implements device.Handler.
func (s *session) Opened(below device.Conn) {
	if s.dead || !s.host.layer.begin(s) {
		below.Abort()
		return
	}
	s.below = below
	s.tls = tls.Client(pipe{s}, s.host.layer.cfg)
	go s.run()
}

// Received implements device.Handler.
func (s *session) Received(p []byte) {
	s.mu.Lock()
	s.in = append(s.in, p...)
	s.mu.Unlock()
	s.some.Signal()
}

// Writable implements device.Handler.
func (s *session) Writable() {
	s.flush()
	if s.starved && !s.dead && s.waiting() < mostUnsent {
		s.starved = false
		s.up.Writable()
	}
}

// Closed implements device.Handler.
func (s *session) Closed(err error) {
	if s.tls == nil {
		s.tell(err)
		return
	}
	s.end(err) // what has come before is still read
}

// tell is the last that the device hears.
func (s *session) tell(err error) {
	if !s.dead {
		s.dead = true
		s.up.Closed(err)
	}
}

// end tells the reader that nothing more will come. Any goroutine may call it.
func (s *session) end(err error) {
	s.mu.Lock()
	if s.ended == nil {
		s.ended = err
	}
	s.mu.Unlock()
	s.some.Broadcast()
}

// drop ends a connection of which the device wants to hear no more.
func (s *session) drop() {
	s.dead = true
	s.end(errClosed)
}

// run does the handshake and reads. It is the connection's goroutine.
func (s *session) run() {
	defer s.host.layer.done(s)
	limit := time.AfterFunc(handshakeTimeout, func() { s.end(os.ErrDeadlineExceeded) })
	err := s.tls.Handshake()
	limit.Stop()
	if err != nil {
		s.fail(fmt.Errorf("TLS handshake: %w", s.cause(err)))
		return
	}
	s.host.do(func() {
		s.flush()
		if !s.dead {
			s.up.Opened(s)
		}
	})
	var buffer [2 << 10]byte
	for {
		n, err := s.tls.Read(buffer[:])
		if n > 0 {
			p := bytes.Clone(buffer[:n])
			s.host.do(func() {
				if !s.dead {
					s.up.Received(p)
				}
			})
		}
		if err != nil {
			s.fail(s.cause(err))
			return
		}
	}
}

// cause is why nothing more came, where TLS sees an unexpected end.
func (s *session) cause(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return s.ended
	}
	return err
}

// fail ends the connection because of what the reader has found.
func (s *session) fail(err error) {
	if errors.Is(err, errClosed) {
		return
	}
	s.host.do(func() {
		s.flush() // an alert
		if !s.dead {
			s.below.Close()
		}
		s.tell(err)
	})
}

// flush hands ciphertext down.
func (s *session) flush() {
	s.mu.Lock()
	out := s.out
	s.out = nil
	s.mu.Unlock()
	n := 0
	if len(out) > 0 && !s.dead {
		n = s.below.Send(out)
	}
	if n < len(out) {
		s.mu.Lock()
		s.out = append(out[n:], s.out...)
		s.mu.Unlock()
	}
}

func (s *session) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.out)
}

// Send implements device.Conn.
func (s *session) Send(p []byte) int {
	if s.dead {
		return 0
	}
	if s.waiting() >= mostUnsent {
		s.starved = true
		return 0
	}
	n, err := s.tls.Write(p)
	s.flush()
	if err != nil {
		return n // it shows when reading, too
	}
	return n
}

// Close implements device.Conn.
func (s *session) Close() {
	if s.dead {
		return
	}
	// close_notify; an error means that there is nobody to tell.
	_ = s.tls.CloseWrite()
	s.flush()
	s.below.Close()
	s.drop()
}

// Abort implements device.Conn.
func (s *session) Abort() {
	if s.dead {
		return
	}
	s.below.Abort()
	s.drop()
}

// pipe is the net.Conn under crypto/tls.
type pipe struct{ s *session }

// Read waits for ciphertext. Only the connection's goroutine reads, so this is also where what TLS itself wrote before is sent.
func (p pipe) Read(b []byte) (int, error) {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out) > 0 {
		s.mu.Unlock()
		s.host.do(s.flush)
		s.mu.Lock()
	}
	for len(s.in) == 0 {
		if s.ended != nil {
			return 0, io.EOF
		}
		s.some.Wait()
	}
	n := copy(b, s.in)
	if s.in = s.in[n:]; len(s.in) == 0 {
		s.in = nil
	}
	return n, nil
}

// Write never waits: what it takes is bounded by Send.
func (p pipe) Write(b []byte) (int, error) {
	p.s.mu.Lock()
	p.s.out = append(p.s.out, b...)
	p.s.mu.Unlock()
	return len(b), nil
}

func (p pipe) Close() error                     { return nil }
func (p pipe) LocalAddr() net.Addr              { return nil }
func (p pipe) RemoteAddr() net.Addr             { return nil }
func (p pipe) SetDeadline(time.Time) error      { return nil }
func (p pipe) SetReadDeadline(time.Time) error  { return nil }
func (p pipe) SetWriteDeadline(time.Time) error { return nil }
