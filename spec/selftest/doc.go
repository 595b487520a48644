// Package selftest tests the tests: it has no code of its own, only tests. Each conformance check passes on the reference broker in
// at least one of its set-ups and fails in none; each fault of package fault makes a check fail for every statement that the fault names;
// and each check fails under at least one fault. It is the only package of spec that may import the reference broker.
//
// # Design
//
// The broker runs in the same process, over in-memory connections in a synctest bubble: a Keep Alive of seconds then costs microseconds, and
// a check that waits for what never comes, as most do under a fault, costs nothing.
package selftest
