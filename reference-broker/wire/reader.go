package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"mqttlab/reference-broker/mqtt"
)

// reader walks over the bytes of one Control Packet. The first mistake is kept in err and moves the reader to the end, after which all reads give
// zero: so parsers read field after field and look at err once.
type reader struct {
	b    []byte // the whole Control Packet, fixed header included
	at   int    // next byte to read
	end  int    // end of the section being read: the packet, or its properties
	typ  mqtt.Type
	err  *Error
	seen *texts
}

func (r *reader) fail(code mqtt.ReasonCode, field string, offset int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Code: code, Type: r.typ, Field: field, Offset: offset, Problem: fmt.Sprintf(format, args...)}
	}
	r.end = len(r.b)
	r.at = r.end
}

// need reports whether n more bytes are there.
func (r *reader) need(n int, field string) bool {
	if r.end-r.at >= n {
		return true
	}
	// [X5 2.1.4-1] [X5 2.2.2.1-1] [X5 2.2.2.2-3]
	r.fail(mqtt.MalformedPacket, field, r.at, "needs %d bytes, %d are left", n, r.end-r.at)
	return false
}

func (r *reader) more() bool { return r.at < r.end }

func (r *reader) byte(field string) byte {
	if !r.need(1, field) {
		return 0
	}
	v := r.b[r.at]
	r.at++
	return v
}

func (r *reader) uint16(field string) uint16 {
	if !r.need(2, field) {
		return 0
	}
	v := binary.BigEndian.Uint16(r.b[r.at:])
	r.at += 2
	return v
}

func (r *reader) uint32(field string) uint32 {
	if !r.need(4, field) {
		return 0
	}
	v := binary.BigEndian.Uint32(r.b[r.at:])
	r.at += 4
	return v
}

// bool reads a byte that may be 0 or 1 only.
func (r *reader) bool(field string) bool {
	at := r.at
	v := r.byte(field)
	if v > 1 {
		// [X5 3.1.2.11.6-1] [X5 3.1.2.11.7-1] [X5 3.2.2.3.5-1] [X5 3.2.2.3.11-1] [X5 3.2.2.3.12-1] [X5 3.2.2.3.13-1]
		r.fail(mqtt.ProtocolError, field, at, "is %d, may be 0 or 1", v)
	}
	return v == 1
}

// varint reads a Variable Byte Integer of MQTT 5.0 inside a packet.
func (r *reader) varint(field string) uint32 {
	v, n, ok := varint(r.b[r.at:r.end])
	switch {
	case !ok: // [X5 1.5.5-1]
		r.fail(mqtt.MalformedPacket, field, r.at, "is a Variable Byte Integer of more than four bytes")
		return 0
	case n == 0:
		r.fail(mqtt.MalformedPacket, field, r.at, "ends too early")
		return 0
	case n != varintLen(v): // [MQTT5 1.5.5-1]
		r.fail(mqtt.MalformedPacket, field, r.at, "takes %d bytes where %d are enough", n, varintLen(v))
		return 0
	}
	r.at += n
	return v
}

// binary reads Binary Data. The result is a part of the packet and never nil.
func (r *reader) binary(field string) []byte {
	at := r.at
	n := int(r.uint16(field))
	if r.err == nil && r.end-r.at < n { // [X5 1.5.6-1]
		r.fail(mqtt.MalformedPacket, field, at, "says it has %d bytes, %d are left", n, r.end-r.at)
	}
	if r.err != nil {
		return []byte{}
	}
	v := r.b[r.at : r.at+n : r.at+n]
	r.at += n
	return v
}

// copied reads Binary Data that outlives the packet.
func (r *reader) copied(field string) []byte { return append([]byte{}, r.binary(field)...) }

// text reads a UTF-8 Encoded String.
func (r *reader) text(field string) string {
	at := r.at
	b := r.binary(field)
	if len(b) == 0 {
		return ""
	}
	if s, ok := r.seen.find(b); ok {
		return s
	}
	// [MQTT5 1.5.4-1] [MQTT311 1.5.3-1] [MQTT5 1.5.7-1]
	if !utf8.Valid(b) {
		r.fail(mqtt.MalformedPacket, field, at, "is not UTF-8")
		return ""
	}
	// [MQTT5 1.5.4-2] [MQTT311 1.5.3-2]
	if bytes.IndexByte(b, 0) >= 0 {
		r.fail(mqtt.MalformedPacket, field, at, "holds U+0000")
		return ""
	}
	// [MQTT5 1.5.4-3] [MQTT311 1.5.3-3] U+FEFF stays where it is.
	return r.seen.keep(b)
}

// packetID reads a Packet Identifier, which is never 0.
func (r *reader) packetID() uint16 {
	at := r.at
	v := r.uint16("Packet Identifier")
	if v == 0 && r.err == nil { // [MQTT311 2.3.1-1] [X5 2.2.1-1]
		r.fail(mqtt.ProtocolError, "Packet Identifier", at, "is 0")
	}
	return v
}

// reason reads a Reason Code and checks that this end may send it in this packet.
func (r *reader) reason(from Side) mqtt.ReasonCode {
	at := r.at
	v := mqtt.ReasonCode(r.byte("Reason Code"))
	if r.err == nil && !reasons[r.typ][from].has(v) {
		// [X5 2.4-1] [X5 3.4.2.1-4]
		r.fail(mqtt.ProtocolError, "Reason Code", at, "0x%02X has no meaning here", byte(v))
	}
	return v
}

// done checks that nothing is left over.
func (r *reader) done() {
	if r.at < r.end { // [X5 2.1.4-1] [X5 2.3-1]
		r.fail(mqtt.MalformedPacket, "end of packet", r.at, "%d bytes are left over", r.end-r.at)
	}
}

// varint decodes a Variable Byte Integer at the start of b. n == 0: b ends inside it. ok is false if it has more than four bytes.
func varint(b []byte) (v uint32, n int, ok bool) {
	for n < len(b) && n < 4 {
		c := b[n]
		v |= uint32(c&0x7F) << (7 * n)
		n++
		if c < 0x80 {
			return v, n, true
		}
	}
	return 0, 0, n < 4
}

func varintLen(v uint32) int {
	switch {
	case v < 1<<7:
		return 1
	case v < 1<<14:
		return 2
	case v < 1<<21:
		return 3
	}
	return 4
}
