// Package target is what is judged: its address, how to get there, what it offers, and
// what is known to fail on it.
//
// A [Target] comes from an address such as mqtt://127.0.0.1:1883 or from a YAML file
// ([Parse]). What it offers ([Found]) is found from CONNACK and by probing
// ([Discover]), never guessed and never told by hand; a file may narrow it. A target
// that cannot be judged at all gives a [*ReachError]: one line that says what was seen
// and what to do.
//
// A target file:
//
//	url: mqtt://127.0.0.1:1883
//	listeners: [ws://127.0.0.1:8080]  # further transports that it can be judged over
//	name: my broker 1.2
//	without: [shared, retained]       # features not to be tested
//	timings: {answer: 5s, settle: 1s, slack: 3s}
//	user: alice
//	password: secret
//	forbidden-topic: forbidden/topic  # alice may not publish there
//	refused-client-id: bad
//	known: known-failures.yaml        # beside this file
//
// A file of known failures is a list; each entry needs a reason:
//
//   - check: connect/*                # a name, * stands for any text
//     mqtt: "5.0"                     # optional
//     transports: [ws, wss]           # optional, of tcp, tls, ws, wss, unix
//     reason: https://example.org/issues/17
//     sometimes: true                 # optional: a pass does not mean that it is mended
package target
