package auth

import (
	"fmt"
	"strings"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/core/topic"
)

// pattern is a Topic Filter that may have %c and %u in it, taken apart so that matching allocates nothing.
type pattern struct {
	levels         []level
	client, user   bool // %c, %u is in it
	startsVariable bool // its first level begins with %c or %u
}

// level is one level of a pattern.
type level struct {
	wildcard byte   // '+' or '#'; 0: the parts one after the other
	parts    []part // at least one
}

// part is a piece of a level.
type part struct {
	variable byte   // 'c' or 'u'; 0: text
	text     string //
}

func parsePattern(s string) (*pattern, error) {
	if strings.HasPrefix(s, "$share/") {
		return nil, fmt.Errorf("topic %q: write the filter without $share and the Share Name: it holds for shared subscriptions too", s)
	}
	if err := topic.CheckFilter(s); err != nil {
		return nil, fmt.Errorf("topic %q: %w", s, err)
	}
	p := &pattern{}
	for text := range strings.SplitSeq(s, "/") {
		l, err := p.parseLevel(text)
		if err != nil {
			return nil, fmt.Errorf("topic %q: %w", s, err)
		}
		p.levels = append(p.levels, l)
	}
	first := p.levels[0]
	p.startsVariable = first.wildcard == 0 && first.parts[0].variable != 0
	return p, nil
}

func (p *pattern) parseLevel(s string) (l level, err error) {
	if s == "+" || s == "#" {
		return level{wildcard: s[0]}, nil
	}
	text := []byte(nil)
	flush := func() {
		if len(text) > 0 {
			l.parts = append(l.parts, part{text: string(text)})
			text = nil
		}
	}
	for ; s != ""; s = s[1:] {
		if s[0] != '%' {
			text = append(text, s[0])
			continue
		}
		switch s = s[1:]; {
		case strings.HasPrefix(s, "%"):
			text = append(text, '%')
		case strings.HasPrefix(s, "c"), strings.HasPrefix(s, "u"):
			flush()
			l.parts = append(l.parts, part{variable: s[0]})
			p.client, p.user = p.client || s[0] == 'c', p.user || s[0] == 'u'
		default:
			return l, fmt.Errorf("%% is followed by c, by u, or by %% for itself")
		}
	}
	if flush(); len(l.parts) == 0 {
		l.parts = []part{{}} // an empty level
	}
	return l, nil
}

// value returns what a part stands for.
func (x *part) value(a *server.Access) string {
	switch x.variable {
	case 'c':
		return a.Client
	case 'u':
		return a.Username
	}
	return x.text
}

// applies reports whether the names of a client may stand in the pattern.
func (p *pattern) applies(a *server.Access) bool {
	if p.client && !fits(a.Client) || p.user && !fits(a.Username) {
		return false
	}
	return !p.startsVariable || p.levels[0].parts[0].value(a)[0] != '$'
}

func fits(name string) bool { return name != "" && !strings.ContainsAny(name, "+#/") }

// is reports whether a level without wildcard is s.
func (l *level) is(s string, a *server.Access) bool {
	for i := range l.parts {
		var ok bool
		if s, ok = strings.CutPrefix(s, l.parts[i].value(a)); !ok {
			return false
		}
	}
	return s == ""
}

// startsDollar reports whether a level without wildcard begins with $; what stands for a variable cannot at the start of a topic.
func (l *level) startsDollar() bool { return strings.HasPrefix(l.parts[0].text, "$") }

// covers reports whether the pattern matches all Topic Names that the filter a.Topic matches. A Topic Name is a filter that matches itself.
func (p *pattern) covers(a *server.Access) bool {
	if !p.applies(a) {
		return false
	}
	dollar := strings.HasPrefix(a.Topic, "$")
	rest, more := a.Topic, true
	for i := range p.levels {
		l := &p.levels[i]
		if l.wildcard != 0 && i == 0 && dollar { // [MQTT5 4.7.2-1] [MQTT311 4.7.2-1]
			return false
		}
		if l.wildcard == '#' {
			return true
		}
		if !more {
			return false
		}
		var s string
		s, rest, more = strings.Cut(rest, "/")
		if l.wildcard == '+' && s == "#" || l.wildcard == 0 && !l.is(s, a) {
			return false
		}
	}
	return !more
}

// meets reports whether there is a Topic Name that both the pattern and the filter a.Topic match.
func (p *pattern) meets(a *server.Access) bool {
	if !p.applies(a) {
		return false
	}
	dollar := strings.HasPrefix(a.Topic, "$")
	rest, more := a.Topic, true
	for i := range p.levels {
		l := &p.levels[i]
		if l.wildcard != 0 && i == 0 && dollar {
			return false
		}
		if l.wildcard == '#' {
			return true
		}
		if !more {
			return false
		}
		var s string
		s, rest, more = strings.Cut(rest, "/")
		if wild := s == "#" || s == "+"; wild && l.wildcard == 0 && i == 0 && l.startsDollar() {
			return false
		} else if s == "#" {
			return true
		} else if !wild && l.wildcard == 0 && !l.is(s, a) {
			return false
		}
	}
	return !more || rest == "#"
}
