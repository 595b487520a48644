package conformance_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// provoke is a check that sends one PUBLISH and wants the connection closed for it.
func provoke(name string) *conformance.Check {
	return &conformance.Check{
		Name: name, Area: "test", Title: "closes", Covers: statement.IDs(statement.V311("3.3.1-4"), statement.V5("3.3.1-4")),
		Run: func(_ context.Context, t *conformance.T) {
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic(name), Payload: name})
			t.WantClosed(p, "this is a Protocol Error", 0x82)
		},
	}
}

// harmless is a check that any server passes.
func harmless(name string) *conformance.Check {
	c := provoke(name)
	c.Run = func(_ context.Context, t *conformance.T) { t.Connect().WantSilence("nothing to say") }
	return c
}

func verify(t *testing.T, o conformance.Options) *conformance.Run {
	t.Helper()
	run, err := conformance.Verify(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// on makes a reaction to the PUBLISH of provoke.
func on(name string, do func(f *fake, c net.Conn)) func(*fake, net.Conn, *octets.Received, octets.Version) bool {
	return func(f *fake, c net.Conn, r *octets.Received, _ octets.Version) bool {
		if r.Type != octets.PUBLISH || r.Payload != name {
			return false
		}
		do(f, c)
		return true
	}
}

func write(c net.Conn, b ...byte) { _, _ = c.Write(b) }

func TestVerdictOfAReaction(t *testing.T) {
	v5 := []octets.Version{octets.V5}
	tests := []struct {
		name    string
		react   func(f *fake, c net.Conn)
		verdict conformance.Verdict
		reason  string // part of it
		closed  string
		broken  statement.ID
	}{
		{"told and closed", func(_ *fake, c net.Conn) { write(c, 0xE0, 1, 0x82); c.Close() }, conformance.Pass, "", "disconnect", ""},
		{"closed", func(_ *fake, c net.Conn) { c.Close() }, conformance.Nonstrict, "without the DISCONNECT", "fin", ""},
		{"told otherwise", func(_ *fake, c net.Conn) { write(c, 0xE0, 1, 0x81); c.Close() }, conformance.Nonstrict, "another reason code", "disconnect", ""},
		{"told and left open", func(_ *fake, c net.Conn) { write(c, 0xE0, 1, 0x82) }, conformance.Fail, "nothing follows a DISCONNECT", "open", "MQTT5-3.14.4-1"},
		{"ignored", func(*fake, net.Conn) {}, conformance.Fail, "Protocol Error", "open", ""},
		{"killed", func(f *fake, _ net.Conn) { f.die() }, conformance.Crash, "without the DISCONNECT", "fin", ""},
		{"malformed answer", func(_ *fake, c net.Conn) { write(c, 0xD7, 0) }, conformance.Fail, "flags", "open", "MQTT5-2.1.3-1"},
		{"garbage", func(_ *fake, c net.Conn) {
			write(c, []byte("HTTP/1.1 400 Bad Request\r\n\r\n"+strings.Repeat("x", 200))...)
		}, conformance.Fail, "PUBACK", "open", "MQTT5-2.1.3-1"},
		{"second connack", func(_ *fake, c net.Conn) { write(c, 0x20, 3, 0, 0, 0) }, conformance.Fail, "at most one CONNACK", "open", "MQTT5-3.2.0-2"},
		{"packet after disconnect", func(_ *fake, c net.Conn) { write(c, 0xE0, 1, 0x82); write(c, 0xD0, 0) }, conformance.Fail, "nothing follows", "open", "MQTT5-3.14.4-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{react: on("a", tt.react)}
				run := verify(t, conformance.Options{Target: f.target(), Checks: []*conformance.Check{provoke("a")}, Versions: v5})
				got := run.Results[0]
				if got.Verdict != tt.verdict || !strings.Contains(got.Reason, tt.reason) || got.Closed != tt.closed {
					t.Errorf("%s (%s), closed %q; want %s (%s), closed %q", got.Verdict, got.Reason, got.Closed, tt.verdict, tt.reason, tt.closed)
				}
				if tt.broken != "" && !slices.Equal(got.Statements(), []statement.ID{tt.broken}) {
					t.Errorf("charged to %v, want %s", got.Statements(), tt.broken)
				}
				if got.Verdict == conformance.Fail && (got.Failure.Sent == "" || got.Failure.Got == "" || len(got.Failure.Acceptable) == 0) {
					t.Errorf("an incomplete failure: %+v", got.Failure)
				}
				if len(got.Transcript) < 4 {
					t.Errorf("a transcript of %d entries", len(got.Transcript))
				}
			})
		})
	}
}

func TestCrashIsToldFromFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{react: on("a", func(f *fake, _ net.Conn) { f.die() })}
		killer := provoke("a")
		killer.Run = func(_ context.Context, t *conformance.T) {
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic("x"), Payload: "a"})
			p.WantSilence("the message is taken")
		}
		run := verify(t, conformance.Options{Target: f.target(), Jobs: 1, Checks: []*conformance.Check{killer, harmless("b")}, Versions: []octets.Version{octets.V311}})
		if got := run.Results[0]; got.Verdict != conformance.Crash {
			t.Errorf("the killer: %s (%s)", got.Verdict, got.Reason)
		}
		if got := run.Results[1]; got.Verdict != conformance.Inconclusive || !strings.Contains(got.Reason, "test/a 3.1.1") {
			t.Errorf("the next check: %s (%s)", got.Verdict, got.Reason)
		}
	})
}

func TestCrashIsChargedToTheKillerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{react: on("a", func(f *fake, _ net.Conn) { f.die() })}
		tg := f.target()
		tg.Restart = f.revive
		killer := provoke("a")
		killer.Run = func(_ context.Context, t *conformance.T) {
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic("x"), Payload: "a"})
			p.WantSilence("the message is taken")
		}
		checks := []*conformance.Check{killer}
		for _, name := range []string{"b", "c", "d", "e", "f", "g"} {
			checks = append(checks, harmless(name))
		}
		run := verify(t, conformance.Options{Target: tg, Checks: checks})
		for _, got := range run.Results {
			want := conformance.Pass
			if got.Check == killer {
				want = conformance.Crash
			}
			if got.Verdict != want {
				t.Errorf("%s: %s (%s), want %s", got.ID(), got.Verdict, got.Reason, want)
			}
		}
	})
}

// TestCrashThatLooksRight wants a death to be a crash although the check got the close that it wanted.
func TestCrashThatLooksRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{react: on("a", func(f *fake, _ net.Conn) { f.die() })}
		tg := f.target()
		tg.Restart = f.revive
		run := verify(t, conformance.Options{Target: tg, Checks: []*conformance.Check{provoke("a"), harmless("b")}})
		for _, got := range run.Results {
			want := conformance.Pass
			if got.Check.Name == "a" {
				want = conformance.Crash
			}
			if got.Verdict != want {
				t.Errorf("%s: %s (%s), want %s", got.ID(), got.Verdict, got.Reason, want)
			}
		}
	})
}

// TestCrashInOneOfManyCases wants the deadly case named, among others that ran with it and failed.
func TestCrashInOneOfManyCases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{react: on("case 17", func(f *fake, _ net.Conn) { f.die() })}
		tg := f.target()
		tg.Restart = f.revive
		c := harmless("cases")
		c.Run = func(_ context.Context, t *conformance.T) {
			var cases []conformance.Case
			for i := range 40 {
				name := fmt.Sprintf("case %d", i)
				cases = append(cases, conformance.Case{Name: name, Run: func(t *conformance.T) {
					p := t.Connect()
					p.Send(octets.Publish{Topic: t.Topic("x"), Payload: name})
					t.OneOf(p, "it closes", conformance.Closed())
				}})
			}
			t.Cases(cases)
		}
		run := verify(t, conformance.Options{Target: tg, Checks: []*conformance.Check{c}, Versions: []octets.Version{octets.V311}})
		if got := run.Results[0]; got.Verdict != conformance.Crash || !strings.Contains(got.Reason, "case 17: it was the last") {
			t.Errorf("%s (%s), want a crash by case 17", got.Verdict, got.Reason)
		}
	})
}

// TestManyCasesAlike wants the cases about a rule left out that were broken often enough, and those about another not.
func TestManyCasesAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := statement.IDs(statement.V311("2.2.2-1"))
		c := harmless("cases")
		first := c.Covers
		c.Covers = slices.Concat(first, other)
		c.Run = func(_ context.Context, t *conformance.T) {
			var cases []conformance.Case
			for i := range 200 {
				cases = append(cases, conformance.Case{Name: fmt.Sprintf("case %d", i), About: first[:1], Run: func(t *conformance.T) {
					p := t.Connect()
					p.Send(octets.Publish{Topic: t.Topic("x"), Payload: "taken"})
					t.OneOf(p, "it closes", conformance.Closed())
				}})
			}
			t.Cases(append(cases, conformance.Case{Name: "another", About: other, Run: cases[0].Run}))
		}
		run := verify(t, conformance.Options{Target: new(fake).target(), Checks: []*conformance.Check{c}, Versions: []octets.Version{octets.V311}})
		got := run.Results[0]
		if got.Verdict != conformance.Fail || !strings.Contains(got.Reason, "alike were left out") {
			t.Errorf("%s (%s), want some left out", got.Verdict, got.Reason)
		}
		if !slices.Equal(got.Statements(), []statement.ID{"MQTT311-2.2.2-1", "MQTT311-3.3.1-4"}) {
			t.Errorf("broken are %v", got.Statements())
		}
		if run.Duration > time.Minute {
			t.Errorf("it took %v", run.Duration)
		}
	})
}

func TestKnownAndFixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		known := []target.Known{{Check: "test/a", Reason: "bug 17"}, {Check: "*/b", MQTT: "5.0", Reason: "bug 18"}}
		run := verify(t, conformance.Options{Target: f.target(), Known: known, Checks: []*conformance.Check{provoke("a"), harmless("b")}})
		want := []conformance.Verdict{conformance.KnownFailure, conformance.KnownFailure, conformance.Pass, conformance.Fixed}
		for i, got := range run.Results {
			if got.Verdict != want[i] {
				t.Errorf("%s: %s (%s), want %s", got.ID(), got.Verdict, got.Reason, want[i])
			}
		}
	})
}

func TestVerdictsThatAreNoFailures(t *testing.T) {
	mild := provoke("mild")
	mild.Covers = statement.X5("4.13.1-1") // a SHOULD
	panics := provoke("panics")
	panics.Run = func(context.Context, *conformance.T) { panic("a mistake") }
	needs := harmless("needs")
	needs.Needs = []target.Feature{target.QoS2}
	matcher := provoke("matcher")
	matcher.Run = func(_ context.Context, t *conformance.T) { t.Expect(1).To(gomega.Equal(2), "arithmetic") }
	tests := []struct {
		check   *conformance.Check
		verdict conformance.Verdict
		reason  string
	}{
		{mild, conformance.Nonstrict, "Protocol Error"},
		{panics, conformance.Inconclusive, "a mistake"},
		{needs, conformance.Unsupported, "qos2"},
		{matcher, conformance.Fail, "arithmetic"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			// QoS 2 is refused as 3.1.1 would: it is never acknowledged.
			v := tt.check.Versions()[:1]
			run := verify(t, conformance.Options{Target: (&fake{}).target(), Checks: []*conformance.Check{tt.check}, Versions: v})
			if got := run.Results[0]; got.Verdict != tt.verdict || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("%s: %s (%s), want %s (%s)", tt.check.Name, got.Verdict, got.Reason, tt.verdict, tt.reason)
			}
		})
	}
}

func TestInterruptedRunSkipsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stops := harmless("a")
		stops.Run = func(_ context.Context, t *conformance.T) {
			p := t.Connect()
			cancel()
			p.WantSilence("never answered, as the run has ended")
		}
		run, err := conformance.Verify(ctx, conformance.Options{Target: (&fake{}).target(), Jobs: 1, Checks: []*conformance.Check{stops, harmless("b")}})
		if err != nil {
			t.Fatal(err)
		}
		if !run.Interrupted {
			t.Error("the run does not say that it was interrupted")
		}
		for _, got := range run.Results {
			if got.Verdict != conformance.Skipped {
				t.Errorf("%s: %s (%s)", got.ID(), got.Verdict, got.Reason)
			}
		}
	})
}

func TestNothingIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		var id, topic, will string
		leaves := harmless("leaves")
		leaves.Run = func(_ context.Context, t *conformance.T) {
			c := t.NewConnect()
			c.Clean = false
			id, topic, will = c.ClientID, t.Topic("kept"), t.Topic("will")
			c.Will = &octets.Will{Topic: will, Payload: "bye", Retain: true}
			t.ConnectWith(c).Publish(octets.Publish{Topic: topic, Payload: "x", Retain: true})
		}
		verify(t, conformance.Options{Target: f.target(), Checks: []*conformance.Check{leaves}, Versions: []octets.Version{octets.V311}})
		for _, want := range []string{
			`CONNECT client="` + id + `" clean=true`,
			`PUBLISH "` + topic + `" qos=0 retain payload=""`,
			`PUBLISH "` + will + `" qos=0 retain payload=""`,
		} {
			if !slices.Contains(f.said(), want) {
				t.Errorf("never sent: %s\nheard:\n%s", want, strings.Join(f.said(), "\n"))
			}
		}
	})
}

func TestSameSeedSameConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hear := func(seed uint64) []string {
			f := &fake{}
			verify(t, conformance.Options{Target: f.target(), Seed: seed, Jobs: 1, Checks: []*conformance.Check{provoke("a"), harmless("b")}})
			return f.said()
		}
		one, again, other := hear(1), hear(1), hear(2)
		if !slices.Equal(one, again) {
			t.Error("the same seed gives another conversation")
		}
		if slices.Equal(one, other) {
			t.Error("another seed gives the same names")
		}
	})
}
