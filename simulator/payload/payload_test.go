package payload

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"mqttlab/simulator/ledger"
)

func mustNew(t *testing.T, c Config) *Source {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// say steps once and returns the payload as JSON, after checking that its header is found and can be replaced.
func say(t *testing.T, s *Source, st *State, at time.Duration, rnd *rand.Rand) map[string]any {
	t.Helper()
	h := ledger.Header{Run: 1, Device: 2, Sequence: 3, Intended: at}
	s.Step(st, at, rnd)
	p := s.Append(nil, st, Names{Group: "g", Index: 4, Number: 5}, at, h)
	h.Sent = at + 1
	h.Replace(p)
	if got, ok := ledger.ParseHeader(p); !ok || got != h {
		t.Fatalf("header %+v %v, want %+v, in %s", got, ok, h, p)
	}
	var v map[string]any
	if err := json.Unmarshal(p, &v); err != nil {
		t.Fatalf("%v: %s", err, p)
	}
	delete(v, "_mqttlab")
	return v
}

func TestConstantIsAsLargeAsItSays(t *testing.T) {
	s := mustNew(t, Config{Bytes: 50})
	p := s.Append([]byte("x"), &State{}, Names{}, 0, ledger.Header{Run: 9})
	if h, ok := ledger.ParseHeader(p[1:]); len(p) != 51 || !ok || h.Run != 9 {
		t.Errorf("%d bytes, header %+v %v", len(p), h, ok)
	}
}

func TestRandomWalkStaysWithinItsBounds(t *testing.T) {
	s := mustNew(t, Config{Kind: RandomWalk, Start: 20, Step: 1, Low: 15, High: 22, Decimals: 1})
	rnd, st := rand.New(rand.NewPCG(1, 2)), &State{}
	low, high := math.Inf(1), math.Inf(-1)
	for i := range 1000 {
		v := say(t, s, st, time.Duration(i)*time.Second, rnd)["value"].(float64)
		if i == 0 && v != 20 {
			t.Errorf("it begins at %v", v)
		}
		low, high = min(low, v), max(high, v)
	}
	if low != 15 || high != 22 {
		t.Errorf("after 1000 steps it was within %v and %v, want 15 and 22", low, high)
	}
}

func TestDiurnalPeaksAtItsHour(t *testing.T) {
	s := mustNew(t, Config{Kind: Diurnal, Mean: 10, Swing: 8, Peak: 14 * time.Hour, Decimals: 3})
	rnd, st := rand.New(rand.NewPCG(1, 2)), &State{}
	for hour, want := range map[int]float64{14: 18, 26: 2, 38: 18, 20: 10} {
		if got := say(t, s, st, time.Duration(hour)*time.Hour, rnd)["value"].(float64); math.Abs(got-want) > 0.001 {
			t.Errorf("hour %d: %v, want %v", hour, got, want)
		}
	}
}

func TestTableIsReplayedInOrder(t *testing.T) {
	s := mustNew(t, Config{Kind: CSV, Table: "celsius,state\n1,\"it \"\"works\"\"\"\n2,b\n3,c\n"})
	rnd, st := rand.New(rand.NewPCG(1, 2)), &State{}
	first := say(t, s, st, 0, rnd)["celsius"].(float64)
	for i := 1; i < 7; i++ {
		v := say(t, s, st, 0, rnd)
		if want := float64((int(first)-1+i)%3 + 1); v["celsius"] != want {
			t.Errorf("row %d: %v, want celsius %v", i, v, want)
		}
		if want := []string{`it "works"`, "b", "c"}[int(v["celsius"].(float64))-1]; v["state"] != want {
			t.Errorf("state %q, want %q", v["state"], want)
		}
	}
}

func TestTemplateIsFilledIn(t *testing.T) {
	s := mustNew(t, Config{Kind: RandomWalk, Start: 1.26, High: 9, Decimals: 1, Template: `{"a":{"v":{value},"t":{time}},"n":"{group}/{index}/{number}","s":{sequence}, "e":{}} ` + "\n"})
	got := say(t, s, &State{}, 1500*time.Millisecond, rand.New(rand.NewPCG(1, 2)))
	if a := got["a"].(map[string]any); a["v"] != 1.3 || a["t"] != 1.5 || got["n"] != "g/4/5" || got["s"] != 3.0 {
		t.Errorf("%v", got)
	}
}

func TestMistakesInDescriptions(t *testing.T) {
	for want, c := range map[string]Config{
		"does not end with }":              {Kind: Diurnal, Template: "[{value}]"},
		"makes no JSON object: {value:":    {Kind: Diurnal, Template: "{value:{value}}"},
		"unknown placeholder {valu} (have": {Kind: Diurnal, Template: `{"v":{valu}}`},
		"{value} is not a column":          {Kind: CSV, Table: "a\n1\n", Template: `{"v":{value}}`},
		"at least one row":                 {Kind: CSV, Table: "a\n"},
		"wrong number of fields":           {Kind: CSV, Table: "a\n1,2\n"},
		`column "a b": the name may hold`:  {Kind: CSV, Table: "a b\n1\n"},
		"low 3 is above high 2":            {Kind: RandomWalk, Low: 3, High: 2},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	s, err := New(Config{Kind: RandomWalk, Start: 20, Step: 1, High: 100, Decimals: 2})
	if err != nil {
		b.Fatal(err)
	}
	rnd, st := rand.New(rand.NewPCG(1, 2)), &State{}
	var p []byte
	b.ReportAllocs()
	for b.Loop() {
		s.Step(st, 0, rnd)
		p = s.Append(p[:0], st, Names{}, 0, ledger.Header{})
	}
}
