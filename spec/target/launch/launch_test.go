//go:build unix

package launch_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/target"
	"mqttlab/spec/target/launch"
)

// keepsItsData restarts and kills a broker; its retained message survives both, and the
// target follows where it listens.
func keepsItsData(t *testing.T, b *launch.Broker) {
	t.Helper()
	tg := b.Target()
	talk(t, tg, func(p *probe.Peer) {
		p.Publish(octets.Publish{Topic: "kept", Payload: "yes", Retain: true, QoS: 1})
	})
	time.Sleep(1500 * time.Millisecond) // its interval for saving, before the kill
	for _, again := range []struct {
		name string
		do   func(context.Context) error
	}{{"Restart", tg.Restart}, {"KillAndRestart", b.KillAndRestart}} {
		if err := again.do(t.Context()); err != nil {
			t.Fatalf("%s: %v", again.name, err)
		}
		talk(t, tg, func(p *probe.Peer) {
			p.Subscribe(octets.Subscription{Filter: "kept"})
			p.WantMessage("kept", "yes", "what is retained survives "+again.name)
		})
	}
	if len(b.Log(t.Context())) == 0 {
		t.Error("no log was captured")
	}
}

// servesElsewhere wants connections to come to the further listener of a broker, whatever its port is outside, before and after a restart.
func servesElsewhere(t *testing.T, r launch.Recipe) {
	t.Helper()
	r.Files[0].Text += "listener {port_ws} {host}\n"
	r.Listeners = []string{"mqtt://{host}:{port_ws}"}
	b := start(t, r)
	tg := b.Target()
	_, inside, _ := strings.Cut(tg.Listeners[0], "127.0.0.1:")
	for n := 1; n <= 2; n++ {
		over, err := tg.At(tg.Listeners[0])
		if err != nil {
			t.Fatal(err)
		}
		over.Dial = b.Dial
		before := strings.Count(string(b.Log(t.Context())), "on port "+inside)
		talk(t, over, func(*probe.Peer) {})
		for end := time.Now().Add(20 * time.Second); strings.Count(string(b.Log(t.Context())), "on port "+inside) == before; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("run %d: nobody came to port %s:\n%s", n, inside, b.Log(t.Context()))
			}
		}
		if err := b.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// talk opens a connection and runs a conversation.
func talk(t *testing.T, tg *target.Target, do func(*probe.Peer)) {
	t.Helper()
	conn, err := tg.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := probe.New(conn, probe.Options{
		Name: "test", Version: octets.V311, Timings: probe.Timings{}.WithDefaults(), Log: probe.NewTranscript(),
		Fail: func(f probe.Failure) { t.Fatalf("%s: %s", f.Why, f.Got) },
	})
	defer p.Close()
	p.Connect(tg.Connect("test"))
	do(p)
	p.Disconnect()
}

// ping says whether somebody listens.
func ping(ctx context.Context, address string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// launchAndDie starts a broker, prints its address and is killed.
func launchAndDie(r launch.Recipe) {
	r.Files = []launch.File{{Name: "m.conf", Text: "listener {port} {host}\nallow_anonymous true\nuser root\n"}}
	b, err := launch.Start(context.Background(), r)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(b.Address())
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// beSilent accepts connections and says nothing.
func beSilent(address string) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("silent on", address)
	for {
		if _, err := ln.Accept(); err != nil {
			os.Exit(1)
		}
	}
}
