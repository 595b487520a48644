// Command bench compares MQTT brokers on this machine: the reference broker, mosquitto where it is installed, and two more brokers that are written in
// Go, mochi and nats-server.
//
//	make bench                                          # Go benchmarks, then the table
//	go run ./reference-broker/bench -short              # a glance in a minute or two
//	go run ./reference-broker/bench -rows fan-in,connect -reps 7
//	go run ./reference-broker/bench -into README.md     # writes the table between two marks
//
// The mental model is a tournament. For each row of the table every broker is started afresh as a process of its own, loaded by a generator in another
// process (package load), and stopped; then the next one, and so on round and round. The figure is deliveries per CPU-second of the broker's process,
// and its ratio to mosquitto's in the same rounds is what holds from one machine to another.
//
// # Design
//
// The program starts itself again: as the generator, which wants a process without a garbage collector, and as mochi and nats-server, which are linked in from
// their modules. Containers lost, because their network would be measured too, and finding binaries lost, because their versions would vary. The
// reference broker is run from its binary, as its users run it.
//
// All brokers have their defaults, let everyone in and keep nothing on disk; nats-server keeps its MQTT sessions in JetStream, which it cannot do without. In the row about filters no client
// has two that match the same message: brokers may send such a client one copy or two, and both are right.
package main
