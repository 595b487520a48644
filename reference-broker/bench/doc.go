// Command bench compares MQTT brokers on this machine: the reference broker, mosquitto where it is installed, and two more brokers that are
// written in Go, mochi and nats-server.
//
//	make bench                                          # Go benchmarks, then the table
//	go run ./reference-broker/bench -short              # a glance in a minute or two
//	go run ./reference-broker/bench -rows fan-in,connect -reps 7
//	go run ./reference-broker/bench -into README.md     # writes the table between two marks
//
// The mental model is a tournament. For each row of the table every broker is started afresh as a process of its own, loaded by a generator in
// another process (package load), and stopped; then the next one, and so on round and round. The figure is deliveries per CPU-second of the
// broker's process, and its ratio to mosquitto's in the same rounds is what holds from one machine to another.
//
// # Design
//
// The program starts itself again: as the generator, which wants a process without a garbage collector, and as mochi and nats-server, which
// are linked in from their modules. Containers lost, because their network would be measured too, and finding binaries lost, because their
// versions would vary. The reference broker is run from its binary, as its users run it.
//
// All brokers have their defaults, let everyone in and keep nothing on disk; nats-server keeps its MQTT sessions in JetStream, which it cannot
// do without. Where a row says on disk, its subscribers' Sessions outlive their connections, and those who can write what they acknowledge to
// disk first, and wait for it to be there: mqttlab with --store, mochi with its Pebble hook, nats-server with SyncAlways. mosquitto can't, and
// is the measure without.
//
// In the row about filters each message matches two filters, and those always belong to two clients: a client with both may be sent one copy or
// two, both are right, and a generator that waits for two copies would stand still with every broker that sends one.
//
// Latency is measured in an open loop at one rate for all, a fifth of what mosquitto can when it is fed in a closed loop in the same run of
// the program. It counts from the time at which the timetable had a message sent, so that a broker which stands still is not spared the
// messages of that time.
package main
