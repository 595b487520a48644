package server

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"mqttlab/reference-broker/core/inflight"
	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// restoring is what Restore needs while it reads.
type restoring struct {
	m        *Machine
	messages map[uint64]*message
	ordered  []*message
	sessions map[uint64]*session
	list     []*session
	groups   []*group            // that deliveries name
	waiting  map[*session]Record // the PutSession of each
}

// Restore gives a new Machine what an earlier one stored. Messages come first, what belongs to a Session after its PutSession, deliveries of a
// Session in the order of their Places. Sessions that were connected lose their connection now: their Will Messages and expiry run from here.
// What changes is in the actions, as after any call. An error says what does not fit together; the Machine is of no use then.
func (m *Machine) Restore(now time.Time, records iter.Seq2[Record, error]) error {
	if len(m.conns) > 0 || len(m.sessions) > 0 || m.retained.names.Len() > 0 {
		return errors.New("restore into a server that is in use")
	}
	m.tick(now)
	r := restoring{m: m, messages: map[uint64]*message{}, sessions: map[uint64]*session{}, waiting: map[*session]Record{}}
	for x, err := range records {
		if err != nil {
			return err
		}
		m.lastSerial = max(m.lastSerial, x.Session, x.Message, x.Place)
		if err := r.take(&x); err != nil {
			return err
		}
	}
	for _, s := range r.list {
		r.resettle(s)
	}
	r.tidy()
	m.Advance(now)
	return nil
}

// tidy removes what nobody wants: groups that were made for deliveries of others, messages whose last holder was not stored.
func (r *restoring) tidy() {
	for _, g := range r.groups {
		if r.m.groups[g.key] == g {
			r.m.dissolve(g)
		}
	}
	for _, x := range r.ordered {
		if x.holders == 0 {
			r.m.release(x.hold())
		}
	}
}

func (r *restoring) take(x *Record) error {
	switch x.Kind {
	case PutMessage:
		return r.message(x)
	case PutRetained:
		return r.retained(x)
	case PutSession:
		return r.session(x)
	}
	s := r.sessions[x.Session]
	if s == nil {
		return fmt.Errorf("record of kind %d belongs to Session %d, which is not stored", x.Kind, x.Session)
	}
	switch x.Kind {
	case PutSubscription:
		return r.subscription(s, x)
	case PutReceived:
		if !r.m.flows(s).in.Add(x.PacketID) {
			return fmt.Errorf("client %q has two received messages under Packet Identifier %d", s.id, x.PacketID)
		}
		return nil
	case PutDelivery:
		return r.delivery(s, x)
	}
	return fmt.Errorf("record of kind %d, which nothing can be restored from", x.Kind)
}

func (r *restoring) message(x *Record) error {
	if x.Message == 0 || x.Publish == nil || topic.CheckName(x.Publish.Topic) != nil {
		return fmt.Errorf("message %d has no number or no Topic Name", x.Message)
	}
	c := r.m.messages.clone(x.Publish, x.Time.Sub(r.m.base))
	c.serial = x.Message
	r.messages[x.Message] = c
	r.ordered = append(r.ordered, c)
	return nil
}

func (r *restoring) find(number uint64, what string) (*message, error) {
	if c := r.messages[number]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%s refers to message %d, which is not stored", what, number)
}

func (r *restoring) retained(x *Record) error {
	c, err := r.find(x.Message, fmt.Sprintf("retained message of topic %q", x.Name))
	if err != nil {
		return err
	}
	if c.publish.Topic != x.Name {
		return fmt.Errorf("retained message of topic %q is one for %q", x.Name, c.publish.Topic)
	}
	r.m.keepRetained(c).stored = true
	return nil
}

func (r *restoring) session(x *Record) error {
	m := r.m
	if x.Session == 0 || r.sessions[x.Session] != nil || m.sessions[x.Client] != nil {
		return fmt.Errorf("client %q has two Sessions, or one without a number", x.Client)
	}
	s := &session{id: x.Client, username: x.Username, number: x.Session, expiry: x.Expiry, ends: forever}
	s.timer.owner = s
	if x.Message != 0 {
		c, err := r.find(x.Message, fmt.Sprintf("Will Message of client %q", x.Client))
		if err != nil {
			return err
		}
		s.will = &will{message: c.hold(), delay: x.Delay}
	}
	m.sessions[s.id], r.sessions[x.Session], r.waiting[s] = s, s, *x
	r.list = append(r.list, s)
	return nil
}

func (r *restoring) subscription(s *session, x *Record) error {
	f, err := topic.Filter{Path: x.Name}, topic.CheckFilter(x.Name)
	if x.Shared {
		f, err = topic.ParseFilter(x.Name)
	}
	if err != nil || x.QoS > mqtt.ExactlyOnce {
		return fmt.Errorf("client %q has a Subscription to %q with QoS %d, which is not valid", s.id, x.Name, x.QoS)
	}
	r.m.insertSubscription(subscription{
		session: s, filter: x.Name, path: f.Path, qos: x.QoS, noLocal: x.NoLocal, retainAsPublished: x.RetainAsPublished, ids: x.Identifiers,
	}, f)
	return nil
}

// delivery puts a message back into the queue or the exchange it was in.
func (r *restoring) delivery(s *session, x *Record) error {
	m := r.m
	d := pending{place: x.Place, qos: x.QoS, retain: x.Retain, free: x.Free, ids: x.Identifiers}
	if x.Shared {
		d.group = m.groupOf(groupKey{x.Share, x.Name})
		r.groups = append(r.groups, d.group)
	}
	phase := inflight.AwaitPubcomp
	if !x.Released {
		c, err := r.find(x.Message, fmt.Sprintf("a delivery to client %q", s.id))
		if err != nil {
			return err
		}
		d.message = c.hold()
		if phase = inflight.AwaitPuback; x.QoS == mqtt.ExactlyOnce {
			phase = inflight.AwaitPubrec
		}
	}
	f := m.flows(s)
	if x.PacketID == 0 && !x.Released {
		f.queue.push(d)
		m.counters.Queued++
		m.queuedBytes += d.message.size() + entryBytes
		return nil
	}
	if !f.out.Restore(x.PacketID, d, phase) {
		return fmt.Errorf("client %q has two messages under Packet Identifier %d", s.id, x.PacketID)
	}
	return nil
}

// resettle lets the time of an offline Session go on, and takes the connection from one that had it.
func (r *restoring) resettle(s *session) {
	m, x := r.m, r.waiting[s]
	if !x.Offline {
		if s.will != nil {
			s.willDue = m.now + s.will.delay
			if s.will.delay == 0 {
				m.publishWill(s)
			}
		}
		m.offline(s)
		return
	}
	if !x.Time.IsZero() {
		s.ends = x.Time.Sub(m.base)
	}
	if s.will != nil {
		s.willDue = x.WillTime.Sub(m.base)
	}
	m.scheduleSession(s)
}
