// Package inflight keeps what one end of an MQTT Session owes the other: Packet Identifiers, the QoS 1 and QoS 2 exchanges it has begun, and the
// QoS 2 exchanges its peer has begun. Client and Server use the same code, since the standard makes them the same.
//
// The mental model is two tables. [Outgoing] holds one row per Packet Identifier in use:
//
//	Begin QoS 1 -> AwaitPuback --PUBACK--> free
//	Begin QoS 2 -> AwaitPubrec --PUBREC--> AwaitPubcomp --PUBCOMP--> free
//	                           --PUBREC >= 0x80--> free
//	Reserve     -> AwaitReply  --Release (SUBACK, UNSUBACK)--> free
//
// and counts how many exchanges are open on this Network Connection against the peer's Receive Maximum. [IDSet] holds the Packet Identifiers
// of QoS 2 messages that were received and not yet released.
//
// Both belong to the Session: they outlive a Network Connection. After a reconnect that found the Session, Resume says what to send again.
//
// # Design
//
// A row's index is its Packet Identifier, freed rows form a first-in-first-out list, and rows in use form two linked lists in the order of
// sending: so beginning, finishing and finding an exchange are one array access each, without scanning for a free identifier, and nothing is
// allocated once the table has grown to the window in use. A map by identifier lost: it needs a search for free identifiers and a sort for
// resending. An ever-increasing counter lost for the same reason.
//
// Exchanges resumed in the PUBREL phase count against Receive Maximum although the standard does not say so: their PUBCOMP would otherwise
// raise the quota and let one message too many be open.
package inflight
