package load

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// loop is all clients and the one thread that plays them.
type loop struct {
	to      syscall.SockaddrInet4
	epoll   int
	ticker  int     // 0: none
	lines   []*line // by file descriptor
	events  [512]syscall.EpollEvent
	buf     [256 << 10]byte
	stirred []*line // have something to write or to publish
	err     error   // the first mistake; everything stops

	pubs      []*publisher // by their number
	delivered uint64
	acked     uint64
	lost      uint64
}

// line is one connection.
type line struct {
	loop    *loop
	name    string
	fd      int
	out     []byte // to be written
	rest    []byte // the beginning of a packet
	blocked bool   // the socket takes no more for now
	stirred bool
	closed  bool
	pub     *publisher                          // nil: publishes nothing
	take    func(l *line, first byte, b []byte) // gets each packet's first byte and body
	end     func(l *line)                       // the broker has closed; nil: that is a mistake
	arrived func(p *publisher, stamp uint64)    // a message of p came; nil: it is only counted
	entered bool                                // CONNACK came
	subacks int
}

func newLoop(at netip.AddrPort) (*loop, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	return &loop{epoll: fd, to: syscall.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}}, nil
}

// close closes all connections.
func (lp *loop) close() {
	for _, l := range lp.lines {
		if l != nil {
			l.close()
		}
	}
	syscall.Close(lp.epoll)
	if lp.ticker > 0 {
		syscall.Close(lp.ticker)
	}
}

func (lp *loop) fail(format string, args ...any) {
	if lp.err == nil {
		lp.err = fmt.Errorf(format, args...)
	}
}

// dial begins to connect and returns at once; nil after a mistake.
func (lp *loop) dial(name string) *line {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		lp.fail("socket for %s: %w", name, err)
		return nil
	}
	err = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	if err == nil {
		err = syscall.Connect(fd, &lp.to)
	}
	if err != nil && err != syscall.EINPROGRESS {
		syscall.Close(fd)
		lp.fail("connect %s: %w", name, err)
		return nil
	}
	return lp.adopt(name, fd)
}

// adopt makes a line of a connected socket.
func (lp *loop) adopt(name string, fd int) *line {
	l := &line{loop: lp, name: name, fd: fd, take: converse}
	if n := fd + 1 - len(lp.lines); n > 0 {
		lp.lines = append(lp.lines, make([]*line, n)...)
	}
	lp.lines[fd] = l
	l.watch(syscall.EPOLL_CTL_ADD, syscall.EPOLLIN)
	return l
}

func (l *line) watch(op int, events uint32) {
	if err := syscall.EpollCtl(l.loop.epoll, op, l.fd, &syscall.EpollEvent{Events: events, Fd: int32(l.fd)}); err != nil {
		l.loop.fail("watch %s: %w", l.name, err)
	}
}

func (l *line) close() {
	if !l.closed {
		l.closed = true
		l.loop.lines[l.fd] = nil
		syscall.Close(l.fd)
	}
}

// stir has the loop look after l at the end of the turn.
func (l *line) stir() {
	if !l.stirred {
		l.stirred = true
		l.loop.stirred = append(l.loop.stirred, l)
	}
}

// turn waits for input, at most for so long, takes all of it, and writes what follows from it.
func (lp *loop) turn(wait time.Duration) error {
	n, err := syscall.EpollWait(lp.epoll, lp.events[:], int(wait.Milliseconds()))
	if err != nil && err != syscall.EINTR {
		return os.NewSyscallError("epoll_wait", err)
	}
	for _, e := range lp.events[:max(n, 0)] {
		if int(e.Fd) >= len(lp.lines) || lp.lines[e.Fd] == nil {
			continue // closed in this turn, or the ticker
		}
		l := lp.lines[e.Fd]
		if e.Events&syscall.EPOLLOUT != 0 {
			l.blocked = false
			l.watch(syscall.EPOLL_CTL_MOD, syscall.EPOLLIN)
			l.stir()
		}
		if e.Events&^syscall.EPOLLOUT != 0 {
			l.read()
		}
	}
	lp.settle()
	return lp.err
}

// settle refills windows and writes.
func (lp *loop) settle() {
	for i := 0; i < len(lp.stirred); i++ {
		l := lp.stirred[i]
		l.stirred = false
		if l.pub != nil {
			l.pub.refill()
		}
		l.flush()
	}
	lp.stirred = lp.stirred[:0]
}

func (l *line) flush() {
	for len(l.out) > 0 && !l.blocked && !l.closed {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(l.fd), uintptr(unsafe.Pointer(&l.out[0])), uintptr(len(l.out)))
		switch errno {
		case 0:
			l.out = l.out[:copy(l.out, l.out[n:])]
		case syscall.EAGAIN, syscall.ENOTCONN:
			l.blocked = true
			l.watch(syscall.EPOLL_CTL_MOD, syscall.EPOLLIN|syscall.EPOLLOUT)
		default:
			l.ended(errno)
		}
	}
}

func (l *line) read() {
	lp := l.loop
	have := copy(lp.buf[:], l.rest)
	free := lp.buf[have:]
	if len(free) == 0 {
		lp.fail("%s: a packet of more than %d bytes came", l.name, len(lp.buf))
		return
	}
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(l.fd), uintptr(unsafe.Pointer(&free[0])), uintptr(len(free)))
	if errno == syscall.EAGAIN {
		return
	}
	if errno != 0 || n == 0 {
		l.ended(errno)
		return
	}
	b := lp.buf[:have+int(n)]
	for !l.closed {
		size, body := frame(b)
		if size == 0 {
			break
		}
		l.take(l, b[0], b[body:size])
		b = b[size:]
	}
	l.rest = append(l.rest[:0], b...)
}

func (l *line) ended(errno syscall.Errno) {
	l.close()
	if l.end != nil {
		l.end(l)
		return
	}
	err := errors.New("end of input")
	if errno != 0 {
		err = errno
	}
	l.loop.fail("the broker closed the connection of %s: %w", l.name, err)
}
