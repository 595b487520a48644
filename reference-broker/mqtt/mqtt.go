// Package mqtt is the vocabulary of MQTT 3.1, 3.1.1 and 5.0: protocol versions, Quality of Service, Reason Codes, and one struct per
// Control Packet with its properties as plain fields.
//
// It holds no bytes and no behaviour: package wire turns packets into bytes and back, package core decides what a packet means.
// A newcomer needs one picture: a Control Packet on the wire is
//
//	fixed header (type, flags, Remaining Length) | variable header (Packet Identifier, properties, ...) | payload
//
// and each struct here is what is left once lengths, flags and property identifiers are taken away. The same struct serves all three
// versions; a field that a version cannot express is ignored by the encoder of that version and zero after decoding.
//
// # Design
//
// A property whose absence and whose zero value mean the same to the standard is a plain field. One where they differ (Maximum QoS, Server
// Keep Alive, Content Type, ...) is an [Opt]. One property struct shared by all packets was tried in other libraries; it lost because
// it lets a packet carry what the standard forbids there, and costs over 200 bytes on every PUBLISH.
package mqtt

import "fmt"

// Version is the Protocol Version byte of CONNECT (MQTT 5.0 section 3.1.2.2).
type Version byte

// The protocol versions. V31 calls itself "MQIsdp" on the wire, the others "MQTT".
const (
	V31  Version = 3
	V311 Version = 4
	V5   Version = 5
)

// String returns the version as people write it: "3.1", "3.1.1" or "5.0".
func (v Version) String() string {
	switch v {
	case V31:
		return "3.1"
	case V311:
		return "3.1.1"
	case V5:
		return "5.0"
	}
	return fmt.Sprintf("version %d", byte(v))
}

// QoS is a Quality of Service level. Values above 2 are never valid on the wire.
type QoS byte

// The delivery guarantees (MQTT 5.0 section 4.3).
const (
	AtMostOnce  QoS = 0
	AtLeastOnce QoS = 1
	ExactlyOnce QoS = 2
)

// Type is a Control Packet type, the high nibble of the first byte (MQTT 5.0 section 2.1.2).
type Type byte

// The Control Packet types. TypeAuth exists in 5.0 only; type 0 is forbidden.
const (
	TypeConnect Type = iota + 1
	TypeConnack
	TypePublish
	TypePuback
	TypePubrec
	TypePubrel
	TypePubcomp
	TypeSubscribe
	TypeSuback
	TypeUnsubscribe
	TypeUnsuback
	TypePingreq
	TypePingresp
	TypeDisconnect
	TypeAuth
)

var typeNames = [16]string{
	"type 0", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

// String returns the name as the standard spells it, such as "PUBLISH".
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("type %d", byte(t))
}

// Opt is a property that may be absent, where absence differs from the zero value.
type Opt[T any] struct {
	Value T
	Set   bool
}

// Some returns a present property.
func Some[T any](v T) Opt[T] { return Opt[T]{Value: v, Set: true} }

// Or returns the value, or def if the property is absent.
func (o Opt[T]) Or(def T) T {
	if o.Set {
		return o.Value
	}
	return def
}

// UserProperty is one name-value pair. Pairs keep their order and may repeat (MQTT 5.0 section 2.2.2.2).
type UserProperty struct {
	Name, Value string
}

// Limits of the wire format (MQTT 5.0 sections 1.5.4, 1.5.5 and 2.1.4).
const (
	// MaxRemainingLength is the largest Remaining Length, in bytes: four bytes of seven bits.
	MaxRemainingLength = 1<<28 - 1
	// MaxStringLength is the largest UTF-8 Encoded String or Binary Data, in bytes.
	MaxStringLength = 1<<16 - 1
	// MaxSubscriptionIdentifier is the largest Subscription Identifier; the smallest is 1.
	MaxSubscriptionIdentifier = 1<<28 - 1
	// DefaultReceiveMaximum holds where a peer does not send the property (sections 3.1.2.11.3 and 3.2.2.3.3).
	DefaultReceiveMaximum = 1<<16 - 1
	// SessionNeverExpires is the Session Expiry Interval of a Session that has no end.
	SessionNeverExpires = 1<<32 - 1
)
