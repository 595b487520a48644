package octets

import (
	"fmt"
	"slices"
)

// Decode reads the first Control Packet of b. It returns the packet and how many
// bytes it took, or nil and 0 when b holds only the beginning of one. A packet that
// breaks rules is returned all the same, with a [Note] for each; a Remaining Length
// that cannot be read ends the stream, so that packet takes all of b.
//
// It allocates in proportion to len(b), whatever lengths b claims.
func Decode(b []byte, v Version) (*Received, int) {
	if len(b) < 2 {
		return nil, 0
	}
	length, n, status := readVarInt(b[1:])
	switch status {
	case varIntPartial:
		return nil, 0
	case varIntTooLong:
		r := &Received{Raw: b, Type: Type(b[0] >> 4), Flags: b[0] & 15}
		r.note(VarIntSize, 1, "Remaining Length of more than four bytes")
		return r, len(b)
	}
	total := 1 + n + int(length)
	if len(b) < total {
		return nil, 0
	}
	r := &Received{Raw: b[:total], Type: Type(b[0] >> 4), Flags: b[0] & 15}
	if status == varIntOverlong {
		r.note(ShortestVarInt, 1, "Remaining Length %d in %d bytes", length, n)
	}
	r.field("Fixed Header", 0, 1+n, r.Type.String())
	c := &cursor{r: r, v: v, at: 1 + n}
	c.packet()
	return r, total
}

// Claimed is the size of the packet that b begins, as its Remaining Length has it, 0
// while that cannot be read.
func Claimed(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	length, n, status := readVarInt(b[1:])
	if status == varIntPartial || status == varIntTooLong {
		return 0
	}
	return 1 + n + int(length)
}

func (r *Received) note(rule Rule, offset int, format string, args ...any) {
	r.Notes = append(r.Notes, Note{Rule: rule, Offset: offset, Text: fmt.Sprintf(format, args...)})
}

func (r *Received) field(name string, offset, length int, value string) {
	r.Fields = append(r.Fields, Field{Name: name, Value: value, Offset: offset, Len: length})
}

// cursor walks over one packet. After the first incomplete field it stands at the end
// and reads zeros.
type cursor struct {
	r  *Received
	v  Version
	at int
}

func (c *cursor) left() int { return len(c.r.Raw) - c.at }

func (c *cursor) packet() {
	r := c.r
	if r.Type == 0 || r.Type == AUTH && c.v != V5 {
		r.note(ReservedType, 0, "packet type %d", byte(r.Type))
		return
	}
	if r.Type != PUBLISH && r.Flags != r.Type.fixedFlags() {
		r.note(FixedFlags, 0, "%s with flags %04b", r.Type, r.Flags)
	}
	switch r.Type {
	case CONNECT:
		c.connect()
	case CONNACK:
		c.connack()
	case PUBLISH:
		c.publish()
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		c.packetID()
		c.codeAndProperties()
	case SUBSCRIBE, UNSUBSCRIBE:
		c.filters()
	case SUBACK, UNSUBACK:
		c.codes()
	case DISCONNECT, AUTH:
		c.codeAndProperties()
	}
	if c.left() > 0 {
		r.note(NoTrailingBytes, c.at, "%d bytes after the last field of %s", c.left(), r.Type)
	}
}

// connect reads a CONNECT. Topic, Payload, QoS and Retain are those of the Will.
func (c *cursor) connect() {
	r := c.r
	c.text("Protocol Name")
	level := Version(c.byte("Protocol Level"))
	flags := c.byte("Connect Flags")
	r.Clean = flags&0x02 != 0
	c.uint16("Keep Alive")
	if level == V5 {
		c.properties(CONNECT)
	}
	r.ClientID = c.text("Client Identifier")
	if flags&0x04 != 0 {
		if level == V5 {
			own := r.Properties
			c.properties(willProperties)
			r.Properties = own
		}
		r.Topic, r.QoS, r.Retain = c.text("Will Topic"), flags>>3&3, flags&0x20 != 0
		payload, _ := c.binary("Will Payload")
		r.Payload = string(payload)
	}
	if flags&0x80 != 0 {
		c.text("User Name")
	}
	if flags&0x40 != 0 {
		c.binary("Password")
	}
}

func (c *cursor) connack() {
	r := c.r
	at := c.at
	r.AckFlags = c.byte("Connect Acknowledge Flags")
	r.SessionPresent = r.AckFlags&1 != 0
	if r.AckFlags&0xFE != 0 {
		r.note(AckFlagsReserved, at, "Connect Acknowledge Flags %08b", r.AckFlags)
	}
	r.Code = c.byte("Reason Code")
	// A refusal of a version the server does not speak comes in the layout of another
	// version, without properties and with a code of that version, which is below 0x80.
	if c.v == V5 && (c.left() > 0 || r.Code == 0 || r.Code >= 0x80) {
		c.properties(CONNACK)
	}
}

func (c *cursor) publish() {
	r := c.r
	r.Dup, r.Retain, r.QoS = r.Flags&8 != 0, r.Flags&1 != 0, r.Flags>>1&3
	if r.QoS == 3 {
		r.note(PublishQoS, 0, "QoS 3")
	}
	if r.QoS == 0 && r.Dup {
		r.note(NoDupAtQoS0, 0, "DUP 1 at QoS 0")
	}
	at := c.at
	r.Topic = c.text("Topic Name")
	if i := slices.IndexFunc([]byte(r.Topic), func(b byte) bool { return b == '+' || b == '#' }); i >= 0 {
		r.note(NoWildcards, at+2+i, "topic name %s", clip(r.Topic))
	}
	if r.QoS > 0 {
		c.packetID()
	}
	if c.v == V5 {
		c.properties(PUBLISH)
	}
	if _, alias := r.Prop(TopicAlias); r.Topic == "" && !alias {
		r.note(TopicNotEmpty, at, "empty topic name")
	}
	r.Payload = string(r.Raw[c.at:])
	r.field("Payload", c.at, c.left(), clip(r.Payload))
	c.at = len(r.Raw)
}

func (c *cursor) filters() {
	r := c.r
	c.packetID()
	if c.v == V5 {
		c.properties(r.Type)
	}
	for c.left() > 0 {
		r.Filters = append(r.Filters, c.text("Topic Filter"))
		if r.Type == SUBSCRIBE {
			c.byte("Subscription Options")
		}
	}
}

func (c *cursor) codes() {
	r := c.r
	c.packetID()
	if c.v == V5 {
		c.properties(r.Type)
	} else if r.Type == UNSUBACK {
		return
	}
	r.Codes = slices.Clone(r.Raw[c.at:])
	r.field("Reason Codes", c.at, c.left(), fmt.Sprintf("% x", r.Codes))
	if c.left() == 0 {
		r.note(CompleteFields, c.at, "%s without a code", r.Type)
	}
	c.at = len(r.Raw)
}

// codeAndProperties reads the tail that 5.0 lets end after any of its two parts.
func (c *cursor) codeAndProperties() {
	if c.v != V5 || c.left() == 0 {
		return
	}
	c.r.Code = c.byte("Reason Code")
	if c.left() > 0 {
		c.properties(c.r.Type)
	}
}

func (c *cursor) packetID() {
	at := c.at
	enough := c.left() >= 2
	if c.r.ID = c.uint16("Packet Identifier"); c.r.ID == 0 && enough {
		c.r.note(NonZeroPacketID, at, "packet identifier 0")
	}
}
