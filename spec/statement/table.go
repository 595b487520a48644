package statement

import (
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Level is the keyword of RFC 2119 that binds a statement.
type Level string

// The levels that occur. Declarative is plain description without a keyword.
const (
	Must        Level = "MUST"
	MustNot     Level = "MUST NOT"
	Should      Level = "SHOULD"
	ShouldNot   Level = "SHOULD NOT"
	May         Level = "MAY"
	Declarative Level = "declarative"
)

// Binding says whether breaking a statement of this level makes an implementation
// nonconforming. Description binds: a server that does otherwise is not the one
// described.
func (l Level) Binding() bool { return l == Must || l == MustNot || l == Declarative }

// Statement is one normative statement.
type Statement struct {
	// ID names the statement; Version is its standard.
	ID      ID
	Version Version
	// Section is the number and title of the section that holds it.
	Section string
	// Actor is who is bound: server, client, both, transport, or text (a rule for
	// claims of conformance only).
	Actor string
	// Level is the binding keyword.
	Level Level
	// Summary says in one line what a test would do.
	Summary string
	// WireTest says whether a test against a server gives a verdict: yes, partly
	// (only some violations show), no, or client (a client under test is needed).
	WireTest string
	// Needs lists what the target must offer or have configured; empty means nothing.
	Needs []string
}

// BindsServer says whether a test against a server can decide the statement, in
// full or in part.
func (s *Statement) BindsServer() bool {
	return (s.Actor == "server" || s.Actor == "both" || s.Actor == "transport") &&
		(s.WireTest == "yes" || s.WireTest == "partly")
}

//go:embed tables/*.csv
var tables embed.FS

// table is the parsed data: rows in the order of the standards, and their index.
type table struct {
	rows  []Statement
	index map[ID]int
}

var load = sync.OnceValue(func() *table {
	t := &table{index: map[ID]int{}}
	t.read("tables/mqtt-3.1.1.csv", "MQTT-", prefix311)
	t.read("tables/mqtt-5.0.csv", "MQTT-", prefix5)
	t.read("tables/unnumbered-5.0.csv", prefixX5, prefixX5)
	return t
})

// read appends one embedded file. Its errors are mistakes in this package, found by
// its test, and so they panic.
func (t *table) read(name, from, to string) {
	f, err := tables.Open(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = 7
	records, err := r.ReadAll()
	if err != nil {
		panic(fmt.Errorf("%s: %w", name, err))
	}
	for _, rec := range records[1:] {
		id := ID(to + strings.TrimPrefix(rec[0], from))
		t.index[id] = len(t.rows)
		t.rows = append(t.rows, Statement{
			ID: id, Version: id.Version(), Section: rec[1], Actor: rec[2], Level: Level(rec[3]),
			Summary: rec[4], WireTest: rec[5], Needs: strings.Fields(rec[6]),
		})
	}
}

// All returns every statement: 3.1.1, then 5.0, then the unnumbered rules of 5.0,
// each in the order of its standard. The slice is the caller's to keep.
func All() []Statement { return slices.Clone(load().rows) }

// Lookup finds a statement by its id. The error of an unknown id names the nearest
// ids there are.
func Lookup(id ID) (Statement, error) {
	t := load()
	i, ok := t.index[id]
	if !ok {
		return Statement{}, fmt.Errorf("no statement %q; nearest: %s", id, strings.Join(t.nearest(string(id), 3), ", "))
	}
	return t.rows[i], nil
}

// Strongest returns the most binding level among ids, "" for none known. It is the
// level of a check that covers them.
func Strongest(ids []ID) Level {
	order := []Level{May, ShouldNot, Should, Declarative, MustNot, Must}
	best := -1
	for _, id := range ids {
		if s, err := Lookup(id); err == nil {
			best = max(best, slices.Index(order, s.Level))
		}
	}
	if best < 0 {
		return ""
	}
	return order[best]
}
