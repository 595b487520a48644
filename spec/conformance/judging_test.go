package conformance_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
)

// TestHungConnection wants a target that goes deaf on a connection to fail, whatever silence would have meant.
func TestHungConnection(t *testing.T) {
	for name, outcome := range map[string]conformance.Outcome{"stays open": conformance.StaysOpen(), "ignored": conformance.Ignored()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var deaf atomic.Bool
				f := &fake{react: func(_ *fake, _ net.Conn, r *octets.Received, _ octets.Version) bool {
					if r.Payload == "deafening" {
						deaf.Store(true)
					}
					return deaf.Load() && r.Type == octets.PINGREQ
				}}
				c := provoke("deafening")
				c.Run = func(_ context.Context, t *conformance.T) {
					p := t.Connect()
					p.Send(octets.Publish{Topic: t.Topic("a"), Payload: "deafening"})
					t.OneOf(p, "nothing happens", outcome)
				}
				run := verify(t, conformance.Options{Target: f.target(), Checks: []*conformance.Check{c}, Versions: []octets.Version{octets.V311}})
				res := run.Results[0]
				if res.Verdict != conformance.Fail || !strings.Contains(res.Failure.Got, "PINGREQ is not answered") {
					t.Errorf("%s: %s %+v", res.Verdict, res.Reason, res.Failure)
				}
			})
		})
	}
}

// TestFailureOfAMatcher wants the report to tell what was compared, and what was sent last on any connection.
func TestFailureOfAMatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		c := provoke("matcher")
		c.Run = func(_ context.Context, t *conformance.T) {
			publisher, p := t.Connect(), t.Connect()
			time.Sleep(time.Millisecond)
			publisher.Send(octets.Publish{Topic: t.Topic("a"), Payload: "x"})
			t.Dial()
			p.Next(time.Millisecond)
			t.Expect([]string{"a", "b"}).To(gomega.HaveLen(1), "messages that came")
		}
		run := verify(t, conformance.Options{Target: f.target(), Checks: []*conformance.Check{c}, Versions: []octets.Version{octets.V311}})
		got := run.Results[0].Failure
		if got == nil || got.Why != "messages that came" || !strings.HasPrefix(got.Sent, "client 1: PUBLISH") ||
			!strings.Contains(got.Got, `["a", "b"]`) || !slices.Equal(got.Acceptable, []string{"to have length 1"}) {
			t.Errorf("%+v", got)
		}
	})
}

// TestLenient wants a failure to be nonstrict, but a death to stay a crash.
func TestLenient(t *testing.T) {
	for name, want := range map[string]conformance.Verdict{"ignored": conformance.Nonstrict, "killed": conformance.Crash} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{react: on(name, func(f *fake, _ net.Conn) {
				if name == "killed" {
					f.die()
				}
			})}
			c := provoke(name)
			c.Run = func(_ context.Context, t *conformance.T) {
				t.Lenient()
				p := t.Connect()
				p.Send(octets.Publish{Topic: t.Topic("a"), Payload: name})
				p.Want(octets.PUBACK, "there is an answer")
			}
			run := verify(t, conformance.Options{Target: f.target(), Checks: []*conformance.Check{c}, Jobs: 1, Versions: []octets.Version{octets.V311}})
			if res := run.Results[0]; res.Verdict != want || res.Failure == nil {
				t.Errorf("%s: %s (%s), want %s", name, res.Verdict, res.Reason, want)
			}
		})
	}
}

// TestLongestFirst wants the order of starts to follow Takes, and that of results the order given.
func TestLongestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var started []string
		check := func(name string, takes time.Duration) *conformance.Check {
			c := harmless(name)
			c.Takes, c.Run = takes, func(context.Context, *conformance.T) { started = append(started, name) }
			return c
		}
		checks := []*conformance.Check{check("short", 0), check("long", 10*time.Second), check("brief", 0), check("longish", 2*time.Second)}
		run := verify(t, conformance.Options{Target: (&fake{}).target(), Checks: checks, Jobs: 1, Versions: []octets.Version{octets.V5}})
		if want := []string{"long", "longish", "short", "brief"}; !slices.Equal(started, want) {
			t.Errorf("started %v, want %v", started, want)
		}
		if run.Results[0].Check.Name != "short" {
			t.Errorf("first result is of %s", run.Results[0].Check.Name)
		}
	})
}

// TestVersionClosedOn wants a version that is met with a close to be unsupported, if an older one is served.
func TestVersionClosedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{without5: true}
		run := verify(t, conformance.Options{Target: f.target(), Checks: []*conformance.Check{harmless("any")}})
		if v := run.Results[0].Verdict; v != conformance.Pass {
			t.Errorf("3.1.1: %s (%s)", v, run.Results[0].Reason)
		}
		if v := run.Results[1].Verdict; v != conformance.Unsupported {
			t.Errorf("5.0: %s (%s)", v, run.Results[1].Reason)
		}
	})
}
