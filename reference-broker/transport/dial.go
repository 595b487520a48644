package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// Dialer says how to connect. The zero value uses plain sockets and trusts the system's certificate authorities. It is not modified.
type Dialer struct {
	// TLS is for mqtts and wss. nil is the zero value. Without a ServerName that of the URL is checked.
	TLS *tls.Config
	// Socket opens the socket under TLS and WebSocket. nil: a net.Dialer. The network is "tcp" or "unix".
	Socket func(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial opens a connection to a URL with the zero [Dialer]. ctx bounds the attempt, not the connection.
func Dial(ctx context.Context, rawURL string) (net.Conn, error) {
	return (&Dialer{}).Dial(ctx, rawURL)
}

// Dial opens a connection to a URL, handshakes included. ctx bounds the attempt, not the connection.
func (d *Dialer) Dial(ctx context.Context, rawURL string) (net.Conn, error) {
	e, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	dial := d.dialPlain
	if e.web {
		dial = d.dialWeb
	}
	conn, err := dial(ctx, e)
	if err != nil {
		if ctx.Err() == nil {
			err = unanswered(err, e.url.Scheme)
		}
		e.url.RawQuery = "" // there may be a token in it
		return nil, fmt.Errorf("connect to %s: %w", e.url, err)
	}
	return conn, nil
}

// unanswered says what to look at if the other end took no part in a handshake.
func unanswered(err error, scheme string) error {
	var (
		odd  tls.RecordHeaderError
		read *net.OpError
		what string
	)
	switch {
	case errors.As(err, &odd):
		what = "the server answers the handshake of TLS with something else"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &read) && read.Op == "read":
		what = "the server closed the connection in the handshake"
	default:
		return err
	}
	return fmt.Errorf("%s; does it speak %s there? A port for plain MQTT wants mqtt:// (%w)", what, scheme, err)
}

func (d *Dialer) dialPlain(ctx context.Context, e endpoint) (net.Conn, error) { return d.open(ctx, e) }

// open opens a socket, with TLS if e has it. nextProtos is for the negotiation of TLS.
func (d *Dialer) open(ctx context.Context, e endpoint, nextProtos ...string) (net.Conn, error) {
	socket := d.Socket
	if socket == nil {
		socket = new(net.Dialer).DialContext
	}
	raw, err := socket(ctx, e.network, e.address)
	if err != nil || !e.secure {
		return raw, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if d.TLS != nil {
		config = d.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = e.url.Hostname()
	}
	if len(nextProtos) > 0 {
		config.NextProtos = nextProtos
	}
	c := tls.Client(&firstRecord{Conn: raw}, config)
	if err := c.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

// firstRecord ends a handshake at a first byte that begins no record of TLS: crypto/tls waits for five bytes, and a broker's answer in plain MQTT may
// have fewer.
type firstRecord struct {
	net.Conn
	checked bool
}

// The records that a server may begin with.
const (
	recordAlert     = 21
	recordHandshake = 22
)

func (c *firstRecord) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && !c.checked {
		c.checked = true
		if b[0] != recordAlert && b[0] != recordHandshake {
			return 0, tls.RecordHeaderError{Msg: fmt.Sprintf("the first byte is %#02x", b[0]), Conn: c.Conn}
		}
	}
	return n, err
}
