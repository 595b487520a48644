// Package probe is the scripted peer: one Network Connection to a target, driven by
// verbs, with a transcript of every byte in both directions.
//
// A check reads as a conversation:
//
//	p.Send(octets.Publish{Topic: topic, QoS: 1, ID: 7})
//	ack := p.Want(octets.PUBACK, "a QoS 1 message is acknowledged")
//	p.WantSilence("one PUBLISH gets one PUBACK")
//
// Every want carries a phrase that says why; when it does not come true, the phrase,
// what was sent and what came instead go into a [Failure] and the check ends there.
// Each packet a target sends is audited by itself as well (reserved flags, shortest
// lengths, well-formed strings, legal properties, order of packets), and a breach
// fails the check that received it with the statement that was broken.
//
// Silence is proven by a barrier, never by waiting: PINGREQ is sent, and what the
// target had to say arrives before PINGRESP ([Peer.WantSilence]); or a sentinel
// message takes the same path as the message that must not come ([Peer.WantOnly]).
// The waits that remain are named in [Timings] and scale with the round trip.
//
// A Peer belongs to one goroutine, that of the check. It starts one other, which
// reads; [Peer.Close] waits for it.
//
// # Design
//
// Reading happens in a goroutine and waiting on a channel, not by read deadlines:
// then the same peer works over an in-memory connection in a synctest bubble, and the
// moment of a close is known even while the check is doing something else.
package probe
