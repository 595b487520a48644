package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/bench/load"
)

// The program starts itself as a broker and as the generator; in tests it is the test's binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == loadChild || os.Args[1] == serveChild) {
		main()
		return
	}
	os.Exit(m.Run())
}

// Brokers are started, loaded and stopped, and their table says who is how fast.
func TestBrokersAreCompared(t *testing.T) {
	brokers := []contender{}
	for _, name := range []string{"mochi", "nats"} {
		c, err := newContender(name, options{})
		if err != nil {
			t.Fatal(err)
		}
		brokers = append(brokers, c)
	}
	tab := newTable(options{reps: 1, limit: time.Minute}, brokers, "test")
	r := row{name: "x", title: "x", atLeast: 1, aim: 2, spec: load.Spec{
		Scenario: load.Pairs, QoS: 1, Publishers: 2, Window: 3, Payload: 16, Warm: 10 * time.Millisecond, Measure: 200 * time.Millisecond,
	}}
	if err := tab.measure(t.Context(), []row{r}, t.Output()); err != nil {
		t.Fatal(err)
	}
	for i, b := range brokers {
		if f := tab.rows[0].figures[i]; len(f) != 1 || f[0] <= 0 {
			t.Errorf("%s: %v, %v", b.name, f, tab.rows[0].problems[i])
		}
	}
}

func TestBrokerThatDoesNotServe(t *testing.T) {
	c := contender{"false", func(setup) ([]string, error) { return []string{"false"}, nil }}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.run(ctx, load.Spec{}, false, time.Minute); err == nil || !strings.Contains(err.Error(), "did not serve") {
		t.Errorf("got %v", err)
	}
}

// exampleTable is one row in ratios with a median of three, and one in bytes.
func exampleTable() *table {
	t := newTable(options{reps: 3, limit: time.Minute}, []contender{{name: "mosquitto 2.0.11"}, {name: "mochi 2.7.9"}, {name: "mqttlab"}}, "bench -reps 3")
	all := allRows()
	t.rows = []measured{
		{row: all[0], figures: [][]float64{{90e3, 10e3, 100e3}, {180e3, 180e3, 1}, {2e6, 1.8e6, 1.9e6}}, problems: make([]error, 3)},
		{row: all[6], figures: [][]float64{{100, 100}, nil, {149, 149}}, problems: []error{nil, os.ErrDeadlineExceeded, nil}},
		{row: rowNamed(all, "latency"), figures: [][]float64{{200}, {300}, {150}}, problems: make([]error, 3)},
		{row: rowNamed(all, "idle"), figures: [][]float64{{1763}, {43178}, {3300}}, problems: make([]error, 3)},
	}
	return t
}

func rowNamed(rows []row, name string) row {
	return rows[slices.IndexFunc(rows, func(r row) bool { return r.name == name })]
}

func TestTable(t *testing.T) {
	var s strings.Builder
	if err := exampleTable().write(&s); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(s.String(), "---|\n")
	rows, _, _ := strings.Cut(rest, "\n\n")
	want := `| QoS 0, 1 to 1, window 500 | 90,000 | 2 | 21 | 8 | 20 | met |
| fan-in 500 to 1, wildcard | 100 | no figure | 1.49 | 1.5 | 2.3 | missed |
| 99th percentile of latency, QoS 1, 50 to 50, at a fifth of mosquitto's rate | 200 | 1.5 | 0.75 | ≤ 1 |  | met |
| bytes per idle connection with one subscription | 1,763 | 43,178 | 3,300 | ≤ 8,192 | ≤ 1,500 | met |`
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if !strings.Contains(s.String(), "`bench -reps 3`: medians of 3") {
		t.Errorf("how it was measured is not told:\n%s", s.String())
	}
}

func TestReplace(t *testing.T) {
	got, err := replace("a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nz\n", "new\n")
	if want := "a\n<!-- bench:begin -->\nnew\n<!-- bench:end -->\nz\n"; got != want || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := replace("no marks", "new\n"); err == nil {
		t.Error("a document without marks was accepted")
	}
}

func TestChosenRowsOnly(t *testing.T) {
	rows, err := chooseRows(options{reps: 1, rows: "q0-50x50,connect", short: true})
	if err != nil || len(rows) != 2 || rows[0].name != "q0-50x50" || rows[1].name != "connect" {
		t.Errorf("got %v, %v", rows, err)
	}
}

func TestWrongNames(t *testing.T) {
	if _, err := chooseRows(options{reps: 1, rows: "fan-in,fan-on"}); err == nil || !strings.Contains(err.Error(), `"fan-on"`) {
		t.Errorf("got %v", err)
	}
	if _, err := chooseBrokers(options{brokers: "nats,hivemq"}); err == nil || !strings.Contains(err.Error(), `"hivemq"`) {
		t.Errorf("got %v", err)
	}
}
