package transport

import (
	"container/list"
	"net"
	"sync"
)

// readyListener hands out connections whose handshake is over. What does the handshakes calls offer and ends before wg is waited for.
type readyListener struct {
	net.Listener // the sockets
	url          string
	ready        chan net.Conn
	failed       chan error // of accepting sockets
	done         chan struct{}
	once         sync.Once
	stop         func() // ends the handshakes
	wg           sync.WaitGroup
}

func newReadyListener(ln net.Listener, e endpoint) *readyListener {
	u := *e.url
	u.Host, u.RawQuery = ln.Addr().String(), ""
	return &readyListener{Listener: ln, url: u.String(), ready: make(chan net.Conn), failed: make(chan error), done: make(chan struct{})}
}

// URL is for the function of that name.
func (l *readyListener) URL() string { return l.url }

// Accept implements net.Listener.
func (l *readyListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case err := <-l.failed:
		return nil, err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It ends the handshakes under way; connections that were accepted stay open.
func (l *readyListener) Close() error {
	l.once.Do(func() {
		close(l.done)
		l.Listener.Close()
		l.stop()
	})
	l.wg.Wait()
	return nil
}

// offer waits until Accept takes the connection; if the listener is closed before, the connection is too.
func (l *readyListener) offer(c net.Conn) {
	select {
	case l.ready <- c:
	case <-l.done:
		c.Close()
	}
}

// underway holds the connections whose handshake is not over, oldest first. Its methods may be called from any goroutine.
type underway struct {
	mu     sync.Mutex // guards all below
	limit  int
	order  list.List // of net.Conn
	places map[net.Conn]*list.Element
}

func newUnderway(limit int) *underway {
	return &underway{limit: limit, places: make(map[net.Conn]*list.Element)}
}

// enter adds a connection and closes the oldest if there are too many.
func (u *underway) enter(c net.Conn) {
	u.mu.Lock()
	u.places[c] = u.order.PushBack(c)
	var oldest net.Conn
	if u.order.Len() > u.limit {
		oldest = u.remove(u.order.Front())
	}
	u.mu.Unlock()
	if oldest != nil {
		oldest.Close()
	}
}

// leave removes a connection, if it is there.
func (u *underway) leave(c net.Conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if e := u.places[c]; e != nil {
		u.remove(e)
	}
}

// closeAll closes and removes all.
func (u *underway) closeAll() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.order.Len() > 0 {
		u.remove(u.order.Front()).Close()
	}
}

// remove takes an element out. The caller holds mu.
func (u *underway) remove(e *list.Element) net.Conn {
	c := u.order.Remove(e).(net.Conn)
	delete(u.places, c)
	return c
}
