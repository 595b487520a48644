package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"mqttlab/reference-broker/transport"
)

// TestServersWithoutHandshake dials servers that take no part in a handshake. That is told as soon as it is seen, and with what to do.
func TestServersWithoutHandshake(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(*net.TCPConn)
		want   string
	}{
		"answers four bytes and waits": {func(c *net.TCPConn) { c.Write([]byte{0x20, 2, 0, 1}); io.Copy(io.Discard, c) }, "with something else"},
		"answers HTTP":                 {func(c *net.TCPConn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); io.Copy(io.Discard, c) }, "with something else"},
		"closes":                       {func(*net.TCPConn) {}, "closed the connection"},
		"closes within a record":       {func(c *net.TCPConn) { c.Read(make([]byte, 4096)); c.Write([]byte{22, 3}) }, "closed the connection"},
		"resets":                       {func(c *net.TCPConn) { c.Read(make([]byte, 1)); c.SetLinger(0) }, "closed the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			defer ln.Close()
			go func() {
				accepted, err := ln.Accept()
				if err != nil {
					return
				}
				defer accepted.Close()
				c.answer(accepted.(*net.TCPConn))
			}()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			conn, err := transport.Dial(ctx, "mqtts://"+ln.Addr().String())
			if err == nil {
				conn.Close()
			}
			if err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "wants mqtt://") {
				t.Errorf("got %v, want that the server %s, and what to do", err, c.want)
			}
		})
	}
}
