// Package payload makes what devices say: constant bytes, or values that behave as a sensor's, as JSON.
//
//	constant     Bytes of zeros behind the header
//	random-walk  a value that takes a normal step each time, between Low and High
//	diurnal      a value that swings around Mean within a day, highest at Peak, with Noise
//	csv          the rows of a table, one after another, each device from a row of its own
//
// All but constant are written by a template, in which {value} (of csv: {column}) stands for the value, {time} for the seconds since the start of the run,
// and {sequence}, {group}, {index} and {number} for what they say. It must make a JSON object: the ledger's header travels as its last member.
//
// # Design
//
// A Source is shared by a group and holds no state; a State is one device's and small. Text is appended to the device's buffer, so that a message costs no
// allocation beyond it.
package payload

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"mqttlab/simulator/ledger"
)

// Kind is how values come about.
type Kind uint8

// The kinds.
const (
	Constant Kind = iota
	RandomWalk
	Diurnal
	CSV
)

// Kinds lists the names of all kinds, in the order of their values.
func Kinds() []string { return []string{"constant", "random-walk", "diurnal", "csv"} }

// Config describes what a group's devices say.
type Config struct {
	Kind Kind
	// Bytes of a Constant payload, its header included.
	Bytes int
	// Start, Step (standard deviation), Low and High of RandomWalk.
	Start, Step, Low, High float64
	// Mean, Swing and Noise (standard deviation) of Diurnal, and when it is highest, from the start of the run.
	Mean, Swing, Noise float64
	Peak               time.Duration
	// Decimals of a value.
	Decimals int
	// Table of CSV, with a line of column names first.
	Table string
	// Template of all but Constant. Empty: {"value":{value}}, of CSV all columns.
	Template string
}

// State is what one device remembers.
type State struct {
	Value float64
	row   int
	begun bool
}

// Names is what a device fills into the template.
type Names struct {
	Group         string
	Index, Number int
}

// Source makes the payloads of a group. It is not modified and may be shared.
type Source struct {
	cfg     Config
	parts   []part
	columns []string
	rows    [][]string
}

// part is a piece of the template: text, or a placeholder.
type part struct {
	text   string
	name   string // empty: text
	column int
}

// placeholder matches one of the template. A brace of JSON is followed by a quote or another brace.
var placeholder = regexp.MustCompile(`\{[A-Za-z_][A-Za-z0-9_]*\}`)

// New checks a description. The error says all that is wrong with it.
func New(c Config) (*Source, error) {
	s := &Source{cfg: c}
	if c.Kind == Constant {
		return s, nil
	}
	if c.Kind == CSV {
		if err := s.readTable(); err != nil {
			return nil, err
		}
	}
	if c.Kind == RandomWalk && c.Low > c.High {
		return nil, fmt.Errorf("low %g is above high %g", c.Low, c.High)
	}
	if err := s.compile(s.template()); err != nil {
		return nil, err
	}
	sample := s.Append(nil, &State{}, Names{}, 0, ledger.Header{})
	if !json.Valid(sample) || sample[0] != '{' {
		return nil, fmt.Errorf("the template makes no JSON object: %.200s", sample[:len(sample)-ledger.TrailerBytes+1])
	}
	return s, nil
}

func (s *Source) template() string {
	if s.cfg.Template != "" {
		return s.cfg.Template
	}
	if s.cfg.Kind != CSV {
		return `{"value":{value}}`
	}
	var members []string
	for i, name := range s.columns {
		key, _ := json.Marshal(name)
		quote := `"`
		if numeric(s.rows, i) {
			quote = ""
		}
		members = append(members, string(key)+":"+quote+"{"+name+"}"+quote)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// compile cuts the template into parts, without the brace at its end: the header comes before it.
func (s *Source) compile(template string) error {
	template = strings.TrimRight(template, " \t\r\n")
	body, ok := strings.CutSuffix(template, "}")
	if !ok {
		return errors.New("the template must be a JSON object: it does not end with }")
	}
	var errs []error
	at := 0
	for _, m := range placeholder.FindAllStringIndex(body, -1) {
		name := body[m[0]+1 : m[1]-1]
		p := part{name: name, column: -1}
		switch name {
		case "value", "time", "sequence", "group", "index", "number":
		default:
			if p.column = s.column(name); p.column < 0 {
				errs = append(errs, fmt.Errorf("unknown placeholder {%s} (have %s)", name, strings.Join(s.known(), ", ")))
			}
		}
		if name == "value" && s.cfg.Kind == CSV && s.column(name) < 0 {
			errs = append(errs, errors.New("{value} is not a column of the table"))
		}
		if i := s.column(name); i >= 0 {
			p.column = i
		}
		s.parts = append(s.parts, part{text: body[at:m[0]]}, p)
		at = m[1]
	}
	s.parts = append(s.parts, part{text: body[at:]})
	return errors.Join(errs...)
}

func (s *Source) known() []string {
	names := []string{"{time}", "{sequence}", "{group}", "{index}", "{number}"}
	if s.cfg.Kind != CSV {
		names = append(names, "{value}")
	}
	for _, c := range s.columns {
		names = append(names, "{"+c+"}")
	}
	return names
}

// Step makes the device's next value, for the time since the start of the run. Of CSV and Constant it has none to speak of.
func (s *Source) Step(st *State, at time.Duration, rnd *rand.Rand) {
	c := &s.cfg
	switch c.Kind {
	case RandomWalk:
		if st.begun {
			st.Value += rnd.NormFloat64() * c.Step
		} else {
			st.Value = c.Start
		}
		st.Value = min(max(st.Value, c.Low), c.High)
	case Diurnal:
		const day = 24 * time.Hour
		st.Value = c.Mean + c.Swing*math.Cos(2*math.Pi*float64((at-c.Peak)%day)/float64(day)) + rnd.NormFloat64()*c.Noise
	case CSV:
		if st.begun {
			st.row = (st.row + 1) % len(s.rows)
		} else {
			st.row = rnd.IntN(len(s.rows))
		}
		st.Value, _ = strconv.ParseFloat(s.rows[st.row][0], 64)
	}
	st.begun = true
}

// Append appends the payload of the device's present value, with the header in it.
func (s *Source) Append(dst []byte, st *State, n Names, at time.Duration, h ledger.Header) []byte {
	if s.cfg.Kind == Constant {
		begin, n := len(dst), max(s.cfg.Bytes, ledger.HeaderBytes)
		dst = slices.Grow(dst, n)[:begin+n]
		clear(dst[begin:])
		h.Put(dst[begin:])
		return dst
	}
	for _, p := range s.parts {
		switch {
		case p.name == "":
			dst = append(dst, p.text...)
		case p.column >= 0:
			dst = append(dst, s.rows[st.row][p.column]...)
		default:
			dst = s.fill(dst, p.name, st, n, at, h)
		}
	}
	return h.AppendTrailer(dst)
}

func (s *Source) fill(dst []byte, name string, st *State, n Names, at time.Duration, h ledger.Header) []byte {
	switch name {
	case "value":
		return strconv.AppendFloat(dst, st.Value, 'f', s.cfg.Decimals, 64)
	case "time":
		return strconv.AppendFloat(dst, at.Seconds(), 'f', 3, 64)
	case "sequence":
		return strconv.AppendUint(dst, uint64(h.Sequence), 10)
	case "group":
		return append(dst, n.Group...)
	case "index":
		return strconv.AppendInt(dst, int64(n.Index), 10)
	}
	return strconv.AppendInt(dst, int64(n.Number), 10)
}
