package stack

import (
	"errors"
	"net"
	"sync"
)

// connSide is the hostSide of any net.Conn. It has a goroutine that reads, and one
// for each write, since a net.Conn waits.
type connSide struct {
	net.Conn
	s     *splice
	taken chan struct{} // all of arrived was read

	mu       sync.Mutex
	arrived  []byte
	readErr  error // after arrived
	writing  bool
	written  int
	writeErr error
}

func newConnSide(c net.Conn, s *splice) *connSide {
	return &connSide{Conn: c, s: s, taken: make(chan struct{}, 1)}
}

func (c *connSide) watch() error {
	c.s.g.work.Go(c.receive)
	return nil
}

// receive reads until the connection ends.
func (c *connSide) receive() {
	b := make([]byte, 4<<10)
	for {
		n, err := c.Conn.Read(b)
		if n == 0 && err == nil {
			continue
		}
		c.mu.Lock()
		c.arrived, c.readErr = b[:n], err
		c.mu.Unlock()
		c.s.notify(targetData)
		if err != nil {
			return
		}
		select {
		case <-c.taken:
		case <-c.s.g.ctx.Done():
			return
		}
	}
}

func (c *connSide) read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := copy(p, c.arrived)
	c.arrived = c.arrived[n:]
	switch {
	case len(c.arrived) > 0:
	case c.readErr != nil && n == 0:
		return 0, c.readErr
	case c.readErr != nil:
		c.s.notify(targetData)
	case n > 0:
		c.taken <- struct{}{}
	}
	return n, nil
}

// write takes nothing at first, and all of it when it is asked again after the
// goroutine has written it.
func (c *connSide) write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.written; n > 0 || c.writeErr != nil {
		c.written = 0
		return n, c.writeErr
	}
	if c.writing {
		return 0, nil
	}
	c.writing = true
	p = append([]byte(nil), p...)
	c.s.g.work.Go(func() {
		n, err := c.Conn.Write(p)
		c.mu.Lock()
		c.writing, c.written, c.writeErr = false, n, err
		c.mu.Unlock()
		c.s.notify(targetRoom)
	})
	return 0, nil
}

func (c *connSide) closeWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	_ = half.CloseWrite() // an error shows on the other direction too
	return nil
}

func (c *connSide) close() { c.Conn.Close() }

func (c *connSide) reset() {
	if l, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0)
	}
	c.Conn.Close()
}
