package topic

import "strings"

// Tree finds the Topic Filters that match a Topic Name. V is what hangs on a filter, usually a Subscription; a filter may have many. The zero value
// is empty. It is not safe for concurrent use.
type Tree[V any] struct {
	root node[[]*Entry[V]]
	size int
}

// Entry is one value in a [Tree]. Its owner may change Value; the address of the Entry stays until Remove.
type Entry[V any] struct {
	Value V
	at    int // place among the entries of the same filter
	node  *node[[]*Entry[V]]
}

// Len returns the number of entries.
func (t *Tree[V]) Len() int { return t.size }

// Insert adds v under a valid filter and returns its entry. The same filter may be inserted any number of times.
func (t *Tree[V]) Insert(filter string, v V) *Entry[V] {
	n := t.root.path(filter, true)
	e := &Entry[V]{Value: v, at: len(n.load), node: n}
	n.load = append(n.load, e)
	t.size++
	return e
}

// Remove takes out an entry that Insert returned, in constant time. A second Remove of it does nothing.
func (t *Tree[V]) Remove(e *Entry[V]) {
	n := e.node
	if n == nil {
		return
	}
	last := len(n.load) - 1
	n.load[e.at] = n.load[last]
	n.load[e.at].at = e.at
	n.load[last] = nil
	n.load = n.load[:last]
	e.node = nil
	t.size--
	n.prune(func(entries *[]*Entry[V]) bool { return len(*entries) > 0 })
}

// Match appends to dst the entries of all filters that match a valid name, and returns it. The order depends on nothing but the calls before.
func (t *Tree[V]) Match(name string, dst []*Entry[V]) []*Entry[V] {
	// [MQTT5 4.7.2-1] [MQTT311 4.7.2-1]
	if name != "" && name[0] == '$' {
		return matchLiteral(&t.root, name, dst)
	}
	return match(&t.root, name, dst)
}

// MatchAll is Match without the rule that wildcards do not match names that begin with $.
func (t *Tree[V]) MatchAll(name string, dst []*Entry[V]) []*Entry[V] {
	return match(&t.root, name, dst)
}

func match[V any](n *node[[]*Entry[V]], name string, dst []*Entry[V]) []*Entry[V] {
	if n.hash != nil {
		dst = append(dst, n.hash.load...)
	}
	level, rest, more := strings.Cut(name, "/")
	if n.plus != nil {
		dst = matchRest(n.plus, rest, more, dst)
	}
	if c := n.child(level); c != nil {
		dst = matchRest(c, rest, more, dst)
	}
	return dst
}

func matchLiteral[V any](n *node[[]*Entry[V]], name string, dst []*Entry[V]) []*Entry[V] {
	level, rest, more := strings.Cut(name, "/")
	if c := n.child(level); c != nil {
		dst = matchRest(c, rest, more, dst)
	}
	return dst
}

// matchRest goes on at the node of a matched level.
func matchRest[V any](n *node[[]*Entry[V]], rest string, more bool, dst []*Entry[V]) []*Entry[V] {
	if more {
		return match(n, rest, dst)
	}
	dst = append(dst, n.load...)
	if n.hash != nil { // `a/#` matches `a` too
		dst = append(dst, n.hash.load...)
	}
	return dst
}
