package grammar

import (
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

var topicCodes = []byte{0x90, 0x82, 0x81}

var invalidNames = Rule{
	Name:   "InvalidNames",
	Title:  "refuses empty Topic Names and those with wildcards, in PUBLISH and in the Will",
	Covers: statement.IDs(statement.V311("3.3.2-2", "4.7.1-1", "4.7.3-1"), statement.V5("3.3.2-2", "4.7.0-1", "4.7.3-1")),
	Cases: func(s *Site) []Case {
		var all []Case
		for _, p := range s.packets() {
			for i, f := range p.parts {
				if !f.topic || p.typ != octets.PUBLISH && p.typ != octets.CONNECT {
					continue
				}
				put := func(name string, ids []statement.ID) {
					c := p.mutant(p.withData(i, []byte(name)), "%s %q", f.name, name)
					c.Codes, c.About = topicCodes, ids
					if p.answer != octets.CONNACK && p.answer != 0 {
						c.Answer = p.answer // which may refuse as well as a close
					}
					all = append(all, c)
				}
				for _, wild := range []string{"#", "+", "/#", "/+", "a/#", "a/+", "a/+/b", "a/#/b", "a+", "a#", "+a", "#a", "##", "++", "+/#", "#/+", "$share/g/a/#", "\u00e9+"} {
					ids := s.ids(statement.V311("4.7.1-1"), statement.V5("4.7.0-1"))
					if p.typ == octets.PUBLISH {
						ids = append(ids, s.ids(statement.V311("3.3.2-2"), statement.V5("3.3.2-2"))...)
					}
					put(wild, ids)
				}
				put("", s.ids(statement.V311("4.7.3-1"), statement.V5("4.7.3-1")))
			}
		}
		return all
	},
}

// brokenFilters are filters that no version allows.
var brokenFilters = []string{"#/", "#/a", "/#/", "a/#/b", "a/##", "##", "a#", "#a", "a/b#", "#+", "+#", "+a", "a+", "a/+b", "a/b+", "++", "a/++", "+/a+", "/+a/", "+/#/+"}

// brokenShares are what is wrong with the name of a Shared Subscription in 5.0.
var brokenShares = []string{"$share/", "$share/g", "$share//", "$share//a", "$share/g/", "$share/+/a", "$share/#/a", "$share/g+/a", "$share/+g/a", "$share/g#/a", "$share/g/a#", "$share/g/a/#/b", "$share/g/+a"}

var invalidFilters = Rule{
	Name:   "InvalidFilters",
	Title:  "refuses Topic Filters that are empty, hold a wildcard out of place or a broken Share Name",
	Covers: statement.IDs(statement.V311("4.7.1-2", "4.7.1-3", "4.7.3-1"), statement.V5("4.7.1-1", "4.7.1-2", "4.7.3-1", "4.8.2-1", "4.8.2-2")),
	Cases: func(s *Site) []Case {
		var all []Case
		if !s.Wildcards {
			return nil
		}
		for _, p := range []*packet{s.subscribe(), s.unsubscribe()} {
			put := func(filter string, ids []statement.ID) {
				i := p.find("Topic Filter")
				one := *p.withData(i, []byte(filter))
				one.parts = one.parts[:len(one.parts)-(len(one.parts)-i)/2] // of two filters the first stays
				c := p.mutant(&one, "Topic Filter %q", filter)
				c.Outcome, c.About = NotGranted, ids
				if p.typ == octets.UNSUBSCRIBE {
					c.Outcome = Open // no such subscription exists, and that can be said too
				}
				all = append(all, c)
			}
			for _, filter := range brokenFilters {
				put(filter, s.ids(statement.V311("4.7.1-2", "4.7.1-3"), statement.V5("4.7.1-1", "4.7.1-2")))
			}
			put("", s.ids(statement.V311("4.7.3-1"), statement.V5("4.7.3-1")))
			if s.v5() && s.Shared {
				for _, filter := range brokenShares {
					put(filter, statement.V5("4.8.2-1", "4.8.2-2"))
				}
			}
		}
		return all
	},
}
