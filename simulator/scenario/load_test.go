package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/simulator/arrival"
	"mqttlab/simulator/payload"
)

const loaded = smallest + `
  - {name: walk, count: 4, interval: 1s, arrival: on-change, min_change: 0.3, payload: {kind: random-walk, start: -5, low: -10.5, high: 40, step: 0.2, decimals: 1}}
  - {name: day, count: 4, interval: 1m, arrival: diurnal, swing: 0.5, peak: 12h, payload: {kind: diurnal, mean: 8, swing: 2, noise: 0, peak: 13h, template: '{"t":{value}}'}}
  - name: table
    count: 4
    interval: 1m
    arrival: burst
    burst: 3
    burst_gap: 2s
    payload:
      kind: csv
      csv: |
        celsius,state
        20.5,on
        21,off
stages:
  - {start: 30s, ramp: 10s, rate: 3}
  - {start: 1m, rate: 0.5}
`

func TestLoadIsRead(t *testing.T) {
	s, err := Parse("f.yaml", []byte(loaded))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(arrival.Stages{{Start: 30 * time.Second, Ramp: 10 * time.Second, Rate: 3}, {Start: time.Minute, Rate: 0.5}}, s.Stages); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	walk, day, table := s.Groups[1], s.Groups[2], s.Groups[3]
	if p := walk.Payload; p.Kind != payload.RandomWalk || p.Start != -5 || p.Low != -10.5 || p.Decimals != 1 || walk.MinChange != 0.3 || walk.Pace.Kind != arrival.OnChange {
		t.Errorf("%+v", walk)
	}
	if p := day.Payload; p.Mean != 8 || p.Peak != 13*time.Hour || p.Template != `{"t":{value}}` || day.Pace.Swing != 0.5 || day.Pace.Peak != 12*time.Hour {
		t.Errorf("%+v", day)
	}
	if p := table.Payload; p.Table != "celsius,state\n20.5,on\n21,off\n" || table.Pace.Burst != 3 || table.Pace.Gap != 2*time.Second {
		t.Errorf("%+v", table)
	}
}

func TestTableBesideTheScenario(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "s.yaml")
	text := smallest + "    payload: {kind: csv, csv_file: t.csv}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "t.csv") {
		t.Errorf("without its table: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "t.csv"), []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(file)
	if err != nil || s.Groups[0].Payload.Table != "a\n1\n" {
		t.Errorf("%v %v", s, err)
	}
}

func TestMistakesInLoads(t *testing.T) {
	_, err := Parse("f.yaml", []byte(smallest+`    burst: 3
  - {name: b, count: 1, interval: 5s, arrival: burst, burst: 6, burst_gap: 1s}
  - {name: c, count: 1, interval: 5s, arrival: on-change}
  - {name: d, count: 1, interval: 5s, payload_bytes: 70, payload: {kind: diurnal, template: "{value}"}}
  - {name: e, count: 1, interval: 5s, payload: {kind: csv, csv: "a", decimal: 3}}
  - {name: f, count: 1, interval: 5s, payload: {kind: csv, csv: "a"}}
stages:
  - {start: 10s, ramp: 20s, rate: 2}
  - {start: 20s, rate: 2000}
  - {start: 5m, rate: 2}
`))
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, want := range []string{
		"f.yaml:8: groups[0].burst: is of arrival burst only",
		"f.yaml:9: groups[1].burst_gap: 6 messages 1s apart do not fit into the interval of 5s",
		"f.yaml:10: groups[2].arrival: on-change needs a payload whose value changes",
		"f.yaml:11: groups[3].payload_bytes: is of constant payloads only",
		"f.yaml:11: groups[3].payload: the template makes no JSON object",
		`f.yaml:12: groups[4].payload.decimal: unknown key: did you mean "decimals"?`,
		"f.yaml:13: groups[5].payload: the table needs a line of column names",
		"f.yaml:16: stages[1].rate: 2000 is out of range",
		"f.yaml:16: stages[1]: begins at 20s, before the one above has ended at 30s",
		"f.yaml:17: stages[2]: begins at 5m, but messages are due for 2m only",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no mistake %q in\n%v", want, err)
		}
	}
}
