package client

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	core "mqttlab/reference-broker/core/client"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

const (
	// readBuffer is the size of a connection's first read buffer; a larger packet makes it grow as its bytes come in.
	readBuffer = 8 << 10
	// lingering bounds what happens after the last packet: writing it out, and waiting for the Server to close its side.
	lingering = time.Second
)

var errHungUp = errors.New("server closed the connection")

// link is one Network Connection. Its reader and writer end when conn is closed.
type link struct {
	conn    net.Conn
	gone    chan struct{} // closed when the reader has ended
	flushed chan struct{} // closed when the writer has ended
	wake    chan struct{} // tells the writer that out or closing changed
	once    sync.Once

	readErr error // why the reader ended; valid after gone

	// Guarded by Client.mu.
	out     []byte // not written yet
	closing bool   // close after out is written
	up      bool   // CONNACK of Success came
	downErr error
}

func newLink(conn net.Conn) *link {
	return &link{conn: conn, gone: make(chan struct{}), flushed: make(chan struct{}), wake: make(chan struct{}, 1)}
}

func (l *link) close() { l.once.Do(func() { _ = l.conn.Close() }) }

func (l *link) notify() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// write writes out what the machine sends, as much at once as has piled up meanwhile.
func (c *Client) write(l *link) {
	defer close(l.flushed)
	var spare []byte
	for {
		select {
		case <-l.wake:
		case <-l.gone:
			return
		}
		c.mu.Lock()
		b, closing, sent := l.out, l.closing, c.packets.sent
		c.packets.sent = nil
		l.out = spare[:0]
		if len(c.line.ops) > 0 { // its bytes may have been what kept the line from moving
			c.carryOut()
		}
		c.mu.Unlock()
		c.logSent(sent)
		if err := c.persist(); err != nil {
			l.close()
			return
		}
		if len(b) > 0 {
			if _, err := l.conn.Write(b); err != nil {
				l.close()
				return
			}
		}
		spare = b
		if cap(spare) > maxUnwritten {
			spare = nil
		}
		if closing {
			l.hangUp()
			return
		}
	}
}

// hangUp closes so that the last packet arrives: a socket closed with unread bytes in it is reset, and the Server might lose our DISCONNECT.
func (l *link) hangUp() {
	half, ok := l.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		l.close()
		return
	}
	_ = l.conn.SetReadDeadline(time.Now().Add(lingering))
}

// read decodes what comes and feeds the machine until the Network Connection ends.
func (c *Client) read(l *link, connect *mqtt.Connect) {
	defer close(l.gone)
	defer l.close()
	decoder := wire.NewDecoder(wire.FromServer)
	decoder.Version, decoder.MaximumPacketSize = connect.Version, connect.MaximumPacketSize
	var packets []mqtt.Packet
	logging := c.log.Enabled(context.Background(), slog.LevelDebug)
	buf := make([]byte, 0, readBuffer)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, cap(buf))...)[:len(buf)]
		}
		n, err := l.conn.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if n > 0 {
			used, problem := 0, error(nil)
			packets, used, problem = decoder.All(packets[:0], buf)
			if logging {
				c.logReceived(packets)
			}
			c.receive(packets, problem)
			clear(packets)
			if problem != nil {
				l.readErr = problem
				c.drainRest(l)
				return
			}
			buf = buf[:copy(buf, buf[used:])]
			if len(buf) == 0 && cap(buf) > 8*readBuffer {
				buf = make([]byte, 0, readBuffer)
			}
		}
		if errors.Is(err, io.EOF) {
			err = errHungUp
		}
		if err != nil {
			l.readErr = err
			return
		}
	}
}

// drainRest waits for the writer to send the DISCONNECT that answers a malformed packet.
func (c *Client) drainRest(l *link) {
	select {
	case <-l.flushed:
	case <-time.After(lingering):
	}
}

// receive hands decoded packets, and what stopped the decoder, to the machine.
func (c *Client) receive(packets []mqtt.Packet, problem error) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range packets {
		c.m.Receive(now, p)
	}
	if problem != nil {
		code := mqtt.MalformedPacket
		var bad *wire.Error
		if errors.As(problem, &bad) {
			code = bad.Code
		}
		c.m.Malformed(now, code, problem.Error())
	}
	c.carryOut()
}

// carryOut does what the machine wants done. c.mu is held.
func (c *Client) carryOut() {
	c.m.Drain(c.do)
	for c.resubscribe || len(c.unwantedReceipts) > 0 || c.moveLine() {
		for _, r := range c.unwantedReceipts {
			c.m.Ack(time.Now(), r, mqtt.Success)
		}
		c.unwantedReceipts = c.unwantedReceipts[:0]
		if c.resubscribe {
			c.resubscribe = false
			c.subscribeAgain()
		}
		c.m.Drain(c.do)
	}
	if l := c.link; l != nil && (len(l.out) > 0 || l.closing) {
		l.notify()
	}
	at, ok := c.m.Deadline()
	if len(c.events) > 0 || ok && (c.armed.IsZero() || at.Before(c.armed)) {
		select {
		case c.poke <- struct{}{}:
		default:
		}
	}
}

// do carries out one action. c.mu is held.
func (c *Client) do(a *core.Action) {
	if c.journal.store != nil {
		c.note(a)
	}
	switch a.Kind {
	case core.SendPacket, core.SendAck, core.SendPublish:
		c.encode(a)
	case core.Deliver:
		c.dispatch(a.Publish, a.Receipt)
	case core.Done:
		c.finished(a)
	case core.Challenge:
		p := a.Packet.(*mqtt.Auth)
		if p.ReasonCode == mqtt.ContinueAuthentication {
			c.events = append(c.events, event{auth: true, challenge: p.AuthenticationData})
		}
	case core.Close:
		c.link.closing = true
		_ = c.link.conn.SetWriteDeadline(time.Now().Add(lingering))
	case core.StateChange:
		c.changed(a)
	}
}

// encode appends one packet to what the writer has to write.
func (c *Client) encode(a *core.Action) {
	l := c.link
	c.packets.note(a)
	var err error
	switch a.Kind {
	case core.SendAck:
		l.out, err = wire.AppendAck(l.out, c.version, a.AckType, &mqtt.Ack{PacketID: a.AckID, ReasonCode: a.Code})
	case core.SendPublish:
		p, s := a.Publish, a.Sending
		l.out, _, err = wire.AppendPublish(l.out, c.version, p, wire.Delivery{
			PacketID: s.PacketID, QoS: p.QoS, Retain: p.Retain, Dup: s.Dup, TopicAlias: s.TopicAlias, OmitTopic: s.OmitTopic,
			MessageExpiryInterval: mqtt.Opt[uint32]{Value: s.Expiry, Set: p.MessageExpiryInterval.Set},
		})
	default:
		l.out, err = wire.Append(l.out, c.version, a.Packet)
	}
	if err != nil { // CONNECT holds what no packet can: nothing else reaches the machine unchecked
		l.downErr = err
		l.close()
	}
}

// changed notes a change of the machine's state. c.mu is held.
func (c *Client) changed(a *core.Action) {
	c.tellChange()
	if a.State == core.Connected {
		connack := a.Packet.(*mqtt.Connack)
		c.link.up = true
		select {
		case <-c.up:
		default:
			close(c.up)
		}
		c.sessionPresent = connack.SessionPresent
		c.resubscribe = true
		c.events = append(c.events, event{connack: connack})
		return
	}
	if c.link.downErr == nil {
		c.link.downErr = a.Err
	}
	c.events = append(c.events, event{isDown: true, down: c.link.downErr})
}
