package octets

// Packet is anything that can be put on the wire: the packet structs of this package,
// their spoiled forms, and [Raw] bytes.
type Packet interface {
	// Frame lays the packet out for a version.
	Frame(v Version) Frame
}

// Frame is a Control Packet in the three parts every one has. The parts need not fit
// together.
type Frame struct {
	// First is the type nibble and the flag nibble.
	First byte
	// Length holds the encoded Remaining Length.
	Length []byte
	// Body is all that follows.
	Body []byte
}

// Bytes is the packet as sent.
func (f Frame) Bytes() []byte {
	b := make([]byte, 0, 1+len(f.Length)+len(f.Body))
	b = append(b, f.First)
	b = append(b, f.Length...)
	return append(b, f.Body...)
}

// Bytes lays packets out one behind the other, as one write would carry them.
func Bytes(v Version, packets ...Packet) []byte {
	var b []byte
	for _, p := range packets {
		if raw, ok := p.(Raw); ok {
			b = append(b, raw...)
			continue
		}
		b = append(b, p.Frame(v).Bytes()...)
	}
	return b
}

// frame is the ordinary layout of a body.
func frame(t Type, flags byte, body []byte) Frame {
	return Frame{First: byte(t)<<4 | flags, Length: VarInt(uint32(len(body))), Body: body}
}

// Raw is bytes that follow no layout; they are sent as they are.
type Raw []byte

// Frame splits the bytes where a well-formed packet would be split, so that the
// wrappers work on raw bytes too.
func (r Raw) Frame(Version) Frame {
	if len(r) == 0 {
		return Frame{}
	}
	_, n, _ := readVarInt(r[1:])
	return Frame{First: r[0], Length: r[1 : 1+n], Body: r[1+n:]}
}

// spoiled is a packet with a change to its frame.
type spoiled struct {
	Packet
	spoil func(Frame) Frame
}

func (s spoiled) Frame(v Version) Frame { return s.spoil(s.Packet.Frame(v)) }

// WithFlags replaces the flag nibble of the first byte.
func WithFlags(p Packet, flags byte) Packet {
	return spoiled{p, func(f Frame) Frame {
		f.First = f.First&0xF0 | flags&0x0F
		return f
	}}
}

// WithType replaces the type nibble of the first byte.
func WithType(p Packet, t Type) Packet {
	return spoiled{p, func(f Frame) Frame {
		f.First = byte(t)<<4 | f.First&0x0F
		return f
	}}
}

// WithLength replaces the Remaining Length by these bytes, right or wrong.
func WithLength(p Packet, encoded ...byte) Packet {
	return spoiled{p, func(f Frame) Frame {
		f.Length = encoded
		return f
	}}
}

// Trimmed drops the last n bytes of the body and lets the Remaining Length follow: a
// complete packet in which something is missing.
func Trimmed(p Packet, n int) Packet {
	return spoiled{p, func(f Frame) Frame {
		f.Body = f.Body[:max(0, len(f.Body)-n)]
		f.Length = VarInt(uint32(len(f.Body)))
		return f
	}}
}

// Cut drops the last n bytes of the body and keeps the Remaining Length: a packet of
// which the end has not arrived.
func Cut(p Packet, n int) Packet {
	return spoiled{p, func(f Frame) Frame {
		f.Body = f.Body[:max(0, len(f.Body)-n)]
		return f
	}}
}

// Extended appends bytes to the body and lets the Remaining Length follow.
func Extended(p Packet, extra ...byte) Packet {
	return spoiled{p, func(f Frame) Frame {
		f.Body = append(f.Body[:len(f.Body):len(f.Body)], extra...)
		f.Length = VarInt(uint32(len(f.Body)))
		return f
	}}
}

// Patched overwrites bytes of the body from an offset on; what would lie past its end
// is left out.
func Patched(p Packet, offset int, with ...byte) Packet {
	return spoiled{p, func(f Frame) Frame {
		body := append([]byte(nil), f.Body...)
		if offset < len(body) {
			copy(body[offset:], with)
		}
		f.Body = body
		return f
	}}
}

// VarInt is the shortest Variable Byte Integer of n; what does not fit in four bytes
// takes five, which is malformed.
func VarInt(n uint32) []byte {
	var b []byte
	for {
		digit := byte(n & 0x7F)
		n >>= 7
		if n == 0 {
			return append(b, digit)
		}
		b = append(b, digit|0x80)
	}
}

// OverlongVarInt is n in exactly size bytes, longer than needed where size allows.
func OverlongVarInt(n uint32, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(n&0x7F) | 0x80
		n >>= 7
	}
	b[size-1] &= 0x7F
	return b
}

// str appends a two-byte length and the bytes; only the low 16 bits of the length are
// written.
func str[S ~string | ~[]byte](b []byte, s S) []byte {
	b = append(b, byte(len(s)>>8), byte(len(s)))
	return append(b, s...)
}

func u16(b []byte, n uint16) []byte { return append(b, byte(n>>8), byte(n)) }
