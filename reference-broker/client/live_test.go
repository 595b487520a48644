package client_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/transport"
)

// servers are real brokers, our own and those of others, started for one test each. start returns a URL.
//
// mochi 2.7.9 keeps what waits for a client in a map, so that order is lost, and has one space of Packet Identifiers for both directions, so that it refuses
// ours while one of its own with the same number is open: it is asked only what it can do.
var servers = []struct {
	name    string
	start   func(t *testing.T) string
	ordered bool
}{
	{"mqttlab", startBroker, true},
	{"mosquitto", startMosquitto, true},
	{"mochi", startMochi, false},
}

// allow lets everyone do everything.
type allow struct{ mochi.HookBase }

func (*allow) ID() string                                               { return "allow" }
func (*allow) Provides(b byte) bool                                     { return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck }
func (*allow) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*allow) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

func startMochi(t *testing.T) string {
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := s.AddHook(new(allow), nil); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddListener(listeners.NewNet("test", ln)); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// mochi 2.7.9 takes the read lock of its clients twice when it closes, and waits forever for one that is leaving in between.
		for patience := time.Now().Add(5 * time.Second); atomic.LoadInt64(&s.Info.ClientsConnected) > 0 && time.Now().Before(patience); {
			time.Sleep(time.Millisecond)
		}
		_ = s.Close()
	})
	return "mqtt://" + ln.Addr().String()
}

func startBroker(t *testing.T) string {
	b, err := broker.New(broker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = b.Serve(context.Background(), ln)
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = b.Close(ctx)
		<-served
	})
	return transport.URL(ln)
}

func startMosquitto(t *testing.T) string {
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	_ = ln.Close()
	config := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n", port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-c", config)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "running") {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return fmt.Sprintf("mqtt://127.0.0.1:%d", port)
		}
	}
	t.Fatal("mosquitto did not start")
	return ""
}

