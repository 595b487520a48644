package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
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
	address, stop, ended := startService(t, map[string]string{"drain": deadline.String(), "limits.linger": "1m"})
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
	case <-time.After(time.Minute):
		t.Fatal("the broker waits for a client that does not go")
	}
	silent.nc.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.Copy(io.Discard, silent.nc); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the other connection: %v", err)
	}
}

// startService runs the broker on a free port, with these settings. It returns the address, what stops it, and where serve returns.
func startService(t *testing.T, values map[string]string) (address string, stop func(), ended <-chan error) {
	t.Helper()
	overrides := []settings.Override{{Key: "listeners", Value: "mqtt://127.0.0.1:0"}, {Key: "log.level", Value: "error"}}
	for key, value := range values {
		overrides = append(overrides, settings.Override{Key: key, Value: value})
	}
	s, err := settings.Load(settings.Sources{Overrides: overrides})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	out, in := io.Pipe()
	cmd := &cobra.Command{}
	cmd.SetContext(ctx)
	cmd.SetOut(in)
	served := make(chan error, 1)
	go func() { served <- serve(cmd, s) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(strings.TrimSpace(line), "listening on mqtt://"), stop, served
}

// TestConnectRate opens connections from an address that is not of the loopback interface: one is closed.
func TestConnectRate(t *testing.T) {
	address, stop, ended := startService(t, map[string]string{
		"listeners": "mqtt://" + net.JoinHostPort(ownAddress(t), "0"), "access.anonymous": "true",
		"limits.connect_rate": "1", "limits.connect_burst": "1", "limits.connect_timeout": "1h",
	})
	dialRaw(t, address, "first")
	const tries = 100 // in less than 100 s
	closed := make(chan struct{}, tries)
	var dialling sync.WaitGroup
	for range tries {
		dialling.Go(func() {
			if nc, err := net.Dial("tcp", address); err == nil {
				defer nc.Close()
				_, _ = nc.Read(make([]byte, 1)) // until it is closed
			}
			closed <- struct{}{}
		})
	}
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Error("no connection is refused")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	dialling.Wait()
}

// ownAddress returns an address of this machine that counts as a stranger's.
func ownAddress(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP.String()
		}
	}
	t.Skip("this machine has no address but those of the loopback interface")
	return ""
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
	c := dialWith(t, address, &mqtt.Connect{ClientID: id, CleanStart: true})
	if k, ok := c.next().(*mqtt.Connack); !ok || k.ReasonCode != mqtt.Success {
		t.Fatalf("no CONNACK: %+v", k)
	}
	return c
}

// next waits for a packet.
func (c *rawClient) next() mqtt.Packet {
	c.t.Helper()
	c.nc.SetReadDeadline(time.Now().Add(time.Minute))
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
