package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/settings"
	"mqttlab/reference-broker/wire"
)

// TestDrain stops a broker with a client that goes when it is told, and one that stays: the first is told why, the second is cut at the
// deadline.
func TestDrain(t *testing.T) {
	const deadline = 300 * time.Millisecond
	s, err := settings.Load(settings.Sources{Overrides: []settings.Override{
		{Key: "listeners", Value: "mqtt://127.0.0.1:0"},
		{Key: "drain", Value: deadline.String()},
		{Key: "limits.linger", Value: "1m"},
		{Key: "log.level", Value: "error"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	cmd := &cobra.Command{}
	cmd.SetContext(ctx)
	cmd.SetOut(in)
	ended := make(chan error, 1)
	go func() { ended <- serve(cmd, s) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(strings.TrimSpace(line), "listening on mqtt://")
	told, silent := dialRaw(t, address, "told"), dialRaw(t, address, "silent")
	begin := time.Now()
	stop()
	if p, ok := told.next().(*mqtt.Disconnect); !ok || p.ReasonCode != mqtt.ServerShuttingDown {
		t.Errorf("the client was told %v", p)
	}
	told.nc.Close()
	select {
	case err := <-ended:
		if took := time.Since(begin); err != nil || took < deadline {
			t.Errorf("ended after %v: %v", took, err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the broker waits for a client that does not go")
	}
	silent.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(io.Discard, silent.nc); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the other connection: %v", err)
	}
}

// rawClient is a 5.0 client that does nothing by itself.
type rawClient struct {
	t   *testing.T
	nc  net.Conn
	dec *wire.Decoder
	buf []byte
}

func dialRaw(t *testing.T, address, id string) *rawClient {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	c := &rawClient{t: t, nc: nc, dec: wire.NewDecoder(wire.FromServer)}
	c.dec.Version = mqtt.V5
	b, err := wire.Append(nil, mqtt.V5, &mqtt.Connect{Version: mqtt.V5, ClientID: id, CleanStart: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Write(b); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.next().(*mqtt.Connack); !ok {
		t.Fatal("no CONNACK")
	}
	return c
}

// next waits for a packet.
func (c *rawClient) next() mqtt.Packet {
	c.t.Helper()
	c.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		p, n, err := c.dec.Next(c.buf)
		if err != nil {
			c.t.Fatal(err)
		}
		if n > 0 {
			c.buf = c.buf[n:]
			return p
		}
		more := make([]byte, 4096)
		n, err = c.nc.Read(more)
		if err != nil {
			c.t.Fatal(err)
		}
		c.buf = append(c.buf, more[:n]...)
	}
}
