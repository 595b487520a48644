package scenario

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"mqttlab/reference-broker/mqtt"
)

// check reports what no single value shows.
func (s *Scenario) check(r *reader) {
	if len(s.Groups) == 0 && r.lines["groups"] > 0 && !r.mentions("groups") {
		r.wrongAt("groups", "is empty: a fleet needs at least one group of devices")
	}
	if n := s.Devices(); n > mostDevices {
		r.wrongAt("groups", "hold %d devices: at most %d", n, mostDevices)
		return
	}
	names := map[string]int{}
	for i := range s.Groups {
		path := fmt.Sprintf("groups[%d]", i)
		g := &s.Groups[i]
		g.check(r, path)
		if first, taken := names[g.Name]; taken && g.Name != "" {
			r.wrongAt(path+".name", "%q is the name of groups[%d] already", g.Name, first)
			continue
		}
		names[g.Name] = i
	}
	for i := range s.Faults {
		s.checkFault(r, r.item("faults", i), &s.Faults[i])
	}
	s.checkStages(r)
	if len(r.mistakes) == 0 {
		s.checkClientIDs(r)
	}
}

// mentions reports whether a mistake about a path is known already.
func (r *reader) mentions(path string) bool {
	for _, m := range r.mistakes {
		if m.Path == path {
			return true
		}
	}
	return false
}

// mentionsUnder is mentions for all that is part of a path, or is it.
func (r *reader) mentionsUnder(path string) bool {
	for _, m := range r.mistakes {
		if strings.HasPrefix(m.Path, path) {
			return true
		}
	}
	return false
}

// item is the path of an entry of a list.
func (r *reader) item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

var groupName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (g *Group) check(r *reader, path string) {
	if g.Name != "" && !groupName.MatchString(g.Name) {
		r.wrongAt(path+".name", "%q may hold letters, digits, - and _ only", g.Name)
	}
	g.checkPattern(r, path+".client_id", g.ClientID)
	g.checkTopic(r, path+".topic", g.Topic)
	for key, pattern := range map[string]string{"username": g.Username, "password": g.Password} {
		if pattern != "" {
			g.checkPattern(r, path+"."+key, pattern)
		}
	}
	if g.Password != "" && g.Username == "" && g.Version != mqtt.V5 {
		r.wrongAt(path+".password", "needs a username before version 5.0") // [MQTT311 3.1.2-22]
	}
	if g.Count > 1 && !perDevice(g.ClientID) {
		r.wrongAt(path+".client_id", "%q is the same for all %d devices: add {index}", g.ClientID, g.Count)
	}
	if g.Will.Topic != "" {
		g.checkTopic(r, path+".will.topic", g.Will.Topic)
	}
	g.checkBehaviour(r, path)
	g.checkLoad(r, path)
	for _, d := range []struct {
		key    string
		value  time.Duration
		needs5 bool
	}{
		{"session_expiry", g.SessionExpiry, true},
		{"keep_alive", g.KeepAlive, false},
		{"message_expiry", g.MessageExpiry, true},
		{"will.delay", g.Will.Delay, true},
	} {
		if d.needs5 && d.value > 0 && g.Version != mqtt.V5 {
			r.wrongAt(path+"."+d.key, "needs version 5.0")
		}
		if d.value%time.Second != 0 {
			r.wrongAt(path+"."+d.key, "%s is not in whole seconds, as MQTT wants it", Span(d.value))
		}
	}
	if g.Reconnect.Max < g.Reconnect.Min {
		r.wrongAt(path+".reconnect", "max %s is below min %s", Span(g.Reconnect.Max), Span(g.Reconnect.Min))
	}
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}?`)

func (g *Group) checkPattern(r *reader, path, pattern string) {
	if pattern == "" {
		r.wrongAt(path, "is empty")
	}
	if strings.ContainsRune(pattern, 0) || len(pattern) > 1024 {
		r.wrongAt(path, "may not hold U+0000, nor more than 1024 bytes")
	}
	for _, p := range placeholder.FindAllString(pattern, -1) {
		switch p {
		case "{group}", "{index}", "{number}":
		default:
			r.wrongAt(path, "unknown placeholder %s (have {group}, {index}, {number})", p)
		}
	}
}

// checkClientIDs reports two devices with one Client Identifier: they would throw each other off the target for ever.
func (s *Scenario) checkClientIDs(r *reader) {
	seen := make(map[string]int, s.Devices())
	number := 0
	for i := range s.Groups {
		g := &s.Groups[i]
		for index := range g.Count {
			id := g.Expand(g.ClientID, index, number)
			if other, taken := seen[id]; taken {
				r.wrongAt(fmt.Sprintf("groups[%d].client_id", i), "device %d would be called %q, as one of groups[%d] is", index, id, other)
				break
			}
			seen[id] = i
			number++
		}
	}
}
