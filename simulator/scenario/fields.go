package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// field is one key of a mapping. One table of fields per mapping serves the reader, the resolved form and the JSON Schema.
type field struct {
	key string
	doc string // for editors: what it means, its unit and what is special about its default
	kind
}

// kind is how a value is read, printed, and described to editors. It is bound to where the value lives.
type kind struct {
	read   func(r *reader, n ast.Node, path string)
	value  func() any // for the resolved form; nil: left out
	schema func() *Schema
	// missing is the question that a file without the key leaves open; empty: the key has a default.
	missing string
	instead string // a key that may stand in its place
	derived bool   // the default follows from other values
}

// required makes a key one that has to be given.
func (k kind) required(question string) kind {
	k.missing = question
	return k
}

// or names a key that may stand in place of a required one.
func (k kind) or(key string) kind {
	k.instead = key
	return k
}

// follows marks a key whose default follows from other values.
func (k kind) follows() kind {
	k.derived = true
	return k
}

// unless leaves a key out of the resolved form while there is nothing to say.
func (k kind) unless(nothing func() bool) kind {
	value := k.value
	k.value = func() any {
		if nothing() {
			return nil
		}
		return value()
	}
	return k
}

// fields says what may stand in a mapping, in the order of the resolved form.
type fields []field

func (f fields) keys() []string {
	var names []string
	for _, v := range f {
		names = append(names, v.key)
	}
	slices.Sort(names)
	return names
}

// read reads the keys of a mapping, each with its field.
func (f fields) read(r *reader, n ast.Node, path string) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.wrong(n, path, "must hold keys and values, such as %q", f.keys()[0]+": ...")
		return
	}
	for _, v := range m.Values {
		f.readKey(r, v, path)
	}
	for _, known := range f {
		if at := join(path, known.key); known.missing != "" && r.lines[at] == 0 && r.lines[join(path, known.instead)] == 0 {
			r.wrongAt(at, "is missing: %s", known.missing)
		}
	}
}

func (f fields) readKey(r *reader, v *ast.MappingValueNode, path string) {
	key := v.Key.GetToken().Value
	at := join(path, key)
	i := slices.IndexFunc(f, func(known field) bool { return known.key == key })
	if i < 0 {
		r.wrong(v.Key, at, "unknown key%s", suggestion(key, f.keys()))
		return
	}
	r.lines[at] = v.Key.GetToken().Position.Line
	if _, null := v.Value.(*ast.NullNode); null {
		r.wrong(v.Key, at, "has no value: leave the key out to get the default")
		return
	}
	f[i].read(r, v.Value, at)
}

// yaml is the resolved form.
func (f fields) yaml() yaml.MapSlice {
	var m yaml.MapSlice
	for _, known := range f {
		if v := known.value(); v != nil {
			m = append(m, yaml.MapItem{Key: known.key, Value: v})
		}
	}
	return m
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// mapping is a mapping inside a mapping. check, if not nil, looks at it as a whole.
func mapping(f fields, check func(r *reader, n ast.Node, path string)) kind {
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			f.read(r, n, path)
			if check != nil {
				check(r, n, path)
			}
		},
		value:  func() any { return f.yaml() },
		schema: f.schema,
	}
}

// list is a list of mappings. begin returns a value with its defaults; an empty list is left out of the resolved form.
func list[T any](dst *[]T, begin func() T, table func(*T) fields, check func(v *T, r *reader, n ast.Node, path string)) kind {
	sample := begin()
	example := table(&sample)[0].key
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			nodes, ok := n.(*ast.SequenceNode)
			if !ok {
				r.wrong(n, path, `must be a list: begin each entry with "- %s: ..."`, example)
				return
			}
			for i, node := range nodes.Values {
				at := fmt.Sprintf("%s[%d]", path, i)
				r.lines[at] = node.GetToken().Position.Line
				v := begin()
				table(&v).read(r, node, at)
				if check != nil {
					check(&v, r, node, at)
				}
				*dst = append(*dst, v)
			}
		},
		value: func() any {
			var out []yaml.MapSlice
			for i := range *dst {
				out = append(out, table(&(*dst)[i]).yaml())
			}
			if out == nil {
				return nil
			}
			return out
		},
		schema: func() *Schema {
			v := begin()
			return &Schema{Type: "array", Items: table(&v).schema()}
		},
	}
}

// suggestion returns `: did you mean "x"?` if a name is near, otherwise the names there are.
func suggestion(typed string, names []string) string {
	slices.Sort(names)
	if len(names) == 0 {
		return ""
	}
	best := slices.MinFunc(names, func(a, b string) int {
		return cmp.Compare(levenshtein.Distance(typed, a, nil), levenshtein.Distance(typed, b, nil))
	})
	if levenshtein.Distance(typed, best, nil) <= max(2, len(best)/2) {
		return fmt.Sprintf(": did you mean %q?", best)
	}
	return " (have " + strings.Join(names, ", ") + ")"
}
