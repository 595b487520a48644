package fleet

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"time"

	"mqttlab/netem/stack"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// virtualBroker is the reference broker's machine behind the sockets of a virtual network: what package broker is on a real one.
type virtualBroker struct {
	network *stack.Network
	machine *server.Machine
	decoder *wire.Decoder
	packets []mqtt.Packet
	timer   *stack.Timer
	buffer  []byte
	logger  *slog.Logger

	conns   map[server.ConnID]*brokerConn // never iterated
	last    server.ConnID
	touched []*brokerConn // with something to send, in order
	byPeer  map[*stack.Device][]*brokerConn
}

// brokerConn is one connection to the broker.
type brokerConn struct {
	broker  *virtualBroker
	id      server.ConnID
	socket  *stack.Socket
	peer    *stack.Device
	version mqtt.Version // 0 until CONNECT
	unread  []byte
	out     []byte
	touched bool // in broker.touched
	closing bool // once out is sent
}

func newVirtualBroker(n *stack.Network, seed uint64, logger *slog.Logger) *virtualBroker {
	var cfg server.Config
	binary.BigEndian.PutUint64(cfg.Seed[:], seed)
	b := &virtualBroker{
		network: n, machine: server.New(cfg), decoder: wire.NewDecoder(wire.FromClient), buffer: make([]byte, readBufferBytes), logger: logger,
		conns: map[server.ConnID]*brokerConn{}, byPeer: map[*stack.Device][]*brokerConn{},
	}
	b.timer = n.NewTimer(func() {
		b.machine.Advance(n.Now())
		b.carryOut()
	})
	return b
}

// retransmissions returns how often the broker has sent a segment to a device again.
func (b *virtualBroker) retransmissions(d *stack.Device) uint64 {
	gone, _ := d.UserData.(*uint64)
	sum := *gone
	for _, c := range b.byPeer[d] {
		sum += c.socket.Retransmissions()
	}
	return sum
}

// accept takes a connection.
func (b *virtualBroker) accept(s *stack.Socket) stack.Handler {
	peer := s.Peer()
	if peer == nil {
		return nil // gone already
	}
	b.last++
	c := &brokerConn{broker: b, id: b.last, socket: s, peer: peer}
	b.conns[c.id] = c
	b.byPeer[c.peer] = append(b.byPeer[c.peer], c)
	b.machine.Open(b.network.Now(), c.id, server.Transport{})
	b.carryOut()
	return c
}

// forget takes a connection out of the books.
func (b *virtualBroker) forget(c *brokerConn) {
	delete(b.conns, c.id)
	open := b.byPeer[c.peer]
	for i, other := range open {
		if other == c {
			b.byPeer[c.peer] = append(open[:i], open[i+1:]...)
			break
		}
	}
	if gone, ok := c.peer.UserData.(*uint64); ok {
		*gone += c.socket.Retransmissions()
	}
}

// carryOut does what the machine wants done, sends what there is to send, and sets the timer.
func (b *virtualBroker) carryOut() {
	b.machine.Drain(b.act)
	for _, c := range b.touched {
		c.touched = false
		c.flush()
	}
	clear(b.touched)
	b.touched = b.touched[:0]
	if at, ok := b.machine.Deadline(); ok {
		b.timer.Set(at)
	} else {
		b.timer.Stop()
	}
}

func (b *virtualBroker) act(a *server.Action) {
	c := b.conns[a.Conn]
	if c == nil {
		return
	}
	var err error
	switch a.Kind {
	case server.SendPacket:
		c.out, err = wire.Append(c.out, c.version, a.Packet)
	case server.SendAck:
		c.out, err = wire.AppendAck(c.out, c.version, a.AckType, &a.Ack)
	case server.SendPublish:
		d := &a.Delivery
		c.out, _, err = wire.AppendPublish(c.out, c.version, a.Publish, wire.Delivery{
			PacketID: d.PacketID, QoS: d.QoS, Retain: d.Retain, Dup: d.Dup, TopicAlias: d.TopicAlias, OmitTopic: d.OmitTopic,
			MessageExpiryInterval: d.MessageExpiryInterval, SubscriptionIdentifiers: d.SubscriptionIdentifiers,
		})
	case server.Close:
		c.closing = true
	default:
		return
	}
	if err != nil {
		b.logger.Error("virtual broker could not encode a packet", "error", err)
	}
	if !c.touched {
		c.touched = true
		b.touched = append(b.touched, c)
	}
}

// flush sends what the socket takes.
func (c *brokerConn) flush() {
	n := c.socket.Send(c.out)
	c.out = append(c.out[:0], c.out[n:]...)
	if len(c.out) == 0 {
		c.out = nil
		if c.closing {
			c.broker.forget(c)
			c.socket.Close()
		}
	}
}

// Opened implements stack.Handler; sockets of a listener are open from the start.
func (c *brokerConn) Opened(*stack.Socket) {}

// Writable implements stack.Handler.
func (c *brokerConn) Writable(*stack.Socket) { c.flush() }

// Readable implements stack.Handler.
func (c *brokerConn) Readable(s *stack.Socket) {
	b := c.broker
	for n := s.Receive(b.buffer); n > 0; n = s.Receive(b.buffer) {
		c.received(b.network.Now(), b.buffer[:n])
	}
}

func (c *brokerConn) received(now time.Time, p []byte) {
	b := c.broker
	if len(c.unread) > 0 {
		c.unread = append(c.unread, p...)
		p = c.unread
	}
	b.decoder.Version = c.version
	packets, used, err := b.decoder.All(b.packets[:0], p)
	c.version = b.decoder.Version
	for _, packet := range packets {
		b.machine.Receive(now, c.id, packet)
	}
	if err != nil {
		code := mqtt.MalformedPacket
		if bad := (*wire.Error)(nil); errors.As(err, &bad) {
			code = bad.Code
		}
		b.machine.Malformed(now, c.id, code)
	}
	b.carryOut()
	clear(packets)
	b.packets = packets
	c.unread = append(c.unread[:0], p[used:]...)
	if len(c.unread) == 0 {
		c.unread = nil
	}
}

// Closed implements stack.Handler.
func (c *brokerConn) Closed(*stack.Socket, error) {
	c.broker.forget(c)
	c.broker.machine.Lost(c.broker.network.Now(), c.id)
	c.broker.carryOut()
}
