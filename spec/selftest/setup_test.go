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
	"mqttlab/reference-broker/transport"
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
	only      target.Feature // only checks that need it are run; empty: all
}

var setups = []setup{
	{name: "open", configure: testbed.Open},
	{name: "guarded", configure: testbed.Guarded, settings: target.Settings{
		UserName: new(testbed.UserName), Password: new(testbed.Password),
		ForbiddenTopic: testbed.ForbiddenTopic, RefusedClientID: testbed.RefusedClientID,
	}},
	{name: "limited", configure: testbed.Limited},
	{name: "without QoS 2", configure: testbed.WithoutQoS2},
	{name: "lasting", configure: testbed.Open, only: target.Restart},
	{name: "web", configure: testbed.Open, only: target.WebSocket},
}

// selects says whether a check is run in the set-up.
func (s setup) selects(c *conformance.Check) bool {
	return s.only == "" || slices.Contains(c.Needs, s.only)
}

// verify runs checks against a broker in a bubble of its own.
func verify(t *testing.T, s setup, f fault.Fault, o conformance.Options) []*conformance.Result {
	var results []*conformance.Result
	o.Only = func(c *conformance.Check, _ octets.Version) bool { return s.selects(c) }
	dir := ""
	if s.only == target.Restart {
		dir = t.TempDir()
	}
	synctest.Test(t, func(t *testing.T) {
		o.Seed = max(o.Seed, 1)
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
	if s.only == target.Restart {
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
	end = func() { _ = b.Close(context.Background()) }
	if s.only == target.WebSocket {
		return end, serveWeb(b, tg, f)
	}
	tg.Dial = func(context.Context, string, string) (net.Conn, error) { return b.Pipe() }
	return end, nil
}

// serveWeb lets the broker serve WebSockets in memory, with what the fault does to what is under them.
func serveWeb(b *broker.Broker, tg *target.Target, f fault.Fault) error {
	const url = "ws://memory:80/mqtt"
	memory := transport.NewMemory()
	ln, err := new(transport.ListenConfig).Over(&spoilt{memory, f.Under}, url)
	if err != nil {
		return err
	}
	go func() { _ = b.Serve(context.Background(), ln) }() // it ends with the broker
	tg.Address, tg.Socket = url, memory.Dial
	dialer := &transport.Dialer{Socket: func(ctx context.Context, _, _ string) (net.Conn, error) { return memory.Dial(ctx) }}
	tg.Dial = func(ctx context.Context, _, url string) (net.Conn, error) { return dialer.Dial(ctx, url) }
	return nil
}

// spoilt is a listener whose connections a fault wraps.
type spoilt struct {
	net.Listener
	under func(net.Conn) net.Conn
}

func (s *spoilt) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err == nil && s.under != nil {
		c = s.under(c)
	}
	return c, err
}

// covering returns the checks that cover one of the statements.
func covering(ids []string) []*conformance.Check {
	return slices.DeleteFunc(checks.All(), func(c *conformance.Check) bool {
		return !slices.ContainsFunc(c.Covers, func(id statementID) bool { return slices.Contains(ids, string(id)) })
	})
}
