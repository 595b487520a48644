package auth

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"mqttlab/reference-broker/core/server"
)

// ParseRules reads a file of access rules; name is for errors. The error names all mistakes, each with its line.
func ParseRules(name string, text []byte) (*Rules, error) {
	r := &rulesReader{name: name}
	rules := r.file(text)
	if err := r.err(); err != nil {
		return nil, err
	}
	return rules, nil
}

// rulesReader walks a syntax tree and collects mistakes.
type rulesReader struct {
	name     string
	mistakes []mistake
}

type mistake struct {
	line int // 0: unknown
	text string
}

func (r *rulesReader) wrong(line int, format string, args ...any) {
	r.mistakes = append(r.mistakes, mistake{line, fmt.Sprintf(format, args...)})
}

func (r *rulesReader) err() error {
	slices.SortStableFunc(r.mistakes, func(a, b mistake) int { return cmp.Compare(a.line, b.line) })
	var errs []error
	for _, m := range r.mistakes {
		if m.line > 0 {
			errs = append(errs, fmt.Errorf("%s:%d: %s", r.name, m.line, m.text))
		} else {
			errs = append(errs, fmt.Errorf("%s: %s", r.name, m.text))
		}
	}
	return errors.Join(errs...)
}

func line(n ast.Node) int { return n.GetToken().Position.Line }

func (r *rulesReader) file(text []byte) *Rules {
	f, err := parser.ParseBytes(text, 0)
	if err != nil {
		at, what := 0, err.Error()
		if bad := yaml.Error(nil); errors.As(err, &bad) {
			at, what = bad.GetToken().Position.Line, bad.GetMessage()
		}
		r.wrong(at, "%s", what)
		return nil
	}
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		r.wrong(0, "want one document with the keys default and rules")
		return nil
	}
	allow, rules, seen := false, []*rule(nil), false
	r.mapping(f.Docs[0].Body, map[string]func(ast.Node){
		"default": func(n ast.Node) {
			if s, ok := r.text(n); ok && s != "allow" && s != "deny" {
				r.wrong(line(n), "default is allow or deny, not %q", s)
			} else {
				allow = s == "allow"
			}
		},
		"rules": func(n ast.Node) {
			seen = true
			rules = r.rules(n)
		},
	})
	if !seen && len(r.mistakes) == 0 {
		r.wrong(0, "there is no key rules; `rules: []` stands for none")
	}
	return newRules(allow, rules)
}

func (r *rulesReader) rules(n ast.Node) (rules []*rule) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrong(line(n), "rules must be a list, each beginning with a dash")
		return nil
	}
	for _, item := range list.Values {
		before := len(r.mistakes)
		x := r.rule(item)
		if err := x.check(); err != nil && before == len(r.mistakes) {
			for what := range strings.SplitSeq(err.Error(), "\n") {
				r.wrong(line(item), "%s", what)
			}
		}
		rules = append(rules, x)
	}
	return rules
}

func (r *rulesReader) rule(n ast.Node) *rule {
	x := &rule{anyone: true}
	verbs := 0
	verb := func(allow bool) func(ast.Node) {
		return func(n ast.Node) {
			if verbs++; verbs > 1 {
				r.wrong(line(n), "a rule has either allow or deny")
			}
			x.allow, x.kinds = allow, r.kinds(n)
		}
	}
	r.mapping(n, map[string]func(ast.Node){
		"allow": verb(true),
		"deny":  verb(false),
		"user": func(n ast.Node) {
			x.anyone = false
			r.texts(n, func(_ ast.Node, s string) { x.users = append(x.users, s) })
		},
		"client": func(n ast.Node) { r.texts(n, func(_ ast.Node, s string) { x.clients = append(x.clients, s) }) },
		"topic": func(n ast.Node) {
			r.texts(n, func(n ast.Node, s string) {
				p, err := parsePattern(s)
				if err != nil {
					r.wrong(line(n), "%s", err)
				}
				x.topics = append(x.topics, p)
			})
		},
	})
	return x
}

func (r *rulesReader) kinds(n ast.Node) (k kinds) {
	r.texts(n, func(n ast.Node, s string) {
		switch s {
		case "publish":
			k |= 1 << server.PublishTo
		case "subscribe":
			k |= 1 << server.SubscribeTo
		case "will":
			k |= 1 << server.LeaveWill
		case "all":
			k |= 1<<server.PublishTo | 1<<server.SubscribeTo | 1<<server.LeaveWill
		default:
			r.wrong(line(n), "%q is not one of publish, subscribe, will, all", s)
		}
	})
	return k
}

// mapping reads the keys of a mapping, each with its function.
func (r *rulesReader) mapping(n ast.Node, known map[string]func(ast.Node)) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.wrong(line(n), "want keys and values, such as %s: ...", slices.Min(names(known)))
		return
	}
	for _, v := range m.Values {
		key := v.Key.GetToken().Value
		read, ok := known[key]
		if !ok {
			r.wrong(line(v.Key), "unknown key %q%s", key, nearest(key, names(known)))
			continue
		}
		if _, null := v.Value.(*ast.NullNode); null {
			r.wrong(line(v.Key), "key %s has no value; a text that begins with # needs quotes", key)
			continue
		}
		read(v.Value)
	}
}

// nearest returns `: did you mean x?` if a name is near, otherwise the names there are.
func nearest(typed string, names []string) string {
	distance := func(name string) int { return levenshtein.Distance(typed, name, nil) }
	slices.Sort(names)
	best := slices.MinFunc(names, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
	if distance(best) <= max(2, len(best)/2) {
		return fmt.Sprintf(": did you mean %s?", best)
	}
	return " (have " + strings.Join(names, ", ") + ")"
}

func names(m map[string]func(ast.Node)) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	return all
}

// texts reads a text or a list of them, at least one.
func (r *rulesReader) texts(n ast.Node, do func(ast.Node, string)) {
	items := []ast.Node{n}
	if list, ok := n.(*ast.SequenceNode); ok {
		if items = list.Values; len(items) == 0 {
			r.wrong(line(n), "the list is empty: leave the key out, or write what it is for")
		}
	}
	for _, item := range items {
		if s, ok := r.text(item); ok {
			do(item, s)
		}
	}
}

// text reads a text. A number or a word such as true is one too: a Client Identifier may look like that.
func (r *rulesReader) text(n ast.Node) (string, bool) {
	switch n.(type) {
	case *ast.NullNode, *ast.LiteralNode, *ast.AliasNode, *ast.TagNode, *ast.AnchorNode:
	case ast.ScalarNode:
		return n.GetToken().Value, true
	}
	r.wrong(line(n), "want a text or a list of texts; quotes help where YAML takes it for something else")
	return "", false
}
