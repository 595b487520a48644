package client

import "mqttlab/reference-broker/mqtt"

// Token is the owner's name for one Publish, Subscribe or Unsubscribe. The machine only gives it back in [Done].
type Token uint64

// Receipt names one delivered message that waits for [Machine.Ack]. Zero: nothing to acknowledge.
type Receipt uint32

// ActionKind says which fields of an [Action] count.
type ActionKind uint8

// The kinds of actions.
const (
	// SendPacket: write Packet.
	SendPacket ActionKind = iota + 1
	// SendAck: write PUBACK, PUBREC, PUBREL or PUBCOMP (AckType) with AckID and Code. Apart from SendPacket so that no acknowledgement allocates.
	SendAck
	// SendPublish: write Publish with the fields of Sending in place of its own (see Action.Outgoing).
	SendPublish
	// Deliver: hand Publish to the application. With Config.ManualAck and a Receipt other than zero, call Machine.Ack once it is done with it.
	Deliver
	// Done: the operation Token is over. Err is nil if it succeeded; Code is the Server's Reason Code; Packet is the *mqtt.Suback or *mqtt.Unsuback.
	Done
	// Challenge: the Server sent AUTH (Packet); answer with Machine.Authenticate. An AUTH of Success ends a re-authentication and needs no answer.
	Challenge
	// Close: write out what was sent before, then close the Network Connection. Lost need not be called.
	Close
	// StateChange: the machine is now in State. Connected: Packet is the *mqtt.Connack. Disconnected: Err says why, nil after Machine.Disconnect.
	StateChange
)

// Action is one thing the owner has to do. It is handed out by pointer to spare copies; it and what it points to is valid during the callback
// only, except a Publish of SendPublish, which is the owner's own.
type Action struct {
	Kind    ActionKind
	AckType mqtt.Type       // SendAck
	Code    mqtt.ReasonCode // SendAck, Done
	State   State           // StateChange
	AckID   uint16          // SendAck
	Receipt Receipt         // Deliver
	Sending Sending         // SendPublish
	Token   Token           // Done, SendPublish, SendAck of a PUBREL for a message
	Publish *mqtt.Publish   // SendPublish, Deliver
	Packet  mqtt.Packet     // SendPacket, Done, Challenge, StateChange
	Err     error           // Done, StateChange
}

// Sending is what one transmission of a PUBLISH adds to the Application Message.
type Sending struct {
	PacketID   uint16 // 0 for QoS 0
	TopicAlias uint16 // 0: none
	OmitTopic  bool   // the alias alone is sent
	Dup        bool
	Expiry     uint32 // seconds left of the Message Expiry Interval, where the message has one
}

// Outgoing fills dst with the PUBLISH that a SendPublish action wants written. dst is the owner's, so that one serves many machines.
func (a *Action) Outgoing(dst *mqtt.Publish) {
	*dst = *a.Publish
	dst.PacketID, dst.Dup, dst.TopicAlias = a.Sending.PacketID, a.Sending.Dup, a.Sending.TopicAlias
	if a.Sending.OmitTopic {
		dst.Topic = ""
	}
	if dst.MessageExpiryInterval.Set {
		dst.MessageExpiryInterval.Value = a.Sending.Expiry
	}
}
