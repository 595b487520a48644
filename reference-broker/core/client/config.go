package client

import "time"

// Defaults of [Config].
const (
	// DefaultConnectTimeout is how long a Server may take from CONNECT to CONNACK. TCP itself may need seven seconds to get three lost
	// segments through; mosquitto and paho wait 30 s too.
	DefaultConnectTimeout = 30 * time.Second
	// DefaultMaxQueued bounds the messages that wait to be sent.
	DefaultMaxQueued = 1000
)

// Config is what all Network Connections of a Session have in common. Many machines may share one; none modifies it.
type Config struct {
	// ConnectTimeout is the longest wait for CONNACK (or the next AUTH). 0: DefaultConnectTimeout.
	ConnectTimeout time.Duration
	// PingTimeout is the longest silence after a PINGREQ. 0: the Keep Alive.
	PingTimeout time.Duration
	// MaxQueued is how many messages may wait to be sent for the first time; Publish refuses the next with ErrQueueFull. 0: DefaultMaxQueued.
	MaxQueued int
	// MaxInflight bounds the QoS 1 and 2 messages under way below the Server's Receive Maximum. 0: the Receive Maximum alone, which in 3.1 and 3.1.1
	// is 65,535 though Servers may take less there too: mosquitto closes on a few hundred open QoS 2 messages.
	MaxInflight uint16
	// QueueQoS0 lets QoS 0 messages wait for a connection like the others. Off, Publish refuses them with ErrNotConnected.
	QueueQoS0 bool
	// ManualAck leaves the acknowledgement of QoS 1 and 2 messages to Machine.Ack. The Receive Maximum of CONNECT then bounds what is unacknowledged.
	ManualAck bool
	// TopicAliases sends topics as Topic Aliases as far as the Server's Topic Alias Maximum goes: first come, first served.
	TopicAliases bool
	// Requeue turns messages that were sent but not acknowledged when the Session ended into new messages, instead of ending them with
	// ErrSessionLost. The Server may then see a message twice, even at QoS 2.
	Requeue bool
}

func (c *Config) connectTimeout() time.Duration {
	if c.ConnectTimeout > 0 {
		return c.ConnectTimeout
	}
	return DefaultConnectTimeout
}

func (c *Config) maxQueued() int {
	if c.MaxQueued > 0 {
		return c.MaxQueued
	}
	return DefaultMaxQueued
}
