// Package model defines the record: the one value that every mqttlab command
// writes and every report reads.
//
// A [Record] describes one run. Its head says what ran, when, with which seed
// and against which target. Its body is one of two kinds, named by
// [Record.Kind]:
//
//   - conformance: Summary, Checks, Coverage and Statements are filled. A
//     [Check] is one check that ran under one protocol version; a [Coverage]
//     row is one numbered statement with the verdict that its checks add up to.
//   - fleet: Fleet is filled. It holds a ledger (what became of every message),
//     latency histograms, and what happened over time. It holds histograms and
//     never messages, so a record of ten million messages stays small.
//
// On disk a record is JSON in the field names below. [Record.Schema] is its
// version. Within a version fields may be added, and a reader ignores those it
// does not know; a field that changes its meaning or goes away makes a new
// version. Package jsonfile reads and writes files.
//
// Encoding is deterministic: the same record gives the same bytes. Producers call
// [Record.Seal] once when the run has ended; it sorts, counts and derives, so that
// no two producers can count differently.
//
// # Verdicts
//
// The verdict of a statement is the worst verdict of its checks, in the order of
// [Verdicts]. "unsupported" and "skipped" are milder than "pass": a statement that
// one check has shown to hold is not made doubtful by another that could not run.
//
// # The ledger
//
// A [Ledger] has columns and counters. Each message that was sent is in exactly
// one column when the run has ended: Delivered, Late, Duplicated, Lost, Expired or
// Pending; the columns add up to Sent, and [Ledger.Validate] says so if they do
// not. Acknowledged, OutOfOrder and Copies are counters beside them: a message can
// be counted in any of them besides being in its column.
//
// # Histograms and units of comparison
//
// Messages of one device over one link are not independent, so a comparison must
// not treat each message as a sample. Each [Latency] therefore holds, besides its
// whole histogram, at most [MaxBlocks] blocks: the devices of the group dealt out
// evenly, with one histogram for each block. A comparison resamples blocks (or whole
// runs, when it has several records), never messages.
//
// # Design
//
// The package imports the standard library only and knows neither MQTT nor
// HdrHistogram: a histogram is an opaque string with its unit. Renderers can then be
// written against this package alone. A sum type in Go (an interface with one
// implementation per kind) lost to a Kind field: the JSON is flat as published, and
// two kinds do not need dispatch.
//
// Percentiles are not stored. They cannot be merged, histograms can.
package model
