package client

import (
	"errors"

	core "mqttlab/reference-broker/core/client"
	"mqttlab/reference-broker/mqtt"
)

// The error types of the protocol; see package core/client.
type (
	// RefusedError is a Reason Code of 0x80 or above from the Server.
	RefusedError = core.RefusedError
	// ViolationError is a breach of the protocol by the Server.
	ViolationError = core.ViolationError
	// InvalidError is a request that the standard or the Server's limits forbid. Nothing was sent.
	InvalidError = core.InvalidError
)

// Errors that a caller branches on.
var (
	// ErrURL: Dial was given a URL that names no server.
	ErrURL = errors.New("server URL")
	// ErrNotConnected: a QoS 0 message while there is no Network Connection. It was not sent.
	ErrNotConnected = core.ErrNotConnected
	// ErrQueueFull: Enqueue found the queue full. Nothing was taken.
	ErrQueueFull = core.ErrQueueFull
	// ErrSessionLost: the Session ended before the acknowledgement. Whether the Server has the message is unknown.
	ErrSessionLost = core.ErrSessionLost
	// ErrNotResent: the Server's limits changed before the acknowledgement. Whether the Server has the message is unknown.
	ErrNotResent = core.ErrNotResent
	// ErrExpired: the Message Expiry Interval passed while the message waited. It was not sent.
	ErrExpired = core.ErrExpired
	// ErrTimeout: the Server did not answer in time.
	ErrTimeout = core.ErrTimeout
	// ErrNotTaken: the context ended while Publish waited for room in the queue. The message was not sent and will not be.
	ErrNotTaken = errors.New("message was not taken: the queue stayed full")
	// ErrUnderWay: the context ended before the acknowledgement came. The message is still on its way.
	ErrUnderWay = errors.New("message is still under way")
	// ErrClosed: the client was closed first. A message that was under way may have reached the Server.
	ErrClosed = errors.New("client is closed")
)

// permanent reports whether trying again is pointless, or worse: two clients with one Client Identifier would throw each other out for ever.
func permanent(err error) bool {
	var refused *RefusedError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case mqtt.UnsupportedProtocolVersion, mqtt.ClientIdentifierNotValid, mqtt.BadUserNameOrPassword, mqtt.NotAuthorized, mqtt.Banned,
		mqtt.BadAuthenticationMethod, mqtt.SessionTakenOver, mqtt.ServerMoved:
		return true
	}
	return false
}
