package server

import (
	"slices"

	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// group is a Shared Subscription: a Share Name and a filter with the Sessions that share its messages. Each message goes to one of them, in turn
// among those that can take it: first the connected with send quota left, then the connected, then the ones that are away and come back.
type group struct {
	key     groupKey
	entry   *topic.Entry[subscription] // its place in the tree
	members []*topic.Entry[subscription]
	next    int // whose turn it is
}

type groupKey struct{ share, path string }

// join makes a Session a member of the group of a shared filter. Another name or filter is another group. [X5 4.8.2-2] [X5 4.8.2-3]
func (m *Machine) join(e *topic.Entry[subscription], f topic.Filter) {
	key := groupKey{f.Share, f.Path}
	if m.cfg.Deviations.Has(SharedNameIgnored) {
		key.share = ""
	}
	g := m.groupOf(key)
	e.Value.group = g
	g.members = append(g.members, e)
}

// groupOf returns the group of that key and makes it if need be.
func (m *Machine) groupOf(key groupKey) *group {
	g := m.groups[key]
	if g == nil {
		g = &group{key: key}
		g.entry = m.filters.Insert(m.treePath(key.path), subscription{group: g, path: key.path})
		m.groups[key] = g
	}
	return g
}

// leave takes a member out, and the group with its last one. [X5 4.8.2-4]
func (m *Machine) leave(e *topic.Entry[subscription]) {
	g := e.Value.group
	i := slices.Index(g.members, e)
	g.members = slices.Delete(g.members, i, i+1)
	if i < g.next {
		g.next--
	}
	m.dissolve(g)
}

// dissolve ends a group without members.
func (m *Machine) dissolve(g *group) {
	if len(g.members) == 0 {
		m.filters.Remove(g.entry)
		delete(m.groups, g.key)
	}
}

// readiness says how well a Session can take a message now.
type readiness int

const (
	unable readiness = iota
	away
	busy
	ready
)

func (m *Machine) readiness(sub *subscription, p *mqtt.Publish) readiness {
	s := sub.session
	switch {
	case s.conn == nil && !s.resumable():
		return unable
	case s.conn == nil:
		return away
	case !m.roomy(s.conn, p, sub): // [X5 3.1.2.11.4-4]
		return unable
	case s.flow != nil && (s.flow.out.Quota() == 0 || s.flow.queue.len() > 0):
		return busy
	}
	return ready
}

// choose returns the member whose turn it is for a message, nil if none can take it. [X5 4.8.2-1]
func (m *Machine) choose(g *group, p *mqtt.Publish) *subscription {
	best, at := unable, 0
	for i := range g.members {
		j := (g.next + i) % len(g.members)
		if r := m.readiness(&g.members[j].Value, p); r > best {
			best, at = r, j
		}
		if best == ready {
			break
		}
	}
	if best == unable {
		return nil
	}
	g.next = (at + 1) % len(g.members)
	return &g.members[at].Value
}

// collectShared adds the member that gets the message being routed.
func (m *Machine) collectShared(r *routing, g *group) {
	add := func(sub *subscription) {
		x := m.pendingFor(r.publish, sub) // [MQTT5 4.8.2-3] [X5 3.3.4-3]
		x.group = g
		r.receivers = append(r.receivers, receiver{sub.session, x})
	}
	if m.cfg.Deviations.Has(SharedToAll) {
		for _, e := range g.members {
			add(&e.Value)
		}
		return
	}
	if sub := m.choose(g, r.publish); sub != nil {
		add(sub)
	}
}

// redeliver gives a message that its Session can't get any more to another member of the group that brought it. [X5 4.8.2-5]
func (m *Machine) redeliver(d pending) {
	if d.group == nil || d.message == nil || len(d.group.members) == 0 || m.cfg.Deviations.Has(SharedNotRedelivered) {
		return
	}
	p := &d.message.publish
	sub := m.choose(d.group, p)
	if sub == nil {
		return
	}
	r := &m.routing
	r.publish, r.kept = p, d.message
	x := m.pendingFor(p, sub)
	x.group = d.group
	m.offer(sub.session, x)
	r.publish, r.kept = nil, nil
}
