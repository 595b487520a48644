package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// The first byte of a key. The order of the keys is the order in which a Server is restored.
const (
	keyMessage  = 'm' // number
	keyRetained = 'r' // Topic Name
	keySession  = 's' // number, then nothing for the Session itself or one of the parts
	keyVersion  = 'v'
)

// The ninth byte of a key that belongs to a Session.
const (
	partSubscription = 1 // Topic Filter
	partReceived     = 2 // Packet Identifier
	partDelivery     = 3 // Place
)

// appendKey appends the key of what r puts or removes.
func appendKey(dst []byte, r *server.Record) []byte {
	switch r.Kind {
	case server.PutMessage, server.RemoveMessage:
		return binary.BigEndian.AppendUint64(append(dst, keyMessage), r.Message)
	case server.PutRetained, server.RemoveRetained:
		return append(append(dst, keyRetained), r.Name...)
	}
	dst = binary.BigEndian.AppendUint64(append(dst, keySession), r.Session)
	switch r.Kind {
	case server.PutSubscription, server.RemoveSubscription:
		dst = append(append(dst, partSubscription), r.Name...)
	case server.PutReceived, server.RemoveReceived:
		dst = binary.BigEndian.AppendUint16(append(dst, partReceived), r.PacketID)
	case server.PutDelivery, server.RemoveDelivery:
		dst = binary.BigEndian.AppendUint64(append(dst, partDelivery), r.Place)
	}
	return dst
}

// appendValue appends the value of what r puts.
func appendValue(dst []byte, r *server.Record) ([]byte, error) {
	switch r.Kind {
	case server.PutMessage:
		return appendMessage(dst, r)
	case server.PutRetained:
		dst = binary.AppendUvarint(dst, r.Message)
	case server.PutSession:
		dst = append(dst, bit(r.Offline, 0))
		dst = appendText(appendText(dst, r.Client), r.Username)
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(r.Expiry)), r.Message)
		dst = binary.AppendVarint(appendTime(appendTime(dst, r.Time), r.WillTime), int64(r.Delay))
	case server.PutSubscription:
		dst = append(dst, byte(r.QoS&3)|bit(r.Shared, 2)|bit(r.NoLocal, 3)|bit(r.RetainAsPublished, 4))
		dst = appendIdentifiers(dst, r.Identifiers)
	case server.PutReceived:
	case server.PutDelivery:
		dst = append(dst, byte(r.QoS&3)|bit(r.Shared, 2)|bit(r.Retain, 3)|bit(r.Free, 4)|bit(r.Released, 5))
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, r.Message), uint64(r.PacketID))
		dst = appendIdentifiers(dst, r.Identifiers)
		if r.Shared {
			dst = appendText(appendText(dst, r.Share), r.Name)
		}
	default:
		return dst, fmt.Errorf("record of kind %d can't be stored", r.Kind)
	}
	return dst, nil
}

// appendMessage writes the PUBLISH as the codec of 5.0 does, with its payload behind it: so no message is too long that once was received.
func appendMessage(dst []byte, r *server.Record) ([]byte, error) {
	p := *r.Publish
	payload := p.Payload
	p.Payload = nil
	d := wire.Delivery{QoS: p.QoS, Retain: p.Retain, PacketID: 1, MessageExpiryInterval: p.MessageExpiryInterval}
	dst = appendTime(dst, r.Time)
	dst, _, err := wire.AppendPublish(dst, mqtt.V5, &p, d)
	return append(dst, payload...), err
}

func bit(set bool, at int) byte {
	if set {
		return 1 << at
	}
	return 0
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendTime writes 0 for the zero time.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(dst, 0)
	}
	return binary.AppendVarint(dst, t.UnixNano())
}

func appendIdentifiers(dst []byte, ids []uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ids)))
	for _, id := range ids {
		dst = binary.AppendUvarint(dst, uint64(id))
	}
	return dst
}

var errBroken = errors.New("a record that was not written by this program")

