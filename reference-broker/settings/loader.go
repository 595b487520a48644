package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// origin is where a key got its value.
type origin struct {
	name string // of the file, variable or flag
	line int    // of the file; 0: no file, or unknown
}

func (o origin) String() string {
	if o.line > 0 {
		return fmt.Sprintf("%s:%d", o.name, o.line)
	}
	return o.name
}

type mistake struct {
	origin
	text string
}

func (m *mistake) Error() string { return m.origin.String() + ": " + m.text }

// loader fills settings from several sources and collects mistakes.
type loader struct {
	s        *Settings
	table    []setting
	origins  map[string]origin // of the keys that were given, by the last who gave them
	mistakes []*mistake
}

func (l *loader) wrong(at origin, format string, args ...any) {
	l.mistakes = append(l.mistakes, &mistake{at, fmt.Sprintf(format, args...)})
}

// wrongKey reports a mistake found after reading, where the key was given or one of the keys that could have been.
func (l *loader) wrongKey(key, format string, args ...any) {
	at, given := l.origins[key]
	if !given {
		at = origin{name: "configuration"}
	}
	l.wrong(at, "%s: %s", key, fmt.Sprintf(format, args...))
}

// sorted returns the mistakes by line; sources stay in the order of their strength.
func (l *loader) sorted() []error {
	slices.SortStableFunc(l.mistakes, func(a, b *mistake) int {
		if a.name != b.name {
			return 0
		}
		return cmp.Compare(a.line, b.line)
	})
	errs := make([]error, len(l.mistakes))
	for i, m := range l.mistakes {
		errs[i] = m
	}
	return errs
}

func (l *loader) find(key string) (setting, bool) {
	i := slices.IndexFunc(l.table, func(x setting) bool { return x.key == key })
	if i < 0 {
		return setting{}, false
	}
	return l.table[i], true
}

// set gives a key its value as text.
func (l *loader) set(x setting, text string, at origin) {
	l.origins[x.key] = at
	if err := x.set(text); err != nil {
		l.wrong(at, "%s: %v", x.key, err)
	}
}

func (l *loader) environment(name, value string) {
	for _, x := range l.table {
		if variable(x.key) == name {
			l.set(x, value, origin{name: name})
			return
		}
	}
	var names []string
	for _, x := range l.table {
		names = append(names, variable(x.key))
	}
	l.wrong(origin{name: name}, "unknown variable%s", nearest(name, names))
}

// override is for flags; those that set any key have to name one that exists.
func (l *loader) override(key, value string, at origin) {
	x, ok := l.find(key)
	if !ok {
		l.wrong(at, "unknown key %q%s", key, nearest(key, l.keys("")))
		return
	}
	l.set(x, value, at)
}

// keys returns the keys in a section, without its name: sections themselves too if section is empty.
func (l *loader) keys(section string) []string {
	var names []string
	for _, x := range l.table {
		if rest, ok := strings.CutPrefix(x.key, section); ok {
			names = append(names, rest)
		}
	}
	return names
}

// variable returns the name of a key in the environment.
func variable(key string) string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// nearest returns `: did you mean "x"?` if a name is near, otherwise nothing if there are too many to tell.
func nearest(typed string, names []string) string {
	distance := func(name string) int { return levenshtein.Distance(typed, name, nil) }
	if len(names) > 0 {
		best := slices.MinFunc(names, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
		if distance(best) <= max(2, len(best)/2) {
			return fmt.Sprintf(": did you mean %q?", best)
		}
	}
	if len(names) > 12 {
		return "; --print-config shows all"
	}
	return " (have " + strings.Join(names, ", ") + ")"
}
