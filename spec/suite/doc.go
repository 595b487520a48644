// Package suite runs the conformance checks as Ginkgo specs: in the mqttlab command, by
// go test ./spec/suite, and by ginkgo ./spec/suite.
//
// Each check is one It per version, in a Describe per area, with the labels
// area:connect, version:5.0, level:must and statement:MQTT5-3.1.0-2. Its code location is
// that of the check. A report entry holds the verdict, another the transcript.
//
// The specs do not talk to the target themselves. The checks run ahead on a pool of
// their own (package conformance), and each spec waits for its result and replays it:
// fail, crash and fixed fail the spec; unsupported, skipped and inconclusive skip it.
//
// # Design
//
// Ginkgo runs one spec at a time in a process, and checks wait far more than they
// compute; a pool of re-executed processes would have worked too, at the price of
// starting the target's discovery anew in each. Only this package imports Ginkgo, so
// that its flags, its exits and its signal handler are dealt with in one place.
package suite