// decode makes the Record of a key and its value. The byte slices of a message are parts of value.
func (s *Store) decode(key, value []byte) (r server.Record, err error) {
	k, v := fields{b: key}, fields{b: value}
	switch k.byte() {
	case keyMessage:
		r.Kind, r.Message = server.PutMessage, k.uint64()
		r.Time = v.time()
		r.Publish = s.publish(&v)
	case keyRetained:
		r.Kind, r.Name, r.Message = server.PutRetained, string(k.rest()), v.uvarint()
	case keySession:
		r.Session = k.uint64()
		decodePart(&r, &k, &v)
	default:
		k.bad = true
	}
	if k.bad || v.bad || len(k.b) > 0 || len(v.b) > 0 {
		return r, fmt.Errorf("%w: key %q", errBroken, key)
	}
	return r, nil
}

// publish takes the message that the rest of v holds.
func (s *Store) publish(v *fields) *mqtt.Publish {
	b := v.rest()
	p, n, err := s.decoder.Next(b)
	m, ok := p.(*mqtt.Publish)
	if err != nil || !ok {
		v.bad = true
		return nil
	}
	m.Payload, m.PacketID = b[n:], 0
	return m
}

func decodePart(r *server.Record, k, v *fields) {
	if len(k.b) == 0 {
		r.Kind = server.PutSession
		r.Offline = v.byte() == 1
		r.Client, r.Username = v.text(), v.text()
		r.Expiry, r.Message = uint32(v.uvarint()), v.uvarint()
		r.Time, r.WillTime, r.Delay = v.time(), v.time(), time.Duration(v.varint())
		return
	}
	switch k.byte() {
	case partSubscription:
		f := v.byte()
		r.Kind, r.Name, r.QoS = server.PutSubscription, string(k.rest()), mqtt.QoS(f&3)
		r.Shared, r.NoLocal, r.RetainAsPublished = f&4 != 0, f&8 != 0, f&16 != 0
		r.Identifiers = v.identifiers()
	case partReceived:
		r.Kind, r.PacketID = server.PutReceived, k.uint16()
	case partDelivery:
		f := v.byte()
		r.Kind, r.Place, r.QoS = server.PutDelivery, k.uint64(), mqtt.QoS(f&3)
		r.Shared, r.Retain, r.Free, r.Released = f&4 != 0, f&8 != 0, f&16 != 0, f&32 != 0
		r.Message, r.PacketID = v.uvarint(), uint16(v.uvarint())
		r.Identifiers = v.identifiers()
		if r.Shared {
			r.Share, r.Name = v.text(), v.text()
		}
	default:
		k.bad = true
	}
}

// fields reads one field after the other. After the first that is not there, bad is set and zeros come.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) take(n int) []byte {
	if f.bad || n > len(f.b) {
		f.bad = true
		return nil
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) rest() []byte { return f.take(len(f.b)) }

func (f *fields) byte() byte {
	if b := f.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (f *fields) uint16() uint16 {
	if b := f.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (f *fields) uint64() uint64 {
	if b := f.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (f *fields) uvarint() uint64 {
	x, n := binary.Uvarint(f.b)
	f.take(max(n, 0))
	f.bad = f.bad || n <= 0
	return x
}

func (f *fields) varint() int64 {
	x, n := binary.Varint(f.b)
	f.take(max(n, 0))
	f.bad = f.bad || n <= 0
	return x
}

func (f *fields) time() time.Time {
	if n := f.varint(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

func (f *fields) text() string {
	n := f.uvarint()
	if n > uint64(len(f.b)) {
		f.bad = true
		return ""
	}
	return string(f.take(int(n)))
}

func (f *fields) identifiers() (ids []uint32) {
	n := f.uvarint()
	if n > uint64(len(f.b)) {
		f.bad = true
		return nil
	}
	for range n {
		ids = append(ids, uint32(f.uvarint()))
	}
	return ids
}
