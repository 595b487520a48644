package ledger

import (
	"encoding/binary"
	"encoding/hex"
	"time"
)

// HeaderBytes is the size of the Header at the front of each binary payload, and so the smallest payload that can be accounted for.
const HeaderBytes = 32

// mark begins every payload of a fleet: two letters, a version, a zero.
const mark = 'M'<<24 | 'L'<<16 | 1<<8

// Header names one message. It travels at the front of the payload (see TrailerBytes for JSON), in network byte order:
//
//	 0  4  mark "ML", version 1, zero
//	 4  4  run: tells the messages of this run from what an earlier one left behind
//	 8  4  device, counted over the whole fleet
//	12  4  sequence, counted per device from 0
//	16  8  intended: when it was due, in nanoseconds since the start of the run
//	24  8  sent: when it was first written to a connection, likewise; 0 until then
type Header struct {
	Run      uint32
	Device   uint32
	Sequence uint32
	Intended time.Duration
	Sent     time.Duration
}

// Put writes the header to the front of a payload of at least HeaderBytes.
func (h Header) Put(payload []byte) {
	b := payload[:HeaderBytes]
	binary.BigEndian.PutUint32(b[0:], mark)
	binary.BigEndian.PutUint32(b[4:], h.Run)
	binary.BigEndian.PutUint32(b[8:], h.Device)
	binary.BigEndian.PutUint32(b[12:], h.Sequence)
	binary.BigEndian.PutUint64(b[16:], uint64(h.Intended))
	binary.BigEndian.PutUint64(b[24:], uint64(h.Sent))
}

// A payload that is a JSON object carries its Header as the last member, in hexadecimal.
const (
	trailerKey = `,"_mqttlab":"`
	trailerEnd = `"}`
)

// TrailerBytes is the size of what AppendTrailer appends.
const TrailerBytes = len(trailerKey) + 2*HeaderBytes + len(trailerEnd)

// AppendTrailer ends a JSON object, of which the last brace is still missing, with the header.
func (h Header) AppendTrailer(object []byte) []byte {
	var b [HeaderBytes]byte
	h.Put(b[:])
	object = append(object, trailerKey...)
	object = hex.AppendEncode(object, b[:])
	return append(object, trailerEnd...)
}

// Replace writes the header in place of the one that a payload carries, wherever that is.
func (h Header) Replace(payload []byte) {
	if at, ok := trailer(payload); ok {
		var b [HeaderBytes]byte
		h.Put(b[:])
		hex.Encode(payload[at:], b[:])
		return
	}
	h.Put(payload)
}

// trailer returns where the hexadecimal header of a JSON payload begins.
func trailer(payload []byte) (at int, ok bool) {
	begin := len(payload) - TrailerBytes
	if begin < 1 || payload[0] != '{' || string(payload[begin:begin+len(trailerKey)]) != trailerKey {
		return 0, false
	}
	return begin + len(trailerKey), string(payload[len(payload)-len(trailerEnd):]) == trailerEnd
}

// ParseHeader reads the header of a payload, from its front or from the end of its JSON; ok is false if it has none.
func ParseHeader(payload []byte) (h Header, ok bool) {
	var b [HeaderBytes]byte
	if at, ok := trailer(payload); ok {
		if _, err := hex.Decode(b[:], payload[at:at+2*HeaderBytes]); err != nil {
			return Header{}, false
		}
		payload = b[:]
	}
	if len(payload) < HeaderBytes || binary.BigEndian.Uint32(payload) != mark {
		return Header{}, false
	}
	return Header{
		Run:      binary.BigEndian.Uint32(payload[4:]),
		Device:   binary.BigEndian.Uint32(payload[8:]),
		Sequence: binary.BigEndian.Uint32(payload[12:]),
		Intended: time.Duration(binary.BigEndian.Uint64(payload[16:])),
		Sent:     time.Duration(binary.BigEndian.Uint64(payload[24:])),
	}, true
}
