package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

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

	// Of the keys devices and share, until groups have their counts.
	devices int
	shares  map[string]*big.Rat // by path
}

func newReader(file string) *reader {
	return &reader{file: file, lines: map[string]int{}, shares: map[string]*big.Rat{}}
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

// err returns all mistakes by line and path, nil if there are none.
func (r *reader) err() error {
	slices.SortStableFunc(r.mistakes, func(a, b *Mistake) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path)) })
	var all []error
	for _, m := range r.mistakes {
		all = append(all, m)
	}
	return errors.Join(all...)
}
