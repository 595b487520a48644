package broker

import (
	"errors"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// act carries out one action of the machine: it encodes behind the outgoing buffer of its connection. The caller holds mu.
func (h *hub) act(a *server.Action) {
	if a.Kind == server.Note {
		h.b.log(&a.Note)
		return
	}
	if a.Kind == server.Store {
		h.keep(a.Record)
		return
	}
	c := h.conns.get(a.Conn)
	if c == nil || c.state != open {
		return
	}
	switch a.Kind {
	case server.Close:
		h.close(c)
	case server.Authenticate:
		h.b.authenticate(c, a.Packet)
	default:
		h.send(c, a)
	}
}

func (h *hub) send(c *conn, a *server.Action) {
	if a.Kind == server.SendPublish && a.Delivery.QoS == mqtt.AtMostOnce && !a.Delivery.Retain && c.slow {
		if c.out.backlog() > h.b.cfg.SlowLimit {
			h.slow.dropped++
			return
		}
		c.slow = false
	}
	if h.b.cfg.Tap != nil {
		h.sendTapped(c, a)
		return
	}
	b, err := h.encode(c.out.lock(h.holding), c, a)
	queued, isHeld := c.out.unlock(b, h.holding)
	if isHeld {
		h.committer.hold(c)
	}
	h.sent(c, queued, err)
}

// encode appends the bytes of a sending action to dst.
func (h *hub) encode(dst []byte, c *conn, a *server.Action) ([]byte, error) {
	switch a.Kind {
	case server.SendPublish:
		return h.layouts.append(dst, c.version, a.Publish, &a.Delivery)
	case server.SendAck:
		return wire.AppendAck(dst, c.version, a.AckType, &a.Ack)
	}
	return wire.Append(dst, c.version, a.Packet)
}

// sent looks after what was put into c's outbox: somebody must flush it, and it must not grow without bounds.
func (h *hub) sent(c *conn, queued int, err error) {
	h.touch(c)
	switch {
	case err != nil:
		// The machine checks lengths before it sends: this is a mistake of ours, and the client is told by losing its connection.
		h.b.cfg.Logger.Error("packet cannot be written", "conn", uint64(c.id), "error", err)
		c.out.doom()
	case queued > h.b.cfg.OutgoingLimit:
		h.slow.closed++
		h.b.cfg.Logger.Info("connection closed: client reads too slowly", "conn", uint64(c.id), "bytes", queued)
		c.out.doom()
	case queued >= h.b.cfg.SlowLimit:
		c.slow = true
	}
}

func (h *hub) touch(c *conn) {
	if !c.touched {
		c.touched = true
		h.touched = append(h.touched, c)
	}
}

// close ends a connection because the machine wants it.
func (h *hub) close(c *conn) {
	c.state = closed
	if tap := h.b.cfg.Tap; tap != nil && !tap.Closing(c.id) {
		return
	}
	if h.now == mqtt.TypeDisconnect && c.out.backlog() == 0 {
		c.state = quiet
		return
	}
	c.out.end()
	h.touch(c)
}

// sendTapped is send through the Tap.
func (h *hub) sendTapped(c *conn, a *server.Action) {
	frame, err := h.encode(h.frame[:0], c, a)
	h.frame = frame
	if err != nil {
		h.sent(c, 0, err)
		return
	}
	t := h.b.cfg.Tap.Out(c.id, frame)
	b := c.out.lock(h.holding)
	for _, f := range t.Frames {
		b = append(b, f...)
	}
	queued, isHeld := c.out.unlock(b, h.holding)
	if isHeld {
		h.committer.hold(c)
	}
	h.sent(c, queued, nil)
	if t.Close {
		c.out.end()
	}
}

// malformed tells the machine of bytes that are no Control Packet. The caller holds mu.
func (h *hub) malformed(now time.Time, c *conn, mistake error) {
	e := (*wire.Error)(nil)
	if !errors.As(mistake, &e) {
		e = &wire.Error{Code: mqtt.MalformedPacket}
	}
	if h.b.cfg.Logger.Enabled(bg, logMistake) {
		h.b.cfg.Logger.Log(bg, logMistake, "malformed packet", "conn", uint64(c.id), "error", mistake)
	}
	v := c.version
	if e.Code == mqtt.UnsupportedProtocolVersion {
		v = e.Version
		c.version = v
	}
	if e.Type == mqtt.TypeConnect && v != 0 {
		h.machine.MalformedConnect(now, c.id, v, e.Code)
	} else {
		h.machine.Malformed(now, c.id, e.Code)
	}
	h.drain()
}
