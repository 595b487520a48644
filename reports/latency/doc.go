// Package latency records time spans into histograms that can be merged and kept, and
// estimates quantiles from them.
//
// Four types, in the order in which a measurement meets them:
//
//   - A [Recorder] takes the latencies of one group of devices while it runs. It deals the devices out
//     over a few blocks, because a comparison needs to know which values came from the same device.
//   - A [Histogram] is what a block, a group or a run adds up to. It is an HdrHistogram in
//     microseconds from 1 µs to 7 days, with three significant digits: a value is known to 0.1 %. Histograms merge without
//     loss; quantiles never can, so nothing here merges quantiles. [Histogram.Encode] and [Decode] are its form in a record.
//   - A [Heat] counts the same spans over time as well, coarsely, for a heat map.
//   - A [Distribution] is a sorted list of distinct values with their counts, made from a
//     histogram or from samples. A [HarrellDavis] estimates a quantile from it.
//
// # Open loop
//
// A latency called intended counts from the moment at which a message was due, not from the
// moment at which the device got round to sending it; otherwise a target that stalls its senders would look fast. Both
// are recorded; see [mqttlab/reports/model.Measure].
//
// # Design
//
// Harrell and Davis (Biometrika 69, 1982) weigh all order statistics by a Beta distribution
// instead of picking one or two. For a bootstrap this matters: a quantile that jumps from one observed value to the
// next gives ragged intervals, worst in the tail. The price is the incomplete beta function, paid once
// per quantile and arm in a table.
//
// Storage is sparse (hdrhistogram's packed form): a fleet has groups times four distributions times 64
// blocks, and a dense histogram of this range is a quarter of a megabyte. Recording is then a binary search, and a value
// never seen before moves those above it. Two significant digits in dense form lost: 1 % is too
// coarse beside an equivalence margin of 5 %.
package latency
