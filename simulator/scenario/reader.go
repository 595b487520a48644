package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agext/levenshtein"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Mistake is one thing wrong with a scenario file.
type Mistake struct {
	File string
	Line int    // from 1; 0: unknown
	Path string // such as "groups[1].qos"; empty: the file as a whole
	Text string
}

// Error implements error.
func (m *Mistake) Error() string {
	s := m.File
	if m.Line > 0 {
		s += ":" + strconv.Itoa(m.Line)
	}
	if m.Path != "" {
		s += ": " + m.Path
	}
	return s + ": " + m.Text
}

// reader walks a syntax tree and collects mistakes.
type reader struct {
	file     string
	mistakes []*Mistake
	lines    map[string]int // by path, of what was given
}

// document returns the one mapping of the file, nil after a mistake.
func (r *reader) document(text []byte) ast.Node {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		m := &Mistake{File: r.file, Text: err.Error()}
		if bad := yaml.Error(nil); errors.As(err, &bad) {
			m.Line, m.Text = bad.GetToken().Position.Line, bad.GetMessage()
		}
		r.mistakes = append(r.mistakes, m)
		return nil
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		r.mistakes = append(r.mistakes, &Mistake{File: r.file, Text: fmt.Sprintf("holds %d documents with content: want one", countBodies(file))})
		return nil
	}
	return file.Docs[0].Body
}

func countBodies(f *ast.File) int {
	n := 0
	for _, d := range f.Docs {
		if d.Body != nil {
			n++
		}
	}
	return n
}

func (r *reader) wrong(n ast.Node, path, format string, args ...any) {
	r.mistakes = append(r.mistakes, &Mistake{File: r.file, Line: n.GetToken().Position.Line, Path: path, Text: fmt.Sprintf(format, args...)})
}

// wrongAt reports a mistake found after reading, at the line of the path or of what it is part of.
func (r *reader) wrongAt(path, format string, args ...any) {
	line := 0
	for at := path; line == 0 && at != ""; at = at[:max(0, strings.LastIndexAny(at, ".["))] {
		line = r.lines[at]
	}
	r.mistakes = append(r.mistakes, &Mistake{File: r.file, Line: line, Path: path, Text: fmt.Sprintf(format, args...)})
}

// err returns all mistakes by line, nil if there are none.
func (r *reader) err() error {
	slices.SortStableFunc(r.mistakes, func(a, b *Mistake) int { return cmp.Compare(a.Line, b.Line) })
	var all []error
	for _, m := range r.mistakes {
		all = append(all, m)
	}
	return errors.Join(all...)
}

// field reads the value of one key.
type field func(r *reader, n ast.Node, path string)

// fields says what may stand in a mapping.
type fields map[string]field

// mapping reads the keys of a mapping, each with its field.
func (r *reader) mapping(n ast.Node, path string, known fields) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.wrong(n, path, "must hold keys and values, such as %q", slices.Sorted(keys(known))[0]+": ...")
		return
	}
	for _, v := range m.Values {
		key := v.Key.GetToken().Value
		at := join(path, key)
		read, ok := known[key]
		if !ok {
			r.wrong(v.Key, at, "unknown key%s", suggestion(key, slices.Collect(keys(known))))
			continue
		}
		r.lines[at] = v.Key.GetToken().Position.Line
		if _, null := v.Value.(*ast.NullNode); null {
			r.wrong(v.Key, at, "has no value: leave the key out to get the default")
			continue
		}
		read(r, v.Value, at)
	}
}

func keys(f fields) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range f {
			if !yield(k) {
				return
			}
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
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

// scalar returns the text of a scalar.
func (r *reader) scalar(n ast.Node, path, want string) (string, bool) {
	if _, ok := n.(ast.ScalarNode); !ok {
		r.wrong(n, path, "must be %s", want)
		return "", false
	}
	return n.GetToken().Value, true
}

func text(dst *string) field {
	return func(r *reader, n ast.Node, path string) {
		if s, ok := r.scalar(n, path, "a text"); ok {
			*dst = s
			if literal, ok := n.(*ast.LiteralNode); ok {
				*dst = literal.Value.Value
			}
		}
	}
}

func boolean(dst *bool) field {
	return func(r *reader, n ast.Node, path string) {
		b, ok := n.(*ast.BoolNode)
		if !ok {
			r.wrong(n, path, "must be true or false")
			return
		}
		*dst = b.Value
	}
}

func integer[T ~int | ~uint8 | ~uint64](dst *T, low, high uint64) field {
	return func(r *reader, n ast.Node, path string) {
		s, ok := r.scalar(n, path, "a whole number")
		if !ok {
			return
		}
		v, err := strconv.ParseUint(s, 10, 64)
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange):
			r.wrong(n, path, "%q is no whole number: want %d to %d", s, low, high)
		case err != nil || v < low || v > high:
			r.wrong(n, path, "%s is out of range: want %d to %d", s, low, high)
		default:
			*dst = T(v)
		}
	}
}

func number(dst *float64, low, high float64) field {
	return func(r *reader, n ast.Node, path string) {
		s, ok := r.scalar(n, path, "a number")
		if !ok {
			return
		}
		v, err := strconv.ParseFloat(s, 64)
		switch {
		case err != nil:
			r.wrong(n, path, "%q is no number: want %g to %g", s, low, high)
		case !(v >= low && v <= high):
			r.wrong(n, path, "%s is out of range: want %g to %g", s, low, high)
		default:
			*dst = v
		}
	}
}

func duration(dst *time.Duration, low, high time.Duration) field {
	return func(r *reader, n ast.Node, path string) {
		s, ok := r.scalar(n, path, "a time such as 500ms, 10s, 5m or 24h")
		if !ok {
			return
		}
		v, err := time.ParseDuration(s)
		switch {
		case err != nil:
			r.wrong(n, path, "%q is no time: want a number with a unit, such as 500ms, 10s, 5m or 24h", s)
		case v < low || v > high:
			r.wrong(n, path, "%s is out of range: want %s to %s", s, short(low), short(high))
		default:
			*dst = v
		}
	}
}

// choice reads one of some names as its index.
func choice[T ~uint8](dst *T, names []string, values ...T) field {
	return func(r *reader, n ast.Node, path string) {
		s, ok := r.scalar(n, path, "one of "+strings.Join(names, ", "))
		if !ok {
			return
		}
		i := slices.Index(names, s)
		if i < 0 {
			r.wrong(n, path, "%q is not one of %s", s, strings.Join(names, ", "))
			return
		}
		*dst = values[i]
	}
}

// named reads one of some names as it is.
func named(dst *string, names []string) field {
	return func(r *reader, n ast.Node, path string) {
		s, ok := r.scalar(n, path, "a name")
		if !ok {
			return
		}
		if !slices.Contains(names, s) {
			r.wrong(n, path, "there is no %q%s", s, suggestion(s, names))
			return
		}
		*dst = s
	}
}

// short prints a time without trailing zero units: "24h" for 24h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
