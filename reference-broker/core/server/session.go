package server

import (
	"time"

	"mqttlab/reference-broker/core/inflight"
	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// session is what a Client Identifier has at the Server, whether connected or not. [X5 4.1-2] [MQTT311 4.1.0-1]
type session struct {
	id       string
	username string
	number   uint64 // in the store; 0: not there
	conn     *conn  // nil: offline
	expiry   uint32
	timer    timer         // offline: the end of the Session or the Will Delay, whichever is earlier
	ends     time.Duration // offline: when the Session ends; forever: never
	will     *will         // offline: waits for its delay
	willDue  time.Duration

	subscriptions []*topic.Entry[subscription]
	byFilter      map[string]*topic.Entry[subscription] // kept beside a long list
	flow          *flow                                 // nil until needed

	// The receiver that route made of this Session for the message number round.
	round    uint64
	receiver int
}

// flow is what a Session has in QoS 1 and 2 exchanges and what waits for them.
type flow struct {
	out   inflight.Outgoing[pending]
	in    inflight.IDSet
	queue queue
}

// empty reports whether nothing is under way or waits.
func (f *flow) empty() bool { return f.out.Len() == 0 && f.in.Len() == 0 && f.queue.len() == 0 }

// forever is later than any time.
const forever = time.Duration(1<<63 - 1)

// flows returns the flow of a Session and makes it if need be.
func (m *Machine) flows(s *session) *flow {
	if s.flow == nil {
		s.flow = new(flow)
		if s.conn != nil {
			s.flow.out.SetWindow(s.conn.window)
		}
	}
	return s.flow
}

// resumable reports whether the Session can outlive its Network Connection.
func (s *session) resumable() bool { return s.expiry > 0 }

// openSession returns the Session that a CONNECT asks for by its Client Identifier, and whether it was there; nil if there may be no more.
// Whoever else is connected with the Client Identifier is disconnected.
// [MQTT5 3.1.3-2] [MQTT5 3.1.4-4] [MQTT311 3.1.3-2] [MQTT311 3.1.4-3]
func (m *Machine) openSession(p *mqtt.Connect) (s *session, present bool) {
	s = m.sessions[p.ClientID]
	if s != nil && s.conn != nil && !m.cfg.Deviations.Has(NoTakeOver) {
		// [MQTT5 3.1.4-3] [MQTT311 3.1.4-2]
		if m.cfg.Deviations.Has(WillLostOnTakeOver) {
			m.dropWill(s.conn)
		}
		if m.cfg.Deviations.Has(WillLostAtTakeOver) {
			m.dropWill(s.conn)
		}
		m.fail(s.conn, mqtt.SessionTakenOver, "the client connected again")
		s = m.sessions[p.ClientID] // gone if it ended with its connection
	}
	if s != nil && (p.CleanStart && !m.cfg.Deviations.Has(CleanStartIgnored)) {
		// [MQTT5 3.1.2-4] [MQTT5 3.2.2-2] [MQTT311 3.1.2-6] [MQTT311 3.2.2-1]
		m.endSession(s)
		s = nil
	}
	switch {
	case s == nil && len(m.sessions) >= m.cfg.MaximumSessions:
		return nil, false
	case s == nil: // [MQTT5 3.1.2-6] [MQTT311 3.1.2-4] [MQTT311 3.2.2-3]
		s = &session{id: p.ClientID}
		s.timer.owner = s
		m.sessions[s.id] = s
	default: // [MQTT5 3.1.2-5] [MQTT5 3.2.2-3] [MQTT311 3.2.2-2]
		present = true
		m.timers.stop(&s.timer)
		m.cancelWill(s)
		m.loseOnResume(s)
	}
	s.expiry = m.sessionExpiry(p)
	return s, present
}

// loseOnResume makes a Session forget what the Deviations say it does.
func (m *Machine) loseOnResume(s *session) {
	if m.cfg.Deviations.Has(SubscriptionsLostOnResume) {
		m.removeSubscriptions(s)
	}
	for m.cfg.Deviations.Has(QueueLostOnResume) && s.flow != nil && s.flow.queue.len() > 0 {
		x := m.dequeue(s.flow)
		m.removeDelivery(s, &x)
		m.release(x.message)
	}
}

// sessionExpiry returns the Session Expiry Interval that holds, seconds. Clean Start has no part in it. [X5 3.1.2.4-1]
func (m *Machine) sessionExpiry(p *mqtt.Connect) uint32 {
	wanted := p.SessionExpiryInterval
	if p.Version != mqtt.V5 {
		wanted = mqtt.SessionNeverExpires // [X5 3.1.2.11.2-3]
		if p.CleanStart {                 // Clean Session: [MQTT311 3.1.2-6]
			wanted = 0
		}
	}
	return min(wanted, m.cfg.MaximumSessionExpiry)
}

// resume sends what a Session owes to its new connection, shared or not [MQTT5 4.8.2-4]: PUBREL and PUBLISH that were not acknowledged, then
// what is queued.
func (m *Machine) resume(s *session) {
	f := s.flow
	if f == nil {
		return
	}
	f.out.Resume(s.conn.window)
	if m.cfg.Deviations.Has(NoResendOnResume) {
		return
	}
	// [MQTT5 4.4.0-1] [MQTT311 4.4.0-1] [MQTT5 4.3.3-5]
	for id := range f.out.Released() {
		if !m.cfg.Deviations.Has(NoPubrelOnResume) {
			m.ack(s.conn, mqtt.TypePubrel, id, mqtt.Success, "")
		}
	}
	m.pump(s)
}

// offline begins the time of a Session without a Network Connection. Before, no Session ends. [MQTT5 4.1.0-1] [MQTT311 4.1.0-2]
func (m *Machine) offline(s *session) {
	s.ends = forever
	if s.flow != nil && s.flow.empty() {
		s.flow = nil
	}
	switch {
	case s.expiry == 0, m.cfg.Deviations.Has(SessionNotKept): // [X5 3.1.2.11.2-2]
		m.endSession(s)
		return
	case s.expiry != mqtt.SessionNeverExpires && !m.cfg.Deviations.Has(SessionExpiryIgnored):
		s.ends = m.now + time.Duration(s.expiry)*time.Second // [MQTT5 3.1.2-23] [MQTT5 4.1.0-2]
	}
	m.scheduleSession(s)
	m.putSession(s)
}

// scheduleSession sets the timer of an offline Session to what comes first.
func (m *Machine) scheduleSession(s *session) {
	at := s.ends
	if s.will != nil {
		at = min(at, s.willDue)
	}
	if at != forever {
		m.timers.set(&s.timer, at)
	}
}

// due implements what the timer of an offline Session waits for.
func (s *session) due(m *Machine) {
	if s.ends <= m.now {
		m.endSession(s)
		return
	}
	m.publishWill(s)
	m.scheduleSession(s)
	m.putSession(s)
}

// endSession removes all that a Session has. A Will Message that waits is published now.
func (m *Machine) endSession(s *session) {
	m.timers.stop(&s.timer)
	if m.sessions[s.id] == s {
		delete(m.sessions, s.id)
	}
	// [X5 3.1.3.2.2-2]
	if s.will != nil && m.cfg.Deviations.Has(WillLostWithSession) {
		m.release(s.will.message)
		s.will = nil
	}
	m.publishWill(s)
	m.putEnd(s)
	m.removeSubscriptions(s)
	m.discardFlow(s)
	m.note(Event{Kind: SessionEnded, Client: s.id})
}

// discardFlow lets go of all messages of a Session that has ended. Those of Shared Subscriptions go to another member.
func (m *Machine) discardFlow(s *session) {
	f := s.flow
	if f == nil {
		return
	}
	s.flow = nil
	for id, d := range f.out.Sent() {
		// [X5 4.8.2-5]; a QoS 2 message under way is not given to another. [MQTT5 4.8.2-5]
		if f.out.Phase(id) == inflight.AwaitPuback {
			m.redeliver(*d)
		}
		m.release(d.message)
	}
	for f.queue.len() > 0 {
		d := m.dequeue(f)
		m.redeliver(d)
		m.release(d.message)
	}
}