// each runs body against every server in every version; with ordered, only against those that keep the order of messages.
func each(t *testing.T, ordered bool, body func(t *testing.T, url string, v mqtt.Version)) {
	for _, s := range servers {
		if ordered && !s.ordered {
			continue
		}
		for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
			t.Run(s.name+"/"+v.String(), func(t *testing.T) { body(t, s.start(t), v) })
		}
	}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func dial(t *testing.T, url string, opts client.Options) *client.Client {
	t.Helper()
	c, err := client.Dial(within(t), url, &opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func shut(t *testing.T, c *client.Client) {
	t.Helper()
	if err := c.Close(within(t)); err != nil {
		t.Error(err)
	}
}

// collect reads n messages and returns their payloads.
func collect(t *testing.T, sub *client.Subscription, n int) (payloads []string) {
	t.Helper()
	ctx := within(t)
	for m, err := range sub.Messages(ctx) {
		if err != nil {
			t.Fatalf("after %d messages: %v", len(payloads), err)
		}
		if payloads = append(payloads, string(m.Payload)); len(payloads) == n {
			break
		}
	}
	return payloads
}

func TestLiveEveryQoSInOrder(t *testing.T) {
	each(t, true, func(t *testing.T, url string, v mqtt.Version) {
		in := dial(t, url, client.Options{Connect: mqtt.Connect{Version: v, ClientID: "in", CleanStart: true}})
		out := dial(t, url, client.Options{Connect: mqtt.Connect{Version: v, ClientID: "out", CleanStart: true}, TopicAliases: true})
		for qos := mqtt.AtMostOnce; qos <= mqtt.ExactlyOnce; qos++ {
			topic := fmt.Sprintf("live/%d", qos)
			sub, err := in.Subscribe(within(t), client.Filter{TopicFilter: topic, QoS: 2})
			if err != nil {
				t.Fatal(err)
			}
			const n = 300
			for i := range n {
				if _, err := out.Enqueue(&client.Message{Topic: topic, QoS: qos, Payload: fmt.Append(nil, i)}); err != nil {
					t.Fatal(err)
				}
			}
			for i, payload := range collect(t, sub, n) {
				if payload != fmt.Sprint(i) {
					t.Fatalf("QoS %d: message %d holds %s", qos, i, payload)
				}
			}
		}
		shut(t, out)
		shut(t, in)
	})
}

func TestLiveSessionWaitsForItsClient(t *testing.T) {
	each(t, false, func(t *testing.T, url string, v mqtt.Version) {
		connect := mqtt.Connect{Version: v, ClientID: "in", SessionExpiryInterval: 300}
		in := dial(t, url, client.Options{Connect: connect})
		if _, err := in.Subscribe(within(t), client.Filter{TopicFilter: "wait/#", QoS: 1}); err != nil {
			t.Fatal(err)
		}
		shut(t, in)
		out := dial(t, url, client.Options{Connect: mqtt.Connect{Version: v, ClientID: "out", CleanStart: true}})
		for i := range 10 {
			if _, err := out.Publish(within(t), &client.Message{Topic: "wait/a", QoS: 1, Payload: fmt.Append(nil, i)}); err != nil {
				t.Fatal(err)
			}
		}
		shut(t, out)
		in = dial(t, url, client.Options{Connect: connect, KeepUnclaimed: true})
		payloads := collect(t, in.Unclaimed(), 10)
		slices.Sort(payloads)
		got := strings.Join(payloads, " ")
		if got != "0 1 2 3 4 5 6 7 8 9" {
			t.Errorf("got %s", got)
		}
		shut(t, in)
	})
}

func TestLiveLargeRetainedAndWill(t *testing.T) {
	each(t, true, func(t *testing.T, url string, v mqtt.Version) {
		large := bytes.Repeat([]byte("x"), 300_000)
		out := dial(t, url, client.Options{Connect: mqtt.Connect{
			Version: v, ClientID: "out", CleanStart: true, Will: &mqtt.Will{Topic: "will", Payload: []byte("gone"), QoS: 1},
		}})
		if _, err := out.Publish(within(t), &client.Message{Topic: "kept", QoS: 1, Retain: true, Payload: large}); err != nil {
			t.Fatal(err)
		}
		in := dial(t, url, client.Options{Connect: mqtt.Connect{Version: v, ClientID: "in", CleanStart: true}})
		sub, err := in.Subscribe(within(t), client.Filter{TopicFilter: "kept", QoS: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := collect(t, sub, 1)[0]; got != string(large) {
			t.Errorf("%d bytes came back of %d", len(got), len(large))
		}
		if v == mqtt.V5 {
			will, err := in.Subscribe(within(t), client.Filter{TopicFilter: "will", QoS: 1})
			if err != nil {
				t.Fatal(err)
			}
			if err := out.Disconnect(within(t), &mqtt.Disconnect{ReasonCode: mqtt.DisconnectWithWill}); err != nil {
				t.Error(err)
			}
			if got := collect(t, will, 1)[0]; got != "gone" {
				t.Errorf("will says %q", got)
			}
			if err := will.Close(within(t)); err != nil {
				t.Error(err)
			}
		} else {
			shut(t, out)
		}
		shut(t, in)
	})
}

// TestLiveSurvivesCuts cuts the Network Connections of both clients again and again while messages flow.
func TestLiveSurvivesCuts(t *testing.T) {
	each(t, true, func(t *testing.T, url string, v mqtt.Version) {
		if v != mqtt.V31 { // has no Session Present: subscribing again brings the retained and queued messages in another order
			survivesCuts(t, url, v)
		}
	})
}

func TestLiveEveryQoS(t *testing.T) {
	each(t, false, func(t *testing.T, url string, v mqtt.Version) {
		in := dial(t, url, client.Options{Connect: mqtt.Connect{Version: v, ClientID: "in", CleanStart: true}})
		out := dial(t, url, client.Options{Connect: mqtt.Connect{Version: v, ClientID: "out", CleanStart: true}})
		sub, err := in.Subscribe(within(t), client.Filter{TopicFilter: "live/+", QoS: 2})
		if err != nil {
			t.Fatal(err)
		}
		for qos := mqtt.AtMostOnce; qos <= mqtt.ExactlyOnce; qos++ {
			if _, err := out.Publish(within(t), &client.Message{Topic: "live/a", QoS: qos, Payload: fmt.Append(nil, qos)}); err != nil {
				t.Fatal(err)
			}
			if got := collect(t, sub, 1)[0]; got != fmt.Sprint(qos) {
				t.Errorf("got %s, want %d", got, qos)
			}
		}
		shut(t, out)
		shut(t, in)
	})
}

func survivesCuts(t *testing.T, url string, v mqtt.Version) {
	conns := make(chan net.Conn, 1000)
	opts := client.Options{
		Connect: mqtt.Connect{Version: v, SessionExpiryInterval: 300},
		Backoff: client.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil {
				conns <- conn
			}
			return conn, err
		},
	}
	opts.Connect.ClientID = "in"
	in := dial(t, url, opts)
	opts.Connect.ClientID = "out"
	out := dial(t, url, opts)
	sub, err := in.Subscribe(within(t), client.Filter{TopicFilter: "cut", QoS: 2})
	if err != nil {
		t.Fatal(err)
	}
	const n, cuts = 2000, 15
	go func() {
		for range cuts {
			time.Sleep(2 * time.Millisecond)
			_ = (<-conns).Close()
		}
	}()
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			_, err := out.Publish(within(t), &client.Message{Topic: "cut", QoS: 2, Payload: fmt.Append(nil, i)})
			if err != nil {
				sent <- fmt.Errorf("message %d: %w", i, err)
				return
			}
		}
		sent <- nil
	}()
	for i, payload := range collect(t, sub, n) {
		if payload != fmt.Sprint(i) {
			t.Fatalf("message %d holds %s: lost, doubled or out of order", i, payload)
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	shut(t, out)
	shut(t, in)
}

func TestLiveUnreachable(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	_, err = client.Dial(within(t), "mqtt://"+ln.Addr().String(), nil)
	if !errors.As(err, new(*net.OpError)) {
		t.Errorf("got %v", err)
	}
}
