package grammar

import (
	"fmt"
	"slices"

	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// illFormed are sequences that are no UTF-8, at least one for each way to be none (Unicode 3.9, Table 3-7).
var illFormed = []struct{ name, bytes string }{
	{"continuation byte alone", "\x80"},
	{"last continuation byte alone", "\xbf"},
	{"U+0000 in two bytes", "\xc0\x80"},
	{"slash in two bytes", "\xc0\xaf"},
	{"U+007F in two bytes", "\xc1\xbf"},
	{"cut after one of two bytes", "\xc2"},
	{"letter in place of a continuation byte", "\xc3("},
	{"U+0000 in three bytes", "\xe0\x80\x80"},
	{"U+07FF in three bytes", "\xe0\x9f\xbf"},
	{"cut after two of three bytes", "\xe2\x82"},
	{"letter in place of the second of three bytes", "\xe2(\xa1"},
	{"surrogate U+D800", "\xed\xa0\x80"},
	{"surrogate U+DBFF", "\xed\xaf\xbf"},
	{"surrogate U+DC00", "\xed\xb0\x80"},
	{"surrogate U+DFFF", "\xed\xbf\xbf"},
	{"pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80"},
	{"U+0000 in four bytes", "\xf0\x80\x80\x80"},
	{"U+FFFF in four bytes", "\xf0\x8f\xbf\xbf"},
	{"cut after three of four bytes", "\xf0\x90\x80"},
	{"U+110000", "\xf4\x90\x80\x80"},
	{"lead byte F5", "\xf5\x80\x80\x80"},
	{"five bytes", "\xf8\x88\x80\x80\x80"},
	{"six bytes", "\xfc\x84\x80\x80\x80\x80"},
	{"byte FE", "\xfe"},
	{"byte FF", "\xff"},
}

var withNull = []struct{ name, bytes string }{
	{"U+0000 alone", "\x00"}, {"U+0000 at the end", "a\x00"}, {"U+0000 at the start", "\x00a"}, {"U+0000 inside", "a\x00b"},
}

// unusual are characters that are legal and that a receiver may refuse (section 1.5.4 of 5.0).
var unusual = []struct{ name, bytes string }{
	{"U+0001", "\x01"},
	{"U+001F", "\x1f"},
	{"U+007F", "\x7f"},
	{"U+0080", "\u0080"},
	{"U+009F", "\u009f"},
	{"U+FDD0", "\ufdd0"},
	{"U+FFFE", "\ufffe"},
	{"U+FFFF", "\uffff"},
	{"U+1FFFE", "\U0001fffe"},
	{"U+10FFFF", "\U0010ffff"},
	{"U+FEFF", "\ufeff"},
}

// textStatements are the rows about the string of a field, besides the general one.
var textStatements = map[string]struct{ v311, v5 []statement.ID }{
	"Client Identifier":        {statement.V311("3.1.3-4"), statement.V5("3.1.3-4")},
	"Will Topic":               {statement.V311("3.1.3-10"), statement.V5("3.1.3-11")},
	"User Name":                {statement.V311("3.1.3-11"), statement.V5("3.1.3-12")},
	"Topic Name":               {statement.V311("3.3.2-1"), statement.V5("3.3.2-1")},
	"SUBSCRIBE Topic Filter":   {statement.V311("3.8.3-1"), statement.V5("3.8.3-1")},
	"UNSUBSCRIBE Topic Filter": {statement.V311("3.10.3-1"), statement.V5("3.10.3-1")},
	"PUBLISH Response Topic":   {nil, statement.V5("3.3.2-13")},
	"PUBLISH Content Type":     {nil, statement.V5("3.3.2-19")},
	"User Property":            {nil, statement.V5("1.5.7-1")},
}

// textField is a string in a packet that can be replaced.
type textField struct {
	packet *packet
	name   string
	set    func(s string) *packet
	ids    []statement.ID
	codes  []byte
	topic  bool
}

// textFields lists every string that a client sends, those of properties too.
func (s *Site) textFields() []textField {
	var all []textField
	for _, p := range s.packets() {
		if p.typ == octets.CONNECT && p.find("Will Topic") < 0 {
			continue // the longer CONNECT has all its strings
		}
		for i, f := range p.parts {
			switch {
			case f.kind == text && f.name != "Protocol Name":
				own := textStatements[f.name]
				if f.name == "Topic Filter" {
					own = textStatements[p.typ.String()+" "+f.name]
				}
				all = append(all, textField{
					packet: p, name: fmt.Sprintf("%s (part %d)", f.name, i+1), ids: s.ids(own.v311, own.v5), topic: f.topic,
					codes: []byte{0x81, 0x82, 0x85, 0x86, 0x87, 0x8F, 0x90},
					set:   func(text string) *packet { return p.withData(i, append(slices.Clone(f.data), text...)) },
				})
			case f.kind == propertyBag:
				all = append(all, propertyTexts(p, i)...)
			}
		}
	}
	return all
}

// propertyTexts lists the strings that the properties of a part can hold.
func propertyTexts(p *packet, i int) []textField {
	var all []textField
	for _, row := range table {
		if !row.in.has(p.parts[i].in) || row.texts == 0 {
			continue
		}
		own := textStatements[p.parts[i].in.String()+" "+row.id.String()]
		if row.texts == 1 {
			all = append(all, textField{
				packet: p, name: row.id.String(), ids: own.v5, codes: malformed,
				set: func(text string) *packet { return p.withProps(i, row.id.Text("t"+text)) },
			})
			continue
		}
		own = textStatements[row.id.String()]
		all = append(all,
			textField{
				packet: p, name: "User Property name in " + p.parts[i].in.String(), ids: own.v5, codes: malformed,
				set: func(text string) *packet { return p.withProps(i, octets.User("t"+text, "v")) },
			},
			textField{
				packet: p, name: "User Property value in " + p.parts[i].in.String(), ids: own.v5, codes: malformed,
				set: func(text string) *packet { return p.withProps(i, octets.User("n", "t"+text)) },
			})
	}
	return all
}

// inTexts makes a case for each string field and each of these contents.
func (s *Site) inTexts(contents []struct{ name, bytes string }, general []statement.ID, also func(textField) []statement.ID) []Case {
	var all []Case
	for _, f := range s.textFields() {
		for _, content := range contents {
			c := f.packet.mutant(f.set(content.bytes), "%s with %s (% x)", f.name, content.name, content.bytes)
			c.Codes, c.About = f.codes, slices.Concat(general, also(f))
			all = append(all, c)
		}
	}
	return all
}

var illFormedText = Rule{
	Name:  "IllFormedText",
	Title: "closes the Network Connection on ill-formed UTF-8, of whatever kind and in whatever string",
	Covers: statement.IDs(
		statement.V311("1.5.3-1", "3.1.3-4", "3.1.3-10", "3.1.3-11", "3.3.2-1", "3.8.3-1", "3.10.3-1"),
		statement.V5("1.5.4-1", "1.5.7-1", "3.1.3-4", "3.1.3-11", "3.1.3-12", "3.3.2-1", "3.8.3-1", "3.10.3-1", "3.3.2-13", "3.3.2-19")),
	Cases: func(s *Site) []Case {
		return s.inTexts(illFormed, s.ids(statement.V311("1.5.3-1"), statement.V5("1.5.4-1")), func(f textField) []statement.ID { return f.ids })
	},
}

var nullInText = Rule{
	Name:   "NullInText",
	Title:  "closes the Network Connection on U+0000 in whatever string",
	Covers: statement.IDs(statement.V311("1.5.3-2", "4.7.3-2"), statement.V5("1.5.4-2", "4.7.3-2")),
	Cases: func(s *Site) []Case {
		return s.inTexts(withNull, s.ids(statement.V311("1.5.3-2"), statement.V5("1.5.4-2")), func(f textField) []statement.ID {
			if f.topic {
				return s.ids(statement.V311("4.7.3-2"), statement.V5("4.7.3-2"))
			}
			return nil
		})
	},
}

var unusualText = Rule{
	Name:   "UnusualText",
	Title:  "takes or refuses control characters and non-characters, and goes on",
	Covers: statement.X5("1.5.4-1"),
	Cases: func(s *Site) []Case {
		if !s.v5() {
			return nil
		}
		all := s.inTexts(unusual, statement.X5("1.5.4-1"), func(textField) []statement.ID { return nil })
		for i := range all {
			all[i].Outcome = Open
		}
		return all
	},
}
