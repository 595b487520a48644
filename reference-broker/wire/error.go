package wire

import (
	"fmt"

	"mqttlab/reference-broker/mqtt"
)

// Error says why bytes are not an acceptable Control Packet. The Network Connection they came from cannot be used any further.
type Error struct {
	// Code is what the standard calls the mistake: MalformedPacket, ProtocolError, PacketTooLarge, TopicAliasInvalid or
	// UnsupportedProtocolVersion.
	Code mqtt.ReasonCode
	// Type is the Control Packet that was being read; 0 if even that is unknown.
	Type mqtt.Type
	// Field is what was being read, as the standard names it.
	Field string
	// Offset is where Field begins, in bytes from the first byte of the Control Packet.
	Offset int
	// Problem is what is wrong with it.
	Problem string
	// Version is the protocol version whose CONNACK the sender of a refused CONNECT can be expected to understand; 0 if none, then closing is the only
	// answer. Without meaning for other packets.
	Version mqtt.Version
}

// Error implements error.
func (e *Error) Error() string {
	if e.Type == 0 {
		return fmt.Sprintf("%s at byte %d: %s", e.Field, e.Offset, e.Problem)
	}
	return fmt.Sprintf("%s: %s at byte %d: %s", e.Type, e.Field, e.Offset, e.Problem)
}

// Unwrap returns the Reason Code, so that errors.Is(err, mqtt.MalformedPacket) works.
func (e *Error) Unwrap() error { return e.Code }
