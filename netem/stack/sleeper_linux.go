package stack

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sleeper is what the loop of the wall clock waits on: an epoll instance with the
// sockets of all targets in it, which Go's own poller watches, so that waiting
// takes no thread. It sleeps until a socket has something to say, or until its read
// deadline, which also is how others wake it up.
type sleeper struct {
	file     *os.File
	raw      syscall.RawConn
	fd       int
	events   []unix.EpollEvent
	look     func(uintptr) bool                 // poll, for raw
	announce func(number int32, events pending) // of a socket that was given to watch
}

func (s *sleeper) open(announce func(int32, pending)) error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that the runtime watches it
		return errors.Join(err, unix.Close(fd))
	}
	s.fd, s.file = fd, os.NewFile(uintptr(fd), "epoll")
	if s.raw, err = s.file.SyscallConn(); err != nil {
		return errors.Join(err, s.file.Close())
	}
	s.events, s.announce = make([]unix.EpollEvent, 256), announce
	s.look = func(uintptr) bool { return s.poll() }
	return nil
}

// watch begins the announcements of a socket, each of which comes once.
func (s *sleeper) watch(fd int, number int32) error {
	return unix.EpollCtl(s.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: number,
	})
}

// set says when the next sleep ends at the latest. Any goroutine may set it, also
// while the loop sleeps.
func (s *sleeper) set(d time.Duration) { _ = s.file.SetReadDeadline(time.Now().Add(d)) }

// sleep waits, and announces what the sockets have to say.
func (s *sleeper) sleep() {
	if err := s.raw.Read(s.look); err != nil { // it is time: the sockets may not have been looked at
		s.poll()
	}
}

// poll announces what the sockets have to say, without waiting, and reports whether
// there was anything.
func (s *sleeper) poll() bool {
	for any := false; ; {
		n, _ := unix.EpollWait(s.fd, s.events, 0) // an error is EINTR
		for i := range max(n, 0) {
			s.announce(s.events[i].Fd, pendingOf(s.events[i].Events))
		}
		any = any || n > 0
		// What happens from here on wakes the runtime's poller up.
		if n >= 0 && n < len(s.events) {
			return any
		}
	}
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

func (s *sleeper) close() { s.file.Close() }
