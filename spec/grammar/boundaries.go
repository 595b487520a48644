package grammar

import (
	"strings"

	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// right makes a case of a packet that is well-formed and unusual.
func (p *packet) right(s *Site, changed *packet, id uint16, format string, args ...any) Case {
	c := p.mutant(changed, format, args...)
	c.Codes, c.ID = nil, id
	c.Outcome, c.Answer = Answered, p.answer
	if p.answer == 0 {
		c.Outcome = Taken
	}
	c.About = s.answered(p.typ)
	return c
}

// answered are the statements that make a server answer a right packet.
func (s *Site) answered(t octets.Type) []statement.ID {
	switch t {
	case octets.CONNECT:
		return s.ids(statement.V311("3.1.4-4"), statement.V5("3.1.4-5"))
	case octets.PUBLISH:
		return s.ids(statement.V311("3.3.4-1"), statement.V5("3.3.4-1"))
	case octets.SUBSCRIBE:
		return s.ids(statement.V311("3.8.4-1"), statement.V5("3.8.4-1"))
	case octets.UNSUBSCRIBE:
		return s.ids(statement.V311("3.10.4-4"), statement.V5("3.10.4-5"))
	}
	return nil
}

var answeredStatements = statement.IDs(statement.V311("3.1.4-4", "3.3.4-1", "3.8.4-1", "3.10.4-4"), statement.V5("3.1.4-5", "3.3.4-1", "3.8.4-1", "3.10.4-5"))

var boundaries = Rule{
	Name:   "Boundaries",
	Title:  "answers packets whose fields are at the edges of what is legal",
	Covers: answeredStatements,
	Cases: func(s *Site) []Case {
		all := []Case{}
		for _, p := range s.packets() {
			if p.stage != Connected && p.stage != Opening || p.typ == octets.CONNECT && p.find("Will Topic") >= 0 {
				continue
			}
			if i := p.find("Packet Identifier"); i >= 0 {
				for _, id := range []uint16{1, 2, 127, 128, 255, 256, 257, 32767, 32768, 65534, 65535} {
					all = append(all, p.right(s, p.withData(i, []byte{byte(id >> 8), byte(id)}), id, "Packet Identifier %d", id))
				}
			}
			if i := p.find("Keep Alive"); i >= 0 {
				for _, seconds := range []uint16{2, 127, 128, 255, 256, 32767, 32768, 65535} {
					all = append(all, p.right(s, p.withData(i, []byte{byte(seconds >> 8), byte(seconds)}), 0, "Keep Alive %d", seconds))
				}
			}
			all = append(all, s.sizes(p)...)
		}
		return all
	},
}

// sizes are packets whose Remaining Length is at the edges of one, two and three bytes.
func (s *Site) sizes(p *packet) []Case {
	i := p.find("Payload")
	if i < 0 {
		return nil
	}
	var all []Case
	rest := len(p.body(1)) - len(p.parts[i].data)
	for _, size := range []int{rest, rest + 1, 126, 127, 128, 129, 16383, 16384, 65535, 65536, 70000} {
		// A server of 3.1.1 cannot say how much it takes. That it took nothing shows only where it answers.
		large := s.MaximumPacketSize == 0 && size > 1000
		if size < rest || s.MaximumPacketSize > 0 && size+5 > s.MaximumPacketSize || large && p.answer == 0 {
			continue
		}
		c := p.right(s, p.withData(i, []byte(strings.Repeat("p", size-rest))), 1, "Remaining Length %d", size)
		c.MayBeTooLarge = large
		all = append(all, c)
	}
	return all
}

var boundaryProperties = Rule{
	Name:   "BoundaryProperties",
	Title:  "answers packets with properties at the edges of what is legal",
	Covers: statement.V5("3.1.4-5", "3.3.4-1", "3.8.4-1", "3.10.4-5"),
	Cases: func(s *Site) []Case {
		return s.properties(func(p *packet, i int, where place, row property) []Case {
			if !row.in.has(where) || !s.offers(where, row) {
				return nil
			}
			var all []Case
			for _, good := range row.good {
				c := p.right(s, p.withProps(i, good), 1, "%s % .8x in %s", row.id, good.Value, where)
				all = append(all, c)
			}
			return all
		})
	},
}

// offers says whether a server that is right has to take a property there.
func (s *Site) offers(where place, row property) bool {
	switch row.id {
	case octets.AuthenticationMethod, octets.AuthenticationData: // which only some servers know
		return false
	case octets.SubscriptionIdentifier:
		return s.SubscriptionIDs
	case octets.TopicAlias:
		return s.TopicAliasMaximum > 0
	}
	return where <= inPublish || where == inSubscribe || where == inUnsubscribe || where <= inPubcomp
}
