// Package fleet runs scenarios: it puts devices on hosts, lets the scenario's timetable pass, and turns what the ledgers hold into a record.
//
// The same devices run in three modes, which differ in what lies between them and the target:
//
//	live      plain sockets to the target (package simulator/live)
//	emulated  real TCP over lossy links in this process, then a gateway's socket to the target (package netem/stack), on the wall clock
//	virtual   the same links and TCP on a virtual clock, and this program's own broker as the target: one seed gives one record, a day takes seconds
//
// Each group of devices has one Sink, which subscribes to what the group publishes and feeds its ledger. Sinks connect without a lossy link: in the first two
// modes straight to the target, in virtual mode over a perfect link.
//
// A group that is told something has a Controller beside its Sink. Faults are timers on the devices' own loops; what they do to a connection is the host's:
// an emulated device loses its power or its links, in live mode its socket falls silent. TLS (package simulator/secure) lies between host and device, except in virtual
// mode, where its random numbers would make each run another one.
//
//	engine     a mode: hosts for devices, and the passing of time
//	crew       the devices and sinks of all groups, and their books
//	Run        timetable: sinks subscribe, ramp, settle, messages, drain, farewell
//
// # Design
//
// The timetable is driven from one place for all modes: "let time pass until t", then look at the books. The wall-clock engines sleep meanwhile, the
// virtual one works. In virtual mode nothing else touches the devices, which is what makes the record reproducible.
//
// In emulated mode each group has networks of its own, so that what TCP did at either end is known per group.
package fleet
