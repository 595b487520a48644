package checks

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"mqttlab/spec/conformance"
	"mqttlab/spec/statement"
)

// Markdown writes what checks there are: one table per area and, if they are all, how much of each
// table of statements they cover, and what they leave out. The checks are in the order of [All].
func Markdown(w io.Writer, checks []*conformance.Check) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# The checks\n\n%d checks, written by `mqttlab conform --list --markdown`; `make golden` writes this file anew.\n", len(checks))
	area := ""
	for _, c := range checks {
		if c.Area != area {
			area = c.Area
			fmt.Fprintf(b, "\n## %s\n\n| check | a conforming target | MQTT | needs | statements |\n|:--|:--|:--|:--|:--|\n", area)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", c.Name, cell(c.Title), versions(c), needs(c), join(c.Covers))
	}
	if len(checks) == len(All()) {
		coverage(b, checks)
	}
	return b.Flush()
}

// cell keeps text within its cell.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(s) }

func versions(c *conformance.Check) string {
	var names []string
	for _, v := range c.Versions() {
		names = append(names, v.String())
	}
	return strings.Join(names, ", ")
}

func needs(c *conformance.Check) string { return join(c.Needs) }

func join[S ~string](list []S) string {
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

// coverage counts, for each table of statements, those that bind a server and that a check covers.
func coverage(w io.Writer, checks []*conformance.Check) {
	covered := map[statement.ID]bool{}
	for _, c := range checks {
		for _, id := range c.Covers {
			covered[id] = true
		}
	}
	tables := []struct{ prefix, title string }{
		{"MQTT311-", "MQTT 3.1.1"}, {"MQTT5-", "MQTT 5.0"}, {"X5-", "MQTT 5.0, rules without a number"},
	}
	fmt.Fprintf(w, "\n## Coverage\n\n| statements | that a wire can decide | with a check |\n|:--|--:|--:|\n")
	var without []statement.Statement
	for _, t := range tables {
		decidable := slices.DeleteFunc(statement.All(), func(s statement.Statement) bool {
			return !strings.HasPrefix(string(s.ID), t.prefix) || !s.BindsServer()
		})
		n := 0
		for _, s := range decidable {
			if covered[s.ID] {
				n++
				continue
			}
			without = append(without, s)
		}
		fmt.Fprintf(w, "| %s | %d | %d |\n", t.title, len(decidable), n)
	}
	if len(without) == 0 {
		return
	}
	fmt.Fprintf(w, "\nWithout a check:\n\n")
	for _, s := range without {
		why := statement.Undecided(s.ID)
		if why == "" {
			why = "none yet"
		}
		fmt.Fprintf(w, "- %s, %s: %s\n", s.ID, cell(strings.TrimSuffix(s.Summary, ".")), why)
	}
}
