// Package ledger accounts for every message of a fleet: what a device was due to say, and what became of it.
//
// A Book belongs to one group of devices. Devices enter what they did, sinks enter what arrived:
//
//	Sent          a message was due and the device took it on
//	Released      out of the device's hands without an acknowledgement: a QoS 0 message that was written, or one whose Session ended
//	GaveUp        the device dropped it, for a Reason: its queue was full, it was too old, its power was gone
//	Acknowledged  the sender's flow completed
//	Delivered     a copy reached the sink
//	Moved         a device went from one state to another
//
// In the end Close puts each message into exactly one column of a model.Ledger, so that the columns add up to what was sent, whatever the
// target did:
//
//	arrived more than once                         duplicated
//	arrived once, after the bound for lateness     late
//	arrived once                                   delivered
//	never arrived and was given up                 expired
//	never arrived, out of the device's hands       lost
//	never arrived, still in the device's hands     pending
//
// A QoS 0 message is out of the device's hands once it is written, a QoS 1 or 2 message once it is acknowledged.
//
// Commands to devices have a Book of their own, in which Acknowledged enters the answers. A Book also knows what the target has promised, and counts what it
// broke (see Broken), and finds the storms in which devices that lost their connections come back (see Storms).
//
// Each message carries a Header in its payload, so a sink needs to know nothing but the payload, and copies left over from another run
// are told apart. Latencies are recorded as first copies and acknowledgements come in, from the intended and from the actual time of sending.
//
// A Book may be used by several goroutines: devices behind links and their sinks run on different loops.
//
// # Design
//
// One byte per message says what became of it, for the whole run: a duplicate that comes an hour later still moves its message into the right
// column. A window of recent messages would be smaller and would have to guess there. A million messages cost a megabyte.
package ledger
