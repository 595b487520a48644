package broker

import (
	"fmt"
	"sync"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

// hub is the machine and the connections it knows, under one mutex. Whoever has something for the machine locks, calls it, carries out its
// actions (drain), unlocks, and then writes to the connections that were touched (flush).
type hub struct {
	b       *Broker
	perform func(*server.Action) // method value of act, made once

	mu      sync.Mutex // guards all below, and what conn says it guards
	machine *server.Machine
	conns   table
	closing bool
	now     mqtt.Type // the type of the packet being received; 0: none
	touched []*conn   // connections with something to flush
	layouts layouts
	frame   []byte    // scratch for the Tap
	wakeAt  time.Time // when the clock is set to ring; zero: not at all
	slow    struct{ dropped, closed uint64 }

	committer *committer // nil: nothing is stored
	holding   bool       // what the machine says now must wait for the committer

	alarm chan struct{} // tells the clock that wakeAt is earlier than before
}

func (h *hub) init(b *Broker) error {
	h.b = b
	h.perform = h.act
	h.machine = server.New(b.cfg.Server)
	h.alarm = make(chan struct{}, 1)
	if b.cfg.Store != nil {
		return h.restore(b.cfg.Store)
	}
	return nil
}

// table finds a connection by its ConnID without hashing: the lower half is a place in a slice, the upper one makes it unique.
type table struct {
	slots  []*conn
	free   []uint32
	serial uint32
	count  int
}

func (t *table) add(c *conn) server.ConnID {
	var slot uint32
	if n := len(t.free); n > 0 {
		slot, t.free = t.free[n-1], t.free[:n-1]
	} else {
		slot, t.slots = uint32(len(t.slots)), append(t.slots, nil)
	}
	t.slots[slot] = c
	t.serial++
	t.count++
	return server.ConnID(t.serial)<<32 | server.ConnID(slot)
}

func (t *table) get(id server.ConnID) *conn {
	if slot := uint32(id); int(slot) < len(t.slots) {
		if c := t.slots[slot]; c != nil && c.id == id {
			return c
		}
	}
	return nil
}

func (t *table) remove(c *conn) {
	slot := uint32(c.id)
	t.slots[slot] = nil
	t.free = append(t.free, slot)
	t.count--
}

// open makes c known to the machine and counts its goroutine.
func (h *hub) open(c *conn, t server.Transport) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return ErrClosed
	}
	if limit := h.b.cfg.MaximumConnections; h.conns.count >= limit {
		return fmt.Errorf("all %d connections are in use", limit)
	}
	h.b.wg.Add(1)
	c.id = h.conns.add(c)
	h.machine.Open(time.Now(), c.id, t)
	h.drain()
	return nil
}

// letter is what one read of a connection brought.
type letter struct {
	c       *conn
	packets []mqtt.Packet
	mistake error        // behind the packets; nil: none
	version mqtt.Version // as far as it is known

	// What became of the connection. receive fills it in.
	state state
	slow  bool // it may have more than SlowLimit on the way
}

// receive takes letters in their order, those of many connections under one lock. The caller must flush afterwards, when others had their turn.
func (h *hub) receive(letters []letter) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.committer.await()
	for i := range letters {
		h.take(now, &letters[i])
	}
}

// take takes one letter. The caller holds mu.
func (h *hub) take(now time.Time, l *letter) {
	c := l.c
	c.version = l.version
	for _, p := range l.packets {
		if c.state != open {
			break
		}
		h.now = p.Type()
		h.machine.Receive(now, c.id, p)
		h.drain()
	}
	h.now = 0
	if l.mistake != nil && c.state == open {
		h.malformed(now, c, l.mistake)
	}
	l.state, l.slow = c.state, c.slow
}

// do runs one call of the machine and what follows from it.
func (h *hub) do(call func(now time.Time)) {
	h.mu.Lock()
	call(time.Now())
	h.drain()
	h.mu.Unlock()
	h.flush()
}

// gone ends c for good. Its goroutine calls it last.
func (h *hub) gone(c *conn) {
	h.do(func(now time.Time) {
		if c.state == open {
			c.state = closed
			h.machine.Lost(now, c.id)
		}
		h.conns.remove(c)
	})
}

// shut lets nobody in any more and disconnects everybody.
func (h *hub) shut() {
	h.do(func(now time.Time) {
		h.closing = true
		for _, c := range h.conns.slots {
			switch {
			case c == nil:
			case c.state != open: // kept open by the Tap, or waiting for its peer
				c.out.end()
				h.touch(c)
			default:
				h.machine.Disconnect(now, c.id, mqtt.ServerShuttingDown, "")
			}
		}
	})
}

// cut closes all connections without a word.
func (h *hub) cut() {
	h.do(func(time.Time) {
		for _, c := range h.conns.slots {
			if c != nil {
				c.out.doom()
				h.touch(c)
			}
		}
	})
}

func (h *hub) publish(p *mqtt.Publish) {
	h.do(func(now time.Time) { h.machine.Publish(now, p) })
}

func (h *hub) stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{Stats: h.machine.Stats(), SlowDropped: h.slow.dropped, SlowClosed: h.slow.closed}
}

// drain carries out the machine's actions and sets the clock. The caller holds mu.
func (h *hub) drain() {
	h.layouts.forget()
	h.holding = false
	h.machine.Drain(h.perform)
	h.committer.ask()
	if at, ok := h.machine.Deadline(); ok && (h.wakeAt.IsZero() || at.Before(h.wakeAt)) {
		h.wakeAt = at
		select {
		case h.alarm <- struct{}{}:
		default:
		}
	}
}

// flush writes to all touched connections. The caller does not hold mu.
func (h *hub) flush() {
	h.mu.Lock()
	list := h.touched
	if len(list) == 0 {
		h.mu.Unlock()
		return
	}
	h.touched = h.b.pool.takeList()
	for _, c := range list {
		c.touched = false
	}
	h.mu.Unlock()
	for _, c := range list {
		c.out.flush()
	}
	h.b.pool.giveList(list)
}
