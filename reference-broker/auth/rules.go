package auth

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync/atomic"

	"mqttlab/reference-broker/core/server"
)

// Rules are the access rules of one reading of a file. They do not change. The zero value denies everything.
type Rules struct {
	allow  bool               // if no rule matches
	users  map[string][]*rule // the rules for users that are named in any
	others []*rule            // those for everyone else
}

// rule allows or denies.
type rule struct {
	allow   bool
	kinds   kinds
	anyone  bool     // users is not there
	users   []string // "": who has no name
	clients []string // none: all
	topics  []*pattern
}

// kinds is a set of server.AccessKind.
type kinds uint8

func (k kinds) has(x server.AccessKind) bool { return k>>x&1 != 0 }

// newRules sorts rules by user, keeping their order, so that one look-up leaves out those of others.
func newRules(allow bool, all []*rule) *Rules {
	r := &Rules{allow: allow, users: make(map[string][]*rule)}
	for _, x := range all {
		for _, u := range x.users {
			r.users[u] = nil
		}
	}
	for _, x := range all {
		if x.anyone {
			r.others = append(r.others, x)
		}
		for u := range r.users {
			if x.anyone || slices.Contains(x.users, u) {
				r.users[u] = append(r.users[u], x)
			}
		}
	}
	return r
}

// Authorize decides by the first rule that matches. It does not allocate.
func (r *Rules) Authorize(a server.Access) bool {
	rules, named := r.users[a.Username]
	if !named {
		rules = r.others
	}
	for _, x := range rules {
		if x.matches(&a) {
			return x.allow
		}
	}
	return r.allow
}

// Named returns the users whom the rules name, in order.
func (r *Rules) Named() []string {
	names := slices.Sorted(maps.Keys(r.users))
	return slices.DeleteFunc(names, func(u string) bool { return u == "" })
}

// matches reports whether the rule, which is one for the user, decides.
func (x *rule) matches(a *server.Access) bool {
	if !x.kinds.has(a.Kind) || len(x.clients) > 0 && !slices.Contains(x.clients, a.Client) {
		return false
	}
	for _, p := range x.topics {
		if x.allow && p.covers(a) || !x.allow && p.meets(a) {
			return true
		}
	}
	return false
}

// RulesFile is a file of access rules that may be read again. Its methods may be called from any goroutine.
type RulesFile struct {
	path    string
	current atomic.Pointer[Rules]
}

// OpenRules reads a file of access rules.
func OpenRules(path string) (*RulesFile, error) {
	f := &RulesFile{path: path}
	return f, f.Reload()
}

// Reload reads the file again. After an error the rules that were read last still hold.
func (f *RulesFile) Reload() error {
	text, err := os.ReadFile(f.path)
	if err != nil {
		return fmt.Errorf("access rules: %w", err)
	}
	r, err := ParseRules(f.path, text)
	if err != nil {
		return err
	}
	f.current.Store(r)
	return nil
}

// Rules returns what was read last.
func (f *RulesFile) Rules() *Rules { return f.current.Load() }

// Authorize is for server.Config.
func (f *RulesFile) Authorize(a server.Access) bool {
	r := f.current.Load()
	return r != nil && r.Authorize(a)
}

// check returns what is wrong with a rule as a whole.
func (x *rule) check() error {
	var errs []error
	if x.kinds == 0 {
		errs = append(errs, errors.New("a rule has allow or deny, and with it publish, subscribe, will or all"))
	}
	if len(x.topics) == 0 {
		errs = append(errs, errors.New("a rule has topic, one filter or several; # is all"))
	}
	return errors.Join(errs...)
}
