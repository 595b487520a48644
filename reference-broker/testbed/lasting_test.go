package testbed

import (
	"context"
	"io"
	"net"
	"testing"
)

// TestLasting keeps one address and one Session over a stop and a crash.
func TestLasting(t *testing.T) {
	l, err := NewLasting(t.TempDir(), Open, nil)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Serve(ln)
	address := ln.Addr().String()
	if got := connect(t, address); got != 0 {
		t.Fatalf("Session Present %d at first, want 0", got)
	}
	for _, down := range []func(context.Context) error{l.Restart, l.Crash, l.Restart} {
		if err := down(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := connect(t, address); got != 1 {
			t.Fatalf("Session Present %d after the broker was down, want 1", got)
		}
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("somebody listens after Close")
	}
}

// connect connects as the 3.1.1 client "a" with a Session to be kept, and returns Session Present.
func connect(t *testing.T, address string) byte {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a")); err != nil {
		t.Fatal(err)
	}
	var connack [4]byte
	if _, err := io.ReadFull(c, connack[:]); err != nil || connack[3] != 0 {
		t.Fatalf("CONNACK %x, error %v", connack, err)
	}
	return connack[2]
}
