package broker

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"

	"mqttlab/reference-broker/core/server"
)

// loops read the sockets of the system, one per processor.
type loops struct {
	list []*loop
	wg   sync.WaitGroup
}

// start makes the loops.
func (ls *loops) start(b *Broker) error {
	for range runtime.GOMAXPROCS(0) {
		l, err := newLoop(b)
		if err != nil {
			return err
		}
		ls.list = append(ls.list, l)
		ls.wg.Go(l.run)
	}
	return nil
}

// stop ends the loops and waits for them. No connection may be left.
func (ls *loops) stop() {
	for _, l := range ls.list {
		l.file.Close()
	}
	ls.wg.Wait()
}

// of returns the loop for a connection.
func (ls *loops) of(id server.ConnID) *loop { return ls.list[int(id)%len(ls.list)] }

// loop watches many sockets and reads those that have something, one after the other. The epoll instance is itself watched by the poller of
// the Go runtime: a loop with nothing to do is a parked goroutine and holds no thread.
type loop struct {
	b      *Broker
	file   *os.File
	raw    syscall.RawConn
	desk   *desk
	events [128]syscall.EpollEvent
	ready  [128]*conn
	onPoll func(fd uintptr) bool
	found  int
	err    error

	mu    sync.Mutex // guards conns; a leaf
	conns []*conn    // by the lower half of their ConnID, as in hub.conns
}

func newLoop(b *Broker) (*loop, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	l := &loop{b: b, file: os.NewFile(uintptr(fd), "epoll"), desk: newDesk()}
	l.desk.buf = make([]byte, loopBuffer)
	l.onPoll = l.poll
	l.raw, err = l.file.SyscallConn()
	return l, err
}

// run is the goroutine of the loop.
func (l *loop) run() {
	for {
		if err := l.raw.Read(l.onPoll); err != nil || l.err != nil {
			return // closed
		}
		for _, c := range l.lookUp() {
			if c != nil {
				l.readable(c)
			}
		}
		l.post()
		l.b.hub.flush()
	}
}

// poll asks for sockets with input; false parks the goroutine until there are some.
func (l *loop) poll(fd uintptr) bool {
	n, errno := pollNow(int(fd), l.events[:])
	switch errno {
	case 0:
		l.found = n
	case syscall.EINTR:
		l.found = 0
	default:
		l.found, l.err = 0, os.NewSyscallError("epoll_wait", errno)
	}
	return l.found > 0 || l.err != nil
}

func (l *loop) lookUp() []*conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, e := range l.events[:l.found] {
		l.ready[i] = l.conns[uint32(e.Fd)]
		if c := l.ready[i]; c != nil && uint32(c.id>>32) != uint32(e.Pad) {
			l.ready[i] = nil // its place was given to another one
		}
	}
	return l.ready[:l.found]
}

// readable reads c once. Level-triggered epoll comes back to it if there is more.
func (l *loop) readable(c *conn) {
	d := l.desk
	alone := c.rest != nil || c.current == 0 || c.discarding || l.b.cfg.Tap != nil
	if alone || len(d.buf)-d.used < deskBuffer {
		l.post()
	}
	place := d.buf[d.used:][:deskBuffer]
	if c.rest != nil {
		place = c.space()
	}
	n, err := c.out.direct.read(place)
	switch {
	case err != nil:
		l.finish(c)
		return
	case n == 0 || c.discarding:
		return
	}
	if alone {
		l.settle(c, c.arrived(d, n), true)
	} else {
		c.sort(d, n)
	}
}

// post gives the hub what was read of many connections.
func (l *loop) post() {
	d := l.desk
	if len(d.letters) == 0 {
		return
	}
	l.b.hub.receive(d.letters)
	for i := range d.letters {
		x := &d.letters[i]
		l.settle(x.c, x.state, x.slow)
	}
	d.clear()
}

// settle does what follows from what the hub thinks of c now. slow: c may have more on the way than it should.
func (l *loop) settle(c *conn, s state, slow bool) {
	switch s {
	case quiet:
		l.finish(c)
	case closed:
		c.discarding, c.rest = true, nil
	case open:
		if limit := l.b.cfg.SlowLimit; slow && c.out.backlog() >= limit {
			l.watch(c, 0) // nothing but its end
			c.out.whenBelow(limit, func() { l.watch(c, syscall.EPOLLIN) })
		}
	}
}

// finish ends a connection. It is called in the goroutine of the loop, once: the socket is closed here and nowhere else.
func (l *loop) finish(c *conn) {
	l.put(c.id, nil)
	l.b.hub.gone(c)
	c.out.doom()
	c.nc.Close()
	l.b.wg.Done()
}

// add begins to read c.
func (l *loop) add(c *conn) error {
	l.put(c.id, c)
	err := l.control(c, syscall.EPOLL_CTL_ADD, syscall.EPOLLIN)
	if err != nil {
		l.put(c.id, nil)
	}
	return err
}

func (l *loop) put(id server.ConnID, c *conn) {
	slot := int(uint32(id))
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := slot + 1 - len(l.conns); n > 0 {
		l.conns = append(l.conns, make([]*conn, n)...)
	}
	l.conns[slot] = c
}

func (l *loop) watch(c *conn, events uint32) {
	if err := l.control(c, syscall.EPOLL_CTL_MOD, events); err != nil {
		c.out.direct.cut()
	}
}

func (l *loop) control(c *conn, op int, events uint32) error {
	e := syscall.EpollEvent{Events: events, Fd: int32(uint32(c.id)), Pad: int32(uint32(c.id >> 32))}
	var err error
	inner := l.raw.Control(func(epoll uintptr) {
		outer := c.out.direct.raw.Control(func(fd uintptr) { err = syscall.EpollCtl(int(epoll), op, int(fd), &e) })
		if outer != nil {
			err = outer
		}
	})
	if inner != nil {
		err = inner
	}
	if err != nil {
		return fmt.Errorf("watch socket: %w", err)
	}
	return nil
}
