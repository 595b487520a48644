package client

import (
	"errors"
	"fmt"

	"mqttlab/reference-broker/mqtt"
)

// Errors that an owner branches on.
var (
	// ErrNotConnected: the operation needs a Network Connection and there is none. Nothing was sent.
	ErrNotConnected = errors.New("not connected to a server")
	// ErrQueueFull: Config.MaxQueued messages wait already. Nothing was taken; try again after a Done.
	ErrQueueFull = errors.New("queue of messages to send is full")
	// ErrConnectionLost: the Network Connection ended before the answer came. Whether the Server acted is unknown.
	ErrConnectionLost = errors.New("network connection ended before the server answered")
	// ErrSessionLost: the Session ended before the message was acknowledged. Whether the Server has it is unknown.
	ErrSessionLost = errors.New("session ended before the server acknowledged the message")
	// ErrNotResent: the message was sent and not acknowledged, and the limits of the Server have changed so that it must not be sent again. Whether the
	// Server has it is unknown.
	ErrNotResent = errors.New("message was sent but not acknowledged, and the server's limits now forbid sending it again")
	// ErrExpired: the message's Message Expiry Interval passed before it could be sent. It was not sent.
	ErrExpired = errors.New("message expired before it could be sent")
	// ErrTimeout: the Server did not answer in time. The machine closed the Network Connection.
	ErrTimeout = errors.New("no answer from the server in time")
)

// RefusedError is a Reason Code of 0x80 or above that the Server sent: it did not want what this side asked for. errors.Is finds the code.
type RefusedError struct {
	Packet    mqtt.Type // the packet with the code: CONNACK, PUBACK, PUBREC, SUBACK, UNSUBACK, DISCONNECT
	Code      mqtt.ReasonCode
	Reason    string // Reason String; empty: none given
	Reference string // Server Reference of CONNACK and DISCONNECT; empty: none
}

// Error implements error.
func (e *RefusedError) Error() string {
	s := fmt.Sprintf("server answered %v with %v", e.Packet, e.Code)
	if e.Packet == mqtt.TypeConnack {
		s = fmt.Sprintf("server refused the connection: %v", e.Code)
	}
	if e.Packet == mqtt.TypeDisconnect {
		s = fmt.Sprintf("server ended the connection: %v", e.Code)
	}
	if e.Reason != "" {
		s += fmt.Sprintf(": %q", e.Reason)
	}
	if e.Reference != "" {
		s += ", use " + e.Reference
	}
	return s
}

// Unwrap returns the Reason Code, for errors.Is.
func (e *RefusedError) Unwrap() error { return e.Code }

// ViolationError is a breach of the protocol by the Server. The machine sent Code in a DISCONNECT where the version has one, and closed.
type ViolationError struct {
	Code   mqtt.ReasonCode
	Detail string // what came and why it is wrong
}

// Error implements error.
func (e *ViolationError) Error() string {
	return fmt.Sprintf("server broke the protocol: %s (answered %v)", e.Detail, e.Code)
}

// Unwrap returns the Reason Code, for errors.Is.
func (e *ViolationError) Unwrap() error { return e.Code }

// InvalidError is a request of this side that the standard or the Server's announced limits forbid. Nothing was sent.
type InvalidError struct {
	Code   mqtt.ReasonCode // what the Server would have said
	Detail string
}

// Error implements error.
func (e *InvalidError) Error() string { return "not sent: " + e.Detail }

// Unwrap returns the Reason Code, for errors.Is.
func (e *InvalidError) Unwrap() error { return e.Code }
