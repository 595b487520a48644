package topic

import "strings"

// indexFrom is the number of children from which a map is kept beside the slice.
const indexFrom = 9

// node is one level in a tree of levels; T is what hangs there.
type node[T any] struct {
	load       T
	level      string
	parent     *node[T] // nil: the root
	children   []*node[T]
	index      map[string]*node[T] // all of children, if there are many
	plus, hash *node[T]            // children `+` and `#` of a tree of filters
	at         int                 // place in parent.children; -1: parent.plus, -2: parent.hash
}

const (
	atPlus = -1
	atHash = -2
)

// child returns the child of that name, or nil.
func (n *node[T]) child(level string) *node[T] {
	if n.index != nil {
		return n.index[level]
	}
	for _, c := range n.children {
		if c.level == level {
			return c
		}
	}
	return nil
}

// grow returns the child of that name and makes it if need be. With wildcards, `+` and `#` get their own places.
func (n *node[T]) grow(level string, wildcards bool) *node[T] {
	switch {
	case wildcards && level == "+":
		if n.plus == nil {
			n.plus = &node[T]{level: "+", parent: n, at: atPlus}
		}
		return n.plus
	case wildcards && level == "#":
		if n.hash == nil {
			n.hash = &node[T]{level: "#", parent: n, at: atHash}
		}
		return n.hash
	}
	if c := n.child(level); c != nil {
		return c
	}
	c := &node[T]{level: level, parent: n, at: len(n.children)}
	n.children = append(n.children, c)
	switch {
	case n.index != nil:
		n.index[level] = c
	case len(n.children) >= indexFrom:
		n.index = make(map[string]*node[T], 2*indexFrom)
		for _, c := range n.children {
			n.index[c.level] = c
		}
	}
	return c
}

// path returns the node that path leads to and makes what is missing.
func (n *node[T]) path(path string, wildcards bool) *node[T] {
	if len(path) > 128 {
		// Levels are kept as parts of the path: a long one must not stay in memory for the sake of a short level.
		path = strings.Clone(path)
	}
	for {
		level, rest, more := strings.Cut(path, "/")
		n = n.grow(level, wildcards)
		if !more {
			return n
		}
		path = rest
	}
}

// prune removes n and its ancestors as far as nothing hangs on them; loaded tells whether a load counts.
func (n *node[T]) prune(loaded func(*T) bool) {
	for n.parent != nil && !loaded(&n.load) && len(n.children) == 0 && n.plus == nil && n.hash == nil {
		p := n.parent
		switch n.at {
		case atPlus:
			p.plus = nil
		case atHash:
			p.hash = nil
		default:
			p.drop(n)
		}
		n = p
	}
}

func (n *node[T]) drop(c *node[T]) {
	last := len(n.children) - 1
	n.children[c.at] = n.children[last]
	n.children[c.at].at = c.at
	n.children[last] = nil
	n.children = n.children[:last]
	if n.index != nil {
		delete(n.index, c.level)
	}
	if last == 0 {
		n.children, n.index = nil, nil
	}
}
