package target_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/target"
)

// at is a target at a listener.
func at(t *testing.T, l net.Listener) *target.Target {
	t.Helper()
	tg, err := target.Parse("mqtt://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	tg.Timings = probe.Timings{Answer: 30 * time.Second, Settle: 20 * time.Millisecond} // a busy machine is slow to answer
	return tg
}

// serving accepts connections and hands each to do.
func serving(t *testing.T, do func(net.Conn)) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go do(c)
		}
	}()
	return l
}

func closed(t *testing.T) net.Listener {
	t.Helper()
	l := serving(t, func(net.Conn) {})
	l.Close()
	return l
}

// answer waits for the CONNECT, answers with fixed bytes and closes.
func answer(b string) func(net.Conn) {
	return func(c net.Conn) {
		defer c.Close()
		if _, err := c.Read(make([]byte, 1024)); err == nil {
			_, _ = c.Write([]byte(b))
		}
	}
}

func tlsListener(t *testing.T) net.Listener {
	t.Helper()
	s := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(s.Close)
	return serving(t, func(c net.Conn) {
		defer c.Close()
		_ = tls.Server(c, &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12}).Handshake()
	})
}

func TestUnreachableTargetsAreToldApart(t *testing.T) {
	tests := []struct {
		name    string
		l       net.Listener
		trouble target.Trouble
	}{
		{"closed port", closed(t), target.Unreachable},
		{"silent", serving(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c); c.Close() }), target.Silent},
		{"web server", serving(t, answer("HTTP/1.1 400 Bad Request\r\n\r\n")), target.NotMQTT},
		{"greets", serving(t, answer("SSH-2.0-OpenSSH_9.2\r\n")), target.NotMQTT},
		{"closes", serving(t, func(c net.Conn) { c.Close() }), target.Closes},
		{"wants a password", serving(t, answer("\x20\x02\x00\x05")), target.Refuses},
		{"tls", tlsListener(t), target.TLSPort},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tg := at(t, tt.l)
			if tt.trouble == target.Silent {
				tg.Timings.Answer = 200 * time.Millisecond // that is how long it takes to find out
			}
			_, _, err := target.Discover(context.Background(), tg, octets.V311, "id")
			var reach *target.ReachError
			if !errors.As(err, &reach) || reach.Trouble != tt.trouble {
				t.Fatalf("%v, want %q", err, tt.trouble)
			}
			if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), tt.l.Addr().String()) {
				t.Errorf("not one line that names the target: %q", err)
			}
		})
	}
}

func TestOtherVersion(t *testing.T) {
	for _, refusal := range []string{"\x20\x02\x00\x01", "\x20\x03\x00\x84\x00"} {
		_, _, err := target.Discover(context.Background(), at(t, serving(t, answer(refusal))), octets.V5, "id")
		var version *target.VersionError
		if !errors.As(err, &version) {
			t.Errorf("%q: %v", refusal, err)
		}
	}
}
