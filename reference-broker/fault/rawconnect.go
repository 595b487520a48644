package fault

import (
	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/mqtt"
)

// rawConnect is a CONNECT taken apart without judging it, so that a fault can mend what a broker has to refuse. Fields that the packet does
// not have, or that it ends before, are nil.
type rawConnect struct {
	name         []byte
	level, flags byte
	keepAlive    []byte
	properties   []rawProperty // 5.0
	clientID     []byte
	willList     []rawProperty // Will Properties of 5.0
	willTopic    []byte
	willPayload  []byte
	userName     []byte
	password     []byte
	surplus      []byte
}

// rawProperty is a property as bytes, identifier included.
type rawProperty []byte

func (p rawProperty) id() byte { return p[0] }

// rawReader takes fields off the front of bytes; what is not there is nil, and everything behind it.
type rawReader struct{ b []byte }

func (r *rawReader) take(n int) []byte {
	if n > len(r.b) {
		r.b = nil
		return nil
	}
	field := r.b[:n:n]
	r.b = r.b[n:]
	return field
}

// text takes a field with a length of two bytes.
func (r *rawReader) text() []byte {
	n := r.take(2)
	if n == nil {
		return nil
	}
	return r.take(int(n[0])<<8 | int(n[1]))
}

// list takes a list of properties whose length takes one byte, or two.
func (r *rawReader) list() []rawProperty {
	n, used := 0, 0
	for shift := 0; used < len(r.b) && used < 4; shift += 7 {
		n |= int(r.b[used]&0x7F) << shift
		used++
		if r.b[used-1] < 0x80 {
			break
		}
	}
	r.take(used)
	in := rawReader{r.take(n)}
	var all []rawProperty
	for len(in.b) > 0 {
		whole := in.b
		in.take(1)
		switch whole[0] {
		case 0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A:
			in.take(1)
		case 0x13, 0x21, 0x22, 0x23:
			in.take(2)
		case 0x02, 0x11, 0x18, 0x27:
			in.take(4)
		case 0x26:
			in.text()
			in.text()
		default:
			in.text()
		}
		all = append(all, rawProperty(whole[:len(whole)-len(in.b)]))
	}
	return all
}

func parseRawConnect(f Frame) *rawConnect {
	r := rawReader{f.Body()}
	c := &rawConnect{name: r.text()}
	if head := r.take(2); head != nil {
		c.level, c.flags = head[0], head[1]
	}
	c.keepAlive = r.take(2)
	if c.level == byte(mqtt.V5) {
		c.properties = r.list()
	}
	c.clientID = r.text()
	if c.flags&0x04 != 0 {
		if c.level == byte(mqtt.V5) {
			c.willList = r.list()
		}
		c.willTopic, c.willPayload = r.text(), r.text()
	}
	if c.flags&0x80 != 0 {
		c.userName = r.text()
	}
	if c.flags&0x40 != 0 {
		c.password = r.text()
	}
	c.surplus = r.b
	return c
}

// frame puts the parts together again.
func (c *rawConnect) frame() Frame {
	b := append(rawText(nil, c.name), c.level, c.flags)
	b = append(b, c.keepAlive...)
	if c.level == byte(mqtt.V5) {
		b = rawList(b, c.properties)
	}
	if c.clientID != nil {
		b = rawText(b, c.clientID)
	}
	if c.flags&0x04 != 0 && c.level == byte(mqtt.V5) {
		b = rawList(b, c.willList)
	}
	for _, field := range [][]byte{c.willTopic, c.willPayload, c.userName, c.password} {
		if field != nil {
			b = rawText(b, field)
		}
	}
	return shortest(0x10, append(b, c.surplus...))
}

func rawText(b, text []byte) []byte {
	return append(append(b, byte(len(text)>>8), byte(len(text))), text...)
}

func rawList(b []byte, list []rawProperty) []byte {
	var props []byte
	for _, p := range list {
		props = append(props, p...)
	}
	return append(rawLength(b, len(props)), props...)
}

func rawLength(b []byte, n int) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

// shortest puts a fixed header with the shortest Remaining Length before a body.
func shortest(first byte, body []byte) Frame {
	return append(rawLength(Frame{first}, len(body)), body...)
}

// mending makes a broker that reads CONNECT as if it were what mend makes of it.
func mending(mend func(c *rawConnect)) func() broker.Tap {
	return rawIn(mqtt.TypeConnect, func(_ *Client, f Frame) []Frame {
		c := parseRawConnect(f)
		mend(c)
		return []Frame{c.frame()}
	})
}

// onlyFirst drops all but the first property of each kind, save User Property.
func onlyFirst(list []rawProperty) []rawProperty {
	seen := map[byte]bool{}
	var kept []rawProperty
	for _, p := range list {
		if p.id() == 0x26 || !seen[p.id()] {
			kept = append(kept, p)
		}
		seen[p.id()] = true
	}
	return kept
}

// wrong is a Control Packet that no broker accepts: instead of a packet it makes the broker close the connection.
var wrong = Frame{0x00, 0x00}

// refusing makes a broker that closes the connection on packets of type P that match, although they are right.
func refusing[P mqtt.Packet](match func(c *Client, p P) bool) func() broker.Tap {
	return script(func() *Script {
		return &Script{In: func(c *Client, f Frame) []Frame {
			if p, ok := decodeIn(c, f).(P); ok && match(c, p) {
				return []Frame{wrong}
			}
			return []Frame{f}
		}}
	})
}
