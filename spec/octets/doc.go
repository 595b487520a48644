// Package octets is the test side's own wire layer: it builds Control Packets that
// may be wrong in any way, and reads whatever a server answers.
//
// Building: every packet is a plain struct ([Connect], [Publish], ...) whose zero
// fields mean the ordinary thing. A struct becomes a [Frame] (first byte, Remaining
// Length, body) for one [Version], and wrappers spoil the frame: [WithFlags],
// [WithLength], [Cut], [Trimmed], [Extended], [Patched]. Strings may hold any bytes;
// property lists are lists of raw identifiers and values.
//
// Reading: [Decode] takes any bytes and never refuses a whole packet. It returns one
// flat [Received] with what could be read, where each field lay, and a [Note] for
// each rule of the format that was broken. What a note means for a verdict is decided
// elsewhere.
//
// # Design
//
// This package shares no code with the reference broker's codec, and only the
// standard library with anything: a mistake in one codec must not hide in both. The
// price, a second and smaller codec, is repaid by a fuzz target that makes both
// agree. One flat Received lost to a type per packet in elegance and won in the
// checks, where ack.Code beats a type switch a thousand times over.
package octets
