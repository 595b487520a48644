// Package load drives an MQTT broker in a closed loop and measures what it gets for a second of the broker's processor time.
//
//	result, err := load.Run(load.Spec{Scenario: load.Pairs, Address: "127.0.0.1:1883", PID: pid, Publishers: 50, Window: 20, Measure: time.Second})
//
// The mental model is one thread that plays all clients. It waits on epoll, parses what came in, and refills the windows of its publishers:
// each may have a number of messages that are not yet acknowledged and delivered. So nothing is dropped for being too much, and a slow broker is
// simply slower. Packets are encoded before the measurement, nothing is allocated per message, and [Run] is meant for a process of its own
// with the garbage collector off.
//
// The figure is deliveries per CPU-second of the broker's process, from /proc/PID/stat: on a machine that does other things too, it stays within
// some ten per cent where deliveries per second of the wall clock change twofold. Latency alone is measured in an open loop.
//
// It speaks MQTT 3.1.1, to addresses in 127.0.0.0/8 only, on Linux only. Every phase ends by its time or by its count, and with an error when nothing
// has happened for a while.
//
// # Design
//
// The packets are made and read here, not by package wire: the generator must not share its speed, nor its mistakes, with one of the brokers.
// A library of clients lost: it would need most of the processor itself.
package load
