package server

import (
	"slices"

	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// pending is a message on its way to one Session.
type pending struct {
	message *message // nil: not kept, because it can't be wanted again
	group   *group   // the Shared Subscription that brought it; nil: none
	ids     []uint32 // Subscription Identifiers; never changed in place
	place   uint64   // where the store has it; 0: not there
	qos     mqtt.QoS
	retain  bool
	free    bool // not counted against the limits of the queue
}

// receiver is a Session that a message goes to.
type receiver struct {
	session *session
	pending pending
}

// routing is the state of one message's way to its receivers. Its slices are used again.
type routing struct {
	publish   *mqtt.Publish
	kept      *message // what publish was copied to; nil: not yet
	origin    *session // the publisher; nil: the Server, or a Session that is gone
	round     uint64   // number of the message
	matches   []*topic.Entry[subscription]
	receivers []receiver
}

// route passes a message on to all matching Subscriptions [MQTT5 3.3.2-3] [MQTT311 3.3.2-3], in the order of the calls [MQTT5 4.6.0-5]
// [MQTT5 4.6.0-6] [MQTT311 4.6.0-5] [MQTT311 4.6.0-6], and reports whether there were any. kept is a copy, if there is one.
func (m *Machine) route(p *mqtt.Publish, kept *message, origin *session) (matched bool) {
	r := &m.routing
	r.publish, r.kept, r.origin = p, kept, origin
	r.round++
	if m.cfg.Deviations.Has(DollarMatchedByWildcard) {
		r.matches = m.filters.MatchAll(p.Topic, r.matches[:0])
	} else {
		r.matches = m.filters.Match(p.Topic, r.matches[:0])
	}
	if m.cfg.Deviations.Has(HashMissesParent) {
		r.matches = slices.DeleteFunc(r.matches, func(e *topic.Entry[subscription]) bool { return e.Value.path == p.Topic+"/#" })
	}
	for _, e := range r.matches {
		m.collect(r, &e.Value)
	}
	// [MQTT5 4.5.0-1] [MQTT311 4.5.0-1]
	for i := range r.receivers {
		m.offer(r.receivers[i].session, r.receivers[i].pending)
	}
	matched = len(r.matches) > 0
	clear(r.matches)
	clear(r.receivers)
	r.receivers = r.receivers[:0]
	r.publish, r.kept, r.origin = nil, nil, nil
	return matched
}

// collect adds the receiver that a matching Subscription stands for.
func (m *Machine) collect(r *routing, sub *subscription) {
	if sub.group != nil {
		m.collectShared(r, sub.group)
		return
	}
	// [X5 4.8.1-1] [X5 3.3.4-2]
	s := sub.session
	if sub.noLocal && s == r.origin && !m.cfg.Deviations.Has(NoLocalIgnored) { // [MQTT5 3.8.3-3]
		return
	}
	x := m.pendingFor(r.publish, sub)
	if s.round != r.round || m.cfg.SeparateCopies {
		// [MQTT5 3.3.4-5]
		s.round, s.receiver = r.round, len(r.receivers)
		r.receivers = append(r.receivers, receiver{s, x})
		return
	}
	// [MQTT5 3.3.4-2] [MQTT5 3.3.4-4] [MQTT311 3.3.5-1]
	have := &r.receivers[s.receiver].pending
	if m.cfg.Deviations.Has(OverlapLowestQoS) {
		have.qos = min(have.qos, x.qos)
	} else {
		have.qos = max(have.qos, x.qos)
	}
	have.retain = have.retain || x.retain
	if !m.cfg.Deviations.Has(OverlapFirstIdentifierOnly) {
		have.ids = m.out.joinIDs(have.ids, x.ids)
	}
}

// pendingFor makes of a message what one Subscription wants of it.
func (m *Machine) pendingFor(p *mqtt.Publish, sub *subscription) pending {
	x := pending{
		ids:    sub.ids,                           // [MQTT5 3.3.4-3]
		qos:    min(p.QoS, sub.qos),               // [MQTT5 3.8.4-8] [MQTT311 3.8.4-6]
		retain: p.Retain && sub.retainAsPublished, // [MQTT5 3.3.1-12] [MQTT5 3.3.1-13] [MQTT311 3.3.1-9]
	}
	if d := m.cfg.Deviations; d != 0 {
		if d.Has(QoSNotDowngraded) {
			x.qos = p.QoS
		}
		if d.Has(RetainAsPublishedIgnored) {
			x.retain = false
		}
		if d.Has(RetainAlwaysForwarded) {
			x.retain = p.Retain
		}
		if d.Has(SubscriptionIdentifiersDropped) {
			x.ids = nil
		}
	}
	return x
}

// joinIDs returns both lists in one that is valid until Drain.
func (o *outbox) joinIDs(a, b []uint32) []uint32 {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	from := len(o.ids)
	o.ids = append(append(o.ids, a...), b...)
	return o.ids[from:len(o.ids):len(o.ids)]
}

// offer gives the message being routed to a Session: it is sent, queued or dropped.
func (m *Machine) offer(s *session, x pending) {
	c, f := s.conn, s.flow
	if x.qos == mqtt.AtMostOnce {
		switch {
		case c != nil && (f == nil || f.queue.atMostOnce == 0):
			m.transmit(c, m.routing.publish, 0, &x, false)
		case c != nil || m.cfg.KeepQoS0Offline:
			m.enqueue(s, x)
		}
		return
	}
	f = m.flows(s)
	if c == nil || f.queue.len() > 0 || f.out.Quota() == 0 {
		m.enqueue(s, x)
		return
	}
	if !m.fitsPublish(c, m.routing.publish, &x) {
		return
	}
	if s.resumable() || x.group != nil {
		m.keep(&x)
		m.placed(s, &x)
	}
	// [MQTT5 4.3.2-1] [MQTT5 4.3.3-1] [MQTT5 4.3.3-3] [MQTT311 2.3.1-4] [MQTT311 4.3.2-1]
	id, _ := f.out.Begin(x, x.qos == mqtt.ExactlyOnce)
	m.putDelivery(s, &x, id)
	m.transmit(c, m.routing.publish, id, &x, false)
}

// keep makes x hold the message being routed, which is copied for its first holder.
func (m *Machine) keep(x *pending) {
	r := &m.routing
	if r.kept == nil {
		r.kept = m.messages.clone(r.publish, m.now)
	}
	x.message = r.kept.hold()
	if len(x.ids) > 1 { // a single one is the Subscription's own, more are valid until Drain only
		x.ids = slices.Clone(x.ids)
	}
}

// transmit writes a PUBLISH. One that is too large for the client is dropped, as if it had been delivered.
func (m *Machine) transmit(c *conn, p *mqtt.Publish, id uint16, x *pending, dup bool) {
	if x.qos == mqtt.AtMostOnce && !m.fitsPublish(c, p, x) {
		return
	}
	o := m.out.next()
	o.kind, o.conn, o.publish = SendPublish, c.id, p
	d := &o.delivery
	d.PacketID, d.QoS, d.Retain, d.SubscriptionIdentifiers = id, x.qos, x.retain, x.ids
	// [MQTT5 3.3.1-1] [MQTT5 3.3.1-3] [MQTT5 4.3.1-1] [MQTT5 4.3.2-2] [MQTT5 4.3.3-2] [MQTT311 3.3.1-1] [MQTT311 3.3.1-3] [MQTT311 4.3.1-1]
	d.Dup = dup && !m.cfg.Deviations.Has(DupNotSetOnResend)
	if p.MessageExpiryInterval.Set {
		d.MessageExpiryInterval = m.expiryLeft(p, x)
	}
	if c.aliases != nil {
		c.assignAlias(p, d)
	}
	if dup {
		m.counters.Resent++
	} else {
		m.counters.Delivered[x.qos].add(p)
	}
}

// expiryLeft returns the Message Expiry Interval less the time that a message has waited.
func (m *Machine) expiryLeft(p *mqtt.Publish, x *pending) mqtt.Opt[uint32] {
	switch {
	case m.cfg.Deviations.Has(ExpiryNotCountedDown):
	case x.message != nil:
		return x.message.left(m.now)
	case m.routing.kept != nil:
		return m.routing.kept.left(m.now)
	}
	return p.MessageExpiryInterval // a message that is not kept has just arrived
}
