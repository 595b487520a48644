package wire

import (
	"encoding/binary"
	"fmt"

	"mqttlab/reference-broker/mqtt"
)

// writer appends the fields of one Control Packet to b. The first value that does not fit the format is kept in err; what was written then
// counts for nothing.
type writer struct {
	b     []byte
	start int // where the packet begins in b
	typ   mqtt.Type
	err   error
}

// begin writes the first byte and leaves one for the Remaining Length.
func begin(dst []byte, t mqtt.Type, flags byte) writer {
	return writer{b: append(dst, byte(t)<<4|flags, 0), start: len(dst), typ: t}
}

// end fills in the Remaining Length for what was written and extra bytes that the caller will append.
func (w *writer) end(extra int) ([]byte, error) {
	n := len(w.b) - w.start - 2 + extra
	if n > mqtt.MaxRemainingLength && w.err == nil {
		w.err = fmt.Errorf("%s: %d bytes are more than a Control Packet can hold", w.typ, n)
	}
	if w.err != nil {
		return w.b[:w.start], w.err
	}
	w.length(w.start+1, n)
	return w.b, nil
}

// length puts the Variable Byte Integer n in the place of the byte at, and moves what follows if n needs more.
// [MQTT5 1.5.5-1]
func (w *writer) length(at, n int) {
	if extra := varintLen(uint32(n)) - 1; extra > 0 {
		w.b = append(w.b, make([]byte, extra)...)
		copy(w.b[at+1+extra:], w.b[at+1:len(w.b)-extra])
	}
	putVarint(w.b[at:], uint32(n))
}

func (w *writer) byte(v byte)     { w.b = append(w.b, v) }
func (w *writer) uint16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }
func (w *writer) uint32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }

func (w *writer) fits(field string, n int) bool {
	if n > mqtt.MaxStringLength && w.err == nil {
		w.err = fmt.Errorf("%s: %s has %d bytes, at most 65,535 fit", w.typ, field, n)
	}
	return w.err == nil
}

func (w *writer) text(field, v string) {
	if w.fits(field, len(v)) {
		w.uint16(uint16(len(v)))
		w.b = append(w.b, v...)
	}
}

func (w *writer) binary(field string, v []byte) {
	if w.fits(field, len(v)) {
		w.uint16(uint16(len(v)))
		w.b = append(w.b, v...)
	}
}

// open begins a property section and returns its place for close. [MQTT5 2.2.2-1] An empty section is a Property Length of 0.
func (w *writer) open() int {
	w.b = append(w.b, 0)
	return len(w.b) - 1
}

func (w *writer) close(at int) { w.length(at, len(w.b)-at-1) }

func (w *writer) textProperty(id property, v string) {
	w.byte(byte(id))
	w.text(id.String(), v)
}

// someText writes v unless it is empty.
func (w *writer) someText(id property, v string) {
	if v != "" {
		w.textProperty(id, v)
	}
}

func (w *writer) optText(id property, v mqtt.Opt[string]) {
	if v.Set {
		w.textProperty(id, v.Value)
	}
}

// someBinary writes v unless it is nil.
func (w *writer) someBinary(id property, v []byte) {
	if v != nil {
		w.byte(byte(id))
		w.binary(id.String(), v)
	}
}

func (w *writer) optByte(id property, v mqtt.Opt[byte]) {
	if v.Set {
		w.b = append(w.b, byte(id), v.Value)
	}
}

func (w *writer) optBool(id property, v mqtt.Opt[bool]) {
	if v.Set {
		w.b = append(w.b, byte(id), bit(v.Value, 0))
	}
}

// someUint16 and someUint32 write v unless it is 0.
func (w *writer) someUint16(id property, v uint16) {
	if v != 0 {
		w.byte(byte(id))
		w.uint16(v)
	}
}

func (w *writer) someUint32(id property, v uint32) {
	if v != 0 {
		w.byte(byte(id))
		w.uint32(v)
	}
}

func (w *writer) optUint32(id property, v mqtt.Opt[uint32]) {
	if v.Set {
		w.byte(byte(id))
		w.uint32(v.Value)
	}
}

func (w *writer) subscriptionID(v uint32) {
	if v > mqtt.MaxSubscriptionIdentifier && w.err == nil {
		w.err = fmt.Errorf("%s: Subscription Identifier %d is above 268,435,455", w.typ, v)
		return
	}
	w.byte(byte(subscriptionIdentifier))
	w.b = appendVarint(w.b, v)
}

func (w *writer) userProperties(list []mqtt.UserProperty) {
	for i := range list {
		w.textProperty(userProperty, list[i].Name)
		w.text(userProperty.String(), list[i].Value)
	}
}

// problem writes the two properties that all answers share.
func (w *writer) problem(reason string, user []mqtt.UserProperty) {
	w.someText(reasonString, reason)
	w.userProperties(user)
}

// bit returns a byte with bit i as v says.
func bit(v bool, i int) byte {
	if v {
		return 1 << i
	}
	return 0
}

func appendVarint(dst []byte, v uint32) []byte {
	var b [4]byte
	return append(dst, b[:putVarint(b[:], v)]...)
}

// putVarint writes v in its shortest form and returns the number of bytes.
func putVarint(b []byte, v uint32) int {
	n := 0
	for v >= 0x80 {
		b[n] = byte(v) | 0x80
		v >>= 7
		n++
	}
	b[n] = byte(v)
	return n + 1
}
