package server

import "mqttlab/reference-broker/mqtt"

// queue holds what waits for a Session, in order: a ring that grows by doubling and is given back when it runs empty.
type queue struct {
	ring       []pending
	first      int
	count      int
	counted    int // messages that count against the limit
	bytes      int // of their topics and payloads
	atMostOnce int // messages of QoS 0
	full       bool
}

// keepRing is the size up to which an empty ring is kept.
const keepRing = 64

// entryBytes is what a message in a queue counts against TotalQueueBytes besides its topic and payload.
const entryBytes = 64

func (q *queue) len() int { return q.count }

func (q *queue) front() *pending { return &q.ring[q.first] }

// account counts a message in (n is 1) or out (-1).
func (q *queue) account(x *pending, n int) {
	q.count += n
	if !x.free {
		q.counted += n
		q.bytes += n * x.message.size()
	}
	if x.qos == mqtt.AtMostOnce {
		q.atMostOnce += n
	}
}

func (q *queue) push(x pending) {
	if q.count == len(q.ring) {
		grown := make([]pending, max(8, 2*len(q.ring)))
		n := copy(grown, q.ring[q.first:])
		copy(grown[n:], q.ring[:q.first])
		q.ring, q.first = grown, 0
	}
	q.ring[(q.first+q.count)&(len(q.ring)-1)] = x
	q.account(&x, 1)
}

func (q *queue) pop() pending {
	x := q.ring[q.first]
	q.ring[q.first] = pending{}
	q.first = (q.first + 1) & (len(q.ring) - 1)
	q.account(&x, -1)
	q.full = false
	if q.count == 0 && len(q.ring) > keepRing {
		q.ring, q.first = nil, 0
	}
	return x
}

// rotate brings the last message to the front, for the Deviation that sends the newest first.
func (q *queue) rotate() {
	mask := len(q.ring) - 1
	last := q.ring[(q.first+q.count-1)&mask]
	q.first = (q.first - 1) & mask
	q.ring[(q.first+q.count)&mask] = pending{}
	q.ring[q.first] = last
}

// enqueue keeps the message being routed for a Session. Beyond the limits it is dropped, told once until there is room again.
func (m *Machine) enqueue(s *session, x pending) {
	q := &m.flows(s).queue
	if limit := m.queueLimit(q, &x); limit != "" {
		m.counters.Dropped++
		if !q.full {
			q.full = true
			m.note(Event{Kind: LimitReached, Client: s.id, Detail: limit})
		}
		return
	}
	m.keep(&x) // [MQTT311 3.1.2-5]
	m.placed(s, &x)
	m.putDelivery(s, &x, 0)
	q.push(x)
	m.counters.Queued++
	m.queuedBytes += x.message.size() + entryBytes
}

// queueLimit names the limit that keeps x out of a queue, if there is one.
func (m *Machine) queueLimit(q *queue, x *pending) string {
	size := publishBytes(m.routing.publish)
	switch {
	case x.free && q.count >= m.cfg.QueueMessages+m.retained.names.Len(), !x.free && q.counted >= m.cfg.QueueMessages:
		return "QueueMessages"
	case !x.free && q.bytes+size > m.cfg.QueueBytes:
		return "QueueBytes"
	case !x.free && m.queuedBytes+size+entryBytes > m.cfg.TotalQueueBytes:
		return "TotalQueueBytes"
	}
	return ""
}

func (m *Machine) dequeue(f *flow) pending {
	if m.cfg.Deviations.Has(QueueNewestFirst) {
		f.queue.rotate()
	}
	x := f.queue.pop()
	m.counters.Queued--
	m.queuedBytes -= x.message.size() + entryBytes
	return x
}

// pump sends what a connected Session waits for, as far as the send quota goes: first what is sent again, then the queue. [MQTT5 4.6.0-1]
func (m *Machine) pump(s *session) {
	c, f := s.conn, s.flow
	if c == nil || f == nil {
		return
	}
	for {
		id, x, ok := f.out.Resend()
		if !ok {
			break
		}
		if x.message == nil {
			continue // only of a Session that could not be resumed
		}
		// [MQTT5 4.3.3-7]: begun once, a message is sent again although it expired.
		if p := &x.message.publish; m.fitsPublish(c, p, x) {
			m.transmit(c, p, id, x, true)
			continue
		}
		// [MQTT5 3.1.2-25]: too large for the client since it connected anew. A QoS 2 exchange stays open, for the client may know its
		// identifier and would take the next message under it for a repetition.
		if x.qos == mqtt.AtLeastOnce {
			d, _ := f.out.Finish(id)
			m.removeDelivery(s, &d)
			m.release(d.message)
		}
	}
	for f.queue.len() > 0 {
		x := f.queue.front()
		if x.qos > mqtt.AtMostOnce && f.out.Quota() == 0 { // [MQTT5 4.9.0-2]
			return
		}
		m.sendQueued(c, f, m.dequeue(f))
	}
}

// sendQueued sends one message from the queue, or drops it because it expired or is too large.
func (m *Machine) sendQueued(c *conn, f *flow, x pending) {
	p := &x.message.publish
	switch {
	case x.message.expired(m.now) && !m.cfg.Deviations.Has(ExpiredDelivered): // [MQTT5 3.3.2-5]
		m.counters.Dropped++
	case x.qos == mqtt.AtMostOnce:
		m.transmit(c, p, 0, &x, false)
	case m.fitsPublish(c, p, &x):
		message := x.message
		if !c.session.resumable() && x.group == nil {
			m.removeDelivery(c.session, &x)
			x.message = nil
		}
		id, _ := f.out.Begin(x, x.qos == mqtt.ExactlyOnce)
		m.putDelivery(c.session, &x, id)
		kept := x
		kept.message = message
		m.transmit(c, p, id, &kept, false)
		if x.message != nil {
			return // held by the exchange now
		}
		m.release(message)
		return
	}
	m.removeDelivery(c.session, &x)
	m.release(x.message)
}
