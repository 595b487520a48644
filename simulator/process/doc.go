// Package process finds the processes that serve an address of this machine, and says how
// much processor time they have used.
//
// What a broker costs is as much an answer as how fast it is, and it is the one that a busy
// generator on the same machine does not spoil: processor time is counted per process.
//
// # Design
//
// Who listens is read from /proc/net/tcp and the descriptors below /proc, as ss and lsof do. Asking
// the user for a process id lost as the only way: a broker restarted by a script has another one each time. It
// stays as the way for brokers behind a container engine, whose ports are opened by a proxy, and for those of another user. The time comes from
// the process's CPU clock (clock_getcpuclockid(3)) in nanoseconds; /proc/PID/stat lost, as it counts in ticks of 10 ms, which is 1 % of a short run.
package process

import "errors"

// ErrUnknown is wrapped when no process can be named: the address is that of another machine, nobody
// listens there, the process belongs to somebody else, a container engine stands before it, or this is not Linux.
var ErrUnknown = errors.New("the process is not known")
