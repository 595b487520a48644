package topic

import "strings"

// Names finds the Topic Names that match a Topic Filter: each name has at most one value, usually its retained message. The zero value is empty.
// It is not safe for concurrent use.
type Names[V any] struct {
	root node[named[V]]
	size int
}

type named[V any] struct {
	value V
	set   bool
}

// Len returns the number of names.
func (t *Names[V]) Len() int { return t.size }

// Get returns the value of a name.
func (t *Names[V]) Get(name string) (v V, ok bool) {
	if n := t.find(name); n != nil {
		return n.load.value, n.load.set
	}
	return v, false
}

// Set gives a valid name a value and returns the one it had.
func (t *Names[V]) Set(name string, v V) (old V, had bool) {
	n := t.root.path(name, false)
	old, had = n.load.value, n.load.set
	n.load = named[V]{value: v, set: true}
	if !had {
		t.size++
	}
	return old, had
}

// Delete takes out a name and returns the value it had.
func (t *Names[V]) Delete(name string) (old V, had bool) {
	n := t.find(name)
	if n == nil || !n.load.set {
		return old, false
	}
	old = n.load.value
	n.load = named[V]{}
	t.size--
	n.prune(func(l *named[V]) bool { return l.set })
	return old, true
}

// Match calls do with the value of each name that a valid filter matches, until do returns false. The order depends on nothing but the calls
// before. do must not change the tree.
func (t *Names[V]) Match(filter string, do func(V) bool) {
	matchNames(&t.root, filter, do)
}

func (t *Names[V]) find(name string) *node[named[V]] {
	n := &t.root
	for {
		level, rest, more := strings.Cut(name, "/")
		if n = n.child(level); n == nil || !more {
			return n
		}
		name = rest
	}
}

// matchNames reports whether the walk goes on.
func matchNames[V any](n *node[named[V]], filter string, do func(V) bool) bool {
	level, rest, more := strings.Cut(filter, "/")
	switch level {
	case "#":
		return allNames(n, do)
	case "+":
		for _, c := range n.children {
			if !hidden(c) && !matchNamesRest(c, rest, more, do) {
				return false
			}
		}
		return true
	}
	if c := n.child(level); c != nil {
		return matchNamesRest(c, rest, more, do)
	}
	return true
}

func matchNamesRest[V any](n *node[named[V]], rest string, more bool, do func(V) bool) bool {
	if more {
		// `a/#` is `a` and all below it: matchNames sees only what is below.
		if rest == "#" && n.load.set && !do(n.load.value) {
			return false
		}
		return matchNames(n, rest, do)
	}
	return !n.load.set || do(n.load.value)
}

// allNames visits everything below n.
func allNames[V any](n *node[named[V]], do func(V) bool) bool {
	for _, c := range n.children {
		if hidden(c) {
			continue
		}
		if c.load.set && !do(c.load.value) || !allNames(c, do) {
			return false
		}
	}
	return true
}

// hidden reports whether a wildcard does not see the node: a first level that begins with $ [MQTT5 4.7.2-1] [MQTT311 4.7.2-1].
func hidden[V any](n *node[named[V]]) bool {
	return n.parent.parent == nil && n.level != "" && n.level[0] == '$'
}
