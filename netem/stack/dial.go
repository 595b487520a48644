package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// ErrVirtual is returned where a call would have to block on a virtual clock.
var ErrVirtual = errors.New("a virtual clock knows no blocking calls: use Open")

// Dial connects to a target as a net.Conn, for code that blocks, such as
// crypto/tls. The network must be running, on the wall clock. Any goroutine may
// call it. The network is "tcp" or "tcp4". PowerOff makes the connection fail
// for both callers and leaves the target without a word, as with Open.
func (d *Device) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	switch {
	case network != "tcp" && network != "tcp4":
		return nil, fmt.Errorf("dial %s: network %q is not emulated: use tcp", addr, network)
	case d.n.config.Virtual:
		return nil, fmt.Errorf("dial %s: %w", addr, ErrVirtual)
	case d.Off():
		return nil, fmt.Errorf("dial %s: %w", addr, ErrPoweredOff)
	}
	remote, err := d.n.target(addr)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	c := &conn{d: d}
	if err := c.connect(ctx, remote); err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	d.n.mu.Lock()
	if d.conns == nil {
		d.conns = make(map[*conn]struct{})
	}
	d.conns[c] = struct{}{}
	d.n.mu.Unlock()
	return c, nil
}

// conn is a net.Conn of a device.
type conn struct {
	*gonet.TCPConn
	d      *Device
	ep     tcpip.Endpoint
	queue  waiter.Queue
	closed atomic.Bool
}

func (c *conn) connect(ctx context.Context, remote tcpip.FullAddress) error {
	var terr tcpip.Error
	if c.ep, terr = c.d.path.devices.stack.NewEndpoint(tcp.ProtocolNumber, header.IPv4ProtocolNumber, &c.queue); terr != nil {
		return connectionError(terr)
	}
	waiting, events := waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventErr | waiter.EventHUp)
	c.queue.EventRegister(&waiting)
	defer c.queue.EventUnregister(&waiting)
	terr = c.d.connect(c.ep, remote)
	if _, started := terr.(*tcpip.ErrConnectStarted); started {
		select {
		case <-events:
			terr = c.ep.LastError()
		case <-ctx.Done():
			c.ep.Close()
			return context.Cause(ctx)
		}
	}
	if terr != nil {
		c.ep.Close()
		return connectionError(terr)
	}
	c.TCPConn = gonet.NewTCPConn(&c.queue, c.ep)
	return nil
}

// Read and Write return the errors of a host socket: a caller tells a reset from a
// close by errors.Is, for which the adapter's texts are not enough.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	return n, c.hostError(err)
}

// Write is described with Read.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	return n, c.hostError(err)
}

// hostError turns an error of the adapter into that of a host socket.
func (c *conn) hostError(err error) error {
	if err == nil {
		return nil
	}
	if c.closed.Load() {
		return net.ErrClosed
	}
	var op *net.OpError
	if !errors.As(err, &op) {
		return err // io.EOF
	}
	if op.Timeout() {
		op.Err = os.ErrDeadlineExceeded
		return op
	}
	for _, known := range []tcpip.Error{&tcpip.ErrConnectionReset{}, &tcpip.ErrConnectionAborted{}, &tcpip.ErrTimeout{}} {
		if op.Err.Error() == known.String() {
			op.Err = connectionError(known)
		}
	}
	if op.Err.Error() == (&tcpip.ErrClosedForSend{}).String() {
		op.Err = syscall.EPIPE
	}
	return op
}

// Close closes the connection in order.
func (c *conn) Close() error {
	c.closed.Store(true)
	c.d.n.mu.Lock()
	delete(c.d.conns, c)
	c.d.n.mu.Unlock()
	return c.TCPConn.Close()
}

// SetLinger sets what Close does with what was not acknowledged yet, as
// net.TCPConn does: 0 drops it and sends a reset.
func (c *conn) SetLinger(seconds int) error {
	c.ep.SocketOptions().SetLinger(tcpip.LingerOption{Enabled: seconds >= 0, Timeout: time.Duration(seconds) * time.Second})
	return nil
}
