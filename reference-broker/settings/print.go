package settings

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// YAML returns a file with all keys, what holds for each, and what it means. Load of it gives the same settings.
func (s *Settings) YAML() (string, error) {
	var b strings.Builder
	open := "" // section
	for _, x := range s.table() {
		section, name, nested := strings.Cut(x.key, ".")
		indent := ""
		if nested {
			indent = "  "
			if section != open {
				fmt.Fprintf(&b, "\n%s:\n", section)
			}
		} else {
			section, name = "", x.key
		}
		open = section
		fmt.Fprintf(&b, "%s# %s\n", indent, x.doc)
		if x.key == "listeners" {
			s.printListeners(&b)
			continue
		}
		text, err := x.yaml()
		if err != nil {
			return "", fmt.Errorf("print %s: %w", x.key, err)
		}
		fmt.Fprintf(&b, "%s%s: %s\n", indent, name, text)
	}
	return b.String(), nil
}

// yaml returns a value as it stands behind its key.
func (x *setting) yaml() (string, error) {
	if !x.list {
		return quoted(x.get())
	}
	var words []string
	for word := range strings.SplitSeq(x.get(), ",") {
		if word == "" {
			continue
		}
		q, err := quoted(word)
		if err != nil {
			return "", err
		}
		words = append(words, q)
	}
	return "[" + strings.Join(words, ", ") + "]", nil
}

// quoted returns a text as a YAML value on one line, in quotes only where they are needed.
func quoted(s string) (string, error) {
	switch s {
	case "true", "false":
		return s, nil
	}
	if strings.Trim(s, "0123456789") == "" && s != "" {
		return s, nil
	}
	if strings.ContainsAny(s, "\n,[]{}") {
		return fmt.Sprintf("%q", s), nil
	}
	b, err := yaml.Marshal(s)
	return strings.TrimSpace(string(b)), err
}

func (s *Settings) printListeners(b *strings.Builder) {
	b.WriteString("listeners:\n")
	for _, l := range s.Listeners {
		for i, x := range s.listener(&l) {
			if x.get() == "" {
				continue
			}
			mark := "    "
			if i == 0 {
				mark = "  - "
			}
			text, _ := quoted(x.get()) // a text
			fmt.Fprintf(b, "%s%s: %s\n", mark, x.key, text)
		}
	}
}
