package live

import (
	"io"
	"net"
	"sync"

	"mqttlab/simulator/device"
)

// buffers lends read buffers to connections on which something has arrived.
var buffers = sync.Pool{New: func() any { return new([8 << 10]byte) }}

// conn is one connection and its goroutine.
type conn struct {
	host    *host
	handler device.Handler
	tcp     *net.TCPConn
	io      rawIO

	// Guarded by the loop's lock.
	dead    bool // closed by this side, or by the other and told so
	mute    bool // open, but nothing passes: the device, or its link, has vanished
	waiting bool // a goroutine waits for room
}

// run opens the connection and reads until it ends.
func (c *conn) run() {
	l := c.host.l
	defer l.work.Done()
	err := c.dial()
	if err == nil {
		err = c.read()
		if err == nil {
			err = io.EOF
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
	if c.tcp != nil {
		c.tcp.Close()
	}
	if c.mute && !c.dead {
		return // the device hears of it when its link is back
	}
	c.host.forget(c)
	if c.dead || l.closed {
		return
	}
	c.dead = true
	c.handler.Closed(err)
}

// dial waits for its turn, connects, and tells the device.
func (c *conn) dial() error {
	l := c.host.l
	if err := c.host.awaitLight(); err != nil {
		return err
	}
	if err := l.cfg.Dials.Acquire(l.ctx, 1); err != nil {
		return err
	}
	tcp, err := c.host.dialer.DialContext(l.ctx, "tcp", c.host.target)
	l.cfg.Dials.Release(1)
	if err != nil {
		return err
	}
	c.tcp = tcp.(*net.TCPConn)
	if err := c.io.init(c.tcp); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		c.dead = true
		return tcp.Close()
	}
	l.open[c] = struct{}{}
	c.host.conns = append(c.host.conns, c)
	c.mute = c.host.light != nil
	c.handler.Opened(c)
	return nil
}

// read hands what arrives to the device until the connection ends; nil means that the target closed it in order.
func (c *conn) read() error {
	for {
		buffer, n, err := c.io.read()
		if n > 0 {
			c.host.traffic.Down.Add(int64(n))
			c.host.l.mu.Lock()
			if !c.dead && !c.mute {
				c.handler.Received(buffer[:n])
			}
			c.host.l.mu.Unlock()
		}
		if buffer != nil {
			buffers.Put(buffer)
		}
		if err != nil || n == 0 {
			return err
		}
	}
}

// Send implements device.Conn.
func (c *conn) Send(p []byte) int {
	if c.dead || c.waiting {
		return 0
	}
	if c.mute {
		return len(p)
	}
	n, err := c.io.write(p)
	c.host.traffic.Up.Add(int64(n))
	if err != nil || n == len(p) {
		return n // an error shows when reading, too
	}
	c.waiting = true
	c.host.l.work.Add(1)
	go c.await()
	return n
}

// await tells the device when there is room again.
func (c *conn) await() {
	l := c.host.l
	defer l.work.Done()
	err := c.io.awaitRoom()
	l.mu.Lock()
	defer l.mu.Unlock()
	c.waiting = false
	if err == nil && !c.dead && !c.mute && !l.closed {
		c.handler.Writable()
	}
}

// Close implements device.Conn.
func (c *conn) Close() {
	if c.dead {
		return
	}
	c.dead = true
	if !c.mute {
		c.tcp.Close()
	}
}

// Abort implements device.Conn.
func (c *conn) Abort() {
	if c.dead {
		return
	}
	c.dead = true
	if !c.mute {
		c.reset()
	}
}

// reset ends the socket without a FIN. Errors mean that it is gone already.
func (c *conn) reset() {
	_ = c.tcp.SetLinger(0)
	_ = c.tcp.Close()
}

// shut ends the socket whatever the device knows.
func (c *conn) shut() {
	c.dead = true
	c.tcp.Close()
}
