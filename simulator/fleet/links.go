package fleet

import (
	"fmt"
	"sync/atomic"

	"mqttlab/netem/link"
	"mqttlab/netem/pcapng"
	"mqttlab/netem/stack"
	"mqttlab/reports/model"
	"mqttlab/simulator/device"
	"mqttlab/simulator/scenario"
)

// models are the two directions of a group's links, compiled once for all its devices, and their TCP.
type models struct {
	up, down *link.Model
	tcp      stack.TCPProfile
}

func compile(g *scenario.Group) (m models, err error) {
	if m.up, err = link.Compile(g.Link.Up); err != nil {
		return m, fmt.Errorf("uplink: %w", err)
	}
	if m.down, err = link.Compile(g.Link.Down); err != nil {
		return m, fmt.Errorf("downlink: %w", err)
	}
	m.tcp, err = stack.LookupTCP(g.TCP)
	return m, err
}

// device describes one device of the group.
func (m *models) device(capture *pcapng.Writer) stack.DeviceConfig {
	return stack.DeviceConfig{Up: m.up, Down: m.down, TCP: m.tcp, Capture: capture}
}

// dead is a link that loses everything.
var dead = func() *link.Model {
	m, err := link.Compile(link.Config{LossRatio: 1})
	if err != nil {
		panic(err) // a constant
	}
	return m
}()

// linkHost is a device.Host behind an emulated link, on either clock.
type linkHost struct {
	*stack.Network
	device *stack.Device
	links  models
	target string
	buffer []byte // of the network's loop
	radio  *radio // nil: nobody asks what it costs
	stream *atomic.Int64
}

// Open implements device.Host.
func (h *linkHost) Open(to device.Handler) error {
	h.touch()
	_, err := h.device.Open(h.target, &linkConn{host: h, handler: to})
	return err
}

// NewTimer implements device.Host.
func (h *linkHost) NewTimer(f func()) device.Timer { return h.Network.NewTimer(f) }

// Vanish implements device.Host.
func (h *linkHost) Vanish() { h.device.PowerOff() }

// Return implements device.Host.
func (h *linkHost) Return() { h.device.PowerOn() }

// SetDark implements device.Host.
func (h *linkHost) SetDark(dark bool) {
	if dark {
		h.device.SetLinks(dead, dead)
	} else {
		h.device.SetLinks(h.links.up, h.links.down)
	}
}

// touch tells the radio that it is used.
func (h *linkHost) touch() {
	if h.radio != nil {
		h.radio.touch(h.Now())
	}
}

// count adds to what TCP carries for the group; sinks have none.
func (h *linkHost) count(n int) {
	if h.stream != nil {
		h.stream.Add(int64(n))
	}
}

// linkConn is a socket of an emulated device as device.Conn, and passes its events on.
type linkConn struct {
	host    *linkHost
	handler device.Handler
	socket  *stack.Socket
}

// Opened implements stack.Handler.
func (c *linkConn) Opened(s *stack.Socket) {
	c.socket = s
	c.host.touch()
	c.handler.Opened(c)
}

// Readable implements stack.Handler.
func (c *linkConn) Readable(s *stack.Socket) {
	c.host.touch()
	for n := s.Receive(c.host.buffer); n > 0; n = s.Receive(c.host.buffer) {
		c.host.count(n)
		c.handler.Received(c.host.buffer[:n])
	}
}

// Writable implements stack.Handler.
func (c *linkConn) Writable(*stack.Socket) { c.handler.Writable() }

// Closed implements stack.Handler.
func (c *linkConn) Closed(_ *stack.Socket, err error) { c.handler.Closed(err) }

// Send implements device.Conn.
func (c *linkConn) Send(p []byte) int {
	c.host.touch()
	n := c.socket.Send(p)
	c.host.count(n)
	return n
}

// Close implements device.Conn.
func (c *linkConn) Close() {
	c.host.touch()
	c.socket.Close()
}

// Abort implements device.Conn.
func (c *linkConn) Abort() { c.socket.Abort() }

// readBufferBytes is more than one segment, so that most reads need one call.
const readBufferBytes = 4 << 10

// wireOf turns the counters of links into the form of a record.
func wireOf(up, down link.Counters, retransmissions uint64) model.Wire {
	return model.Wire{
		Layer:   "ip",
		UpBytes: int64(up.AdmittedBytes), DownBytes: int64(down.AdmittedBytes),
		UpPackets: int64(up.Admitted), DownPackets: int64(down.Admitted),
		LostPackets:     int64(up.DroppedTotal() + down.DroppedTotal()),
		Retransmissions: int64(retransmissions),
	}
}
