package grammar

import (
	"fmt"
	"slices"

	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// codes are the Reason Codes of Table 2-6 and their neighbours.
var codes = []byte{
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x0F, 0x11, 0x12, 0x17, 0x18, 0x19, 0x1A, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8B,
	0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2, 0xA3, 0xBF, 0xC0, 0xFE, 0xFF,
}

// legalCodes are those that a client's packet may have. 0x10, which is for servers, is left out everywhere: its row does not say so.
var legalCodes = map[octets.Type][]byte{
	octets.PUBACK:  {0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
	octets.PUBREC:  {0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
	octets.PUBREL:  {0x00, 0x92},
	octets.PUBCOMP: {0x00, 0x92},
}

var reasonCodes = Rule{
	Name:   "ReasonCodes",
	Title:  "takes every Reason Code that an acknowledgement may have",
	Covers: statement.X5("3.4.2.1-1"),
	Cases:  func(s *Site) []Case { return s.withReasonCodes(true) },
}

var wrongReasonCodes = Rule{
	Name:    "WrongReasonCodes",
	Title:   "closes the Network Connection on Reason Codes that an acknowledgement may not have",
	Covers:  statement.X5("3.4.2.1-4"),
	Lenient: true, // the codes bind the sender; of the receiver nothing is asked
	Cases:   func(s *Site) []Case { return s.withReasonCodes(false) },
}

// withReasonCodes makes each acknowledgement with each code that it may have, or with each that it may not.
func (s *Site) withReasonCodes(legal bool) []Case {
	if !s.v5() || s.MaximumQoS < 2 {
		return nil
	}
	var all []Case
	for _, p := range s.acks() {
		short := *p
		short.parts = p.parts[:2] // Packet Identifier and Reason Code
		for _, code := range codes {
			if slices.Contains(legalCodes[p.typ], code) != legal {
				continue
			}
			c := short.mutant(short.withData(1, []byte{code}), "Reason Code %02x", code)
			c.About = statement.X5("3.4.2.1-4")
			if legal {
				c.Outcome, c.Codes, c.About = Taken, nil, statement.X5("3.4.2.1-1")
			}
			all = append(all, c)
		}
	}
	return all
}

var strayAcknowledgements = Rule{
	Name:   "StrayAcknowledgements",
	Title:  "stands acknowledgements that nobody waits for: unsolicited, repeated, of the wrong kind and in the wrong order",
	Covers: statement.IDs(statement.V311("4.3.3-2"), statement.X5("3.7.2.1-1"), statement.V5("4.3.3-11")),
	Cases: func(s *Site) []Case {
		var all []Case
		if s.MaximumQoS < 2 {
			return nil
		}
		kinds := []octets.Type{octets.PUBACK, octets.PUBREC, octets.PUBREL, octets.PUBCOMP}
		for _, kind := range kinds {
			for _, id := range []uint16{1, 2, 127, 128, 255, 256, 257, 32767, 32768, 65534, 65535} {
				all = append(all, s.stray(Connected, fmt.Sprintf("%s with Packet Identifier %d that nobody waits for", kind, id), func(uint16) []byte { return short(kind, id) }))
			}
			for stage := AwaitsPuback; stage <= AwaitsPubcomp; stage++ {
				awaited := kinds[stage-AwaitsPuback]
				due := s.stray(stage, fmt.Sprintf("%s where %s is due", kind, awaited), func(id uint16) []byte { return short(kind, id) })
				if kind == octets.PUBREL && kind == awaited { // which is the very one
					due.Outcome, due.Answer, due.About = Answered, octets.PUBCOMP, s.ids(statement.V311("4.3.3-2"), statement.V5("4.3.3-11"))
				}
				all = append(all, due,
					s.stray(stage, fmt.Sprintf("%s twice where %s is due", kind, awaited), func(id uint16) []byte { return append(short(kind, id), short(kind, id)...) }),
					s.stray(stage, fmt.Sprintf("%s with the next Packet Identifier where %s is due", kind, awaited), func(id uint16) []byte { return short(kind, id+1) }))
			}
		}
		return all
	},
}

// stray is an acknowledgement out of place, for which no reaction is named.
func (s *Site) stray(stage Stage, name string, b func(uint16) []byte) Case {
	return Case{Name: name, Stage: stage, Bytes: b, Outcome: Open, About: s.ids(statement.V311("4.3.3-2"), statement.X5("3.7.2.1-1"))}
}

// short is an acknowledgement of two bytes behind its fixed header.
func short(kind octets.Type, id uint16) []byte {
	return octets.Bytes(octets.V5, octets.Ack{Type: kind, ID: id})
}
