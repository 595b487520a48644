package grammar

import (
	"slices"

	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// inBags calls do for every list of properties that a client sends, one packet for each place.
func (s *Site) inBags(do func(p *packet, i int, where place)) {
	if !s.v5() {
		return
	}
	seen := places(0)
	for _, p := range slices.Backward(s.packets()) {
		for i, f := range p.parts {
			if f.kind == propertyBag && !seen.has(f.in) {
				seen |= in(f.in)
				do(p, i, f.in)
			}
		}
	}
}

// properties makes the cases of a rule about single properties.
func (s *Site) properties(each func(p *packet, i int, where place, row property) []Case) []Case {
	var all []Case
	s.inBags(func(p *packet, i int, where place) {
		for _, row := range table {
			all = append(all, each(p, i, where, row)...)
		}
	})
	return all
}

// about makes a case about statements.
func about(c Case, ids ...[]statement.ID) Case {
	c.About = statement.IDs(ids...)
	return c
}

var unknownProperty = Rule{
	Name:   "UnknownProperty",
	Title:  "closes the Network Connection on property identifiers that do not exist, in every packet",
	Covers: statement.X5("2.2.2.2-1"),
	Cases: func(s *Site) []Case {
		var all []Case
		s.inBags(func(p *packet, i int, where place) {
			for _, id := range unknown {
				for _, value := range [][]byte{{}, {0}, {0, 0}} {
					wrong := octets.Property{ID: octets.PropertyID(id), Value: value}
					c := p.mutant(p.withProps(i, wrong), "property %02x with value % x in %s", id, value, where)
					all = append(all, about(c, statement.X5("2.2.2.2-1")))
				}
			}
			for _, id := range []byte{0x80, 0xA6, 0xFF} { // Variable Byte Integers of two bytes: 128, 38 in two bytes, 255
				wrong := octets.Property{ID: octets.PropertyID(id), Value: []byte{1, 0, 0}}
				all = append(all, about(p.mutant(p.withProps(i, wrong), "property %02x 01 in %s", id, where), statement.X5("2.2.2.2-1")))
			}
		})
		return all
	},
}

func tableRow(where place) []statement.ID { return statement.X5("T2.4-" + where.String()) }

var foreignProperty = Rule{
	Name:  "ForeignProperty",
	Title: "closes the Network Connection on each property in each packet that it does not belong in",
	Covers: statement.X5("2.2.2.2-2", "T2.4-CONNECT", "T2.4-WILL", "T2.4-PUBLISH", "T2.4-PUBACK", "T2.4-PUBREC", "T2.4-PUBREL", "T2.4-PUBCOMP",
		"T2.4-SUBSCRIBE", "T2.4-UNSUBSCRIBE", "T2.4-DISCONNECT"),
	Cases: func(s *Site) []Case {
		return s.properties(func(p *packet, i int, where place, row property) []Case {
			if row.in.has(where) || row.grey.has(where) {
				return nil
			}
			ids := statement.X5("2.2.2.2-2")
			if where != inAuth {
				ids = append(ids, tableRow(where)...)
			}
			alone := p.mutant(p.withProps(i, row.value()), "%s in %s", row.id, where)
			behind := p.mutant(p.withProps(i, octets.User("n", "v"), row.value()), "%s behind a User Property in %s", row.id, where)
			return []Case{about(alone, ids), about(behind, ids)}
		})
	},
}

// once are the rows that call a second property of a kind an error; open says that they name no reaction.
var once = map[place]map[octets.PropertyID]string{
	inConnect: {
		0x11: "3.1.2.11.2-1", 0x21: "3.1.2.11.3-2", 0x27: "3.1.2.11.4-2", 0x22: "3.1.2.11.5-1", 0x19: "3.1.2.11.6-2", 0x17: "3.1.2.11.7-2",
		0x15: "3.1.2.11.9-1", 0x16: "3.1.2.11.10-2",
	},
	inWill:    {0x18: "3.1.3.2.2-1", 0x01: "3.1.3.2.3-1", 0x02: "3.1.3.2.4-1", 0x03: "3.1.3.2.5-1", 0x08: "3.1.3.2.6-1", 0x09: "3.1.3.2.7-1"},
	inPublish: {0x23: "3.3.2.3.4-1", 0x08: "3.3.2.3.5-1", 0x09: "3.3.2.3.6-1", 0x03: "3.3.2.3.9-1"},
	inPuback:  {0x1F: "3.4.2.2-1"}, inPubrec: {0x1F: "3.4.2.2-1"}, inPubrel: {0x1F: "3.4.2.2-1"}, inPubcomp: {0x1F: "3.4.2.2-1"},
	inSubscribe:  {0x0B: "3.8.2.1.2-2"},
	inDisconnect: {0x11: "3.14.2.2.2-1", 0x1F: "3.14.2.2.3-1"},
}

func onceStatements() []statement.ID {
	var all []statement.ID
	for _, rows := range once {
		for _, number := range rows {
			all = append(all, statement.X5(number)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var repeatedProperty = Rule{
	Name:   "RepeatedProperty",
	Title:  "closes the Network Connection on properties that are there twice and may be there once",
	Covers: onceStatements(),
	Cases: func(s *Site) []Case {
		return s.properties(func(p *packet, i int, where place, row property) []Case {
			number := once[where][row.id]
			if number == "" {
				return nil
			}
			first, last := row.good[0], row.good[len(row.good)-1]
			var before []octets.Property
			if row.id == octets.AuthenticationData {
				before = append(before, octets.AuthenticationMethod.Text("mqttlab"))
			}
			var all []Case
			for name, list := range map[string][]octets.Property{
				"twice": {first, first}, "twice with different values": {first, last}, "three times": {first, first, first},
				"twice with another between": {first, octets.User("n", "v"), first},
			} {
				c := p.mutant(p.withProps(i, append(slices.Clone(before), list...)...), "%s %s in %s", row.id, name, where)
				c.Codes = []byte{0x82, 0x81, 0x8C, 0x94, 0xA1}
				all = append(all, about(c, statement.X5(number)))
			}
			slices.SortFunc(all, func(a, b Case) int { return len(a.Name) - len(b.Name) })
			return all
		})
	},
}

// illegalValue are the rows that limit the value of a property.
var illegalValue = map[place]map[octets.PropertyID][]statement.ID{
	inConnect:   {0x21: statement.X5("3.1.2.11.3-1"), 0x27: statement.X5("3.1.2.11.4-1"), 0x19: statement.X5("3.1.2.11.6-1"), 0x17: statement.X5("3.1.2.11.7-1")},
	inPublish:   {0x01: statement.X5("3.3.2.3.2-1"), 0x23: statement.V5("3.3.2-8")},
	inSubscribe: {0x0B: statement.X5("3.8.2.1.2-1")},
}

var propertyValue = Rule{
	Name:  "PropertyValue",
	Title: "closes the Network Connection on values that a property cannot have",
	Covers: statement.IDs(statement.X5("3.1.2.11.3-1", "3.1.2.11.4-1", "3.1.2.11.6-1", "3.1.2.11.7-1", "3.8.2.1.2-1"),
		statement.V5("3.3.2-8")),
	Cases: func(s *Site) []Case {
		return s.properties(func(p *packet, i int, where place, row property) []Case {
			var all []Case
			for _, bad := range row.bad {
				if !row.in.has(where) {
					continue
				}
				c := p.mutant(p.withProps(i, bad), "%s % x in %s", row.id, bad.Value, where)
				c.Codes = []byte{0x82, 0x81, 0x94, 0xA1}
				if row.badOpen {
					c.Outcome = Open
				} else {
					c.About = illegalValue[where][row.id]
				}
				all = append(all, c)
			}
			return all
		})
	},
}

var propertyLength = Rule{
	Name:   "PropertyLength",
	Title:  "closes the Network Connection on a Property Length that is missing, too large or too long",
	Covers: statement.IDs(statement.X5("2.2.2.1-1", "1.5.5-1"), statement.V5("1.5.5-1")),
	Cases: func(s *Site) []Case {
		var all []Case
		s.inBags(func(p *packet, i int, where place) {
			list := p.parts[i].bytes(1)
			length, list := int(list[0]), list[1:]
			put := func(name string, encoded []byte, ids []statement.ID, outcome Outcome) {
				f := part{name: p.parts[i].name, kind: number, data: append(slices.Clone(encoded), list...)}
				c := p.mutant(p.with(i, f), "Property Length %s in %s", name, where)
				c.Outcome = outcome
				all = append(all, about(c, ids))
			}
			over := len(p.body(1)) + 1
			for _, n := range []int{over, over + 1, over + 100, 16383, 16384, 2097151, 268435455} {
				put("beyond the end of the packet", octets.VarInt(uint32(n)), statement.X5("2.2.2.1-1"), Refused)
			}
			for n := 1; n < length; n++ {
				if n != properEnd(p.parts[i].props, n) {
					put("that ends inside a property", octets.VarInt(uint32(n)), statement.X5("2.2.2.1-1"), Refused)
				}
			}
			for _, encoded := range [][]byte{{0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, {0x80, 0x80, 0x80, 0x80, 0x01}, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF}} {
				put("of five bytes", encoded, statement.X5("1.5.5-1"), Refused)
			}
			for size := 2; size <= 4; size++ {
				put("in more bytes than needed", octets.OverlongVarInt(uint32(length), size), statement.V5("1.5.5-1"), Open)
			}
		})
		return all
	},
}

// properEnd is n if a property ends there, and less otherwise.
func properEnd(props []octets.Property, n int) int {
	end := 0
	for _, p := range props {
		if size := 1 + len(p.Value); end+size <= n {
			end += size
		}
	}
	return end
}

var cutProperty = Rule{
	Name:   "CutProperty",
	Title:  "closes the Network Connection on a property whose value is cut, or claims more than there is",
	Covers: statement.X5("2.2.2.2-3", "2.2.2.1-1", "1.5.6-1"),
	Cases: func(s *Site) []Case {
		return s.properties(func(p *packet, i int, where place, row property) []Case {
			if !row.in.has(where) {
				return nil
			}
			var all []Case
			value := row.value().Value
			for n := range value {
				c := p.mutant(p.withProps(i, octets.Property{ID: row.id, Value: value[:n]}), "%s of %d of %d bytes in %s", row.id, n, len(value), where)
				all = append(all, about(c, statement.X5("2.2.2.2-3", "2.2.2.1-1")))
			}
			if row.blob || row.texts > 0 {
				for _, claim := range []byte{byte(len(value)), 0xFF} {
					wrong := append([]byte{claim >> 7, claim}, value[2:]...)
					c := p.mutant(p.withProps(i, octets.Property{ID: row.id, Value: wrong}), "%s that claims %d bytes in %s", row.id, int(wrong[0])<<8|int(claim), where)
					ids := statement.X5("2.2.2.2-3", "2.2.2.1-1")
					if row.blob {
						ids = append(ids, statement.X5("1.5.6-1")...)
					}
					all = append(all, about(c, ids))
				}
			}
			return all
		})
	},
}
