package client

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// script is the Server's end of one Network Connection, played by the test. It speaks bytes.
type script struct {
	t       *testing.T
	conn    net.Conn
	decoder *wire.Decoder
	version mqtt.Version
	buf     []byte
}

// listener hands the connections a client dials to the test.
type listener chan net.Conn

func (l listener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// accept waits for the client to dial and for its CONNECT.
func (l listener) accept(t *testing.T) (*script, *mqtt.Connect) {
	t.Helper()
	s := &script{t: t, conn: <-l, decoder: wire.NewDecoder(wire.FromClient)}
	c := want[*mqtt.Connect](s, "the first packet")
	s.version = c.Version
	return s, c
}

// serve accepts a connection and lets the client in.
func (l listener) serve(t *testing.T, a mqtt.Connack) *script {
	t.Helper()
	s, _ := l.accept(t)
	s.send(&a)
	return s
}

func (s *script) send(packets ...mqtt.Packet) {
	s.t.Helper()
	var b []byte
	var err error
	for _, p := range packets {
		if b, err = wire.Append(b, s.version, p); err != nil {
			s.t.Fatal(err)
		}
	}
	if _, err := s.conn.Write(b); err != nil {
		s.t.Fatalf("server can't send %v: %v", packets[0].Type(), err)
	}
}

// read returns the next packet, or an error when the client closed.
func (s *script) read() (mqtt.Packet, error) {
	for {
		p, n, err := s.decoder.Next(s.buf)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			s.buf = s.buf[n:]
			return p, nil
		}
		b := make([]byte, 4096)
		n, err = s.conn.Read(b)
		s.buf = append(s.buf[:len(s.buf):len(s.buf)], b[:n]...)
		if err != nil {
			return nil, err
		}
	}
}

// want reads the next packet, which must be a P.
func want[P mqtt.Packet](s *script, why string) P {
	s.t.Helper()
	p, err := s.read()
	if err != nil {
		s.t.Fatalf("%s: %v", why, err)
	}
	got, ok := p.(P)
	if !ok {
		s.t.Fatalf("%s: got %v %+v", why, p.Type(), p)
	}
	return got
}

func (s *script) wantClose(why string) {
	s.t.Helper()
	if p, err := s.read(); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
		s.t.Fatalf("%s: got %v, %v; want a close", why, p, err)
	}
}

// quiet fails if the client sends something within d.
func (s *script) quiet(d time.Duration, why string) {
	s.t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(d))
	if p, err := s.read(); err == nil {
		s.t.Fatalf("%s: got %v", why, p.Type())
	}
	_ = s.conn.SetReadDeadline(time.Time{})
}

// bubble runs a conversation between a client and a scripted server in a synctest bubble, which fails if a goroutine is left at its end.
func bubble(t *testing.T, opts Options, a mqtt.Connack, body func(t *testing.T, c *Client, l listener, s *script)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := make(listener)
		opts.Dial = l.dial
		if opts.Seed == 0 {
			opts.Seed = 1
		}
		var s *script
		served := make(chan struct{})
		go func() {
			defer close(served)
			s = l.serve(t, a)
		}()
		c, err := Dial(t.Context(), "mqtt://server", &opts)
		if err != nil {
			t.Fatal(err)
		}
		<-served
		defer func() {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = s.conn.Close()
			_ = c.Close(ctx)
		}()
		body(t, c, l, s)
	})
}

func diff(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}
