package main

import (
	"context"
	"net"
	"os"
	"syscall"
	"testing"

	"mqttlab/reference-broker/transport"
	"mqttlab/spec/target"
)

// TestUnixSocketIsBusy wants a connection although the queue of the socket is full at first.
func TestUnixSocketIsBusy(t *testing.T) {
	tg, err := target.Parse("mqtt+unix:///run/mqtt.sock")
	if err != nil {
		t.Fatal(err)
	}
	tries := 0
	dialBy(tg, &transport.Dialer{Socket: func(_ context.Context, network, _ string) (net.Conn, error) {
		if tries++; tries < 3 {
			return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.EAGAIN)}
		}
		client, server := net.Pipe()
		return client, server.Close()
	}})
	conn, err := tg.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if conn.Close(); tries != 3 {
		t.Errorf("%d tries, want 3", tries)
	}
}
