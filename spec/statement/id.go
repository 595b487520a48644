package statement

import "strings"

// ID names one normative statement, with its standard: "MQTT311-3.1.2-24",
// "MQTT5-3.1.2-22", "X5-2.1.2-1". Whether such a statement exists is for [Lookup].
type ID string

const (
	prefix311 = "MQTT311-"
	prefix5   = "MQTT5-"
	prefixX5  = "X5-"
)

// Version is a version of the standard as it writes itself.
type Version string

// The versions that have normative statements.
const (
	MQTT311 Version = "3.1.1"
	MQTT5   Version = "5.0"
)

// Version is the standard an id belongs to, "" for an id of no standard.
func (id ID) Version() Version {
	switch s := string(id); {
	case strings.HasPrefix(s, prefix311):
		return MQTT311
	case strings.HasPrefix(s, prefix5), strings.HasPrefix(s, prefixX5):
		return MQTT5
	}
	return ""
}

// V311 makes ids of MQTT 3.1.1 from the numbers the standard prints: V311("3.1.2-24").
func V311(numbers ...string) []ID { return withPrefix(prefix311, numbers) }

// V5 makes ids of MQTT 5.0 from the numbers the standard prints: V5("3.1.2-22").
func V5(numbers ...string) []ID { return withPrefix(prefix5, numbers) }

// X5 makes ids of the rules of MQTT 5.0 that have no number: X5("2.1.2-1").
func X5(numbers ...string) []ID { return withPrefix(prefixX5, numbers) }

func withPrefix(prefix string, numbers []string) []ID {
	ids := make([]ID, len(numbers))
	for i, n := range numbers {
		ids[i] = ID(prefix + n)
	}
	return ids
}

// IDs joins lists of ids, as in IDs(V311("3.1.0-2"), V5("3.1.0-2")).
func IDs(lists ...[]ID) []ID {
	var all []ID
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
