package server

import (
	"time"

	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// retainedStore holds the retained messages. They belong to no Session. [MQTT311 3.1.2-7] [X5 4.1-1]
type retainedStore struct {
	names topic.Names[*retained]
	bytes int
}

// retained is the retained message of a Topic Name.
type retained struct {
	message *message
	timer   timer // its expiry
	stored  bool  // in the store
}

// hasRoom reports whether p may become a retained message within the limits.
func (r *retainedStore) hasRoom(p *mqtt.Publish, l *Limits) bool {
	if len(p.Payload) == 0 {
		return true
	}
	old, had := r.names.Get(p.Topic)
	bytes := r.bytes + publishBytes(p)
	if had {
		bytes -= old.message.size()
	}
	return bytes <= l.RetainedBytes && (had || r.names.Len() < l.RetainedMessages)
}

// storeRetained puts a message with RETAIN in place of the one its Topic Name has, or removes that one if the payload is empty. It returns the
// copy it made, if any; kept is one that exists.
func (m *Machine) storeRetained(p *mqtt.Publish, kept *message) *message {
	d := m.cfg.Deviations
	if d.Has(RetainedNotStored) {
		return kept
	}
	if d.Has(RetainedNotReplaced) {
		if _, had := m.retained.names.Get(p.Topic); had {
			return kept
		}
	}
	m.removeRetained(p.Topic, p.QoS == mqtt.AtMostOnce) // [MQTT5 3.3.1-5] [MQTT5 3.3.1-6] [MQTT311 3.3.1-5] [MQTT311 3.3.1-7] [MQTT311 3.3.1-10]
	switch {
	case len(p.Payload) == 0 && !d.Has(EmptyRetainedKept): // [MQTT5 3.3.1-7] [MQTT311 3.3.1-11]
		return kept
	case p.MessageExpiryInterval.Set && p.MessageExpiryInterval.Value == 0:
		return kept
	case !m.retained.hasRoom(p, &m.cfg.Limits):
		m.note(Event{Kind: LimitReached, Topic: p.Topic, Detail: "RetainedMessages or RetainedBytes"})
		return kept
	}
	if kept == nil { // [X5 3.3.1.3-3]
		kept = m.messages.clone(p, m.now)
	}
	r := m.keepRetained(kept)
	r.stored = m.putRetained(p, kept)
	return kept
}

// keepRetained makes x the retained message of its Topic Name, which has none.
func (m *Machine) keepRetained(x *message) *retained {
	r := &retained{message: x.hold()}
	r.timer.owner = r
	m.retained.names.Set(x.publish.Topic, r)
	m.retained.bytes += x.size()
	if e := x.publish.MessageExpiryInterval; e.Set && !m.cfg.Deviations.Has(ExpiredDelivered) { // [X5 3.3.1.3-4]
		m.timers.set(&r.timer, x.arrived+time.Duration(e.Value)*time.Second)
	}
	return r
}

// removeRetained removes the retained message of a Topic Name, if it has one; lazy: nobody was promised that.
func (m *Machine) removeRetained(name string, lazy bool) {
	r, had := m.retained.names.Delete(name)
	if !had {
		return
	}
	m.timers.stop(&r.timer)
	if r.stored {
		m.putRetainedRemoved(name, lazy)
	}
	m.retained.bytes -= r.message.size()
	m.release(r.message)
}

// due implements the expiry of a retained message.
func (r *retained) due(m *Machine) { m.removeRetained(r.message.publish.Topic, true) }

// sendRetained gives a Session the retained messages that one of its new Subscriptions matches. [X5 3.8.4-2] [MQTT311 3.3.1-6]
func (m *Machine) sendRetained(s *session, sub *subscription) {
	r := &m.routing
	m.retained.names.Match(sub.path, func(v *retained) bool {
		p := &v.message.publish
		r.publish, r.kept = p, v.message
		x := m.pendingFor(p, sub)
		// [X5 3.3.1.3-2] [MQTT311 3.3.1-8]
		x.retain = !m.cfg.Deviations.Has(RetainedSentWithoutFlag)
		if m.cfg.Deviations.Has(RetainedQoSNotCapped) {
			x.qos = p.QoS
		}
		x.free = true
		m.offer(s, x)
		return true
	})
	r.publish, r.kept = nil, nil
}
