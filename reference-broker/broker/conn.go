package broker

import (
	"net"
	"runtime"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// conn is one Network Connection. A loop, or a goroutine that runs serve, reads it and owns the fields under "reader".
type conn struct {
	b   *Broker
	id  server.ConnID
	nc  net.Conn
	out outbox

	// reader
	rest       []byte // the beginning of a packet; nil: none. For serve: the place to read to.
	limit      uint32 // Maximum Packet Size for the packets of this client
	current    mqtt.Version
	discarding bool // for loop: the machine has closed it, the peer not yet

	// guarded by hub.mu
	version mqtt.Version // layout of what is sent; 0 before CONNECT
	state   state
	touched bool // in hub.touched
	held    bool // in committer.held
	slow    bool // SlowLimit was passed; out knows whether it still is
}

// state is what the machine thinks of a connection.
type state uint8

const (
	open   state = iota
	closed       // the machine has forgotten it; the peer is given time to read what was sent
	quiet        // the same, but the peer asked for it and nothing is on the way: it can be closed at once
)

// desk is what it takes to work on bytes that arrived. A loop has its own; the goroutines of other connections share a few, so that a
// thousand of them with input at once do not queue for the hub's mutex.
type desk struct {
	dec     *wire.Decoder
	packets []mqtt.Packet
	letters []letter

	// Of a loop only:
	buf  []byte // where it reads to
	used int    // bytes of buf with packets for the hub
}

const (
	// deskBuffer is how many bytes a loop reads at once. With a quarter of it, a publisher of small messages at full speed is read before its socket
	// has filled, and in that rhythm it costs four times as much.
	deskBuffer = 64 << 10
	// loopBuffer is where a loop puts what it reads from many connections one after the other.
	loopBuffer = 2 * deskBuffer
	ownBuffer  = 4 << 10  // what a goroutine reads to at first
	largestOwn = 16 << 10 // what it keeps after a large packet
	// largestConnect bounds packets of clients that have not said CONNECT yet: the longest sensible one has some texts of 64 KiB.
	largestConnect = 512 << 10
)

func newDesk() *desk { return &desk{dec: wire.NewDecoder(wire.FromClient)} }

// newDesks returns enough for all processors to be busy while some wait for the hub.
func newDesks() chan *desk {
	n := 2 * runtime.GOMAXPROCS(0)
	desks := make(chan *desk, n)
	for range n {
		desks <- newDesk()
	}
	return desks
}

func newConn(b *Broker, nc net.Conn) *conn {
	c := &conn{b: b, nc: nc, limit: largestConnect}
	if m := b.cfg.Server.MaximumPacketSize; m > 0 {
		c.limit = min(c.limit, m)
	}
	c.out.init(nc, b)
	return c
}

// serve reads until the connection ends. It is the goroutine of a connection that no loop reads.
func (c *conn) serve() {
	defer c.b.wg.Done()
	s := open
	for s == open {
		n, err := c.nc.Read(c.space())
		if err != nil {
			break
		}
		d := <-c.b.desks
		s = c.arrived(d, n)
		c.b.desks <- d
		// Let others that are ready add to the same outgoing buffers first.
		runtime.Gosched()
		c.b.hub.flush()
		if limit := c.b.cfg.SlowLimit; s == open && c.out.backlog() >= limit {
			room := make(chan struct{})
			c.out.whenBelow(limit, func() { close(room) })
			<-room
		}
	}
	if s == closed {
		c.discard()
	}
	c.b.hub.gone(c)
	c.out.doom()
	c.nc.Close()
}

// discard reads and forgets until the peer has closed as well or outbox.last has rung.
func (c *conn) discard() {
	b := make([]byte, 512)
	for {
		if _, err := c.nc.Read(b); err != nil {
			return
		}
	}
}

// sort decodes n bytes that a loop read to the end of what is used on the desk, and adds a letter.
func (c *conn) sort(d *desk, n int) {
	c.b.traffic.in.Add(uint64(n))
	d.dec.Version, d.dec.MaximumPacketSize = c.current, c.limit
	decode, first := d.dec.More, len(d.packets)
	if len(d.letters) == 0 {
		decode = d.dec.All
	}
	b := d.buf[d.used:][:n]
	packets, used, mistake := decode(d.packets, b)
	if used < n && mistake == nil {
		c.keep(b[used:])
	}
	if len(packets) == first && mistake == nil {
		return
	}
	d.packets = packets
	d.used += used
	d.letters = append(d.letters, letter{c: c, packets: packets[first:], mistake: mistake, version: c.current})
}

// keep copies the beginning of a packet whose end has not come.
func (c *conn) keep(b []byte) { c.rest = append(make([]byte, 0, max(512, 2*len(b))), b...) }

// clear takes the letters off the desk. What the decoder gave away, a SUBSCRIBE say, is not kept.
func (d *desk) clear() {
	clear(d.packets)
	clear(d.letters)
	d.packets, d.letters, d.used = d.packets[:0], d.letters[:0], 0
}

// space returns room behind rest. A packet that does not fit makes rest twice as large, never more: so memory is used for what has arrived, not
// for what a length field promises.
func (c *conn) space() []byte {
	if c.rest == nil {
		c.rest = make([]byte, 0, ownBuffer)
	} else if len(c.rest) == cap(c.rest) {
		c.rest = append(make([]byte, 0, 2*cap(c.rest)), c.rest...)
	}
	return c.rest[len(c.rest):cap(c.rest)]
}

// arrived takes n bytes that were read to space, or, if there is no rest, to the desk. The desk must be clear.
func (c *conn) arrived(d *desk, n int) state {
	c.b.traffic.in.Add(uint64(n))
	if c.rest == nil {
		b := d.buf[:n]
		used, s := c.work(d, b)
		if used < n && s == open {
			c.keep(b[used:])
		}
		return s
	}
	c.rest = c.rest[:len(c.rest)+n]
	used, s := c.work(d, c.rest)
	c.rest = append(c.rest[:0], c.rest[used:]...)
	if len(c.rest) == 0 && (c.out.direct != nil || cap(c.rest) > largestOwn) {
		c.rest = nil
	}
	return s
}

// work gives the complete packets at the start of b to the hub and returns how many bytes they take.
func (c *conn) work(d *desk, b []byte) (used int, s state) {
	d.dec.Version, d.dec.MaximumPacketSize = c.current, c.limit
	if c.b.cfg.Tap != nil {
		return c.workTapped(d, b)
	}
	if used, s = c.connect(d, b); s != open {
		return used, s
	}
	packets, n, mistake := d.dec.All(d.packets[:0], b[used:])
	d.packets = packets
	return used + n, c.deliver(d, packets, mistake)
}

// connect handles the first packet apart from what may follow it in the same read, for other limits hold from then on.
func (c *conn) connect(d *desk, b []byte) (used int, s state) {
	if c.current != 0 {
		return 0, open
	}
	p, n, mistake := d.dec.Next(b)
	if n == 0 && mistake == nil {
		return 0, open
	}
	d.packets = append(d.packets[:0], p)
	if mistake != nil {
		d.packets = d.packets[:0]
	}
	return n, c.deliver(d, d.packets, mistake)
}

// deliver hands what came of one connection alone to the hub.
func (c *conn) deliver(d *desk, packets []mqtt.Packet, mistake error) state {
	if len(packets) == 0 && mistake == nil {
		return open
	}
	if v := d.dec.Version; v != c.current {
		c.current, c.limit = v, c.b.cfg.Server.MaximumPacketSize
		d.dec.MaximumPacketSize = c.limit
	}
	d.letters = append(d.letters[:0], letter{c: c, packets: packets, mistake: mistake, version: c.current})
	c.b.hub.receive(d.letters)
	s := d.letters[0].state
	d.clear()
	return s
}

// workTapped is work through the Tap: frame by frame, each decoded from the bytes that the Tap put in its place.
func (c *conn) workTapped(d *desk, b []byte) (used int, s state) {
	for s == open && used < len(b) {
		n := wire.Size(b[used:])
		if n == 0 || n > len(b)-used {
			break
		}
		if n < 0 {
			n = len(b) - used
		}
		t := c.b.cfg.Tap.In(c.id, b[used:used+n])
		used += n
		for _, f := range t.Frames {
			packets, whole, mistake := d.dec.All(d.packets[:0], f)
			d.packets = packets
			if whole < len(f) && mistake == nil {
				mistake = &wire.Error{Code: mqtt.MalformedPacket, Field: "tapped frame", Offset: whole, Problem: "is not whole"}
			}
			if s == open {
				s = c.deliver(d, packets, mistake)
			}
		}
		if t.Close {
			c.b.hub.flush()
			c.out.doom()
			return used, quiet
		}
	}
	return used, s
}
