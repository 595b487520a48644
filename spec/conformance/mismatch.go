package conformance

import (
	"strings"
	"time"

	"mqttlab/spec/probe"
)

// mismatch takes the report of a Gomega matcher apart: what the check says of the value,
// the value under "Expected", and what it was compared with. What it cannot read it
// leaves whole.
func mismatch(message string) probe.Failure {
	why, rest, found := strings.Cut(message, "Expected\n")
	if !found {
		return probe.Failure{Why: message, Got: "a value that does not fit"}
	}
	lines := strings.Split(strings.TrimRight(rest, "\n"), "\n")
	i := 0
	for i < len(lines) && strings.HasPrefix(lines[i], "    ") {
		i++
	}
	flat := func(lines []string) string { return strings.Join(strings.Fields(strings.Join(lines, " ")), " ") }
	f := probe.Failure{Why: strings.TrimSpace(why), Got: flat(lines[:i]), Acceptable: []string{flat(lines[i:])}}
	if f.Why == "" || f.Got == "" {
		return probe.Failure{Why: message, Got: "a value that does not fit"}
	}
	return f
}

// lastSent is what any of the peers sent last, and which, if there are several.
func (t *T) lastSent() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var sent string
	var latest time.Time
	for _, p := range t.peers {
		at, what := p.LastSent()
		if !at.After(latest) {
			continue
		}
		if latest, sent = at, what; len(t.peers) > 1 {
			sent = p.Name() + ": " + what
		}
	}
	return sent
}
