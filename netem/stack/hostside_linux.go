package stack

import (
	"errors"
	"io"
	"net"

	"golang.org/x/sys/unix"
)

// socketSide is the hostSide of a TCP connection of the host: no more than its
// file descriptor, which it owns.
type socketSide struct {
	s  *splice
	fd int
}

// hostSideOf takes a connection over, also when it fails. A TCP connection leaves
// Go's runtime, which would keep a kilobyte for it and wake up for it a second time.
func hostSideOf(c net.Conn, s *splice) (hostSide, error) {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return newConnSide(c, s), nil
	}
	defer c.Close()
	raw, err := t.SyscallConn()
	if err != nil {
		return nil, err
	}
	side := &socketSide{s: s}
	var dupErr error
	err = raw.Control(func(fd uintptr) { side.fd, dupErr = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err = errors.Join(err, dupErr); err != nil {
		return nil, err
	}
	return side, nil
}

func (c *socketSide) watch() error {
	return c.s.g.n.sleeper.watch(c.fd, c.s.number)
}

func (c *socketSide) read(p []byte) (int, error) {
	n, err := again(unix.Read, c.fd, p)
	if err == nil && n == 0 {
		return 0, io.EOF
	}
	return max(n, 0), ignoring(err)
}

func (c *socketSide) write(p []byte) (int, error) {
	n, err := again(unix.Write, c.fd, p)
	return max(n, 0), ignoring(err)
}

// again calls f until no signal interrupts it.
func again(f func(int, []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		if n, err := f(fd, p); err != unix.EINTR {
			return n, err
		}
	}
}

// ignoring takes waiting for no error.
func ignoring(err error) error {
	if err == unix.EAGAIN {
		return nil
	}
	return err
}

func (c *socketSide) closeWrite() error {
	_ = unix.Shutdown(c.fd, unix.SHUT_WR) // an error shows on the other direction too
	return nil
}

func (c *socketSide) close() { _ = unix.Close(c.fd) }

func (c *socketSide) reset() {
	_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_ = unix.Close(c.fd)
}
