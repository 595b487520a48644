package transport

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// PipeBuffer is how many bytes each direction of a [Pipe] holds before writers wait: about what a socket holds.
const PipeBuffer = 64 << 10

// Pipe returns the two ends of a connection in memory. Other than with net.Pipe a write does not wait for a read until PipeBuffer bytes are on the
// way, and closing one end lets the other read what was written before, as with TCP. Both ends work inside a testing/synctest bubble and are safe for
// concurrent use.
func Pipe() (net.Conn, net.Conn) {
	ab, ba := newStream(), newStream()
	return &pipeEnd{in: ba, out: ab}, &pipeEnd{in: ab, out: ba}
}

type pipeEnd struct {
	in, out *stream
}

func (p *pipeEnd) Read(b []byte) (int, error)  { return p.in.read(b) }
func (p *pipeEnd) Write(b []byte) (int, error) { return p.out.write(b) }

// Close ends both directions.
func (p *pipeEnd) Close() error {
	p.out.end(false)
	p.in.end(true)
	return nil
}

// CloseWrite ends the direction away from this end: the other reads what is left and then io.EOF.
func (p *pipeEnd) CloseWrite() error {
	p.out.end(false)
	return nil
}

func (p *pipeEnd) LocalAddr() net.Addr  { return memoryAddr{} }
func (p *pipeEnd) RemoteAddr() net.Addr { return memoryAddr{} }

func (p *pipeEnd) SetDeadline(t time.Time) error {
	p.in.setDeadline(&p.in.readBy, t)
	p.out.setDeadline(&p.out.writeBy, t)
	return nil
}

func (p *pipeEnd) SetReadDeadline(t time.Time) error {
	p.in.setDeadline(&p.in.readBy, t)
	return nil
}

func (p *pipeEnd) SetWriteDeadline(t time.Time) error {
	p.out.setDeadline(&p.out.writeBy, t)
	return nil
}

type memoryAddr struct{}

func (memoryAddr) Network() string { return "mem" }
func (memoryAddr) String() string  { return "mem" }

// stream is one direction. mu guards all fields; changed is signalled whenever any of them changes.
type stream struct {
	mu      sync.Mutex
	changed sync.Cond
	buf     []byte
	ended   bool // the writer is done
	refused bool // the reader is done
	readBy  deadline
	writeBy deadline
}

type deadline struct {
	t     time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.t.IsZero() && !time.Now().Before(d.t) }

func newStream() *stream {
	s := &stream{}
	s.changed.L = &s.mu
	return s
}

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.refused:
			return 0, net.ErrClosed
		case s.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(s.buf) > 0 || len(b) == 0:
			n := copy(b, s.buf)
			s.buf = append(s.buf[:0], s.buf[n:]...)
			if len(s.buf) == 0 {
				s.buf = nil // an idle connection holds no memory
			}
			s.changed.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

func (s *stream) write(b []byte) (written int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.ended:
			return written, net.ErrClosed
		case s.refused:
			return written, io.ErrClosedPipe
		case s.writeBy.passed():
			return written, os.ErrDeadlineExceeded
		case len(b) == 0:
			return written, nil
		}
		if room := PipeBuffer - len(s.buf); room > 0 {
			n := min(room, len(b))
			s.buf = append(s.buf, b[:n]...)
			b, written = b[n:], written+n
			s.changed.Broadcast()
			continue
		}
		s.changed.Wait()
	}
}

// end marks one side as done; a reader that is done throws away what was not read.
func (s *stream) end(reader bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reader {
		s.refused, s.buf = true, nil
		s.readBy.stop()
	} else {
		s.ended = true
		s.writeBy.stop()
	}
	s.changed.Broadcast()
}

func (s *stream) setDeadline(d *deadline, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.stop()
	d.t = t
	if !t.IsZero() {
		d.timer = time.AfterFunc(time.Until(t), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.changed.Broadcast()
		})
	}
	s.changed.Broadcast()
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
