package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mqttlab/netem/link"
)

// server serves each connection to a port of the host with a function.
func server(t *testing.T, serve func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer c.Close()
				serve(c.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() { l.Close(); work.Wait() })
	return l.Addr().String()
}

func echo(c *net.TCPConn) { _, _ = io.Copy(c, c) }

// start serves a relay until the test ends.
func start(t *testing.T, c Config) *Relay {
	t.Helper()
	c.Listen = "127.0.0.1:0"
	r, err := Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}

func dial(t *testing.T, r *Relay) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// roundTrip sends one byte through an echoing target and returns how long it took.
func roundTrip(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	begin := time.Now()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return time.Since(begin)
}

func TestBytesArriveCompleteOverALossyLink(t *testing.T) {
	lossy := link.Config{Delay: 2 * time.Millisecond, LossRatio: 0.02}
	r := start(t, Config{Target: server(t, echo), Up: lossy, Down: lossy, Seed: 3})
	c := dial(t, r)
	want := bytes.Repeat([]byte("every byte counts "), 10_000)
	go func() {
		_, _ = c.Write(want)
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d of %d bytes came back, error %v", len(got), len(want), err)
	}
	s := r.Stats()
	if s.Accepted != 1 || s.Network.Up.Dropped[link.DropLoss] == 0 || s.Network.RetransmissionsUp == 0 {
		t.Errorf("nothing was lost and repaired: %+v", s)
	}
}

func TestDelayAppliesInBothDirectionsAndChangesWhileRunning(t *testing.T) {
	r := start(t, Config{
		Target: server(t, echo),
		Up:     link.Config{Delay: 20 * time.Millisecond}, Down: link.Config{Delay: 10 * time.Millisecond},
	})
	c := dial(t, r)
	roundTrip(t, c) // connects
	if took := roundTrip(t, c); took < 30*time.Millisecond {
		t.Errorf("a round trip over 20 + 10 ms took %v", took)
	}
	if err := r.SetLinks(link.Config{Delay: 60 * time.Millisecond}, link.Config{}); err != nil {
		t.Fatal(err)
	}
	if up, _ := r.Links(); up.Delay != 60*time.Millisecond {
		t.Errorf("the uplink in force is %+v", up)
	}
	if took := roundTrip(t, c); took < 60*time.Millisecond {
		t.Errorf("after the change to 60 ms a round trip took %v", took)
	}
}

func TestEndsAreCarriedOver(t *testing.T) {
	unused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := unused.Addr().String()
	unused.Close()
	for _, test := range []struct {
		name, target string
		want         error
	}{
		{"reset", server(t, func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 1)); _ = c.SetLinger(0) }), syscall.ECONNRESET},
		{"close", server(t, func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 1)) }), io.EOF},
		{"refused", nobody, syscall.ECONNRESET},
	} {
		r := start(t, Config{Target: test.target})
		if err := firstError(r); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if failed := r.Stats().Failed; (failed == 1) != (test.name == "refused") {
			t.Errorf("%s: %d failed connections", test.name, failed)
		}
	}
}

// firstError connects, sends a byte and reads, and returns what first fails: a
// reset may be noticed at any of the three.
func firstError(r *Relay) error {
	c, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 1))
	return err
}

func TestAResetOfTheClientReachesTheTarget(t *testing.T) {
	heard := make(chan error, 1)
	r := start(t, Config{Target: server(t, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 1))
		_, err := c.Read(make([]byte, 1))
		heard <- err
	})})
	c := dial(t, r)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for r.Stats().Network.Gateway.Open == 0 {
		time.Sleep(time.Millisecond)
	}
	_ = c.SetLinger(0)
	c.Close()
	select {
	case err := <-heard:
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the target saw %v, want a reset", err)
		}
	case <-time.After(time.Minute):
		t.Error("the target was not told")
	}
}

func TestDevicesAreUsedAgain(t *testing.T) {
	r := start(t, Config{Target: server(t, echo)})
	for range 5 {
		c := dial(t, r)
		roundTrip(t, c)
		c.Close()
		for r.Stats().Open > 0 {
			time.Sleep(time.Millisecond)
		}
	}
	if s := r.Stats(); s.Accepted != 5 || s.Network.Devices != 1 {
		t.Errorf("%d connections one after the other used %d devices", s.Accepted, s.Network.Devices)
	}
}

func TestListenNamesAllMistakes(t *testing.T) {
	_, err := Listen(Config{Listen: "127.0.0.1:0", Target: "127.0.0.1:1", Up: link.Config{LossRatio: 2, Delay: -1}, Down: link.Config{QueueBytes: -1}})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"uplink", "LossRatio", "Delay", "downlink", "QueueBytes"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	if _, err := Listen(Config{Listen: "127.0.0.1:0", Target: "localhost"}); err == nil {
		t.Error("accepted a target without a port")
	}
}
