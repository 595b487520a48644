// Package wire turns Control Packets of MQTT 3.1, 3.1.1 and 5.0 into bytes and back.
//
// A [Decoder] takes whatever a Network Connection has delivered so far and hands out the complete Control Packets in it:
//
//	packet, n, err := decoder.Next(buf)  // n == 0 without error: read more
//
// [Append] and its special cases [AppendPublish] and [AppendAck] write one Control Packet behind a slice. There is one file per Control
// Packet, holding both directions, so that a reader can lay it beside the section of the standard.
//
// What can be judged from the bytes of one Control Packet alone is judged here and ends in an [*Error] with the Reason Code that the standard gives
// it; what needs more (is this Packet Identifier in use, is this Topic Alias known) is left to package core. Text is checked for being UTF-8
// without U+0000; other control characters are let through unchanged, as the standard permits.
//
// # Design
//
// Reading never trusts a length: the size of a Control Packet is compared with [Decoder.MaximumPacketSize] as soon as its fixed header is
// there, nothing is allocated from a length field, and every field is bounded by the section it stands in.
//
// PUBLISH and the acknowledgements are decoded into structs of the decoder, and the payload of a PUBLISH is a part of the caller's buffer, so that a
// busy connection costs no allocation. Everything else is rare and gets memory of its own. Handing out fresh structs for all packets
// was simpler, and lost a third of the throughput of a broker to the garbage collector.
//
// Writing backfills lengths: the variable header is written behind a one-byte Remaining Length and moved where it needs more.
// A second pass to compute sizes first would have been twice the code for the same bytes.
package wire
