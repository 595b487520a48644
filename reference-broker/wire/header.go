package wire

import (
	"fmt"

	"mqttlab/reference-broker/mqtt"
)

// header is a fixed header (MQTT 5.0 section 2.1).
type header struct {
	typ     mqtt.Type
	flags   byte
	length  int  // of the fixed header itself, bytes
	size    int  // of the whole Control Packet, bytes; 0: the fixed header is not complete yet
	minimal bool // Remaining Length takes no more bytes than it needs
}

// header reads and judges the fixed header, with as few bytes as are needed to do so.
func (d *Decoder) header(buf []byte) (h header, err error) {
	if len(buf) == 0 {
		return h, nil
	}
	h.typ, h.flags = mqtt.Type(buf[0]>>4), buf[0]&0x0F
	if err := d.first(h.typ, h.flags); err != nil {
		return h, err
	}
	remaining, n, ok := varint(buf[1:])
	if !ok { // [X5 1.5.5-1]
		return h, &Error{Code: mqtt.MalformedPacket, Type: h.typ, Field: "Remaining Length", Offset: 1, Problem: "has more than four bytes"}
	}
	if n == 0 {
		return h, nil
	}
	h.length, h.size, h.minimal = 1+n, 1+n+int(remaining), n == varintLen(remaining)
	// [MQTT5 3.2.2-15] [X5 3.2.2.3.6-2] [X5 3.1.2.11.4-3]
	if d.MaximumPacketSize > 0 && h.size > int(d.MaximumPacketSize) {
		return h, &Error{
			Code: mqtt.PacketTooLarge, Type: h.typ, Field: "Remaining Length", Offset: 1,
			Problem: fmt.Sprintf("makes a packet of %d bytes, the limit is %d", h.size, d.MaximumPacketSize),
		}
	}
	return h, nil
}

// first judges the first byte: is this type allowed from that side in this version, and are its flags what they must be.
func (d *Decoder) first(t mqtt.Type, flags byte) error {
	fail := func(code mqtt.ReasonCode, field, problem string) error {
		return &Error{Code: code, Type: t, Field: field, Problem: problem}
	}
	switch {
	case t == 0, t == mqtt.TypeAuth && d.Version != 0 && d.Version != mqtt.V5: // [X5 2.1.2-1]
		return fail(mqtt.MalformedPacket, "Control Packet type", fmt.Sprintf("%d is reserved", t))
	case d.Version == 0 && t != mqtt.TypeConnect: // [MQTT5 3.1.0-1] [MQTT311 3.1.0-1]
		return fail(mqtt.ProtocolError, "Control Packet type", "comes before CONNECT")
	case !d.mayCome(t): // [X5 2.1.2-2] [X5 2.1.2-3]
		return fail(mqtt.ProtocolError, "Control Packet type", "is never sent by this end")
	case t == mqtt.TypePublish:
		return d.publishFlags(flags)
	case flags != fixedFlags(t):
		// [MQTT5 2.1.3-1] [MQTT311 2.2.2-2] [MQTT5 3.6.1-1] [MQTT5 3.8.1-1] [MQTT5 3.10.1-1] [MQTT5 3.14.1-1] [MQTT5 3.15.1-1]
		// [MQTT311 3.6.1-1] [MQTT311 3.8.1-1] [MQTT311 3.10.1-1] [MQTT311 3.14.1-1]
		// 3.1 gives PUBREL, SUBSCRIBE and UNSUBSCRIBE a QoS of 1 and a DUP flag of their own.
		if d.Version == mqtt.V31 && flags == fixedFlags(t)|0x08 && fixedFlags(t) != 0 {
			return nil
		}
		return fail(mqtt.MalformedPacket, "fixed header flags", fmt.Sprintf("are %04b, must be %04b", flags, fixedFlags(t)))
	}
	return nil
}

func (d *Decoder) mayCome(t mqtt.Type) bool {
	switch t {
	case mqtt.TypeConnect, mqtt.TypeSubscribe, mqtt.TypeUnsubscribe, mqtt.TypePingreq:
		return d.From == FromClient
	case mqtt.TypeConnack, mqtt.TypeSuback, mqtt.TypeUnsuback, mqtt.TypePingresp:
		return d.From == FromServer
	case mqtt.TypeDisconnect:
		return d.From == FromClient || d.Version == mqtt.V5
	}
	return true
}

// fixedFlags returns the flags that every Control Packet but PUBLISH has.
func fixedFlags(t mqtt.Type) byte {
	switch t {
	case mqtt.TypePubrel, mqtt.TypeSubscribe, mqtt.TypeUnsubscribe:
		return 0b0010
	}
	return 0
}

// Size returns how many bytes the Control Packet at the start of b takes, without judging it: 0 if b ends inside the fixed header, and -1 if the
// Remaining Length is no Variable Byte Integer.
func Size(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	remaining, n, ok := varint(b[1:])
	switch {
	case !ok:
		return -1
	case n == 0:
		return 0
	}
	return 1 + n + int(remaining)
}
