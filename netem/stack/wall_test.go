package stack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mqttlab/netem/link"
)

// newWall returns a network on the wall clock whose loop runs until the test ends.
func newWall(t testing.TB, c Config) *Network {
	t.Helper()
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx, time.Time{}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// do runs f on the loop and waits for it.
func (n *Network) do(f func()) {
	done := make(chan struct{})
	n.Post(func() { f(); close(done) })
	<-done
}

// hostServer serves each connection to a TCP port of the host with a function.
func hostServer(t testing.TB, serve func(*net.TCPConn)) string {
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

func hostEcho(c *net.TCPConn) { _, _ = io.Copy(c, c) }

func TestGatewayReachesTheHost(t *testing.T) {
	target := hostServer(t, hostEcho)
	n := newWall(t, Config{Seed: 1})
	m := mustModel(t, link.Config{Delay: 10 * time.Millisecond})
	answered := make(chan time.Duration, 1)
	n.do(func() {
		d := n.mustDevice(t, DeviceConfig{Up: m, Down: m})
		var sent time.Time
		if _, err := d.Open(target, &calls{
			opened: func(s *Socket) { sent = n.Now(); s.Send([]byte("hello")) },
			readable: func(s *Socket) {
				var b [16]byte
				if k := s.Receive(b[:]); string(b[:k]) == "hello" {
					answered <- n.Now().Sub(sent)
				}
			},
		}); err != nil {
			t.Error(err)
		}
	})
	select {
	case took := <-answered:
		if took < 20*time.Millisecond {
			t.Errorf("answered after %v over a link of 20ms", took)
		}
	case <-time.After(time.Minute):
		t.Fatal("no answer")
	}
	s := n.Stats()
	if s.RetransmissionsUp+s.RetransmissionsDown != 0 && s.Lateness.Invalid() == "" {
		t.Errorf("%d + %d retransmissions on a clean link", s.RetransmissionsUp, s.RetransmissionsDown)
	}
	if s.Gateway.Open != 1 || s.Gateway.Dialed != 1 {
		t.Errorf("gateway: %+v, want one connection", s.Gateway)
	}
}

func TestGatewayCarriesEndsOver(t *testing.T) {
	// Both read first: closing with something unread is a reset, and resetting
	// at once can make the gateway's dialling fail.
	closes := hostServer(t, func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 1)) })
	resets := hostServer(t, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.SetLinger(0)
	})
	unused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := unused.Addr().String()
	unused.Close()
	n := newWall(t, Config{})
	for _, test := range []struct {
		name, target string
		want         error
	}{
		{"close", closes, io.EOF},
		{"reset", resets, syscall.ECONNRESET},
		{"refused", nobody, syscall.ECONNREFUSED},
	} {
		ended := make(chan error, 1)
		n.do(func() {
			d := n.mustDevice(t, DeviceConfig{})
			if _, err := d.Open(test.target, &calls{
				opened:   func(s *Socket) { s.Send([]byte("x")) },
				readable: func(s *Socket) { s.Receive(make([]byte, 10)) },
				closed:   func(_ *Socket, err error) { ended <- err },
			}); err != nil {
				t.Error(err)
			}
		})
		select {
		case err := <-ended:
			if !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: the device was not told", test.name)
		}
	}
}

// TestHalfClosedConnectionsKeepTheOtherDirection lets a target answer long after
// the device has ended its direction: announcing that end twice once cut the
// answer short.
func TestHalfClosedConnectionsKeepTheOtherDirection(t *testing.T) {
	want := bytes.Repeat([]byte("answer"), 20_000)
	target := hostServer(t, func(c *net.TCPConn) {
		_, _ = io.Copy(io.Discard, c)
		_, _ = c.Write(want)
	})
	n := newWall(t, Config{Seed: 2})
	var d *Device
	n.do(func() { d = n.mustDevice(t, DeviceConfig{}) })
	for range 100 {
		c, err := d.Dial(t.Context(), "tcp", target)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("question"))
		_ = c.(interface{ CloseWrite() error }).CloseWrite()
		if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes of %d, error %v", len(got), len(want), err)
		}
		c.Close()
	}
}

// onlyConn hides what kind of connection it is, as one through a proxy or TLS does.
type onlyConn struct{ net.Conn }

func (c onlyConn) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

// TestDialIsANetConn sends far more than all buffers hold there and back, with
// either kind of connection behind the gateway: each end has to hold back the other.
func TestDialIsANetConn(t *testing.T) {
	target := hostServer(t, hostEcho)
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"socket": nil,
		"any connection": func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			return onlyConn{c}, err
		},
	} {
		t.Run(name, func(t *testing.T) { bulkEcho(t, newWall(t, Config{Seed: 2, Dial: dial}), target) })
	}
}

