package octets

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// take returns the next n bytes, or notes that the field is incomplete.
func (c *cursor) take(name string, n int) ([]byte, bool) {
	if c.left() < n {
		c.r.note(CompleteFields, c.at, "%s needs %d bytes, %d left", name, n, c.left())
		c.at = len(c.r.Raw)
		return nil, false
	}
	b := c.r.Raw[c.at : c.at+n]
	c.at += n
	return b, true
}

func (c *cursor) byte(name string) byte {
	b, ok := c.take(name, 1)
	if !ok {
		return 0
	}
	c.r.field(name, c.at-1, 1, hexByte(b[0]))
	return b[0]
}

func (c *cursor) uint16(name string) uint16 {
	b, ok := c.take(name, 2)
	if !ok {
		return 0
	}
	n := uint16(b[0])<<8 | uint16(b[1])
	c.r.field(name, c.at-2, 2, fmt.Sprint(n))
	return n
}

func (c *cursor) uint32(name string) uint32 {
	b, ok := c.take(name, 4)
	if !ok {
		return 0
	}
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	c.r.field(name, c.at-4, 4, fmt.Sprint(n))
	return n
}

// text reads a UTF-8 Encoded String and judges its content.
func (c *cursor) text(name string) string {
	at := c.at
	s, ok := c.binary(name)
	if !ok {
		return ""
	}
	if !utf8.Valid(s) {
		c.r.note(WellFormedUTF8, at, "%s % x", name, s[:min(len(s), 32)])
	}
	if i := bytes.IndexByte(s, 0); i >= 0 {
		c.r.note(NoNull, at+2+i, "U+0000 in %s", name)
	}
	return string(s)
}

func (c *cursor) binary(name string) ([]byte, bool) {
	at := c.at
	head, ok := c.take(name+" length", 2)
	if !ok {
		return nil, false
	}
	b, ok := c.take(name, int(head[0])<<8|int(head[1]))
	if !ok {
		return nil, false
	}
	c.r.field(name, at, c.at-at, clip(string(b)))
	return b, true
}

func (c *cursor) varInt(name string) (uint32, bool) {
	n, size, status := readVarInt(c.r.Raw[c.at:])
	switch status {
	case varIntPartial:
		c.r.note(CompleteFields, c.at, "%s is cut off", name)
	case varIntTooLong:
		c.r.note(VarIntSize, c.at, "%s of more than four bytes", name)
	case varIntOverlong:
		c.r.note(ShortestVarInt, c.at, "%s %d in %d bytes", name, n, size)
		fallthrough
	default:
		c.r.field(name, c.at, size, fmt.Sprint(n))
		c.at += size
		return n, true
	}
	c.at = len(c.r.Raw)
	return 0, false
}

// varIntStatus says how reading a Variable Byte Integer went.
type varIntStatus byte

const (
	varIntOK varIntStatus = iota
	varIntPartial
	varIntTooLong
	varIntOverlong
)

// readVarInt reads a Variable Byte Integer and how many bytes it took.
func readVarInt(b []byte) (n uint32, size int, status varIntStatus) {
	for i := range 4 {
		if i == len(b) {
			return 0, i, varIntPartial
		}
		n |= uint32(b[i]&0x7F) << (7 * i)
		if b[i]&0x80 == 0 {
			if i > 0 && b[i] == 0 {
				return n, i + 1, varIntOverlong
			}
			return n, i + 1, varIntOK
		}
	}
	return 0, 4, varIntTooLong
}

// properties reads Property Length and the properties of a packet type. A length that
// runs past the packet takes what is there.
func (c *cursor) properties(in Type) {
	length, ok := c.varInt("Property Length")
	if !ok {
		return
	}
	end := c.at + int(length)
	if end > len(c.r.Raw) {
		c.r.note(CompleteFields, c.at, "Property Length %d, %d bytes left", length, c.left())
		end = len(c.r.Raw)
	}
	seen := map[PropertyID]bool{}
	rest := c.r.Raw[end:]
	c.r.Raw = c.r.Raw[:end] // no property may reach past the Property Length
	for c.left() > 0 {
		if !c.property(in, seen) {
			c.at = end
		}
	}
	c.r.Raw = c.r.Raw[:end+len(rest)]
}

// property reads one property; false means that the rest of the list is unreadable.
func (c *cursor) property(in Type, seen map[PropertyID]bool) bool {
	at := c.at
	id := PropertyID(c.r.Raw[c.at])
	c.at++
	info, known := propertyTable[id]
	if !known {
		c.noteProperty(KnownProperty, at, id, "property %s", hexByte(byte(id)))
		return false
	}
	allowed := false
	for _, t := range info.in {
		allowed = allowed || t == in
	}
	if !allowed {
		c.noteProperty(PropertyAllowed, at, id, "%s in %s", info.name, in)
	}
	repeats := id == UserProperty || id == SubscriptionIdentifier && in == PUBLISH
	if seen[id] && !repeats {
		c.noteProperty(PropertyOnce, at, id, "%s twice in %s", info.name, in)
	}
	seen[id] = true
	value, ok := c.value(id, info)
	if ok {
		c.judge(at, value)
		c.r.Properties = append(c.r.Properties, value)
	}
	return ok
}

func (c *cursor) value(id PropertyID, info propertyInfo) (Value, bool) {
	v := Value{ID: id}
	before := len(c.r.Notes)
	switch info.kind {
	case kindByte:
		v.Number = uint32(c.byte(info.name))
	case kindTwoByte:
		v.Number = uint32(c.uint16(info.name))
	case kindFourByte:
		v.Number = c.uint32(info.name)
	case kindVarInt:
		v.Number, _ = c.varInt(info.name)
	case kindString:
		v.Text = c.text(info.name)
	case kindBinary:
		b, _ := c.binary(info.name)
		v.Text = string(b)
	case kindPair:
		v.Name = c.text(info.name + " name")
		v.Text = c.text(info.name + " value")
	}
	for _, n := range c.r.Notes[before:] {
		if n.Rule == CompleteFields || n.Rule == VarIntSize {
			return v, false
		}
	}
	return v, true
}

// judge notes values outside what the property may hold.
func (c *cursor) judge(at int, v Value) {
	if bits01[v.ID] && v.Number > 1 || nonZero[v.ID] && v.Number == 0 {
		c.noteProperty(PropertyValue, at, v.ID, "%s is %d", v.ID, v.Number)
	}
}

func (c *cursor) noteProperty(rule Rule, at int, id PropertyID, format string, args ...any) {
	c.r.note(rule, at, format, args...)
	c.r.Notes[len(c.r.Notes)-1].Property = id
}
