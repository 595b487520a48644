// Package statement holds the normative statements of MQTT 3.1.1 and MQTT 5.0 as
// data: what each one asks, of whom, how strongly, and whether a test on the wire
// can decide it.
//
// The model is a table. A row has an [ID] that names its standard, so that ids of
// the two versions cannot be mixed up:
//
//	MQTT311-3.1.2-24   statement 3.1.2-24 of MQTT 3.1.1
//	MQTT5-3.1.2-22     statement 3.1.2-22 of MQTT 5.0
//	X5-2.1.2-1         our own id for a rule of MQTT 5.0 that has no number
//
// The summaries are restatements in our words, one line to write a test from; the
// text of the standards is not here. Numbers are those of the OASIS Standards of
// 29 October 2014 (3.1.1) and 7 March 2019 (5.0), with their typing slips repaired:
// 3.1.1 prints 3.1.2.7 for 3.1.2-7, 3.3.1.-1 for 3.3.1-1 and 3-8.3-4 for 3.8.3-4;
// 5.0 prints T-3.2.2-8 for 3.2.2-8, and 4.2-1 in the body for 4.2.0-1. Statement
// 2.2.1-1 of 5.0 does not exist. Where body and appendix of 5.0 disagree, the body
// holds.
//
// Two statements of 5.0 have no RFC 2119 keyword (3.1.2-12, 3.8.3-4) and count as
// MUST NOT. In the unnumbered rows MUST NOT stands for what the text calls a
// Malformed Packet or a Protocol Error, and [Declarative] for plain description.
//
// # Design
//
// The tables are CSV, embedded and parsed on first use: a reviewer reads them as
// they are, and a program that never asks pays nothing. Generated Go literals lost:
// their diffs cannot be read.
package statement
