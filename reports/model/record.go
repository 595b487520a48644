package model

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Schema is the version that this package writes, the first field of each record.
const Schema = "mqttlab.run/v1"

// Kind says which part of a record is filled.
type Kind string

// The two kinds of record.
const (
	Conformance Kind = "conformance"
	FleetRun    Kind = "fleet"
)

// Record is one run. See the package comment. A Record is a plain value: it is
// not safe for concurrent change, and once sealed it is not changed any more.
type Record struct {
	Schema     string    `json:"schema"`      // version; Seal fills it
	Kind       Kind      `json:"kind"`        // which of the parts below is filled
	Tool       Tool      `json:"tool"`        // who wrote it
	Started    time.Time `json:"started"`     // in UTC; a run in virtual time writes its virtual epoch
	DurationMS Millis    `json:"duration_ms"` // from Started to the end of the run
	Seed       uint64    `json:"seed"`        // all randomness of the run follows from it
	Target     Target    `json:"target"`
	Repeats    int       `json:"repeats,omitempty"` // how often each check was run, if more than once
	Link       *LinkRun  `json:"link,omitempty"`    // emulated link of a conformance run; nil: none

	Summary    Summary              `json:"summary,omitempty"`    // checks per verdict; Seal fills it
	Checks     []Check              `json:"checks,omitempty"`     // sorted by area, name, version and transport
	Coverage   []Coverage           `json:"coverage,omitempty"`   // one row per statement; Seal fills it
	Statements map[string]Statement `json:"statements,omitempty"` // by version-qualified id

	Fleet *Fleet `json:"fleet,omitempty"`
}

// Tool names the program that wrote a record.
type Tool struct {
	Name    string `json:"name"`             // "mqttlab"
	Version string `json:"version"`          // as `mqttlab version` prints it
	Commit  string `json:"commit,omitempty"` // revision it was built from; empty: not known
}

// Target is what was tested.
type Target struct {
	URL      string    `json:"url"`                // as the user gave it, without credentials
	Name     string    `json:"name"`               // for people; empty: readers show the URL
	Features []Feature `json:"features,omitempty"` // sorted by name

	Implementation *Implementation `json:"implementation,omitempty"` // nil: the user did not say
}

// Implementation is what a published result says of what was judged.
type Implementation struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Contact string `json:"contact"` // who answers for it: a mail address, a web page
}

// Title is the name that reports show: that of the implementation, Name, or the URL where there is none.
func (t Target) Title() string {
	named := ""
	if i := t.Implementation; i != nil {
		named = i.Name + " " + i.Version
	}
	return cmp.Or(named, t.Name, t.URL, "unnamed target")
}

// Title says what ran on what, as the heading of a report: "meadow on mosquitto 2.0.11". A run in virtual time brings its
// own broker, which is no news.
func (r *Record) Title() string {
	switch {
	case r.Fleet == nil:
		return r.Target.Title()
	case r.Fleet.Mode == Virtual:
		return r.Fleet.Scenario.Name + " in virtual time"
	}
	return r.Fleet.Scenario.Name + " on " + r.Target.Title()
}

// Feature is one thing that a target offers or does not.
type Feature struct {
	Name    string `json:"name"`             // "retain", "shared-subscription", ...
	Offered bool   `json:"offered"`          // whether the target offers it
	Source  string `json:"source,omitempty"` // how it was found: "connack", "probe", "file"

	// What each source says: "yes", "no"; empty: nothing.
	Declared  string `json:"declared,omitempty"`  // the target file
	Announced string `json:"announced,omitempty"` // CONNACK
	Observed  string `json:"observed,omitempty"`  // trying it

	Detail string `json:"detail,omitempty"` // its value where it has one: "maximum QoS 1"
}

// Statement is a numbered statement of a standard, in our words.
type Statement struct {
	Level   string `json:"level"`   // "MUST", "MUST NOT", "SHOULD", ...
	Summary string `json:"summary"` // paraphrase
	Section string `json:"section"` // number and heading in the standard
}

// Coverage is what the checks of one statement add up to.
type Coverage struct {
	ID      string   `json:"id"`      // version-qualified: "MQTT5-3.1.2-22"
	Verdict Verdict  `json:"verdict"` // the worst of Checks; Untested when there are none
	Checks  []string `json:"checks"`  // full names, "area/Name", sorted; never null
}

// Seal completes a record when its run has ended: it sets the schema, normalises the
// time to UTC microseconds, sorts what has an order, and derives Summary and Coverage from
// Checks and Statements. Statements that no check covers get a row as Untested. Sealing
// twice changes nothing.
func (r *Record) Seal() {
	r.Schema = Schema
	r.Started = r.Started.UTC().Truncate(time.Microsecond)
	slices.SortFunc(r.Target.Features, func(a, b Feature) int { return cmp.Compare(a.Name, b.Name) })
	if r.Kind != Conformance {
		return
	}
	slices.SortStableFunc(r.Checks, func(a, b Check) int {
		return cmp.Or(cmp.Compare(a.Area, b.Area), cmp.Compare(a.Name, b.Name), cmp.Compare(a.MQTT, b.MQTT), cmp.Compare(a.Transport, b.Transport))
	})
	r.Summary = summarize(r.Checks)
	r.Coverage = cover(r.Checks, r.Statements)
}

// Validate reports all contradictions within a record at once: a kind without its
// part, a verdict that does not exist, a ledger that does not add up, series of
// different lengths. A record that a run wrote is valid; a file may not be.
func (r *Record) Validate() error {
	var errs []error
	switch r.Kind {
	case Conformance:
		if r.Fleet != nil {
			errs = append(errs, errors.New("a conformance record holds a fleet part"))
		}
	case FleetRun:
		if r.Fleet == nil {
			errs = append(errs, errors.New("a fleet record holds no fleet part"))
		} else {
			errs = append(errs, r.Fleet.validate()...)
		}
	default:
		errs = append(errs, fmt.Errorf("unknown kind %q (have %q and %q)", r.Kind, Conformance, FleetRun))
	}
	seen := make(map[string]bool, len(r.Checks))
	for _, c := range r.Checks {
		id := c.Row()
		if !c.Verdict.Known() {
			errs = append(errs, fmt.Errorf("check %s: unknown verdict %q", id, c.Verdict))
		}
		if seen[id] {
			errs = append(errs, fmt.Errorf("check %s is there twice", id))
		}
		seen[id] = true
	}
	return errors.Join(errs...)
}
