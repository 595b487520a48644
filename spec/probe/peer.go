package probe

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"mqttlab/spec/octets"
)

// maxPacket is the largest packet accepted from a target; a larger one ends the
// connection as [Garbage]. No check provokes more than this.
const maxPacket = 16 << 20

// Options are what a peer needs besides its connection.
type Options struct {
	// Name is shown in the transcript.
	Name string
	// Version decides how packets are laid out and read.
	Version octets.Version
	// Timings must be complete: [Timings.WithDefaults].
	Timings Timings
	// Log receives every byte. Required.
	Log *Transcript
	// Fail ends the check; it does not return. Required.
	Fail func(Failure)
	// Sent is told of each packet sent, as read back; nil for nobody.
	Sent func(*octets.Received)
	// Waits is told whenever the check waits for this peer; nil for nobody.
	Waits func(*Peer)
}

// Peer is one Network Connection to the target, seen from the client's side.
type Peer struct {
	o    Options
	conn net.Conn

	events chan Event    // from the reader; closed after the end
	done   chan struct{} // closed when the reader has ended

	// The fields below belong to the goroutine of the check.
	stash   []*octets.Received // received while something else was waited for
	late    int                // PINGRESPs to come that nobody waits for any more
	end     *End
	sent    string    // last thing sent, for failures
	sentAt  time.Time // when
	lastID  uint16
	connack *octets.Received
	audit   audit
}

// Event is what a peer sees next: a packet, or the end, or nothing in time.
type Event struct {
	Packet *octets.Received
	End    *End
}

// String tells the event in words.
func (e Event) String() string {
	switch {
	case e.Packet != nil:
		return e.Packet.String()
	case e.End != nil:
		return "connection " + e.End.String()
	}
	return "nothing"
}

// New takes over a connection. The caller closes the peer, not the connection.
func New(conn net.Conn, o Options) *Peer {
	p := &Peer{o: o, conn: conn, events: make(chan Event, 1024), done: make(chan struct{}), sent: "nothing"}
	p.audit.v = o.Version
	o.Log.add(o.Name, false, "connected", nil)
	go p.read()
	return p
}

// Close closes the Network Connection without DISCONNECT and waits for the reader.
// Closing twice is harmless.
func (p *Peer) Close() {
	p.conn.Close()
	for range p.events { //nolint:revive // the reader may be blocked on a full queue
	}
	<-p.done
}

// Name is the name in the transcript.
func (p *Peer) Name() string { return p.o.Name }

// Conn is the connection itself, for checks that close one direction or split writes.
func (p *Peer) Conn() net.Conn { return p.conn }

// End is how the connection ended as far as the check has seen, nil while it is open.
func (p *Peer) End() *End { return p.end }

// Connack is the CONNACK received, nil before that.
func (p *Peer) Connack() *octets.Received { return p.connack }

// LastSent is when and what was sent last.
func (p *Peer) LastSent() (time.Time, string) { return p.sentAt, p.sent }

// read is the reader goroutine. It owns the buffer and ends with the connection; when
// the check is slower than 1024 packets it stops reading, as TCP would have it.
func (p *Peer) read() {
	defer close(p.done)
	defer close(p.events)
	var buf, chunk []byte
	chunk = make([]byte, 4<<10) // thousands of peers say little each
	for {
		n, err := p.conn.Read(chunk)
		buf = append(buf, chunk[:n]...)
		for {
			r, used := octets.Decode(buf, p.o.Version)
			if r == nil {
				break
			}
			buf = buf[used:len(buf):len(buf)]
			p.o.Log.add(p.o.Name, true, r.String(), r.Raw)
			p.events <- Event{Packet: r}
		}
		if size := octets.Claimed(buf); err == nil && size > maxPacket {
			err = fmt.Errorf("a packet of %d bytes was announced", size)
		}
		if err != nil {
			p.ended(buf, err)
			return
		}
	}
}

func (p *Peer) ended(rest []byte, err error) {
	if len(rest) > 0 {
		p.o.Log.add(p.o.Name, true, fmt.Sprintf("%d bytes of an incomplete packet", len(rest)), rest)
	}
	end := &End{At: time.Now()}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
		end.Kind = FIN
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		end.Kind = RST
	case errors.Is(err, net.ErrClosed):
		end.Kind = Local
	default:
		end.Kind, end.Err = Broken, err
	}
	if octets.Claimed(rest) > maxPacket {
		end.Kind, end.Err = Garbage, err
	}
	if end.ByTarget() {
		p.conn.Close() // as clients do: a server that closes a TLS connection, or is stopped, may wait for that
	}
	p.o.Log.add(p.o.Name, end.Kind != Local, end.String(), nil)
	p.events <- Event{End: end}
}

// Next returns what the target says next, or an empty Event when nothing came in the
// given time. Packets are audited on the way. It does not look at packets set aside.
func (p *Peer) Next(within time.Duration) Event {
	if p.o.Waits != nil {
		p.o.Waits(p)
	}
	if p.end != nil {
		return Event{End: p.end}
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		select {
		case e, open := <-p.events:
			e = p.accept(e, open)
			if p.late > 0 && e.Packet != nil && e.Packet.Type == octets.PINGRESP {
				p.late--
				continue
			}
			return e
		case <-timer.C:
			return Event{}
		}
	}
}

// accept audits an event. The queue is no longer open when the check has closed the
// connection before the end was seen.
func (p *Peer) accept(e Event, open bool) Event {
	if !open {
		e.End = &End{Kind: Local, At: time.Now()}
	}
	if e.End != nil {
		p.end = e.End
		p.end.Refusal = p.audit.refusal
		return e
	}
	if broken, ok := p.audit.packet(e.Packet); !ok {
		broken.Sent, broken.Got = p.sent, e.Packet.String()
		p.o.Fail(broken)
	}
	if e.Packet.Type == octets.CONNACK {
		p.connack = e.Packet
	}
	return e
}

// Settle audits what arrived and was never waited for. The runner calls it when the
// body of a check has returned.
func (p *Peer) Settle() {
	for p.end == nil {
		select {
		case e, open := <-p.events:
			p.accept(e, open)
		default:
			return
		}
	}
}

// fail fills in what was sent and ends the check.
func (p *Peer) fail(why string, acceptable []string, got Event) {
	text := got.String()
	silent := got.Packet == nil && got.End == nil
	if silent {
		text = fmt.Sprintf("nothing within %v", p.o.Timings.Answer)
	}
	p.o.Fail(Failure{Why: why, Sent: p.sent, Acceptable: acceptable, Got: text, Silent: silent})
}