func bulkEcho(t *testing.T, n *Network, target string) {
	var d *Device
	m := mustModel(t, link.Config{Delay: time.Millisecond})
	n.do(func() { d = n.mustDevice(t, DeviceConfig{Up: m, Down: m}) })
	c, err := d.Dial(t.Context(), "tcp", target)
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("mqtt"), 100_000) // far more than all buffers
	go func() {
		_, _ = c.Write(want)
		_ = c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes of %d, error %v", len(got), len(want), err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := d.Dial(t.Context(), "udp", target); err == nil {
		t.Error("Dial accepted udp")
	}
}

// TestASlowReaderHoldsTheSenderBack lets each end in turn send while the other does
// not read: the gateway must stop taking, and lose nothing of what it took.
func TestASlowReaderHoldsTheSenderBack(t *testing.T) {
	const all = 16 << 20 // more than sockets hold
	n := newWall(t, Config{Seed: 2})
	var d *Device
	n.do(func() { d = n.mustDevice(t, DeviceConfig{}) })
	for _, fromDevice := range []bool{true, false} {
		var sent atomic.Int64
		send := func(c net.Conn) {
			for p := make([]byte, 64<<10); sent.Load() < all; sent.Add(int64(len(p))) {
				if _, err := c.Write(p); err != nil {
					t.Errorf("after %d bytes: %v", sent.Load(), err)
					return
				}
			}
			_ = c.(interface{ CloseWrite() error }).CloseWrite()
		}
		begin, arrived := make(chan struct{}), make(chan int64, 1)
		receive := func(c net.Conn) {
			<-begin
			k, err := io.Copy(io.Discard, c)
			if err != nil {
				t.Error(err)
			}
			arrived <- k
		}
		here, there := send, receive
		if !fromDevice {
			here, there = receive, send
		}
		c, err := d.Dial(t.Context(), "tcp", hostServer(t, func(c *net.TCPConn) { there(c) }))
		if err != nil {
			t.Fatal(err)
		}
		go here(c)
		for last := int64(-1); last < sent.Load(); time.Sleep(50 * time.Millisecond) {
			last = sent.Load()
		}
		if got := sent.Load(); got >= all {
			t.Errorf("from the device %t: %d bytes were taken from a sender whose receiver does not read", fromDevice, got)
		}
		close(begin)
		if got := <-arrived; got != all {
			t.Errorf("from the device %t: %d of %d bytes arrived", fromDevice, got, all)
		}
		c.Close()
	}
}

func TestPowerOffIsSilent(t *testing.T) {
	heard := make(chan error, 1)
	target := hostServer(t, func(c *net.TCPConn) {
		_, err := c.Read(make([]byte, 1))
		heard <- err
	})
	n := newWall(t, Config{})
	var d *Device
	n.do(func() { d = n.mustDevice(t, DeviceConfig{}) })
	c, err := d.Dial(t.Context(), "tcp", target)
	if err != nil {
		t.Fatal(err)
	}
	n.do(d.PowerOff)
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a device without power still reads")
	}
	if _, err := d.Dial(t.Context(), "tcp", target); !errors.Is(err, ErrPoweredOff) {
		t.Errorf("Dial without power: %v", err)
	}
	select {
	case err := <-heard:
		t.Errorf("the target noticed: %v", err)
	case <-time.After(5 * time.Millisecond):
	}
}

// TestAStallOfTheLoopMakesTheRunInvalid stops a real loop for half a second.
func TestAStallOfTheLoopMakesTheRunInvalid(t *testing.T) {
	n := newWall(t, Config{})
	n.do(func() { time.Sleep(500 * time.Millisecond) })
	n.do(func() {}) // the loop has looked at the clock in between
	l := n.Stats().Lateness
	if l.Invalid() == "" || l.Max < 400*time.Millisecond {
		t.Errorf("a stop of 500 ms went unnoticed: %+v", l)
	}
}

func TestAStalledMachineMakesTheRunInvalid(t *testing.T) {
	n, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	// The clock is given by hand: the same arithmetic as in the loop, without
	// depending on what this machine is doing.
	run := func(stall time.Duration) Lateness {
		var l lateness
		l.resume(0)
		now := int64(0)
		for range 9000 {
			now += int64(time.Millisecond)
			if now == int64(5*time.Second) {
				now += int64(stall)
			}
			l.beat(now)
		}
		return l.snapshot(DefaultMinRTO)
	}
	if got := run(0); got.Invalid() != "" {
		t.Errorf("without a stall: %s", got.Invalid())
	}
	got := run(500 * time.Millisecond)
	if got.Invalid() == "" {
		t.Errorf("a stall of 500 ms went unnoticed: %+v", got)
	}
	t.Log(got.Invalid())
}
