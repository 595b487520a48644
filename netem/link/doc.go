// Package link models one direction of a network link, packet by packet.
//
// It is for anyone who wants to know what a radio does to traffic without a
// radio: the emulated stacks in netem/stack use it, and so do tests and
// calculations that need no network at all. A Link is a pure function with
// memory: it is told "a packet of so many bytes is sent now" and answers when
// that packet arrives, or why it never will. It reads no clock, starts no
// goroutine and moves no bytes.
//
//	model, err := link.Compile(link.Config{Delay: 60 * time.Millisecond, LossRatio: 0.01})
//	l := link.New(model, seed, 0)
//	arrival := l.Admit(now, 1500) // now: time since the link was made
//
// A packet passes these stations in this order:
//
//	MTU -> outage -> queue (tail drop, CoDel) -> serialisation (rate, duty cycle,
//	slots, trace) -> loss, of each fragment -> corruption -> delay with jitter
//	-> sleeping receiver -> in-order delivery
//
// Each has its own file, its theory in the comment of its Config field, and its
// own test against that theory.
//
// # Design
//
// Loss comes after serialisation: a radio spends the airtime of a packet that
// nobody hears. Dropping before the queue would make lossy links too fast.
//
// Jitter is a function of time, not of the packet count. Independent jitter per
// packet together with in-order delivery makes every packet wait for the
// slowest one before it, so the mean drifts upward with the packet rate and the
// configured distribution is never seen. Here the delay follows a smooth random
// curve with the configured distribution and correlation time; an
// autoregressive process was tried on paper and lost, because it is not smooth:
// however small the step between two packets, the delay falls faster than time
// passes and in-order delivery distorts it again.
//
// Delay distributions are one quantile table each, indexed by a normal
// variate. One code path serves every shape, exactly as fast for Pareto as for
// uniform, and a measured table is just another table.
//
// Slots and traces of rates count in bytes that the link could have carried since
// its start: a packet of b bytes leaves when that count has risen by b. So a trace
// of any length costs a binary search and no state but the count, and what
// Mahimahi does opportunity by opportunity is a division.
//
// Times are durations since the link's start instead of time.Time: half the
// cost in the hot path, and a schedule of outages means the same thing in every
// run.
package link
