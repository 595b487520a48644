package selftest

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/testbed"
	"mqttlab/spec/checks"
	"mqttlab/spec/conformance"
	"mqttlab/spec/target"
)

// setup is one way to run the reference broker. Together they offer every feature that a check can need.
type setup struct {
	name      string
	configure func(*broker.Config)
	settings  target.Settings
}

var setups = []setup{
	{name: "open", configure: testbed.Open},
	{name: "guarded", configure: testbed.Guarded, settings: target.Settings{
		UserName: new(testbed.UserName), Password: new(testbed.Password),
		ForbiddenTopic: testbed.ForbiddenTopic, RefusedClientID: testbed.RefusedClientID,
	}},
	{name: "limited", configure: testbed.Limited},
	{name: "without QoS 2", configure: testbed.WithoutQoS2},
}

// verify runs checks against a broker in a bubble of its own.
func verify(t *testing.T, s setup, fault func(*broker.Config), o conformance.Options) []*conformance.Result {
	var results []*conformance.Result
	synctest.Test(t, func(t *testing.T) {
		var cfg broker.Config
		s.configure(&cfg)
		if fault != nil {
			fault(&cfg)
		}
		b, err := broker.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close(context.Background())
		o.Seed = 1
		o.Target = &target.Target{
			URL: target.Reference, Settings: s.settings,
			Dial: func(context.Context, string, string) (net.Conn, error) { return b.Pipe() },
		}
		run, err := conformance.Verify(t.Context(), o)
		if err != nil {
			t.Logf("%s: no verdict: %v", s.name, err)
			return
		}
		results = run.Results
	})
	return results
}

// covering returns the checks that cover one of the statements.
func covering(ids []string) []*conformance.Check {
	return slices.DeleteFunc(checks.All(), func(c *conformance.Check) bool {
		return !slices.ContainsFunc(c.Covers, func(id statementID) bool { return slices.Contains(ids, string(id)) })
	})
}
