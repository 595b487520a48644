// Package profile names the links of common radios, so that a scenario can say
// "nb-iot" instead of twenty numbers.
//
// A Profile is data: a link per direction, and for every figure in it where it
// comes from. Look one up by name; a name may carry a quality after a colon, as
// in "lte-m:bad".
//
//	p, err := profile.Lookup("nb-iot")
//
// # Design
//
// A figure without a published source says "chosen" and why: an honest guess
// that can be corrected beats a number that looks measured. The qualities are
// derived by one rule for all radios (see Quality) instead of measured one by
// one, because no survey covers them all under the same conditions.
package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"mqttlab/netem/link"
)

// Profile is a named pair of links.
type Profile struct {
	// Name as given to Lookup, with its quality unless that is normal.
	Name string
	// Summary is one line for people.
	Summary string
	// Up is the link from the device, Down the link to it.
	Up, Down link.Config
	// MTUBytes is the largest IP packet of the radio; zero means 1500.
	MTUBytes int
	// Sources says where the figures come from, one per figure or group.
	Sources []Source
}

// Source is where a figure comes from.
type Source struct {
	// Figure names the fields, such as "rate up" or "delay".
	Figure string
	// From is a publication, or "chosen" with the reason.
	From string
}

// ErrUnknown is wrapped by the error of Lookup for a name that does not exist.
var ErrUnknown = errors.New("unknown link profile")

// Lookup returns the profile of a name, or an error that suggests the nearest.
func Lookup(name string) (Profile, error) {
	base, qualityName, qualified := strings.Cut(name, ":")
	i := slices.IndexFunc(radios, func(p Profile) bool { return p.Name == base })
	if i < 0 {
		return Profile{}, fmt.Errorf("%w %q: %s", ErrUnknown, name, suggest(base, names()))
	}
	p := radios[i].clone()
	if !qualified {
		return p, nil
	}
	q, ok := qualities[qualityName]
	if !ok {
		return Profile{}, fmt.Errorf("%w %q: %q is no quality, %s", ErrUnknown, name, qualityName, suggest(qualityName, Qualities()))
	}
	if base == "perfect" {
		return Profile{}, fmt.Errorf("%w %q: a perfect link has no qualities", ErrUnknown, name)
	}
	return q.apply(p, qualityName), nil
}

// All returns every radio at normal quality, in the order of their names.
func All() []Profile {
	all := make([]Profile, 0, len(radios))
	for _, name := range names() {
		i := slices.IndexFunc(radios, func(p Profile) bool { return p.Name == name })
		all = append(all, radios[i].clone())
	}
	return all
}

// Qualities returns the names that may follow a colon, best first.
func Qualities() []string { return []string{"good", "normal", "bad", "edge-of-cell"} }

// clone protects the table from its users.
func (p Profile) clone() Profile {
	p.Sources = slices.Clone(p.Sources)
	return p
}

func names() []string {
	var all []string
	for _, p := range radios {
		all = append(all, p.Name)
	}
	slices.Sort(all)
	return all
}

// suggest names the nearest of the choices, or all of them if none is near.
func suggest(name string, choices []string) string {
	nearest, distance := "", len(name)/2+1
	for _, c := range choices {
		if d := levenshtein.Distance(name, c, nil); d < distance {
			nearest, distance = c, d
		}
	}
	if nearest == "" {
		return "use one of " + strings.Join(choices, ", ")
	}
	return fmt.Sprintf("did you mean %q?", nearest)
}
