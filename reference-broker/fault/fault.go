// Package fault makes the reference broker wrong on purpose, one rule at a time, so that the conformance checks can be tested: a check that
// does not notice the fault it exists for is worth nothing.
//
// A [Fault] has a name, says what goes wrong, and names the statements it breaks. It is made by a tap between
// the broker and its connections that changes packets (see [Script]), by a deviation inside the server machine where the rule needs the
// machine's own state, by damage to the store of a broker that is restarted, or in the bytes under a WebSocket. The files are named after the area of the checks that they are for.
//
//	cfg := broker.Config{}
//	f, err := fault.Lookup("puback-wrong-id")
//	f.Apply(&cfg)
//	b, err := broker.New(cfg)
package fault

import (
	"cmp"
	"fmt"
	"net"
	"slices"

	"github.com/agext/levenshtein"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/store"
)

// Fault is one thing that a broker does wrong.
type Fault struct {
	// Name is in lower case with hyphens and says what goes wrong: "retained-lost-on-disconnect".
	Name string
	// Title says the same in one clause whose subject is the broker: "forgets a retained message when its publisher disconnects".
	Title string
	// Breaks are the statements that no longer hold, such as "MQTT5-3.3.1-5". For each at least one check that covers it has to fail.
	Breaks []string
	// Configure sets what the fault needs: a deviation, a limit that it then ignores. nil: nothing.
	Configure func(*broker.Config)
	// Tap makes the tap for one broker. nil: the fault needs none.
	Tap func() broker.Tap
	// Damage is done to the store of a broker that is restarted, while it is down. nil: none.
	Damage func(*store.Store) error
	// Under wraps the socket under a WebSocket. nil: not at all.
	Under func(net.Conn) net.Conn
}

// Apply puts the fault into the configuration of a broker that has not started.
func (f Fault) Apply(cfg *broker.Config) {
	if f.Configure != nil {
		f.Configure(cfg)
	}
	if f.Tap != nil {
		cfg.Tap = f.Tap()
	}
}

// registry is filled by the init order of package variables and only read afterwards.
var registry = map[string]Fault{}

// register adds faults; a name given twice, or a fault without effect, panics.
func register(faults ...Fault) bool {
	for _, f := range faults {
		if _, twice := registry[f.Name]; twice || f.Name == "" || f.Title == "" || len(f.Breaks) == 0 || f.Configure == nil && f.Tap == nil && f.Damage == nil && f.Under == nil {
			panic(fmt.Sprintf("fault %q is declared twice or incomplete", f.Name))
		}
		registry[f.Name] = f
	}
	return true
}

// All returns the faults by name.
func All() []Fault {
	all := make([]Fault, 0, len(registry))
	for _, f := range registry {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Fault) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Lookup returns the fault of that name; the error says which name is nearest.
func Lookup(name string) (Fault, error) {
	if f, ok := registry[name]; ok {
		return f, nil
	}
	if len(registry) == 0 {
		return Fault{}, fmt.Errorf("no fault %q", name)
	}
	nearest := slices.MinFunc(All(), func(a, b Fault) int {
		return cmp.Compare(levenshtein.Distance(name, a.Name, nil), levenshtein.Distance(name, b.Name, nil))
	})
	return Fault{}, fmt.Errorf("no fault %q; the nearest name is %q", name, nearest.Name)
}
