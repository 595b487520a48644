package load

import (
	"encoding/binary"
	"math"
	"time"
)

const (
	perWrite = 64          // messages, so that a large window is not one write
	forgive  = time.Second // without progress, after which what is on the way is written off
	noBudget = math.MaxUint64
)

// publisher is the load of one line. It sends while less than window messages are on the way.
type publisher struct {
	line      *line
	templates []template // sent in turn
	window    uint64
	copies    uint64 // deliveries of one message; 0: they are not waited for
	budget    uint64 // messages that it may send in all
	waitAck   bool
	numbered  bool // stamps are the numbers of the messages, from 1

	sent, acked, delivered uint64
	id                     uint16
}

// publish makes l a publisher. It begins when l is stirred.
func (lp *loop) publish(l *line, window, copies int, templates ...template) *publisher {
	p := &publisher{
		line: l, templates: templates, window: uint64(window), copies: uint64(copies), budget: noBudget,
		waitAck: templates[0].idAt > 0,
	}
	l.pub = p
	lp.pubs = append(lp.pubs, p)
	return p
}

// done is how many messages have arrived everywhere.
func (p *publisher) done() uint64 {
	n := p.sent
	if p.copies > 0 {
		n = min(n, p.delivered/p.copies)
	}
	if p.waitAck {
		n = min(n, p.acked)
	}
	return n
}

// refill sends until the window is full.
func (p *publisher) refill() {
	for done := p.done(); ; p.line.flush() {
		for range perWrite {
			if p.sent-done >= p.window || p.sent >= p.budget || p.line.blocked || p.line.closed {
				return
			}
			p.send()
		}
	}
}

func (p *publisher) send() {
	stamp := uint64(0)
	if p.numbered {
		stamp = p.sent + 1
	}
	p.sendStamped(stamp)
}

// sendStamped sends a message; stamp 0: without one.
func (p *publisher) sendStamped(stamp uint64) {
	t := &p.templates[p.sent%uint64(len(p.templates))]
	l := p.line
	at := len(l.out)
	l.out = append(l.out, t.bytes...)
	if t.idAt > 0 {
		p.id = max(p.id+1, 1)
		binary.BigEndian.PutUint16(l.out[at+t.idAt:], p.id)
	}
	if stamp != 0 {
		binary.BigEndian.PutUint64(l.out[at+t.stampAt:], stamp)
	}
	p.sent++
}

// forgive writes off what is on the way and goes on.
func (lp *loop) forgive() {
	for _, p := range lp.pubs {
		lp.lost += p.sent - p.done()
		p.delivered, p.acked = p.sent*p.copies, p.sent
		p.line.stir()
	}
}

// run keeps the load up for so long.
func (lp *loop) run(d time.Duration) error {
	now := time.Now()
	end := now.Add(d)
	progress, since := lp.delivered, now
	for _, p := range lp.pubs {
		p.line.stir()
	}
	lp.settle()
	for now.Before(end) {
		if err := lp.turn(20 * time.Millisecond); err != nil {
			return err
		}
		now = time.Now()
		switch {
		case lp.delivered != progress:
			progress, since = lp.delivered, now
		case now.Sub(since) > forgive:
			lp.forgive()
			lp.settle()
			since = now
		}
	}
	return nil
}

// converse is what publishers and subscribers do with a packet.
func converse(l *line, first byte, b []byte) {
	lp := l.loop
	switch first & typeMask {
	case connack:
		if len(b) != 2 || b[1] != 0 {
			lp.fail("%s: CONNACK % x", l.name, b)
		}
		l.entered = true
	case suback:
		for _, code := range b[min(2, len(b)):] {
			if code > 2 {
				lp.fail("%s: the broker refuses a subscription with %#x", l.name, code)
			}
		}
		l.subacks++
	case publishType:
		l.received(first, b)
	case puback, pubcomp:
		if l.pub != nil {
			l.pub.acked++
			lp.acked++
			l.stir()
		}
	case pubrec:
		l.reply(pubrel, b)
	case pubrel & typeMask:
		l.reply(pubcomp, b)
	}
}

func (l *line) received(first byte, b []byte) {
	lp := l.loop
	a, ok := published(first, b)
	if !ok || int(a.number) >= len(lp.pubs) {
		lp.fail("%s: a message came that nobody sent", l.name)
		return
	}
	switch first & qosMask >> 1 {
	case 1:
		l.reply(puback, a.id)
	case 2:
		l.reply(pubrec, a.id)
	}
	p := lp.pubs[a.number]
	if l.arrived != nil {
		l.arrived(p, a.stamp())
	}
	lp.delivered++
	p.delivered++
	p.line.stir()
}

// reply answers with a packet that has only a Packet Identifier.
func (l *line) reply(first byte, id []byte) {
	if len(id) < 2 {
		l.loop.fail("%s: a packet without its Packet Identifier came", l.name)
		return
	}
	l.out = append(l.out, first, 2, id[0], id[1])
	l.stir()
}
