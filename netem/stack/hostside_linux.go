package stack

import (
	"errors"
	"io"
	"net"
	"os"

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
	return unix.EpollCtl(c.s.g.poller.fd, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: c.s.number,
	})
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

// poller waits for events on the sockets of all splices. It is an epoll instance
// that Go's own poller watches, so that waiting takes no thread.
type poller struct {
	file *os.File
	fd   int
}

func (p *poller) open() error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that the runtime watches it
		return errors.Join(err, unix.Close(fd))
	}
	p.fd, p.file = fd, os.NewFile(uintptr(fd), "epoll")
	return nil
}

// run announces events until the poller is closed.
func (p *poller) run(g *splicer) {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return // it is closed
	}
	events := make([]unix.EpollEvent, 256)
	_ = raw.Read(func(fd uintptr) bool {
		for {
			n, _ := unix.EpollWait(int(fd), events, 0) // an error is EINTR
			for i := range max(n, 0) {
				g.announce(events[i].Fd, pendingOf(events[i].Events))
			}
			// Each event comes once: what happens from here on wakes the runtime's poller up.
			if n >= 0 && n < len(events) {
				return false
			}
		}
	})
}

func pendingOf(events uint32) (p pending) {
	if events&unix.EPOLLIN != 0 {
		p |= targetData
	}
	if events&unix.EPOLLOUT != 0 {
		p |= targetRoom
	}
	if events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		p |= targetOver
	}
	return p
}

func (p *poller) close() { p.file.Close() }
