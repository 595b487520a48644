package load

import "encoding/binary"

// First bytes of the Control Packets that are sent or looked for.
const (
	connack     = 0x20
	publishType = 0x30
	puback      = 0x40
	pubrec      = 0x50
	pubrel      = 0x62
	pubcomp     = 0x70
	suback      = 0x90
	qosMask     = 0x06
	typeMask    = 0xF0
)

var disconnectPacket = []byte{0xE0, 0}

// numberSize is the length of the publisher's number at the start of each payload.
const numberSize = 4

// stampEnd is where the stamp ends in payloads that have one behind the publisher's number: what tells messages apart, 8 bytes.
const stampEnd = numberSize + 8

func appendLength(b []byte, n int) []byte {
	for ; n > 127; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// How a client's Session begins and ends.
const (
	durable   byte = 0 // it is resumed and outlives the connection
	transient byte = 2 // Clean Session
)

// appendConnect appends a CONNECT of 3.1.1 without Keep Alive.
func appendConnect(b []byte, client string, session byte) []byte {
	b = appendLength(append(b, 0x10), 12+len(client))
	b = append(appendText(b, "MQTT"), 4, session, 0, 0)
	return appendText(b, client)
}

func appendSubscribe(b []byte, id uint16, qos byte, filters ...string) []byte {
	n := 2
	for _, f := range filters {
		n += 3 + len(f)
	}
	b = binary.BigEndian.AppendUint16(appendLength(append(b, 0x82), n), id)
	for _, f := range filters {
		b = append(appendText(b, f), qos)
	}
	return b
}

// template is a PUBLISH that is sent again and again.
type template struct {
	bytes   []byte
	idAt    int // offset of the Packet Identifier; 0: it has none
	stampAt int // offset of the stamp, if the payload has room for one
}

// newTemplate makes a PUBLISH of publisher number.
func newTemplate(topic string, qos byte, retain bool, payload, number int) template {
	first := byte(publishType) | qos<<1
	if retain {
		first |= 1
	}
	n := 2 + len(topic) + payload
	if qos > 0 {
		n += 2
	}
	t := template{bytes: appendText(appendLength([]byte{first}, n), topic)}
	if qos > 0 {
		t.idAt = len(t.bytes)
		t.bytes = append(t.bytes, 0, 0)
	}
	t.bytes = binary.BigEndian.AppendUint32(t.bytes, uint32(number))
	t.stampAt = len(t.bytes)
	t.bytes = append(t.bytes, make([]byte, payload-numberSize)...)
	return t
}

// frame returns the length of the Control Packet at the start of b and where its body begins; n 0: it is not whole. A length of more than four
// bytes counts as never whole.
func frame(b []byte) (n, body int) {
	length := 0
	for i := 1; i < len(b) && i < 5; i++ {
		length |= int(b[i]&0x7F) << (7 * (i - 1))
		if b[i] < 0x80 {
			if n = i + 1 + length; n > len(b) {
				return 0, 0
			}
			return n, i + 1
		}
	}
	return 0, 0
}

// arrival is what the generator looks at in a PUBLISH that came.
type arrival struct {
	id     []byte // Packet Identifier; empty for QoS 0
	number uint32 // the publisher's
	rest   []byte // of the payload: the stamp, if there is one, and zeros
}

// published takes a PUBLISH body apart; ok is false if it is too short.
func published(first byte, body []byte) (a arrival, ok bool) {
	if len(body) < 2 {
		return a, false
	}
	at := 2 + int(binary.BigEndian.Uint16(body))
	end := at
	if first&qosMask != 0 {
		end += 2
	}
	if len(body) < end+numberSize {
		return a, false
	}
	return arrival{body[at:end], binary.BigEndian.Uint32(body[end:]), body[end+numberSize:]}, true
}

// stamp returns the stamp of a payload, 0 if there is no room for one.
func (a *arrival) stamp() uint64 {
	if len(a.rest) < stampEnd-numberSize {
		return 0
	}
	return binary.BigEndian.Uint64(a.rest)
}
