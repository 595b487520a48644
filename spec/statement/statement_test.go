package statement_test

import (
	"strings"
	"testing"

	"mqttlab/spec/statement"
)

func TestTablesAreComplete(t *testing.T) {
	count := map[string]int{}
	for _, s := range statement.All() {
		prefix, _, _ := strings.Cut(string(s.ID), "-")
		count[prefix]++
		if s.Version == "" || s.Section == "" || s.Actor == "" || s.Level == "" || s.Summary == "" || s.WireTest == "" {
			t.Errorf("%s: an empty field: %+v", s.ID, s)
		}
		if got, err := statement.Lookup(s.ID); err != nil || got.Summary != s.Summary {
			t.Errorf("Lookup(%s) = %v, %v", s.ID, got.Summary, err)
		}
	}
	for prefix, want := range map[string]int{"MQTT311": 141, "MQTT5": 251, "X5": 186} {
		if count[prefix] != want {
			t.Errorf("%s has %d statements, want %d", prefix, count[prefix], want)
		}
	}
}

func TestServerRows(t *testing.T) {
	count := map[statement.Version]int{}
	for _, s := range statement.All() {
		if s.BindsServer() {
			count[s.Version]++
		}
	}
	if count[statement.MQTT311] != 125 || count[statement.MQTT5] != 234+176 {
		t.Errorf("rows that bind a server: %v, want 125 and 410", count)
	}
}

func TestLookupNamesTheNearest(t *testing.T) {
	for typed, want := range map[statement.ID]string{
		"MQTT5-3.1.2-222":  "MQTT5-3.1.2-22",
		"3.1.0-2":          "MQTT311-3.1.0-2",
		"MQTT311-3.1.2-99": "MQTT311-3.1.2-9",
		"X5-T2.4-CONECT":   "X5-T2.4-CONNECT",
	} {
		_, err := statement.Lookup(typed)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Lookup(%q): %v, want the nearest %s named", typed, err, want)
		}
	}
}

func TestStrongest(t *testing.T) {
	ids := statement.IDs(statement.X5("3.1.4-2"), statement.V5("3.1.0-2"))
	if got := statement.Strongest(ids); got != statement.Must {
		t.Errorf("Strongest(%v) = %q", ids, got)
	}
	if got := statement.Strongest(statement.X5("3.4.2.1-2")); got != statement.May || got.Binding() {
		t.Errorf("a MAY alone = %q, binding %v", got, got.Binding())
	}
	if got := statement.Strongest(nil); got != "" {
		t.Errorf("none = %q", got)
	}
}
