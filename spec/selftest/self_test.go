package selftest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/fault"
	"mqttlab/spec/checks"
	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

type statementID = statement.ID

// tally gathers what the subtests found.
type tally struct {
	mu      sync.Mutex
	passed  map[string]bool // result ids that passed in a set-up
	failed  map[string]bool // result ids that failed under a fault
	caught  int
	missed  []string // faults, with the statements that nobody noticed
	setUpIn map[string]string
}

// TestSelf proves the checks: see the package comment.
func TestSelf(t *testing.T) {
	all := tally{passed: map[string]bool{}, failed: map[string]bool{}, setUpIn: map[string]string{}}
	t.Run("passes", func(t *testing.T) {
		for _, s := range setups {
			t.Run(s.name, func(t *testing.T) { all.passes(t, s) })
		}
	})
	t.Run("faults", func(t *testing.T) {
		for _, f := range fault.All() {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				all.catches(t, f)
			})
		}
	})
	if !t.Run("proven", all.proven) {
		return
	}
}

// passes wants every check to pass on a broker without faults.
func (a *tally) passes(t *testing.T, s setup) {
	for _, r := range verify(t, s, fault.Fault{}, conformance.Options{}) {
		switch r.Verdict {
		case conformance.Pass, conformance.Info:
			a.passed[r.ID()] = true
		case conformance.Unsupported:
		default:
			t.Errorf("%s: %s %s\n%s", r.ID(), r.Verdict, r.Reason, transcript(r))
		}
	}
}

// catches wants, for each statement that a fault breaks, a check that notices.
func (a *tally) catches(t *testing.T, f fault.Fault) {
	unnoticed := slices.Clone(f.Breaks)
	waiting := covering(f.Breaks) // for a set-up that offers what they need
	for _, s := range setups {
		run := covering(unnoticed)
		for _, c := range waiting {
			if !slices.Contains(run, c) {
				run = append(run, c)
			}
		}
		if len(run) == 0 {
			break
		}
		if !slices.ContainsFunc(run, s.selects) {
			continue
		}
		waiting = nil
		for _, r := range verify(t, s, f, conformance.Options{Checks: run, Versions: versionsOf(f.Breaks)}) {
			if r.Verdict == conformance.Unsupported && !slices.Contains(waiting, r.Check) {
				waiting = append(waiting, r.Check)
			}
			if !failing(r) {
				continue
			}
			a.mu.Lock()
			a.failed[r.ID()] = true
			a.mu.Unlock()
			unnoticed = slices.DeleteFunc(unnoticed, func(id string) bool {
				return slices.Contains(r.Check.Covers, statement.ID(id)) && statement.ID(id).Version() == versionName(r.Version)
			})
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(unnoticed) > 0 {
		a.missed = append(a.missed, f.Name+" "+strings.Join(unnoticed, " "))
		t.Errorf("%s: no check that covers %s fails", f.Title, strings.Join(unnoticed, ", "))
		return
	}
	a.caught++
}

// failing says that a result would make a reader look: a breach of what binds, or of what is recommended where nothing binds.
func failing(r *conformance.Result) bool {
	switch r.Verdict {
	case conformance.Fail, conformance.Crash:
		return true
	case conformance.Nonstrict:
		return r.Failure != nil || !r.Check.Level(r.Version).Binding()
	}
	return false
}

// proven wants every check to have passed somewhere and to have failed under a fault.
func (a *tally) proven(t *testing.T) {
	var unproven, neverRan []string
	total := 0
	for _, c := range checks.All() {
		for _, v := range c.Versions() {
			total++
			id := (&conformance.Result{Check: c, Version: v}).ID()
			if !a.passed[id] {
				neverRan = append(neverRan, id)
			}
			if !a.failed[id] {
				unproven = append(unproven, id)
			}
		}
	}
	fmt.Printf("%d faults, %d caught; %d checks (per version), %d pass on the reference broker, %d fail under a fault\n",
		len(fault.All()), a.caught, total, total-len(neverRan), total-len(unproven))
	slices.SortFunc(a.missed, func(x, y string) int { return cmp.Compare(x, y) })
	for _, m := range a.missed {
		fmt.Println("not caught:", m)
	}
	for _, id := range neverRan {
		t.Errorf("%s passes in no set-up of the reference broker", id)
	}
	for _, id := range unproven {
		t.Errorf("%s fails under no fault", id)
	}
}

func versionsOf(ids []string) []octets.Version {
	var all []octets.Version
	for _, v := range []octets.Version{octets.V311, octets.V5} {
		if slices.ContainsFunc(ids, func(id string) bool { return statement.ID(id).Version() == versionName(v) }) {
			all = append(all, v)
		}
	}
	return all
}

func versionName(v octets.Version) statement.Version { return statement.Version(v.String()) }

func transcript(r *conformance.Result) string {
	var b strings.Builder
	for _, e := range r.Transcript {
		arrow := "->"
		if e.FromTarget {
			arrow = "<-"
		}
		fmt.Fprintf(&b, "  %8.3f ms %s %s %s\n", float64(e.At.Microseconds())/1000, e.Peer, arrow, e.Packet)
	}
	return b.String()
}

// TestFaultNamesStatements wants every fault to name statements that exist.
func TestFaultNamesStatements(t *testing.T) {
	for _, f := range fault.All() {
		for _, id := range f.Breaks {
			if _, err := statement.Lookup(statement.ID(id)); err != nil {
				t.Errorf("fault %s: %v", f.Name, err)
			}
		}
		var cfg broker.Config
		f.Apply(&cfg)
		if err := cfg.Validate(); err != nil {
			t.Errorf("fault %s: %v", f.Name, err)
		}
	}
}
