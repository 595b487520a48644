// Package grammar generates packets that are wrong in one place, thousands of them, from one description of the Control Packets that a
// client sends.
//
// A packet is a list of parts (a Packet Identifier, a Topic Name, a list of properties, ...), and a property is a row of Table 2-4 of
// MQTT 5.0: a type, the packets it may be in, values at the edge of what is legal and values beyond. From that, each [Rule] makes its cases
// the same way for every packet: each wrong flag nibble, each place where a packet can be cut, each property where it does not belong. A
// [Case] is bytes, the moment at which to send them, what the standard lets a server do about them, and the statements that say so.
//
// Sending and judging is done by package checks/packets: one check per rule.
//
// # Design
//
// The description is its own and not that of package octets, which reads what servers send: a table that makes mistakes on purpose
// and a table that notices them must not share theirs. Writing the cases down as bytes by hand lost: nobody can see in two
// thousand lines which one is missing.
package grammar
