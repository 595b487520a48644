//go:build unix

package broker

import (
	"io"
	"net"
	"os"
	"syscall"
)

// socket reads and writes a TCP or Unix socket without ever waiting, past net.Conn: a write that would block is noticed and not waited for.
type socket struct {
	raw syscall.RawConn
	fd  int // for read only

	// The arguments and results of the callback, which is made once: a closure per call would allocate.
	onWritable func(fd uintptr) bool
	out        transfer
}

type transfer struct {
	b   []byte
	n   int
	err error
}

// newSocket returns nil if nc is not a socket of the system.
func newSocket(nc net.Conn) *socket {
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nil
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{raw: raw}
	if raw.Control(func(fd uintptr) { s.fd = int(fd) }) != nil {
		return nil
	}
	s.onWritable = func(fd uintptr) bool { return s.out.do(writeNow, "write", fd) }
	return s
}

// read reads what is there, up to the size of b. Nothing there: 0 and no error. Only who closes the socket may call it: it uses the
// descriptor without holding on to it.
func (s *socket) read(b []byte) (int, error) {
	t := transfer{b: b}
	t.do(readNow, "read", uintptr(s.fd))
	switch {
	case t.err == syscall.EAGAIN:
		return 0, nil
	case t.err == nil && t.n == 0:
		return 0, io.EOF
	}
	return t.n, t.err
}

// write writes as much of b as the socket takes. One writer at a time.
func (s *socket) write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	s.out = transfer{b: b}
	err := s.raw.Write(s.onWritable)
	n, writeErr := s.out.n, s.out.err
	s.out = transfer{}
	if err == nil && writeErr != syscall.EAGAIN {
		err = writeErr
	}
	return n, err
}

// do makes the system call once. It returns true always, which tells the runtime not to wait.
func (t *transfer) do(call func(int, []byte) (int, syscall.Errno), name string, fd uintptr) bool {
	n, errno := call(int(fd), t.b)
	for errno == syscall.EINTR {
		n, errno = call(int(fd), t.b)
	}
	switch errno {
	case 0:
		t.n = n
	case syscall.EAGAIN:
		t.err = errno
	default:
		t.err = os.NewSyscallError(name, errno)
	}
	return true
}

// cut ends both directions without closing, so that whoever watches the socket notices and closes it.
func (s *socket) cut() {
	s.raw.Control(func(fd uintptr) { syscall.Shutdown(int(fd), syscall.SHUT_RDWR) })
}
