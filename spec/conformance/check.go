package conformance

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"sync"
	"time"

	"mqttlab/spec/octets"
	"mqttlab/spec/sequence"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// Check is one check. Its versions are those of the statements it covers.
type Check struct {
	// Name is a noun phrase in CamelCase, unique within its area.
	Name string
	// Area is the folder the check is in; [Register] fills it.
	Area string
	// Title says what a conforming target does, in one clause without subject:
	// "closes the Network Connection on a second CONNECT".
	Title string
	// Covers are the statements that this check can show to be broken.
	Covers []statement.ID
	// Needs are what the target must offer; otherwise the verdict is unsupported.
	Needs []target.Feature
	// Takes is about how long a conforming target makes the check take, for those that
	// wait for seconds: they start first, so that nothing is left to wait for at the
	// end. Zero is less than a second.
	Takes time.Duration
	// Steps are the words of the cases that the check plays; see [T.Sequences]. None for
	// most checks.
	Steps []sequence.Word
	// Exclusive checks run alone, after all others: they restart the target, or
	// look at what all clients do.
	Exclusive bool
	// Run holds the conversation. It returns when the check has passed.
	Run func(ctx context.Context, t *T)

	file string
	line int
}

// FullName is area and name: "connect/SecondConnect".
func (c *Check) FullName() string { return c.Area + "/" + c.Name }

// Location is the file and line of the declaration.
func (c *Check) Location() (file string, line int) { return c.file, c.line }

// Versions are the versions the check runs in, oldest first.
func (c *Check) Versions() []octets.Version {
	var all []octets.Version
	for _, v := range []octets.Version{octets.V311, octets.V5} {
		if len(c.Statements(v)) > 0 {
			all = append(all, v)
		}
	}
	return all
}

// Statements are those of Covers that belong to a version.
func (c *Check) Statements(v octets.Version) []statement.ID {
	var ids []statement.ID
	for _, id := range c.Covers {
		if string(id.Version()) == v.String() {
			ids = append(ids, id)
		}
	}
	return ids
}

// Level is the strongest level of the statements of a version.
func (c *Check) Level(v octets.Version) statement.Level {
	return statement.Strongest(c.Statements(v))
}

// registry holds the checks that package initialisation has registered.
var registry struct {
	mu     sync.Mutex
	checks map[string]*Check
}

// Register adds a check to the registry and returns it. It is called while packages
// are initialised; a check that is declared wrongly panics there, with all that is
// wrong with it.
func Register(c Check) *Check {
	_, file, line, _ := runtime.Caller(1)
	c.file, c.line = file, line
	if c.Area == "" {
		c.Area = path.Base(path.Dir(file))
	}
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if err := c.validate(); err != nil {
		panic(fmt.Sprintf("%s:%d: %v", file, line, err))
	}
	if other := registry.checks[c.FullName()]; other != nil {
		panic(fmt.Sprintf("%s:%d: check %s is already registered at %s:%d", file, line, c.FullName(), other.file, other.line))
	}
	if registry.checks == nil {
		registry.checks = map[string]*Check{}
	}
	registry.checks[c.FullName()] = &c
	return &c
}

// All returns the registered checks by area and name.
func All() []*Check {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return slices.SortedFunc(maps.Values(registry.checks), func(a, b *Check) int {
		return cmp.Or(cmp.Compare(a.Area, b.Area), cmp.Compare(a.Name, b.Name))
	})
}

func (c *Check) validate() error {
	switch {
	case c.Name == "" || c.Title == "" || c.Run == nil:
		return fmt.Errorf("check %q needs a name, a title and a function", c.Name)
	case len(c.Covers) == 0:
		return fmt.Errorf("check %q covers no statement", c.Name)
	}
	for _, id := range c.Covers {
		if _, err := statement.Lookup(id); err != nil {
			return fmt.Errorf("check %q: %w", c.Name, err)
		}
	}
	for _, n := range c.Needs {
		if !slices.Contains(target.Features(), n) {
			return fmt.Errorf("check %q needs %q, which is no feature", c.Name, n)
		}
	}
	return nil
}
