package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/transport"
	"mqttlab/reports/model"
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

// TestKnownOverSomeTransports names the transports of a failure that is not one everywhere.
func TestKnownOverSomeTransports(t *testing.T) {
	r := &model.Record{Kind: model.Conformance}
	for name, over := range map[string]map[string]model.Verdict{
		"Some": {"": model.KnownFailure, "tls": model.Pass, "ws": model.Fail},
		"All":  {"": model.Fail, "tls": model.Crash, "ws": model.Fail},
		"None": {"": model.Pass, "tls": model.Info},
	} {
		for transport, v := range over {
			r.Checks = append(r.Checks, model.Check{Area: "a", Name: name, MQTT: "5.0", Transport: transport, Verdict: v})
		}
	}
	r.Seal()
	var text bytes.Buffer
	if err := encodeKnown(&text, r); err != nil {
		t.Fatal(err)
	}
	known, err := target.ParseKnown("known.yaml", text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	reason := "no reason was recorded"
	want := []target.Known{{Check: "a/All", MQTT: "5.0", Reason: reason}, {Check: "a/Some", MQTT: "5.0", Transports: []string{"tcp", "ws"}, Reason: reason}}
	if diff := cmp.Diff(want, known); diff != "" {
		t.Errorf("known failures (-want +got):\n%s", diff)
	}
}
