package model

import (
	"cmp"
	"slices"
	"strings"
)

// Check is the result of one check under one protocol version.
type Check struct {
	Name       string   `json:"name"`                 // unique together with Area, MQTT and Transport
	Area       string   `json:"area"`                 // "connect", "publish", ...
	Title      string   `json:"title"`                // what a correct target does, as a sentence without subject
	MQTT       string   `json:"mqtt"`                 // "3.1", "3.1.1" or "5.0"
	Transport  string   `json:"transport,omitempty"`  // what it ran over: "tls", "ws", "wss", "unix"; empty: plain TCP
	Statements []string `json:"statements,omitempty"` // ids it covers
	Level      string   `json:"level"`                // the strongest level of its statements: "MUST", "SHOULD", "MAY"
	Verdict    Verdict  `json:"verdict"`
	Reason     string   `json:"reason,omitempty"` // why this verdict, one sentence; empty for a plain pass
	Closed     string   `json:"closed,omitempty"` // how the Network Connection ended; empty: not observed
	DurationMS Millis   `json:"duration_ms"`
	Failure    *Failure `json:"failure,omitempty"` // for fail, crash, known and nonstrict where there is something to show
	Transcript []Line   `json:"transcript,omitempty"`

	// Case is the sequence of steps that a check with sequences failed in, made short; empty for others.
	Case string `json:"case,omitempty"`
	// Again is the command that runs the check alone in the same way, for checks to look at; empty otherwise.
	Again string `json:"again,omitempty"`

	// Flaky has one entry per run when the runs of the check did not agree; Verdict is then the worst of them. See Record.Repeats.
	Flaky []Attempt `json:"flaky,omitempty"`
}

// Version is version and transport for people: "5.0", "5.0 over ws".
func (c Check) Version() string {
	if c.Transport == "" {
		return c.MQTT
	}
	return c.MQTT + " over " + c.Transport
}

// FullName is area and name, "connect/SecondConnect": unique together with Version.
func (c Check) FullName() string { return c.Area + "/" + c.Name }

// Row names the check within a record: "connect/SecondConnect 5.0 over ws".
func (c Check) Row() string { return c.FullName() + " " + c.Version() }

// Matching returns what names a check in all of these records, so that their rows can be matched: [Check.Row]; where each record
// has one transport only, without that, as what the transport changes is then of interest.
func Matching(records ...*Record) func(Check) string {
	apart := slices.ContainsFunc(records, func(r *Record) bool {
		return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Transport != r.Checks[0].Transport })
	})
	return func(c Check) string {
		if !apart {
			c.Transport = ""
		}
		return c.Row()
	}
}

// How a Network Connection ended, for Check.Closed.
const (
	ClosedDisconnect = "disconnect" // the target sent DISCONNECT (or a refusing CONNACK) and closed
	ClosedFIN        = "fin"        // the target closed without a packet
	ClosedRST        = "rst"        // the target reset the connection
	LeftOpen         = "open"       // it was still open when the check ended
)

// Failure is what a broker's developer needs in order to act.
type Failure struct {
	Sent       string   `json:"sent"`       // what was sent, decoded
	Acceptable []string `json:"acceptable"` // every outcome that would have passed
	Got        string   `json:"got"`        // what came
}

// Line is one entry of a transcript: bytes in one direction, or an event.
type Line struct {
	AtMS   Millis `json:"at_ms"`         // since the check began
	From   string `json:"from"`          // who acted: "check", "target"; with a connection's name where there are several: "check/b"
	Packet string `json:"packet"`        // decoded, one line; for an event (connected, closed, silent) its name
	Hex    string `json:"hex,omitempty"` // all bytes, in lower case without spaces; empty for an event
}

// Summary counts checks per verdict. Verdicts that did not occur are absent.
type Summary map[Verdict]int

// Total is the number of checks.
func (s Summary) Total() int {
	total := 0
	for _, n := range s {
		total += n
	}
	return total
}

func summarize(checks []Check) Summary {
	s := Summary{}
	for _, c := range checks {
		s[c.Verdict]++
	}
	return s
}

// cover folds the verdicts of the checks into one row per statement, sorted by id.
func cover(checks []Check, statements map[string]Statement) []Coverage {
	rows := make(map[string]*Coverage, len(statements))
	row := func(id string) *Coverage {
		if rows[id] == nil {
			rows[id] = &Coverage{ID: id, Verdict: Untested, Checks: []string{}}
		}
		return rows[id]
	}
	for id := range statements {
		row(id)
	}
	for _, c := range checks {
		for _, id := range c.Statements {
			at := row(id)
			at.Verdict = Worst(at.Verdict, c.Verdict)
			if name := c.FullName(); !slices.Contains(at.Checks, name) {
				at.Checks = append(at.Checks, name)
			}
		}
	}
	out := make([]Coverage, 0, len(rows))
	for _, c := range rows {
		slices.Sort(c.Checks)
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Coverage) int { return CompareIDs(a.ID, b.ID) })
	return out
}

// CompareIDs orders statement ids as a reader expects: by document, and
// "MQTT5-3.1.2-9" before "MQTT5-3.1.2-10".
func CompareIDs(a, b string) int {
	docA, restA, _ := strings.Cut(a, "-")
	docB, restB, _ := strings.Cut(b, "-")
	return cmp.Or(strings.Compare(docA, docB), compareNumbered(restA, restB))
}

// compareNumbered compares runs of digits as numbers and all else byte by byte.
func compareNumbered(a, b string) int {
	for a != "" && b != "" {
		na, nb := digits(a), digits(b)
		if na == 0 || nb == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		// Ids have no leading zeros: more digits is larger.
		if c := cmp.Or(cmp.Compare(na, nb), strings.Compare(a[:na], b[:nb])); c != 0 {
			return c
		}
		a, b = a[na:], b[nb:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is the length of the decimal number that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
