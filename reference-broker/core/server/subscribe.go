package server

import (
	"slices"

	"mqttlab/reference-broker/core/size"
	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// indexFrom is the number of Subscriptions of a Session from which they are found by a map.
const indexFrom = 17

// subscription is one Topic Filter of one Session, or, with a group, the place in the tree of a Shared Subscription.
type subscription struct {
	session *session // nil in the tree entry of a group
	group   *group   // nil: not shared
	filter  string   // as the client wrote it
	path    string   // what Topic Names are matched with
	ids     []uint32 // the Subscription Identifier, if it has one
	at      int      // place in session.subscriptions
	qos     mqtt.QoS

	noLocal, retainAsPublished bool
}

// find returns the Subscription with exactly that filter. [MQTT5 3.10.4-1] [MQTT311 3.10.4-1]
func (s *session) find(filter string) *topic.Entry[subscription] {
	if s.byFilter != nil {
		return s.byFilter[filter]
	}
	for _, e := range s.subscriptions {
		if e.Value.filter == filter {
			return e
		}
	}
	return nil
}

// subscribe takes a SUBSCRIBE: its filters are handled one after the other, as if each had come alone. [MQTT5 3.8.4-5] [MQTT311 3.8.4-4]
func (m *Machine) subscribe(c *conn, p *mqtt.Subscribe) {
	if code, why := m.checkSubscribe(c, p); code != mqtt.Success {
		m.fail(c, code, why)
		return
	}
	k := &mqtt.Suback{PacketID: p.PacketID, ReasonCodes: make([]mqtt.ReasonCode, len(p.Subscriptions))}
	// What each filter brings is told after SUBACK, which promises it.
	brings := make([]*subscription, len(p.Subscriptions))
	for i := range p.Subscriptions {
		x := &p.Subscriptions[i]
		code, why := m.maySubscribe(c, x, p.PacketID)
		if code.Failed() {
			k.ReasonCodes[i] = subackFailure(c.version, code, x.QoS)
			k.ReasonString = why
			continue
		}
		e, fresh := m.addSubscription(c, x, p.SubscriptionIdentifier)
		k.ReasonCodes[i] = mqtt.ReasonCode(e.Value.qos) // [MQTT5 3.8.4-7] [MQTT311 3.8.4-5]
		if m.wantsRetained(x, &e.Value, fresh) {
			brings[i] = &e.Value
		}
	}
	if !m.suback(c, k) {
		return
	}
	for _, sub := range brings {
		if sub != nil {
			m.sendRetained(c.session, sub)
		}
	}
}

// suback answers a SUBSCRIBE, without User Properties [MQTT5 3.9.2-2]. [MQTT5 2.2.1-6] [MQTT311 2.3.1-7] [MQTT5 3.8.4-1] [MQTT5 3.8.4-2]
// [MQTT5 3.8.4-6] [MQTT5 3.9.3-1] [MQTT311 3.8.4-1] [MQTT311 3.8.4-2]
func (m *Machine) suback(c *conn, k *mqtt.Suback) bool {
	if m.cfg.Deviations.Has(SubackShort) && len(k.ReasonCodes) > 1 {
		k.ReasonCodes = k.ReasonCodes[:len(k.ReasonCodes)-1]
	}
	if k.ReasonString != "" && !m.explains(c, size.Suback(len(k.ReasonCodes), k.ReasonString), k.ReasonString) {
		k.ReasonString = "" // [MQTT5 3.9.2-1] [MQTT5 3.1.2-29]
	}
	if !m.fits(c, size.Suback(len(k.ReasonCodes), k.ReasonString)) {
		m.fail(c, mqtt.PacketTooLarge, "SUBACK above Maximum Packet Size")
		return false
	}
	m.send(c, k)
	return true
}

// checkSubscribe returns which rule of the protocol a SUBSCRIBE breaks.
func (m *Machine) checkSubscribe(c *conn, p *mqtt.Subscribe) (code mqtt.ReasonCode, why string) {
	switch {
	case p.PacketID == 0: // [X5 2.2.1-1] [MQTT311 2.3.1-1]
		return mqtt.ProtocolError, "Packet Identifier 0"
	case len(p.Subscriptions) == 0: // [MQTT5 3.8.3-2] [MQTT311 3.8.3-3]
		return mqtt.ProtocolError, "SUBSCRIBE without a Topic Filter"
	case p.SubscriptionIdentifier != 0 && m.cfg.NoSubscriptionIdentifiers: // [X5 3.2.2.3.12-2]
		return mqtt.SubscriptionIdentifiersNotSupported, "Subscription Identifier where none is supported"
	}
	for i := range p.Subscriptions {
		x := &p.Subscriptions[i]
		f, err := m.parseFilter(c.version, x.TopicFilter)
		switch {
		case err != nil: // [MQTT5 4.7.1-1] [MQTT5 4.7.1-2] [MQTT5 4.8.2-1] [MQTT5 4.8.2-2] [MQTT311 4.7.1-2] [MQTT311 4.7.1-3]
			return mqtt.TopicFilterInvalid, "not a Topic Filter"
		case x.QoS > mqtt.ExactlyOnce || x.RetainHandling > mqtt.NeverSendRetained: // [X5 3.8.3.1-1] [X5 3.8.3.1-2] [MQTT311 3.8.3-4]
			return mqtt.ProtocolError, "QoS or Retain Handling is 3"
		case f.Share != "" && x.NoLocal && !m.cfg.Deviations.Has(SharedNoLocalAccepted): // [MQTT5 3.8.3-4]
			return mqtt.ProtocolError, "No Local on a Shared Subscription"
		case c.version != mqtt.V5: // the rest is answered in SUBACK
		case f.Share != "" && m.cfg.NoSharedSubscriptions: // [X5 3.2.2.3.13-2]
			return mqtt.SharedSubscriptionsNotSupported, "Shared Subscription where none is supported"
		case topic.HasWildcard(f.Path) && m.cfg.NoWildcardSubscriptions: // [X5 3.2.2.3.11-2]
			return mqtt.WildcardSubscriptionsNotSupported, "wildcard where none is supported"
		}
	}
	return mqtt.Success, ""
}

// parseFilter takes a filter apart by the rules of the client's version.
func (m *Machine) parseFilter(v mqtt.Version, s string) (topic.Filter, error) {
	if v != mqtt.V5 && !m.cfg.Shared311 {
		return topic.Filter{Path: s}, topic.CheckFilter(s)
	}
	return topic.ParseFilter(s)
}

// maySubscribe returns why this Server refuses a valid Topic Filter.
func (m *Machine) maySubscribe(c *conn, x *mqtt.Subscription, id uint16) (code mqtt.ReasonCode, why string) {
	s := c.session
	f, _ := m.parseFilter(c.version, x.TopicFilter)
	switch {
	case topic.Levels(f.Path) > m.cfg.TopicLevels:
		m.note(Event{Kind: LimitReached, Conn: c.id, Client: s.id, Detail: "TopicLevels"})
		return mqtt.TopicFilterInvalid, "too many topic levels"
	case f.Share != "" && m.cfg.NoSharedSubscriptions:
		return mqtt.SharedSubscriptionsNotSupported, ""
	case topic.HasWildcard(f.Path) && m.cfg.NoWildcardSubscriptions: // [MQTT311 3.8.3-2]
		return mqtt.WildcardSubscriptionsNotSupported, ""
	case len(s.subscriptions) >= m.cfg.Subscriptions && s.find(x.TopicFilter) == nil,
		m.counters.Subscriptions >= m.cfg.TotalSubscriptions && s.find(x.TopicFilter) == nil:
		m.note(Event{Kind: LimitReached, Conn: c.id, Client: s.id, Detail: "Subscriptions or TotalSubscriptions"})
		return mqtt.QuotaExceeded, "too many Subscriptions"
	case c.version == mqtt.V5 && s.flow != nil && s.flow.in.Has(id): // [X5 2.2.1-2]
		return mqtt.PacketIdentifierInUse, "Packet Identifier of a QoS 2 message that is not released"
	case !m.allowed(Access{SubscribeTo, s.id, s.username, f.Path, x.QoS, false}): // [X5 3.9.3-1]
		return mqtt.NotAuthorized, "not authorized to subscribe there"
	}
	return mqtt.Success, ""
}

// subackFailure returns how a version tells a refusal. MQTT 3.1 can't: there SUBACK grants what was asked for and nothing comes.
func subackFailure(v mqtt.Version, code mqtt.ReasonCode, asked mqtt.QoS) mqtt.ReasonCode {
	switch v {
	case mqtt.V31:
		return mqtt.ReasonCode(asked)
	case mqtt.V311: // [MQTT311 3.9.3-2]
		return mqtt.UnspecifiedError
	}
	return code
}

// addSubscription makes a Subscription, or gives an existing one new options in place, so that no message is lost meanwhile.
// [MQTT5 3.8.4-3] [MQTT5 3.8.4-4] [MQTT311 3.8.4-3]
func (m *Machine) addSubscription(c *conn, x *mqtt.Subscription, identifier uint32) (e *topic.Entry[subscription], fresh bool) {
	s := c.session
	f, _ := m.parseFilter(c.version, x.TopicFilter)
	e = s.find(x.TopicFilter)
	if fresh = e == nil || m.cfg.Deviations.Has(SubscriptionNotReplaced); fresh {
		e = m.insertSubscription(subscription{session: s, filter: x.TopicFilter, path: f.Path}, f)
	}
	sub := &e.Value
	sub.qos = min(x.QoS, m.cfg.MaximumQoS.Or(mqtt.ExactlyOnce)) // [X5 3.8.4-5] [MQTT5 3.2.2-10]
	sub.noLocal, sub.retainAsPublished = x.NoLocal, x.RetainAsPublished
	switch { // [X5 3.8.2.1.2-3] [X5 3.8.4-4]
	case !fresh && m.cfg.Deviations.Has(SubscriptionIdentifierNotReplaced):
	case identifier == 0:
		sub.ids = nil
	default:
		sub.ids = []uint32{identifier}
	}
	m.putSubscription(sub)
	return e, fresh
}

// insertSubscription adds a Subscription to its Session, and to the tree or to its group.
func (m *Machine) insertSubscription(sub subscription, f topic.Filter) (e *topic.Entry[subscription]) {
	s := sub.session
	sub.at = len(s.subscriptions)
	if f.Share == "" {
		e = m.filters.Insert(m.treePath(f.Path), sub)
	} else {
		e = &topic.Entry[subscription]{Value: sub}
		m.join(e, f)
	}
	s.subscriptions = append(s.subscriptions, e)
	m.counters.Subscriptions++
	switch {
	case s.byFilter != nil:
		s.byFilter[sub.filter] = e
	case len(s.subscriptions) >= indexFrom:
		s.byFilter = make(map[string]*topic.Entry[subscription], 2*indexFrom)
		for _, e := range s.subscriptions {
			s.byFilter[e.Value.filter] = e
		}
	}
	return e
}

// treePath returns where in the tree a filter goes: where it says, unless a Deviation wants otherwise.
func (m *Machine) treePath(path string) string {
	if n := len(path); m.cfg.Deviations.Has(PlusMatchesMany) && path[n-1] == '+' {
		return path[:n-1] + "#"
	}
	return path
}

// removeSubscription takes a Subscription out everywhere.
func (m *Machine) removeSubscription(e *topic.Entry[subscription]) {
	sub := &e.Value
	s := sub.session
	m.putSubscriptionRemoved(sub)
	if sub.group != nil {
		m.leave(e)
	} else {
		m.filters.Remove(e)
	}
	last := len(s.subscriptions) - 1
	s.subscriptions[sub.at] = s.subscriptions[last]
	s.subscriptions[sub.at].Value.at = sub.at
	s.subscriptions = slices.Delete(s.subscriptions, last, last+1)
	delete(s.byFilter, sub.filter)
	m.counters.Subscriptions--
}

func (m *Machine) removeSubscriptions(s *session) {
	for len(s.subscriptions) > 0 {
		m.removeSubscription(s.subscriptions[len(s.subscriptions)-1])
	}
}

// wantsRetained decides whether a SUBSCRIBE brings retained messages.
func (m *Machine) wantsRetained(x *mqtt.Subscription, sub *subscription, fresh bool) bool {
	switch {
	case sub.group != nil: // [X5 3.8.4-3]
		return m.cfg.Deviations.Has(RetainedToShared)
	case m.cfg.Deviations.Has(RetainHandlingIgnored):
		return true
	case x.RetainHandling == mqtt.NeverSendRetained: // [MQTT5 3.3.1-11]
		return false
	case x.RetainHandling == mqtt.SendRetainedIfNew: // [MQTT5 3.3.1-10]
		return fresh // [X5 3.8.3.1-3]
	}
	return true // [MQTT5 3.3.1-9] [MQTT311 3.8.4-3]
}
