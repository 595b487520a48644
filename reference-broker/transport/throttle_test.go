package transport

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func tcpAddr(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }

func TestThrottleIsPerSource(t *testing.T) {
	throttle := NewThrottle(10, 3)
	now := throttle.begin
	admitted := func(ip string, tries int) (n int) {
		for range tries {
			if throttle.Admit(now, tcpAddr(ip)) {
				n++
			}
		}
		return n
	}
	check := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d admitted, want %d", what, got, want)
		}
	}
	check("burst", admitted("203.0.113.1", 10), 3)
	check("the same address as IPv6", admitted("::ffff:203.0.113.1", 10), 0)
	check("IPv6", admitted("2001:db8::1", 10), 3)
	check("its neighbour in the /64", admitted("2001:db8::2", 10), 0)
	check("loopback", admitted("127.0.0.1", 10)+admitted("::1", 10), 20)
	if !throttle.Admit(now, &net.UnixAddr{Name: "x", Net: "unix"}) {
		t.Error("a Unix socket is limited")
	}
	now = now.Add(99 * time.Millisecond)
	check("before its time", admitted("203.0.113.1", 10), 0)
	now = now.Add(time.Millisecond)
	check("after a tenth of a second", admitted("203.0.113.1", 10), 1)
	now = now.Add(time.Hour)
	check("after an hour", admitted("203.0.113.1", 10), 3)
	if got := throttle.Refused(); got != 7+10+7+10+10+9+7 {
		t.Errorf("%d refused", got)
	}
}

func TestThrottleSurvivesManySources(t *testing.T) {
	throttle := NewThrottle(10, 1)
	refused := 0
	for i := range 1000 {
		if !throttle.Admit(throttle.begin, &net.TCPAddr{IP: net.IPv4(203, 0, byte(i>>8), byte(i))}) {
			refused++
		}
	}
	if refused > 100 { // 8 are to be expected to share a cell
		t.Errorf("%d of 1000 sources share a budget with another", refused)
	}
}

// strangers is a listener whose connections come from another address than they do.
type strangers struct{ net.Listener }

func (l strangers) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	return stranger{nc}, err
}

type stranger struct{ net.Conn }

func (stranger) RemoteAddr() net.Addr { return tcpAddr("203.0.113.9") }

// TestThrottledListener opens three connections where two are allowed: the last is closed, and the log tells once.
func TestThrottledListener(t *testing.T) {
	m := NewMemory()
	var log bytes.Buffer
	throttle := NewThrottle(1, 2)
	throttle.each, throttle.slack = time.Hour, time.Hour // however slow this test is
	ln := &throttled{strangers{m}, throttle, slog.New(slog.NewTextHandler(&log, nil))}
	accepted := make(chan net.Conn, 4)
	failed := make(chan error, 1)
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				failed <- err
				return
			}
			accepted <- nc
		}
	}()
	dial := func() net.Conn {
		nc, err := m.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		nc.SetReadDeadline(time.Now().Add(30 * time.Second))
		return nc
	}
	for range 2 {
		dial()
		defer (<-accepted).Close()
	}
	for range 2 {
		if _, err := dial().Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a connection over the limit is served")
		}
	}
	ln.Close()
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	if n := strings.Count(log.String(), "203.0.113.9"); n != 1 {
		t.Errorf("%d lines in the log:\n%s", n, &log)
	}
}
