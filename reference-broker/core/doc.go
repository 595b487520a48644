// Package core is the roof over the protocol logic of mqttlab: machines that take Control Packets and the current time and return what is
// to be done, without a socket, a goroutine, a lock or a clock of their own.
//
//	server   the MQTT Server: connections, Sessions, routing, retained and Will Messages
//	client   the MQTT Client: one Session that outlives its Network Connections
//	topic    Topic Names and Filters, the subscription tree, the retained tree
//	inflight Packet Identifiers and the QoS 1 and 2 exchanges, both directions
//
// The same inputs give the same outputs, always: so the machines run on sockets (packages broker and client), in tests with a made-up
// clock, and in the virtual time of fleet runs.
//
// # Design
//
// Nothing here may import net, os, sync, log or call time.Now: the layering test of cmd/mqttlab enforces it. Machines speak packets, not
// bytes, so that a fault in the codec and a fault in the logic can't be confused, and virtual time may skip encoding where it does not matter.
package core
