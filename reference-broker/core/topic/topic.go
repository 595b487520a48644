// Package topic knows Topic Names and Topic Filters: which are valid, which match, and how to find all matches among many.
//
// A Topic Name (`a/b/c`) is a path of levels; levels may be empty. A Topic Filter may hold the wildcards `+` (one whole level) and `#` (any number
// of levels, none included, and only at the end). A shared filter is `$share/NAME/FILTER`. There are two searches, each over its own tree of levels:
// [Tree] finds the filters that match a name, for routing a message; [Names] finds the names that match a filter, for retained messages.
//
// Comparison is by bytes: no case folding, no normalisation, no merging of empty levels. [MQTT5 4.7.3-4] [X5 4.7.1-3] [X5 4.7.3-1] [MQTT311 4.7.3-4]
//
// # Design
//
// In a Tree the wildcards are child pointers of their own, so that routing looks at no more than three children per level however many siblings
// there are. Children are a slice, with a map beside it once there are more than a few: most nodes have one child, and an empty map would cost
// more than the node. Walks go over the slice, never over the map, so that results come in an order that the inputs determine.
package topic

import (
	"errors"
	"strings"
)

// What may be wrong with a Topic Name or Topic Filter.
var (
	ErrEmpty     = errors.New("a topic name or filter has at least one character")
	ErrNull      = errors.New("a topic name or filter has no character U+0000")
	ErrWildcard  = errors.New("a topic name has no wildcard + or #")
	ErrHash      = errors.New("# stands alone in the last level of a topic filter")
	ErrPlus      = errors.New("+ stands alone in a level of a topic filter")
	ErrShareName = errors.New("a shared filter is $share/, a name without + and # and not empty, / and a topic filter")
)

// sharePrefix begins a shared filter.
const sharePrefix = "$share/"

// CheckName returns what is wrong with a Topic Name, or nil. UTF-8 and length are the codec's business.
func CheckName(name string) error {
	if name == "" { // [MQTT5 4.7.3-1] [MQTT311 4.7.3-1]
		return ErrEmpty
	}
	for i := range len(name) {
		switch name[i] {
		case 0: // [MQTT5 4.7.3-2] [MQTT311 4.7.3-2]
			return ErrNull
		case '+', '#': // [MQTT5 3.3.2-2] [MQTT5 4.7.0-1] [MQTT311 3.3.2-2] [MQTT311 4.7.1-1]
			return ErrWildcard
		}
	}
	return nil
}

// CheckFilter returns what is wrong with a Topic Filter that is not shared, or nil.
func CheckFilter(filter string) error {
	if filter == "" { // [MQTT5 4.7.3-1] [MQTT311 4.7.3-1]
		return ErrEmpty
	}
	for i := range len(filter) {
		first := i == 0 || filter[i-1] == '/'
		last := i == len(filter)-1
		switch filter[i] {
		case 0: // [MQTT5 4.7.3-2] [MQTT311 4.7.3-2]
			return ErrNull
		case '#': // [MQTT5 4.7.1-1] [MQTT311 4.7.1-2]
			if !first || !last {
				return ErrHash
			}
		case '+': // [MQTT5 4.7.1-2] [MQTT311 4.7.1-3]
			if !first || !last && filter[i+1] != '/' {
				return ErrPlus
			}
		}
	}
	return nil
}

// Filter is a Topic Filter taken apart.
type Filter struct {
	Share string // Share Name; empty: not shared
	Path  string // what Topic Names are matched with
}

// ParseFilter checks a Topic Filter of MQTT 5.0, shared or not, and takes it apart.
func ParseFilter(s string) (Filter, error) {
	rest, shared := strings.CutPrefix(s, sharePrefix)
	if !shared {
		return Filter{Path: s}, CheckFilter(s)
	}
	// [MQTT5 4.8.2-1] [MQTT5 4.8.2-2]
	name, path, ok := strings.Cut(rest, "/")
	if !ok || name == "" || path == "" || strings.ContainsAny(name, "+#\x00") {
		return Filter{}, ErrShareName
	}
	return Filter{Share: name, Path: path}, CheckFilter(path)
}

// HasWildcard reports whether a filter has `+` or `#`.
func HasWildcard(filter string) bool { return strings.ContainsAny(filter, "+#") }

// Levels returns how many levels a name or filter has; empty ones count.
func Levels(s string) int { return 1 + strings.Count(s, "/") }

// Match reports whether a valid filter that is not shared matches a valid name. It is the specification of [Tree.Match], for single questions.
func Match(filter, name string) bool {
	if name[0] == '$' && (filter[0] == '+' || filter[0] == '#') { // [MQTT5 4.7.2-1] [MQTT311 4.7.2-1]
		return false
	}
	for {
		f, filterRest, filterMore := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		n, nameRest, nameMore := strings.Cut(name, "/")
		if f != "+" && f != n { // [X5 4.7.1-2]
			return false
		}
		if !nameMore {
			return !filterMore || filterRest == "#" // `a/#` matches `a` too [X5 4.7.1-1]
		}
		if !filterMore {
			return false
		}
		filter, name = filterRest, nameRest
	}
}
