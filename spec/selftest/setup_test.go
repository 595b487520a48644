package selftest

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/fault"
	"mqttlab/reference-broker/testbed"
	"mqttlab/spec/checks"
	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/target"
)

// setup is one way to run the reference broker. Together they offer every feature that a check can need.
type setup struct {
	name      string
	configure func(*broker.Config)
	settings  target.Settings
	lasting   bool // it can be restarted; only checks that want that are run
}

var setups = []setup{
	{name: "open", configure: testbed.Open},
	{name: "guarded", configure: testbed.Guarded, settings: target.Settings{
		UserName: new(testbed.UserName), Password: new(testbed.Password),
		ForbiddenTopic: testbed.ForbiddenTopic, RefusedClientID: testbed.RefusedClientID,
	}},
	{name: "limited", configure: testbed.Limited},
	{name: "without QoS 2", configure: testbed.WithoutQoS2},
	{name: "lasting", configure: testbed.Open, lasting: true},
}

// selects says whether a check is run in the set-up.
func (s setup) selects(c *conformance.Check) bool {
	return !s.lasting || slices.Contains(c.Needs, target.Restart)
}

// verify runs checks against a broker in a bubble of its own.
func verify(t *testing.T, s setup, f fault.Fault, o conformance.Options) []*conformance.Result {
	var results []*conformance.Result
	o.Only = func(c *conformance.Check, _ octets.Version) bool { return s.selects(c) }
	dir := ""
	if s.lasting {
		dir = t.TempDir()
	}
	synctest.Test(t, func(t *testing.T) {
		o.Seed = 1
		o.Target = &target.Target{URL: target.Reference, Settings: s.settings}
		end, err := s.start(o.Target, f, dir)
		if err != nil {
			t.Fatal(err)
		}
		defer end()
		run, err := conformance.Verify(t.Context(), o)
		if err != nil {
			t.Logf("%s: no verdict: %v", s.name, err)
			return
		}
		results = run.Results
	})
	return results
}

// start starts a broker with a fault and lets the target reach it.
func (s setup) start(tg *target.Target, f fault.Fault, dir string) (end func(), err error) {
	configure := func(cfg *broker.Config) {
		s.configure(cfg)
		f.Apply(cfg)
	}
	if s.lasting {
		l, err := testbed.NewLasting(dir, configure, f.Damage)
		if err != nil {
			return nil, err
		}
		tg.Restart, tg.Crash = l.Restart, l.Crash
		tg.Dial = func(context.Context, string, string) (net.Conn, error) { return l.Pipe() }
		return func() { _ = l.Close(context.Background()) }, nil
	}
	var cfg broker.Config
	configure(&cfg)
	b, err := broker.New(cfg)
	if err != nil {
		return nil, err
	}
	tg.Dial = func(context.Context, string, string) (net.Conn, error) { return b.Pipe() }
	return func() { _ = b.Close(context.Background()) }, nil
}

// covering returns the checks that cover one of the statements.
func covering(ids []string) []*conformance.Check {
	return slices.DeleteFunc(checks.All(), func(c *conformance.Check) bool {
		return !slices.ContainsFunc(c.Covers, func(id statementID) bool { return slices.Contains(ids, string(id)) })
	})
}
