package octets

import "fmt"

// Version is the Protocol Level byte of CONNECT.
type Version byte

// The versions this package reads and writes.
const (
	V311 Version = 4
	V5   Version = 5
)

// String writes the version as its standard does: "3.1.1", "5.0".
func (v Version) String() string {
	switch v {
	case V311:
		return "3.1.1"
	case V5:
		return "5.0"
	}
	return fmt.Sprintf("level %d", byte(v))
}

// Type is the Control Packet type, the high nibble of the first byte.
type Type byte

// The Control Packet types. AUTH exists in 5.0 only; 0 is forbidden.
const (
	CONNECT Type = iota + 1
	CONNACK
	PUBLISH
	PUBACK
	PUBREC
	PUBREL
	PUBCOMP
	SUBSCRIBE
	SUBACK
	UNSUBSCRIBE
	UNSUBACK
	PINGREQ
	PINGRESP
	DISCONNECT
	AUTH
)

var typeNames = [16]string{
	"type 0", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

// String is the name of the type in capitals.
func (t Type) String() string { return typeNames[t&15] }

// fixedFlags is what the flag nibble of every type but PUBLISH has to be.
func (t Type) fixedFlags() byte {
	if t == PUBREL || t == SUBSCRIBE || t == UNSUBSCRIBE {
		return 2
	}
	return 0
}
