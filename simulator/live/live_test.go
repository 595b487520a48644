package live

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"mqttlab/simulator/device"
)

// heard is a Handler that tells the test what happened.
type heard struct {
	opened   chan device.Conn
	received chan string
	writable chan struct{}
	closed   chan error
}

func newHeard() *heard {
	return &heard{make(chan device.Conn, 1), make(chan string, 1000), make(chan struct{}, 1000), make(chan error, 1)}
}

func (h *heard) Opened(c device.Conn) { h.opened <- c }
func (h *heard) Received(p []byte)    { h.received <- string(p) }
func (h *heard) Writable()            { h.writable <- struct{}{} }
func (h *heard) Closed(err error)     { h.closed <- err }

func within[T any](t *testing.T, c chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatalf("%s did not happen in 10 s", what)
		panic("unreachable")
	}
}

// pair returns a loop, and both ends of a connection from it.
func pair(t *testing.T) (*Loop, *heard, device.Conn, *net.TCPConn, *Traffic) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	l := New(Config{Target: listener.Addr().String()})
	t.Cleanup(l.Close)
	traffic, h := &Traffic{}, newHeard()
	if err := l.Host(traffic, netip.Addr{}).Open(h); err != nil {
		t.Fatal(err)
	}
	target, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return l, h, within(t, h.opened, "Opened"), target.(*net.TCPConn), traffic
}

func TestBytesBothWays(t *testing.T) {
	l, h, c, target, traffic := pair(t)
	l.Do(func() {
		if n := c.Send([]byte("ping")); n != 4 {
			t.Errorf("Send took %d bytes, want 4", n)
		}
	})
	b := make([]byte, 4)
	if _, err := io.ReadFull(target, b); err != nil || string(b) != "ping" {
		t.Errorf("target got %q, %v", b, err)
	}
	if _, err := target.Write([]byte("pong!")); err != nil {
		t.Fatal(err)
	}
	if got := within(t, h.received, "Received"); got != "pong!" {
		t.Errorf("received %q, want pong!", got)
	}
	if up, down := traffic.Up.Load(), traffic.Down.Load(); up != 4 || down != 5 {
		t.Errorf("counted %d bytes up and %d down, want 4 and 5", up, down)
	}
	target.Close()
	if err := within(t, h.closed, "Closed"); err != io.EOF {
		t.Errorf("closed with %v, want EOF", err)
	}
}

func TestResetIsTold(t *testing.T) {
	_, h, _, target, _ := pair(t)
	if err := target.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	target.Close()
	if err := within(t, h.closed, "Closed"); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("closed with %v, want ECONNRESET", err)
	}
}

func TestRefusedIsTold(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	l := New(Config{Target: listener.Addr().String()})
	defer l.Close()
	h := newHeard()
	if err := l.Host(&Traffic{}, netip.Addr{}).Open(h); err != nil {
		t.Fatal(err)
	}
	if err := within(t, h.closed, "Closed"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("closed with %v, want ECONNREFUSED", err)
	}
	if err := CheckReachable(t.Context(), listener.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("check says %v, want ECONNREFUSED", err)
	}
}

// TestFullConnectionTellsWhenThereIsRoom sends until the kernel takes no more, and goes on as a device does.
func TestFullConnectionTellsWhenThereIsRoom(t *testing.T) {
	l, h, c, target, _ := pair(t)
	text := strings.Repeat("0123456789", 2_000_000)
	sent := 0
	push := func() { sent += c.Send([]byte(text[sent:])) }
	l.Do(push)
	if sent == len(text) {
		t.Fatal("the kernel took 20 MB at once: the test shows nothing")
	}
	l.Do(func() {
		if n := c.Send([]byte("x")); n != 0 {
			t.Errorf("a full connection took %d bytes", n)
		}
	})
	got := make(chan string, 1)
	go func() {
		b := make([]byte, len(text))
		_, _ = io.ReadFull(target, b)
		got <- string(b)
	}()
	for sent < len(text) {
		within(t, h.writable, "Writable")
		l.Do(push)
	}
	if within(t, got, "arrival of all bytes") != text {
		t.Error("bytes were lost or reordered")
	}
}

func TestClosedConnectionIsSilent(t *testing.T) {
	for _, end := range []func(device.Conn){device.Conn.Close, device.Conn.Abort} {
		l, h, c, target, _ := pair(t)
		l.Do(func() {
			c.Send([]byte("bye"))
			end(c)
			if n := c.Send([]byte("more")); n != 0 {
				t.Errorf("a closed connection took %d bytes", n)
			}
		})
		_, _ = io.ReadAll(target)
		l.Close()
		select {
		case err := <-h.closed:
			t.Errorf("Closed(%v) was called after this side closed", err)
		default:
		}
	}
}

func TestTimers(t *testing.T) {
	l := New(Config{Target: "127.0.0.1:1"})
	defer l.Close()
	host := l.Host(&Traffic{}, netip.Addr{})
	fired := make(chan time.Time, 10)
	var at time.Time
	l.Do(func() {
		timer := host.NewTimer(func() { fired <- host.Now() })
		timer.Set(host.Now().Add(time.Hour))
		at = host.Now().Add(2 * time.Millisecond)
		timer.Set(at)
		stopped := host.NewTimer(func() { t.Error("a stopped timer went off") })
		stopped.Set(at)
		if !stopped.Stop() || stopped.Stop() {
			t.Error("Stop does not tell whether the timer was set")
		}
	})
	if got := within(t, fired, "the timer"); got.Before(at) {
		t.Errorf("fired %v early", at.Sub(got))
	}
}

func TestStallMakesTheRunInvalid(t *testing.T) {
	var l lateness
	now := time.Now()
	l.begin(now)
	for i := range 6000 { // a minute at 100 a second, one stall of 400 ms in it
		now = now.Add(10 * time.Millisecond)
		late := 100 * time.Microsecond
		if i >= 3000 && i < 3040 {
			late = 400 * time.Millisecond
		}
		l.record(now, late)
	}
	s := l.snapshot()
	if s.P99 > time.Millisecond {
		t.Errorf("P99 %v: 40 of 6000 timers must not show in it", s.P99)
	}
	if s.Invalid() == "" || s.WorstP99 < 390*time.Millisecond {
		t.Errorf("worst p99 %v, verdict %q; want about 400ms and invalid", s.WorstP99, s.Invalid())
	}
	if ok := (Lateness{WorstP99: LatenessLimit}); ok.Invalid() != "" {
		t.Errorf("at the limit: %q", ok.Invalid())
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		t.Run("", func(t *testing.T) { pair(t) })
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	b := make([]byte, 1<<16)
	t.Errorf("%d goroutines, were %d before:\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
}
