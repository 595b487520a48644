package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"mqttlab/spec/checks"
	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// selection says which checks the user wants.
type selection struct {
	mqtt             string
	only, statements []string
	level            string
}

// selected is a selection that was looked up.
type selected struct {
	checks   []*conformance.Check
	versions []octets.Version
	admits   func(*conformance.Check, octets.Version) bool
}

// resolve looks the names up; the error names every one that does not exist, with those nearest to it.
func (s *selection) resolve() (selected, error) {
	versions, errVersion := s.versions()
	ids, errStatement := s.ids()
	level, errLevel := s.atLevel()
	named, errOnly := s.named()
	if err := errors.Join(errVersion, errStatement, errLevel, errOnly); err != nil {
		return selected{}, err
	}
	return selected{checks: named, versions: versions, admits: func(c *conformance.Check, v octets.Version) bool {
		covers := len(ids) == 0 || slices.ContainsFunc(c.Statements(v), func(id statement.ID) bool { return slices.Contains(ids, id) })
		return covers && level(c.Level(v))
	}}, nil
}

func (s *selection) versions() ([]octets.Version, error) {
	known := map[string]octets.Version{"3.1.1": octets.V311, "5.0": octets.V5, "5": octets.V5}
	var all []octets.Version
	for name := range strings.SplitSeq(s.mqtt, ",") {
		v, ok := known[strings.TrimSpace(name)]
		if !ok {
			return nil, fmt.Errorf("--mqtt %q: there are 3.1.1 and 5.0", name)
		}
		all = append(all, v)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (s *selection) ids() ([]statement.ID, error) {
	var (
		ids  []statement.ID
		errs []error
	)
	for _, name := range s.statements {
		found, err := statement.Lookup(statement.ID(name))
		ids, errs = append(ids, found.ID), append(errs, err)
	}
	return ids, errors.Join(errs...)
}

func (s *selection) atLevel() (func(statement.Level) bool, error) {
	switch s.level {
	case "must":
		return statement.Level.Binding, nil
	case "should":
		return func(l statement.Level) bool { return l.Binding() || strings.HasPrefix(string(l), "SHOULD") }, nil
	case "all":
		return func(statement.Level) bool { return true }, nil
	}
	return nil, fmt.Errorf("--level %q: there are must, should and all", s.level)
}

func (s *selection) named() ([]*conformance.Check, error) {
	all := checks.All()
	if len(s.only) == 0 {
		return all, nil
	}
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.FullName()
	}
	wanted := map[string]bool{}
	var errs []error
	for _, pattern := range s.only {
		found := false
		for _, name := range names {
			if target.Match(pattern, name) {
				wanted[name], found = true, true
			}
		}
		if !found {
			errs = append(errs, fmt.Errorf("--only %q fits no check%s", pattern, didYouMean(pattern, names)))
		}
	}
	return slices.DeleteFunc(all, func(c *conformance.Check) bool { return !wanted[c.FullName()] }), errors.Join(errs...)
}

// listed is one check in the list.
type listedCheck struct {
	Name       string           `json:"name"`
	MQTT       string           `json:"mqtt"`
	Level      statement.Level  `json:"level"`
	Title      string           `json:"title"`
	Statements []statement.ID   `json:"statements"`
	Needs      []target.Feature `json:"needs,omitempty"`
}

// list returns one row per check and version that is selected.
func (s selected) list() []listedCheck {
	rows := []listedCheck{}
	for _, c := range s.checks {
		for _, v := range c.Versions() {
			if slices.Contains(s.versions, v) && s.admits(c, v) {
				rows = append(rows, listedCheck{c.FullName(), v.String(), c.Level(v), c.Title, c.Statements(v), c.Needs})
			}
		}
	}
	return rows
}

// listChecks prints the selected checks as a table, as JSON or as the Markdown document.
func listChecks(w io.Writer, s selected, asJSON, asMarkdown bool) error {
	rows := s.list()
	if len(rows) == 0 {
		return conformError(conformance.ErrNothing)
	}
	if asMarkdown {
		listed := func(c *conformance.Check) bool {
			return slices.ContainsFunc(rows, func(r listedCheck) bool { return r.Name == c.FullName() })
		}
		return checks.Markdown(w, slices.DeleteFunc(s.checks, func(c *conformance.Check) bool { return !listed(c) }))
	}
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(rows)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Name, r.MQTT, strings.ToLower(string(r.Level)), r.Title)
	}
	return table.Flush()
}
