package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// reader walks the syntax tree of a file.
type reader struct {
	*loader
	name string
}

// file reads a YAML file.
func (l *loader) file(name string, text []byte) {
	r := &reader{l, name}
	f, err := parser.ParseBytes(text, 0)
	if err != nil {
		at, what := origin{name: name}, err.Error()
		if bad := yaml.Error(nil); errors.As(err, &bad) {
			at.line, what = bad.GetToken().Position.Line, bad.GetMessage()
		}
		l.wrong(at, "%s", what)
		return
	}
	bodies := 0
	for _, d := range f.Docs {
		if d.Body != nil {
			bodies++
			r.section(d.Body, "")
		}
	}
	if bodies > 1 {
		l.wrong(origin{name: name}, "holds %d documents: want one", bodies)
	}
}

func (r *reader) at(n ast.Node) origin { return origin{r.name, n.GetToken().Position.Line} }

// section reads the keys below prefix, which is empty or ends with a dot.
func (r *reader) section(n ast.Node, prefix string) {
	if _, comments := n.(*ast.CommentGroupNode); comments {
		return
	}
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.wrong(r.at(n), "%smust hold keys and values, such as %s: ...", label(prefix), r.names(prefix)[0])
		return
	}
	for _, v := range m.Values {
		key := v.Key.GetToken().Value
		x, found := r.find(prefix + key)
		switch {
		case found && x.key == "listeners":
			r.origins[x.key] = r.at(v.Key)
			r.listeners(v.Value)
		case found:
			r.value(x, v)
		case prefix == "" && len(r.keys(key+".")) > 0:
			r.section(v.Value, key+".")
		default:
			r.wrong(r.at(v.Key), "unknown key %s%s%s", prefix, key, nearest(key, r.names(prefix)))
		}
	}
}

// label begins an error about a section; the file as a whole has none.
func label(prefix string) string {
	if prefix == "" {
		return ""
	}
	return strings.TrimSuffix(prefix, ".") + ": "
}

// names returns what may stand below prefix.
func (r *reader) names(prefix string) []string {
	var names []string
	for _, key := range r.keys(prefix) {
		name, _, _ := strings.Cut(key, ".")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// value reads one value, or a list of texts.
func (r *reader) value(x setting, v *ast.MappingValueNode) {
	if x.list {
		var words []string
		list, ok := v.Value.(*ast.SequenceNode)
		if !ok {
			r.wrong(r.at(v.Key), "%s: must be a list, as in [a, b]", x.key)
			return
		}
		for _, item := range list.Values {
			if word, ok := r.scalar(item, x.key); ok {
				words = append(words, word)
			}
		}
		r.set(x, strings.Join(words, ","), r.at(v.Key))
		return
	}
	if s, ok := r.scalar(v.Value, x.key); ok {
		r.set(x, s, r.at(v.Key))
	}
}

// scalar returns the text of a single value.
func (r *reader) scalar(n ast.Node, key string) (string, bool) {
	switch n := n.(type) {
	case *ast.NullNode:
		r.wrong(r.at(n), `%s: has no value: leave the key out to get the default, or write "" for nothing`, key)
		return "", false
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value), true
	case ast.ScalarNode:
		return n.GetToken().Value, true
	}
	r.wrong(r.at(n), "%s: must be a single value", key)
	return "", false
}

// listeners reads the list of listeners: URLs, or mappings with certificates of their own.
func (r *reader) listeners(n ast.Node) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrong(r.at(n), "listeners: must be a list, as in [mqtt://127.0.0.1:1883]")
		return
	}
	r.s.Listeners = nil
	for i, item := range list.Values {
		var l Listener
		key := fmt.Sprintf("listeners[%d]", i)
		r.origins[key] = r.at(item)
		if m, ok := item.(*ast.MappingNode); ok {
			r.listener(m, key+".", &l)
		} else {
			l.URL, _ = r.scalar(item, key)
		}
		r.s.Listeners = append(r.s.Listeners, l)
	}
}

func (r *reader) listener(m *ast.MappingNode, prefix string, l *Listener) {
	known := r.s.listener(l)
	for _, v := range m.Values {
		key := v.Key.GetToken().Value
		i := slices.IndexFunc(known, func(x setting) bool { return x.key == key })
		if i < 0 {
			var names []string
			for _, x := range known {
				names = append(names, x.key)
			}
			r.wrong(r.at(v.Key), "unknown key %s%s%s", prefix, key, nearest(key, names))
			continue
		}
		if s, ok := r.scalar(v.Value, prefix+key); ok {
			if err := known[i].set(s); err != nil {
				r.wrong(r.at(v.Key), "%s%s: %v", prefix, key, err)
			}
		}
	}
}
