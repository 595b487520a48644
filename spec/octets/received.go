package octets

import (
	"fmt"
	"strings"
)

// Received is a Control Packet as read, of either direction and version. Fields that
// the type or version does not have are zero.
type Received struct {
	// Raw is the whole packet. It is not a copy.
	Raw []byte
	// Type and Flags are the nibbles of the first byte.
	Type  Type
	Flags byte

	// Dup, Retain and QoS are the flags of a PUBLISH; QoS 3 is kept as read.
	Dup, Retain bool
	QoS         byte
	// Topic and Payload are those of a PUBLISH.
	Topic, Payload string

	// ID is the Packet Identifier.
	ID uint16
	// Code is the Reason Code (Return Code in 3.1.1), 0 where the short form leaves it out.
	Code byte
	// Codes are the codes of a SUBACK or UNSUBACK.
	Codes []byte
	// SessionPresent is bit 0, AckFlags all of the Connect Acknowledge Flags.
	SessionPresent bool
	AckFlags       byte
	// ClientID, Clean and Filters are read from packets of a client. In a CONNECT,
	// Topic, Payload, QoS and Retain are those of the Will.
	ClientID string
	Clean    bool
	Filters  []string

	// Properties are in the order they came.
	Properties []Value
	// Fields tells where things lay, in order of offset.
	Fields []Field
	// Notes are the rules of the format that were broken.
	Notes []Note
}

// Value is a property as read.
type Value struct {
	ID PropertyID
	// Number is the value of a numeric property.
	Number uint32
	// Text is the value of a string or binary property, the value of a User Property.
	Text string
	// Name is the name of a User Property.
	Name string
}

// Field is one field of a packet as read.
type Field struct {
	// Name is the standard's noun; Value is printable.
	Name, Value string
	// Offset and Len are in bytes from the first byte of the packet.
	Offset, Len int
}

// Rule is a rule of the packet format, whatever the statement that makes it.
type Rule string

// The rules that the reader watches.
const (
	ReservedType     Rule = "packet type exists in this version"
	FixedFlags       Rule = "fixed header flags have their fixed value"
	ShortestVarInt   Rule = "variable byte integer has its shortest form"
	VarIntSize       Rule = "variable byte integer has at most four bytes"
	CompleteFields   Rule = "every field is complete"
	NoTrailingBytes  Rule = "nothing follows the last field"
	WellFormedUTF8   Rule = "strings are well-formed UTF-8"
	NoNull           Rule = "strings hold no U+0000"
	PublishQoS       Rule = "QoS is 0, 1 or 2"
	NoDupAtQoS0      Rule = "DUP is 0 at QoS 0"
	NonZeroPacketID  Rule = "packet identifier is not 0"
	AckFlagsReserved Rule = "reserved Connect Acknowledge Flags are 0"
	NoWildcards      Rule = "topic name holds no wildcards"
	TopicNotEmpty    Rule = "topic name is not empty"
	KnownProperty    Rule = "property exists"
	PropertyAllowed  Rule = "property is allowed in this packet"
	PropertyOnce     Rule = "property appears once"
	PropertyValue    Rule = "property has a legal value"
)

// Note is one breach of a rule.
type Note struct {
	Rule Rule
	// Offset is in bytes from the first byte of the packet.
	Offset int
	// Property is the property at fault, 0 where the rule is not about one.
	Property PropertyID
	// Text says what was there.
	Text string
}

// String is the breach with its place.
func (n Note) String() string { return fmt.Sprintf("%s: %s at byte %d", n.Rule, n.Text, n.Offset) }

// Prop returns the first property with an identifier.
func (r *Received) Prop(id PropertyID) (Value, bool) {
	for _, v := range r.Properties {
		if v.ID == id {
			return v, true
		}
	}
	return Value{}, false
}

// Props returns all properties with an identifier.
func (r *Received) Props(id PropertyID) []Value {
	var all []Value
	for _, v := range r.Properties {
		if v.ID == id {
			all = append(all, v)
		}
	}
	return all
}

// Number returns a numeric property, or the given value where it is absent.
func (r *Received) Number(id PropertyID, absent uint32) uint32 {
	if v, ok := r.Prop(id); ok {
		return v.Number
	}
	return absent
}

// String is the packet in one line, for transcripts and failures.
func (r *Received) String() string {
	var b strings.Builder
	b.WriteString(r.Type.String())
	switch r.Type {
	case CONNECT:
		fmt.Fprintf(&b, " client=%q clean=%t", r.ClientID, r.Clean)
		if r.Topic != "" {
			fmt.Fprintf(&b, " will=%s", clip(r.Topic))
		}
	case CONNACK:
		fmt.Fprintf(&b, " %s session-present=%t", hexByte(r.Code), r.SessionPresent)
	case PUBLISH:
		fmt.Fprintf(&b, " %s qos=%d", clip(r.Topic), r.QoS)
		if r.QoS > 0 {
			fmt.Fprintf(&b, " id=%d", r.ID)
		}
		if r.Dup {
			b.WriteString(" dup")
		}
		if r.Retain {
			b.WriteString(" retain")
		}
		fmt.Fprintf(&b, " payload=%s", clip(r.Payload))
	case SUBSCRIBE, UNSUBSCRIBE:
		fmt.Fprintf(&b, " id=%d filters=%q", r.ID, r.Filters)
	case SUBACK, UNSUBACK:
		fmt.Fprintf(&b, " id=%d codes=[% x]", r.ID, r.Codes)
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		fmt.Fprintf(&b, " id=%d", r.ID)
		r.nonZeroCode(&b)
	case DISCONNECT, AUTH:
		r.nonZeroCode(&b)
	}
	for _, v := range r.Properties {
		b.WriteString(" " + v.String())
	}
	if len(r.Notes) > 0 {
		fmt.Fprintf(&b, " (malformed: %s)", r.Notes[0].Text)
	}
	return b.String()
}

func (r *Received) nonZeroCode(b *strings.Builder) {
	if r.Code != 0 || r.Type == DISCONNECT || r.Type == AUTH {
		b.WriteString(" " + hexByte(r.Code))
	}
}

// String is the property with its value.
func (v Value) String() string {
	name := strings.ReplaceAll(v.ID.String(), " ", "")
	switch propertyTable[v.ID].kind {
	case kindString, kindBinary:
		return fmt.Sprintf("%s=%s", name, clip(v.Text))
	case kindPair:
		return fmt.Sprintf("%s=%s:%s", name, clip(v.Name), clip(v.Text))
	}
	return fmt.Sprintf("%s=%d", name, v.Number)
}

func hexByte(b byte) string { return fmt.Sprintf("0x%02X", b) }

// clip quotes a string and shortens a long one.
func clip(s string) string {
	const limit = 60
	if len(s) <= limit {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q...(%d bytes)", s[:limit], len(s))
}
