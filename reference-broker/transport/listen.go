package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path"
	"time"
)

// Defaults of ListenConfig.
const (
	// DefaultHandshakeTimeout leaves time for some lost packets on a slow link.
	DefaultHandshakeTimeout = 10 * time.Second
	// DefaultHandshakes is what a fleet that comes back all at once may have under way; at some 50 KiB each they take 200 MiB at worst.
	DefaultHandshakes = 4096
)

// ListenConfig says how to listen. The zero value is enough for mqtt, ws and mqtt+unix. It is not modified.
type ListenConfig struct {
	// TLS has the certificate for mqtts and wss, which need it.
	TLS *ServerTLS
	// Origins names the hosts whose web pages may connect over ws and wss besides the listener's own, as patterns of path.Match such as
	// "*.example.com"; "*" is all.
	Origins []string
	// HandshakeTimeout bounds the time from accepting a connection to the end of its TLS and WebSocket handshakes. 0: 10 s.
	HandshakeTimeout time.Duration
	// Handshakes is how many handshakes may be under way. One more closes the oldest. 0: 4096.
	Handshakes int
	// Throttle limits how many connections one source may open, before any handshake; listeners may share one. nil: no limit.
	Throttle *Throttle
	// Logger gets handshakes that failed, at Debug, and sources that open too many connections, at Warn. nil: silent.
	Logger *slog.Logger
}

// Listen opens a listener for a URL with the default [ListenConfig]. The caller closes it.
func Listen(ctx context.Context, rawURL string) (net.Listener, error) {
	return (&ListenConfig{}).Listen(ctx, rawURL)
}

// Listen opens a listener for a URL. The caller closes it. ctx bounds the opening only.
func (lc *ListenConfig) Listen(ctx context.Context, rawURL string) (net.Listener, error) {
	c, e, err := lc.prepare(rawURL)
	if err != nil {
		return nil, err
	}
	// MQTT has its own Keep Alive; for clients that turn it off the system's keepalive stays on, with the system's intervals: setting
	// them costs three system calls per connection.
	sockets := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}}
	var ln net.Listener
	if e.network == "unix" {
		ln, err = listenUnix(ctx, &sockets, e.address)
	} else {
		ln, err = sockets.Listen(ctx, e.network, e.address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", rawURL, err)
	}
	if c.Throttle != nil {
		ln = &throttled{ln, c.Throttle, c.Logger}
	}
	return c.over(ln, e), nil
}

// Over adds the handshakes that a URL asks for, those of TLS and WebSocket, to a listener that is open already. The result closes it.
func (lc *ListenConfig) Over(ln net.Listener, rawURL string) (net.Listener, error) {
	c, e, err := lc.prepare(rawURL)
	if err != nil {
		return nil, err
	}
	return c.over(ln, e), nil
}

func (lc *ListenConfig) over(ln net.Listener, e endpoint) net.Listener {
	switch {
	case e.web:
		return lc.listenWeb(ln, e)
	case e.secure:
		return lc.listenTLS(ln, e)
	}
	return ln
}

// prepare fills the defaults in and finds the mistakes.
func (lc *ListenConfig) prepare(rawURL string) (*ListenConfig, endpoint, error) {
	e, err := parse(rawURL)
	if err == nil && e.secure && lc.TLS == nil {
		err = fmt.Errorf("listen on %s: %s needs a certificate and its key", rawURL, e.url.Scheme)
	}
	if err != nil {
		return nil, e, err
	}
	c := lc.withDefaults()
	return &c, e, c.check()
}

func (lc *ListenConfig) withDefaults() ListenConfig {
	c := *lc
	c.HandshakeTimeout = cmp.Or(c.HandshakeTimeout, DefaultHandshakeTimeout)
	c.Handshakes = cmp.Or(c.Handshakes, DefaultHandshakes)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// check returns all mistakes at once.
func (lc *ListenConfig) check() error {
	var errs []error
	if lc.HandshakeTimeout < 0 {
		errs = append(errs, fmt.Errorf("HandshakeTimeout is %s, must not be negative", lc.HandshakeTimeout))
	}
	if lc.Handshakes < 0 {
		errs = append(errs, fmt.Errorf("the limit Handshakes is %d, must not be negative", lc.Handshakes))
	}
	for _, o := range lc.Origins {
		if _, err := path.Match(o, ""); err != nil {
			errs = append(errs, fmt.Errorf("origin %q: want a host name or a pattern such as *.example.com", o))
		}
	}
	return errors.Join(errs...)
}

// URL returns the URL under which a listener of this package is reached: the way to learn a port that the system chose.
func URL(ln net.Listener) string {
	if u, ok := ln.(interface{ URL() string }); ok {
		return u.URL()
	}
	if ln.Addr().Network() == "unix" {
		return "mqtt+unix://" + ln.Addr().String()
	}
	return "mqtt://" + ln.Addr().String()
}

// Username returns who the client at the other end of a connection has proven to be by its certificate; empty: nobody in particular.
func Username(conn net.Conn) string {
	if u, ok := conn.(interface{ Username() string }); ok {
		return u.Username()
	}
	return ""
}
