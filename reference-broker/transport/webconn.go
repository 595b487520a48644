package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// lastWords bounds how long a connection that is being closed for a text message may take to be told so.
const lastWords = time.Second

// webConn is the stream of bytes in the binary messages of a WebSocket.
type webConn struct {
	web      *websocket.Conn
	socket   net.Conn // under web: has the addresses and keeps the deadlines
	username string
	message  io.Reader      // what is left of the current one; nil: none. Of the reader only
	once     sync.Once      // for CloseWrite
	halved   atomic.Bool    // CloseWrite was called
	wg       sync.WaitGroup // the goroutine of CloseWrite
	halveErr error          // what it ended with; after wg
}

func newWebConn(c *websocket.Conn, socket net.Conn) *webConn {
	c.SetReadLimit(-1)
	return &webConn{web: c, socket: socket}
}

// Read implements net.Conn.
func (c *webConn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if c.message == nil {
			if err := c.next(); err != nil {
				return 0, err
			}
		}
		n, err := c.message.Read(b)
		if errors.Is(err, io.EOF) {
			c.message, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, c.ended(err)
		}
	}
}

// ended tells the end that the peer agreed to from a failure: the goroutine of CloseWrite may have read the peer's agreement, and has then closed the
// socket under the reader.
func (c *webConn) ended(err error) error {
	if !errors.Is(err, net.ErrClosed) || !c.halved.Load() {
		return err
	}
	if c.wg.Wait(); c.halveErr != nil {
		return err
	}
	return io.EOF
}

// next waits for the next message.
func (c *webConn) next() error {
	kind, r, err := c.web.Reader(context.Background())
	switch status := websocket.CloseStatus(err); {
	case status == websocket.StatusNormalClosure, status == websocket.StatusGoingAway, status == websocket.StatusNoStatusRcvd:
		return io.EOF
	case err != nil:
		return c.ended(err)
	case kind != websocket.MessageBinary: // [MQTT5 6.0.0-1] [MQTT311 6.0.0-1]
		c.socket.SetDeadline(time.Now().Add(lastWords))
		c.web.Close(websocket.StatusUnsupportedData, "MQTT has binary messages only")
		return fmt.Errorf("the peer sent a text message: MQTT over WebSocket has binary messages only")
	}
	c.message = r
	return nil
}

// Write implements net.Conn. It sends one message. [MQTT5 6.0.0-1] [MQTT311 6.0.0-1]
func (c *webConn) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if err := c.web.Write(context.Background(), websocket.MessageBinary, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// CloseWrite tells the peer that nothing more will come. Read goes on until the peer agrees. It does not block.
func (c *webConn) CloseWrite() error {
	c.once.Do(func() {
		c.wg.Add(1)
		c.halved.Store(true)
		go func() {
			defer c.wg.Done()
			c.halveErr = c.web.Close(websocket.StatusNormalClosure, "")
		}()
	})
	return nil
}

// Close closes at once; the peer is not told.
func (c *webConn) Close() error {
	c.once.Do(func() {})
	err := c.socket.Close()
	c.web.CloseNow()
	c.wg.Wait()
	return err
}

func (c *webConn) Username() string                   { return c.username }
func (c *webConn) LocalAddr() net.Addr                { return c.socket.LocalAddr() }
func (c *webConn) RemoteAddr() net.Addr               { return c.socket.RemoteAddr() }
func (c *webConn) SetDeadline(t time.Time) error      { return c.socket.SetDeadline(t) }
func (c *webConn) SetReadDeadline(t time.Time) error  { return c.socket.SetReadDeadline(t) }
func (c *webConn) SetWriteDeadline(t time.Time) error { return c.socket.SetWriteDeadline(t) }
