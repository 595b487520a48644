// Package checks is the whole of the conformance checks: importing it registers them
// all. There is one folder per area and one file per feature.
//
// How to write a check, in ten lines:
//
//  1. Find the statement: grep the tables in spec/statement; note its id.
//  2. Open the file of the feature in spec/checks/<area>; a new area needs a package
//     comment, a file and an import below.
//  3. Declare it: var _ = conformance.Register(conformance.Check{Name, Title, Covers,
//     Needs, Run}). Title is what a good broker does, without subject.
//  4. Cover both versions in one check if the rule is the same; t.V5() tells them apart.
//  5. Set up with verbs that do whole exchanges: t.Connect, p.Subscribe, p.Publish, p.Ack.
//     Names come from t.Topic and t.ClientID; sessions and retained messages made with
//     them are removed afterwards.
//  6. Do the one thing the check is about with p.Send; package octets spoils packets.
//  7. Judge with one want that says why: p.Want, p.WantMessage, p.WantSilence,
//     p.WantOnly (a sentinel proves that no other message comes), t.WantClosed.
//  8. Where the standard leaves a choice, t.OneOf names every outcome, best first;
//     .Nonstrict and .Info rank what is allowed.
//  9. Never sleep. Limits of time come from t.Timings.
//  10. Prove it twice: it passes on a correct broker, and fails on one broken that way.
package checks

import (
	"mqttlab/spec/conformance"

	// Each area registers its checks.
	_ "mqttlab/spec/checks/alias"
	_ "mqttlab/spec/checks/auth"
	_ "mqttlab/spec/checks/connack"
	_ "mqttlab/spec/checks/connect"
	_ "mqttlab/spec/checks/disconnect"
	_ "mqttlab/spec/checks/flow"
	_ "mqttlab/spec/checks/keepalive"
	_ "mqttlab/spec/checks/malformed"
	_ "mqttlab/spec/checks/packets"
	_ "mqttlab/spec/checks/properties"
	_ "mqttlab/spec/checks/publish"
	_ "mqttlab/spec/checks/qos"
	_ "mqttlab/spec/checks/restart"
	_ "mqttlab/spec/checks/retain"
	_ "mqttlab/spec/checks/sequence"
	_ "mqttlab/spec/checks/session"
	_ "mqttlab/spec/checks/shared"
	_ "mqttlab/spec/checks/subscribe"
	_ "mqttlab/spec/checks/topics"
	_ "mqttlab/spec/checks/unsubscribe"
	_ "mqttlab/spec/checks/websocket"
	_ "mqttlab/spec/checks/will"
)

// All returns every check, by area and name.
func All() []*conformance.Check { return conformance.All() }
