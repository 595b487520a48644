package grammar

import (
	"fmt"
	"slices"

	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// flagStatements are the rows that fix the flags of a packet type, besides the general one.
var flagStatements = map[octets.Type]struct{ v311, v5 []statement.ID }{
	octets.PUBREL:      {statement.V311("3.6.1-1"), statement.V5("3.6.1-1")},
	octets.SUBSCRIBE:   {statement.V311("3.8.1-1"), statement.V5("3.8.1-1")},
	octets.UNSUBSCRIBE: {statement.V311("3.10.1-1"), statement.V5("3.10.1-1")},
	octets.AUTH:        {nil, statement.V5("3.15.1-1")},
}

var fixedHeaderFlags = Rule{
	Name:  "FixedHeaderFlags",
	Title: "closes the Network Connection on every wrong value of the fixed header flags",
	Covers: statement.IDs(statement.V311("2.2.2-2", "3.6.1-1", "3.8.1-1", "3.10.1-1"),
		statement.V5("2.1.3-1", "3.6.1-1", "3.8.1-1", "3.10.1-1", "3.15.1-1")),
	Cases: func(s *Site) []Case {
		var all []Case
		for _, p := range s.packets() {
			if p.typ == octets.PUBLISH {
				continue
			}
			own := flagStatements[p.typ]
			about := s.ids(append(statement.V311("2.2.2-2"), own.v311...), append(statement.V5("2.1.3-1"), own.v5...))
			for flags := range byte(16) {
				if flags == p.flags {
					continue
				}
				wrong := *p
				wrong.flags = flags
				c := p.mutant(&wrong, "flags %04b", flags)
				c.About = about
				all = append(all, c)
			}
		}
		return all
	},
}

var publishFlags = Rule{
	Name:   "PublishFlags",
	Title:  "closes the Network Connection on QoS 3, with and without DUP and RETAIN",
	Covers: statement.IDs(statement.V311("3.3.1-4"), statement.V5("3.3.1-4")),
	Cases: func(s *Site) []Case {
		var all []Case
		for _, p := range s.packets() {
			if p.typ != octets.PUBLISH {
				continue
			}
			for _, flags := range []byte{0b0110, 0b0111, 0b1110, 0b1111} {
				wrong := *p
				wrong.flags = flags
				c := p.mutant(&wrong, "flags %04b", flags)
				c.About = s.ids(statement.V311("3.3.1-4"), statement.V5("3.3.1-4"))
				all = append(all, c)
			}
		}
		return all
	},
}

// serverPackets are what a server sends and a client never does, and what nobody sends.
var serverPackets = []struct {
	name string
	data []byte
}{
	{"CONNACK", []byte{0x20, 2, 0, 0}},
	{"CONNACK with Property Length", []byte{0x20, 3, 0, 0, 0}},
	{"CONNACK with Session Present", []byte{0x20, 2, 1, 0}},
	{"CONNACK that refuses", []byte{0x20, 2, 0, 5}},
	{"SUBACK", []byte{0x90, 3, 0, 1, 0}},
	{"SUBACK with Property Length", []byte{0x90, 4, 0, 1, 0, 0}},
	{"SUBACK that refuses", []byte{0x90, 3, 0, 1, 0x80}},
	{"UNSUBACK", []byte{0xB0, 2, 0, 1}},
	{"UNSUBACK with Property Length", []byte{0xB0, 4, 0, 1, 0, 0}},
	{"PINGRESP", []byte{0xD0, 0}},
	{"PINGRESP with a body", []byte{0xD0, 1, 0}},
}

var packetTypes = Rule{
	Name:   "PacketTypes",
	Title:  "closes the Network Connection on packet types that are reserved or that only servers send",
	Covers: statement.IDs(statement.V311("4.8.0-1"), statement.X5("2.1.2-1", "2.1.2-2")),
	Cases: func(s *Site) []Case {
		var all []Case
		raw := func(about []statement.ID, name string, b []byte) {
			all = append(all, Case{
				Name: name, Stage: Connected, Bytes: func(uint16) []byte { return b }, Codes: []byte{0x82, 0x81}, About: about,
			})
		}
		for _, p := range serverPackets {
			raw(s.ids(statement.V311("4.8.0-1"), statement.X5("2.1.2-2")), p.name+" from a client", p.data)
		}
		for flags := range byte(16) {
			about := s.ids(statement.V311("4.8.0-1"), statement.X5("2.1.2-1"))
			raw(about, fmt.Sprintf("type 0 with flags %04b", flags), []byte{flags, 0})
			if !s.v5() {
				raw(about, fmt.Sprintf("type 15 with flags %04b", flags), []byte{0xF0 | flags, 0})
			}
		}
		return all
	},
}

var remainingLength = Rule{
	Name:   "RemainingLength",
	Title:  "closes the Network Connection on a Remaining Length of more than four bytes or, in 5.0, of more than are needed",
	Covers: statement.IDs(statement.V311("4.8.0-1"), statement.X5("1.5.5-1"), statement.V5("1.5.5-1")),
	Cases: func(s *Site) []Case {
		var all []Case
		for _, p := range s.packets() {
			for _, length := range [][]byte{{0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, {0x80, 0x80, 0x80, 0x80, 0x01}, {0x80, 0x80, 0x80, 0x80, 0x00}, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF}} {
				c := p.mutantBytes(func(id uint16) []byte {
					return slices.Concat([]byte{byte(p.typ)<<4 | p.flags}, length, p.body(id))
				}, "Remaining Length % x", length)
				c.About = s.ids(statement.V311("4.8.0-1"), statement.X5("1.5.5-1"))
				all = append(all, c)
			}
			for size := len(octets.VarInt(uint32(len(p.body(1))))) + 1; size <= 4; size++ {
				c := p.mutantBytes(func(id uint16) []byte {
					body := p.body(id)
					return slices.Concat([]byte{byte(p.typ)<<4 | p.flags}, octets.OverlongVarInt(uint32(len(body)), size), body)
				}, "Remaining Length in %d bytes", size)
				// No reaction is named, and in 3.1.1 no rule either.
				c.Outcome, c.About = Open, s.ids(statement.V311("4.8.0-1"), statement.V5("1.5.5-1"))
				all = append(all, c)
			}
		}
		return all
	},
}

// cutStatements are what a packet that ends too early breaks, besides the general rows.
var cutStatements = map[octets.Type]struct{ v311, v5 []statement.ID }{
	octets.CONNECT:     {statement.V311("3.1.3-3", "3.1.2-9", "3.1.2-19", "3.1.2-21"), statement.V5("3.1.3-3", "3.1.2-9", "3.1.2-17", "3.1.2-19")},
	octets.PUBLISH:     {statement.V311("3.3.2-1"), statement.V5("3.3.2-1")},
	octets.SUBSCRIBE:   {statement.V311("3.8.3-3"), statement.IDs(statement.V5("3.8.3-2"), statement.X5("3.8.3-1"))},
	octets.UNSUBSCRIBE: {statement.V311("3.10.3-2"), statement.V5("3.10.3-2")},
}

var truncated = Rule{
	Name:  "Truncated",
	Title: "closes the Network Connection on packets that end, by their own Remaining Length, before their fields do",
	Covers: statement.IDs(
		statement.V311("4.8.0-1", "3.1.3-3", "3.1.2-9", "3.1.2-19", "3.1.2-21", "3.3.2-1", "3.8.3-3", "3.10.3-2"),
		statement.V5("3.1.3-3", "3.1.2-9", "3.1.2-17", "3.1.2-19", "3.3.2-1", "3.8.3-2", "3.10.3-2"), statement.X5("2.1.4-1", "3.8.3-1")),
	Cases: func(s *Site) []Case {
		var all []Case
		for _, p := range s.packets() {
			own := cutStatements[p.typ]
			legal := p.legalEnds()
			for size := range len(p.body(1)) {
				if legal(size) {
					continue
				}
				c := p.mutantBytes(func(id uint16) []byte { return framed(byte(p.typ)<<4|p.flags, p.body(id)[:size]) },
					"%d of %d bytes behind the fixed header", size, len(p.body(1)))
				c.About = s.ids(append(statement.V311("4.8.0-1"), own.v311...), append(statement.X5("2.1.4-1"), own.v5...))
				all = append(all, c)
			}
		}
		return all
	},
}

// legalEnds says whether a body of that size is well-formed too.
func (p *packet) legalEnds() func(size int) bool {
	ends := map[int]bool{0: p.startEnds}
	at := 0
	for _, f := range p.parts {
		size := len(f.bytes(1))
		if f.kind == payload {
			for i := range size {
				ends[at+i] = true
			}
		}
		at += size
		ends[at] = ends[at] || f.mayEnd
	}
	return func(size int) bool { return ends[size] }
}

var trailing = Rule{
	Name:   "Trailing",
	Title:  "closes the Network Connection on packets with bytes behind their last field",
	Covers: statement.IDs(statement.V311("4.8.0-1", "3.1.2-18", "3.1.2-20"), statement.X5("2.3-1", "2.1.4-1"), statement.V5("3.1.2-16", "3.1.2-18")),
	Cases: func(s *Site) []Case {
		var all []Case
		for _, p := range s.packets() {
			about := s.ids(statement.V311("4.8.0-1"), statement.X5("2.3-1", "2.1.4-1"))
			switch {
			case p.typ == octets.PUBLISH, p.typ == octets.DISCONNECT && !s.v5():
				continue // all that follows is payload; and whatever else DISCONNECT is, it ends the connection
			case p.typ == octets.CONNECT:
				about = s.ids(statement.V311("4.8.0-1", "3.1.2-18", "3.1.2-20"), statement.IDs(statement.X5("2.1.4-1"), statement.V5("3.1.2-16", "3.1.2-18")))
			}
			for _, extra := range [][]byte{{0}, {0xFF}, {0, 0}, {0, 1}, {0, 0, 0}, {0, 1, 'x'}, {0, 1, 0xFF, 0xFF}} {
				if p.typ == octets.SUBSCRIBE && len(extra) == 3 || p.typ == octets.UNSUBSCRIBE && len(extra) > 1 && extra[1] < 2 {
					continue // one more filter, if an empty one
				}
				c := p.mutantBytes(func(id uint16) []byte { return framed(byte(p.typ)<<4|p.flags, append(p.body(id), extra...)) },
					"% x behind the last field", extra)
				c.About = about
				all = append(all, c)
			}
		}
		return all
	},
}
