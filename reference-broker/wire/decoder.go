package wire

import "mqttlab/reference-broker/mqtt"

// Side is the end of a Network Connection that sends what a [Decoder] reads.
type Side uint8

// The two ends. A packet that the other end only may send is a Protocol Error.
const (
	FromClient Side = iota // the decoder of a Server
	FromServer             // the decoder of a Client
)

// Decoder reads Control Packets. Its exported fields may be changed between two calls, so that one decoder can serve many connections in turn.
// It is not safe for concurrent use. Use [NewDecoder].
type Decoder struct {
	// From is the end that sends. The zero value is FromClient.
	From Side
	// Version is the protocol version of the Network Connection. 0 on the side of a Server: not known yet, and only a CONNECT is accepted,
	// which sets it. A Client must set it to what its CONNECT says.
	Version mqtt.Version
	// MaximumPacketSize is the largest Control Packet accepted, in bytes, fixed header included. 0: no limit but that of the format, 256 MiB.
	MaximumPacketSize uint32

	texts     *texts
	publishes slab[mqtt.Publish]
	acks      slab[mqtt.Ack]
}

// NewDecoder returns a decoder of what the given end sends.
func NewDecoder(from Side) *Decoder { return &Decoder{From: from, texts: newTexts()} }

// Next decodes the first Control Packet of buf and returns it with its size in bytes. A nil packet with size 0 means that buf holds no complete
// one yet: read more, behind the same bytes. Errors are of type [*Error]; the connection is unusable after one.
//
// PUBLISH and acknowledgements are valid until the decoder is used again, and the byte slices of a PUBLISH are parts of buf. All other
// packets are the caller's.
func (d *Decoder) Next(buf []byte) (mqtt.Packet, int, error) {
	d.recycle()
	return d.next(buf)
}

// All decodes every complete Control Packet of buf, appends them to dst and returns the number of bytes they take. All of them are valid until
// the decoder is used again (see [Decoder.Next]). On an error the packets before the mistake are returned with it.
func (d *Decoder) All(dst []mqtt.Packet, buf []byte) ([]mqtt.Packet, int, error) {
	d.recycle()
	return d.More(dst, buf)
}

// More is All for other bytes, perhaps those of another connection; what was decoded before stays valid.
func (d *Decoder) More(dst []mqtt.Packet, buf []byte) ([]mqtt.Packet, int, error) {
	used := 0
	for used < len(buf) {
		p, n, err := d.next(buf[used:])
		if err != nil {
			return dst, used, err
		}
		if n == 0 {
			break
		}
		dst = append(dst, p)
		used += n
	}
	return dst, used, nil
}

func (d *Decoder) recycle() {
	d.publishes.reset()
	d.acks.reset()
}

func (d *Decoder) next(buf []byte) (mqtt.Packet, int, error) {
	h, err := d.header(buf)
	if err != nil {
		return nil, 0, err
	}
	if h.size == 0 || len(buf) < h.size {
		return nil, 0, nil
	}
	r := reader{b: buf[:h.size:h.size], at: h.length, end: h.size, typ: h.typ, seen: d.texts}
	p := d.body(&r, h.flags)
	if r.err == nil && d.Version == mqtt.V5 && !h.minimal {
		// [MQTT5 1.5.5-1] 3.1.1 asks nothing of the kind, and which version a CONNECT speaks is known only now.
		r.fail(mqtt.MalformedPacket, "Remaining Length", 1, "takes more bytes than it needs")
	}
	if r.err != nil {
		return nil, 0, r.err
	}
	return p, h.size, nil
}

func (d *Decoder) body(r *reader, flags byte) mqtt.Packet {
	var p mqtt.Packet
	v5 := d.Version == mqtt.V5
	switch r.typ {
	case mqtt.TypeConnect:
		p = d.connect(r)
	case mqtt.TypeConnack:
		p = r.connack(d.Version)
	case mqtt.TypePublish:
		p = d.publish(r, flags)
	case mqtt.TypePuback:
		p = (*mqtt.Puback)(d.ack(r))
	case mqtt.TypePubrec:
		p = (*mqtt.Pubrec)(d.ack(r))
	case mqtt.TypePubrel:
		p = (*mqtt.Pubrel)(d.ack(r))
	case mqtt.TypePubcomp:
		p = (*mqtt.Pubcomp)(d.ack(r))
	case mqtt.TypeSubscribe:
		p = r.subscribe(d.Version)
	case mqtt.TypeSuback:
		p = r.suback(d.Version)
	case mqtt.TypeUnsubscribe:
		p = r.unsubscribe(v5)
	case mqtt.TypeUnsuback:
		p = r.unsuback(v5)
	case mqtt.TypePingreq:
		p = &mqtt.Pingreq{}
	case mqtt.TypePingresp:
		p = &mqtt.Pingresp{}
	case mqtt.TypeDisconnect:
		p = r.disconnect(v5, d.From)
	case mqtt.TypeAuth:
		p = r.auth(d.From)
	}
	r.done()
	return p
}

// slab hands out values that stay where they are until reset, in chunks so that growing moves none.
type slab[T any] struct {
	chunks [][]T
	used   int
}

const slabChunk = 16

func (s *slab[T]) reset() { s.used = 0 }

func (s *slab[T]) next() *T {
	c, i := s.used/slabChunk, s.used%slabChunk
	if c == len(s.chunks) {
		s.chunks = append(s.chunks, make([]T, slabChunk))
	}
	s.used++
	return &s.chunks[c][i]
}
