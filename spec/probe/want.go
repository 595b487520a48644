package probe

import (
	"fmt"
	"slices"
	"time"

	"mqttlab/spec/octets"
)

// Want returns the next packet, which has to be of this type. PUBLISH and all other
// packets travel independently: while one kind is waited for, the other is set aside
// and found by a later want.
func (p *Peer) Want(t octets.Type, why string) *octets.Received {
	return p.want(why, t.String(), func(r *octets.Received) bool { return r.Type == t }, t == octets.PUBLISH)
}

// WantID is Want for a packet that repeats the Packet Identifier of its request.
func (p *Peer) WantID(t octets.Type, id uint16, why string) *octets.Received {
	return p.want(why, fmt.Sprintf("%s with packet identifier %d", t, id),
		func(r *octets.Received) bool { return r.Type == t && r.ID == id }, t == octets.PUBLISH)
}

// WantMessage is Want(PUBLISH) for a message with this topic and payload.
func (p *Peer) WantMessage(topic, payload, why string) *octets.Received {
	return p.want(why, fmt.Sprintf("PUBLISH %q payload=%q", topic, payload),
		func(r *octets.Received) bool {
			return r.Type == octets.PUBLISH && r.Topic == topic && r.Payload == payload
		}, true)
}

func (p *Peer) want(why, acceptable string, ok func(*octets.Received) bool, publish bool) *octets.Received {
	class := func(r *octets.Received) bool { return (r.Type == octets.PUBLISH) == publish }
	if i := slices.IndexFunc(p.stash, class); i >= 0 {
		r := p.stash[i]
		p.stash = slices.Delete(p.stash, i, i+1)
		if !ok(r) {
			p.fail(why, []string{acceptable}, Event{Packet: r})
		}
		return r
	}
	deadline := time.Now().Add(p.o.Timings.Answer)
	for {
		e := p.Next(time.Until(deadline))
		switch r := e.Packet; {
		case r != nil && ok(r):
			return r
		case r != nil && !class(r) && r.Type != octets.DISCONNECT:
			p.stash = append(p.stash, r)
		default:
			p.fail(why, []string{acceptable}, p.withEnd(e))
		}
	}
}

// withEnd waits for the close behind a DISCONNECT, so that a failure tells both.
func (p *Peer) withEnd(e Event) Event {
	if e.Packet == nil || e.Packet.Type != octets.DISCONNECT {
		return e
	}
	if next := p.Next(p.o.Timings.Settle); next.End != nil {
		return next
	}
	return e
}

// Barrier sends PINGREQ and returns all that arrives before PINGRESP, including what
// was set aside. It fails the check if the target does not answer. The connection has
// to be accepted already.
func (p *Peer) Barrier(why string) []*octets.Received {
	sent := p.sent
	p.Send(octets.Pingreq{})
	p.sent = sent + ", then PINGREQ"
	got := p.stash
	p.stash = nil
	deadline := time.Now().Add(p.o.Timings.Answer)
	for {
		e := p.Next(time.Until(deadline))
		switch {
		case e.Packet != nil && e.Packet.Type == octets.PINGRESP:
			return got
		case e.Packet != nil && e.Packet.Type != octets.DISCONNECT:
			got = append(got, e.Packet)
		default:
			p.fail(why, []string{"PINGRESP, as the connection stays open"}, p.withEnd(e))
		}
	}
}

// WantSilence proves that the target has nothing to say on this connection: it answers
// PINGREQ, and nothing came before that.
func (p *Peer) WantSilence(why string) {
	if got := p.Barrier(why); len(got) > 0 {
		p.fail(why, []string{"nothing"}, Event{Packet: got[0]})
	}
}

// WantOnly proves that no other message is on its way to this subscriber: via
// publishes a sentinel, which has to be the next PUBLISH here. Order holds per topic
// and QoS, so the sentinel should have those of the message that must not come.
func (p *Peer) WantOnly(via *Peer, sentinel octets.Publish, why string) *octets.Received {
	if sentinel.Payload == "" {
		sentinel.Payload = "sentinel"
	}
	via.Publish(sentinel)
	return p.WantMessage(sentinel.Topic, sentinel.Payload, why)
}

// WantClose waits until the target has closed the connection, in whatever way, and
// returns how. What the target says before that is passed over. A target that stays
// is asked by PINGREQ whether it means to.
func (p *Peer) WantClose(why string) *End {
	end, _ := p.Reaction(nil)
	if end == nil || !end.ByTarget() {
		p.failOpen(why, []string{"the connection is closed"}, end)
	}
	return end
}

// WantCloseBetween waits until the target closes the connection, which has to happen
// no sooner than earliest and no later than latest after the last thing sent, give or
// take Slack at the late end.
func (p *Peer) WantCloseBetween(earliest, latest time.Duration, why string) *End {
	limit := latest + p.o.Timings.Slack
	acceptable := []string{fmt.Sprintf("closed between %v and %v after the last packet (and %v of slack)", earliest, latest, p.o.Timings.Slack)}
	for {
		e := p.Next(time.Until(p.sentAt.Add(limit)))
		switch {
		case e.Packet != nil:
		case e.End == nil:
			p.o.Fail(Failure{Why: why, Sent: p.sent, Acceptable: acceptable, Got: fmt.Sprintf("still open after %v", limit)})
		case !e.End.ByTarget():
			p.fail(why, acceptable, e)
		default:
			if after := e.End.At.Sub(p.sentAt); after < earliest {
				p.o.Fail(Failure{Why: why, Sent: p.sent, Acceptable: acceptable, Got: fmt.Sprintf("%s after %v", e, after.Round(time.Millisecond))})
			}
			return e.End
		}
	}
}

// Reaction collects what the target does about the last thing sent: packets, until it
// closes the connection, or until done says that this is all it waits for, or until
// the target has shown by PINGRESP that it means to stay (end is nil then). A
// connection that was not accepted yet is not asked; there, silence counts as staying.
// One that was, and on which PINGREQ is not answered, does not stay open in any useful
// sense: its end is [Hung].
func (p *Peer) Reaction(done func([]*octets.Received) bool) (*End, []*octets.Received) {
	got := p.stash
	p.stash = nil
	sent := p.sent
	asked := false // a PINGRESP is due
	defer func() {
		p.sent = sent
		if asked && p.end == nil {
			p.late++
		}
	}()
	ready := func() bool { return done != nil && len(got) > 0 && done(got) }
	collect := func(within time.Duration, until octets.Type) bool {
		deadline := time.Now().Add(within)
		for {
			e := p.Next(time.Until(deadline))
			if e.Packet == nil {
				return false
			}
			if e.Packet.Type == until {
				asked = false
				return true
			}
			got = append(got, e.Packet)
			if ready() {
				return true
			}
		}
	}
	if ready() || collect(p.o.Timings.Settle, 0) || p.end != nil {
		return p.end, got
	}
	if p.connack == nil || p.connack.Code != 0 {
		collect(p.o.Timings.Answer, 0)
		return p.end, got
	}
	p.Send(octets.Pingreq{})
	asked = true
	switch answered := collect(p.o.Timings.Answer, octets.PINGRESP); {
	case answered && !ready():
		collect(p.o.Timings.Settle, 0)
	case !answered && p.end == nil:
		return &End{Kind: Hung, At: time.Now()}, got
	}
	return p.end, got
}

func (p *Peer) failOpen(why string, acceptable []string, end *End) {
	if end != nil {
		p.fail(why, acceptable, Event{End: end})
	}
	p.o.Fail(Failure{Why: why, Sent: p.sent, Acceptable: acceptable, Got: "the connection stays open"})
}
