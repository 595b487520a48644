package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	nats "github.com/nats-io/nats-server/v2/server"

	"mqttlab/spec/checks"
	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/target/launch"
	"mqttlab/spec/target/profile"
)

var whole = flag.Bool("whole", false, "run all checks, which takes minutes, instead of some areas")

// asBroker makes this test binary the program that it tests.
const asBroker = "MQTTLAB_REALBROKERS"

func TestMain(m *testing.M) {
	if os.Getenv(asBroker) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// areas are what runs without -whole: quick on these brokers, with a crash of mochi among it, and without waits that a busy machine
// makes longer.
var areas = []string{"connack", "connect", "publish", "shared", "subscribe", "unsubscribe"}

func TestMochi(t *testing.T) {
	t.Parallel() // it waits more than it computes, like the others
	p := judged(t, "mochi", mochi.Version, t.Fatalf)
	run := judge(t, p, "'"+os.Args[0]+"' mochi {host}:{port}")
	for _, r := range run.Results {
		if r.Check.FullName() == "subscribe/FilterWithoutOptions" && r.Version.String() == "5.0" &&
			!strings.Contains(r.Reason, "accepts no client any more") {
			t.Errorf("%s: %s %s, want a crash", r.ID(), r.Verdict, r.Reason)
		}
	}
}

func TestNATS(t *testing.T) {
	t.Parallel()
	judge(t, judged(t, "nats", nats.VERSION, t.Fatalf), "'"+os.Args[0]+"' nats {config}")
}

func TestMosquitto(t *testing.T) {
	t.Parallel()
	said, err := exec.Command("sh", "-c", "PATH=$PATH:/usr/sbin mosquitto -h").Output()
	version := regexp.MustCompile(`mosquitto version (\S+)`).FindSubmatch(said)
	if version == nil {
		t.Skipf("mosquitto is not installed (apt-get install mosquitto): %v", err)
	}
	p := judged(t, "mosquitto", string(version[1]), t.Skipf)
	judge(t, p, p.Exec)
}

// judged looks up a profile. What is known of one version of a broker says nothing about another, which end is told of.
func judged(t *testing.T, name, version string, end func(string, ...any)) *profile.Profile {
	t.Helper()
	p, err := profile.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	if was := judgedVersion(p); was != version {
		end("%s: the profile was judged with %s, this is %s; judge it anew and say so in the profile", name, was, version)
	}
	return p
}

// judgedVersion is the first word of what a profile says.
func judgedVersion(p *profile.Profile) string {
	return strings.TrimRight(strings.Fields(p.Judged)[0], ",")
}

// judge starts a broker, and wants each check to pass, or to fail if that is known of it.
func judge(t *testing.T, p *profile.Profile, command string) *conformance.Run {
	t.Helper()
	recipe := p.Recipe(true)
	recipe.Exec, recipe.StartTimeout = command, time.Minute
	// A race in a broker of others is no failure of ours.
	recipe.Environment = map[string]string{asBroker: "1", "GORACE": "exitcode=0"}
	b, err := launch.Start(t.Context(), recipe)
	if notFound := new(launch.Error); errors.As(err, &notFound) && notFound.Trouble == launch.NotFound {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	tg := b.Target()
	p.Apply(tg)
	o := conformance.Options{Target: tg, Checks: selected(), Seed: 1}
	if *whole {
		o.Jobs = 24 // as the command does
	} else {
		tg.Timings = probe.Timings{Answer: 10 * time.Second} // few of the areas wait for what does not come
	}
	run := verify(t, o)
	if wrong := unexpected(t, run); len(wrong) > 0 {
		t.Logf("%d checks are not as listed; they run again, alone, lest the load of this machine speaks: %v", len(wrong), wrong)
		o.Jobs = 1
		o.Only = func(c *conformance.Check, v octets.Version) bool {
			return slices.Contains(wrong, c.FullName()+" "+v.String())
		}
		again := verify(t, o)
		for _, r := range again.Results {
			report(t, r)
		}
	}
	return run
}

func verify(t *testing.T, o conformance.Options) *conformance.Run {
	t.Helper()
	run, err := conformance.Verify(context.WithoutCancel(t.Context()), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d checks in %v", len(run.Results), run.Duration.Round(time.Millisecond))
	return run
}

func selected() []*conformance.Check {
	return slices.DeleteFunc(checks.All(), func(c *conformance.Check) bool {
		return !*whole && (c.Exclusive || c.Takes > 0 || !slices.Contains(areas, c.Area))
	})
}

// expected says that a verdict is as it should be: a pass, or a failure that is listed.
func expected(r *conformance.Result) bool {
	return r.Verdict.Conformant() && r.Verdict != conformance.Inconclusive
}

func unexpected(t *testing.T, run *conformance.Run) (ids []string) {
	t.Helper()
	for _, r := range run.Results {
		if !expected(r) {
			ids = append(ids, r.ID())
			t.Logf("%s: %s: %s", r.ID(), r.Verdict, r.Reason)
		}
	}
	return ids
}

// report fails the test on a verdict that should not be, with the whole conversation.
func report(t *testing.T, r *conformance.Result) {
	if expected(r) {
		return
	}
	var said strings.Builder
	for _, e := range r.Transcript {
		arrow := "->"
		if e.FromTarget {
			arrow = "<-"
		}
		fmt.Fprintf(&said, "\n%9.3f ms  %s %s %s", float64(e.At.Microseconds())/1000, e.Peer, arrow, e.Packet)
	}
	t.Errorf("%s: %s: %s%s", r.ID(), r.Verdict, r.Reason, said.String())
}
