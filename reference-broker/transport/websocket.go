package transport

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"
)

const (
	// subprotocol is the name of MQTT among the subprotocols of WebSocket.
	subprotocol = "mqtt"
	// defaultPath is what clients of most brokers ask for.
	defaultPath = "/mqtt"
	// maxHeader bounds the HTTP header of a WebSocket handshake, bytes; cookies and tokens of a web page may be in it.
	maxHeader = 16 << 10
)

// socketKey is under which the context of an HTTP request has its net.Conn.
type socketKey struct{}

// listenWeb does WebSocket handshakes, and those of TLS before if e says so, on the connections of ln.
func (lc *ListenConfig) listenWeb(ln net.Listener, e endpoint) net.Listener {
	l := newReadyListener(ln, e)
	pending := newUnderway(lc.Handshakes)
	server := &http.Server{
		Handler:           lc.upgrade(l, e.url.Path),
		ReadHeaderTimeout: lc.HandshakeTimeout, // bounds the TLS handshake, too
		WriteTimeout:      lc.HandshakeTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(lc.Logger.Handler(), slog.LevelDebug),
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, socketKey{}, c) },
		ConnState: func(c net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				pending.enter(c)
			case http.StateHijacked, http.StateClosed:
				pending.leave(c)
			}
		},
	}
	server.SetKeepAlivesEnabled(false)
	l.stop = func() { server.Close() }
	inner := net.Listener(ln)
	if e.secure {
		inner = tls.NewListener(ln, lc.TLS.config(true))
	}
	l.wg.Go(func() {
		if err := server.Serve(inner); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			select {
			case l.failed <- fmt.Errorf("accept on %s: %w", l.url, err):
			case <-l.done:
			}
		}
	})
	return l
}

// upgrade returns the handler that turns requests for path into Network Connections. Any path will do if it is empty.
func (lc *ListenConfig) upgrade(l *readyListener, path string) http.Handler {
	options := &websocket.AcceptOptions{
		Subprotocols: []string{subprotocol}, OriginPatterns: lc.Origins, InsecureSkipVerify: slices.Contains(lc.Origins, "*"),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case path != "" && r.URL.Path != path:
			http.Error(w, "there is nothing here but MQTT at "+path, http.StatusNotFound)
			return
		case !offers(r, subprotocol): // [MQTT5 6.0.0-3] [MQTT311 6.0.0-3]
			http.Error(w, "the WebSocket subprotocol must be "+subprotocol, http.StatusBadRequest)
			return
		}
		c, err := websocket.Accept(w, r, options) // [MQTT5 6.0.0-4] [MQTT311 6.0.0-4]
		if err != nil {
			lc.Logger.Debug("handshake failed", "listener", l.url, "remote", r.RemoteAddr, "error", err)
			return
		}
		conn := newWebConn(c, r.Context().Value(socketKey{}).(net.Conn))
		if r.TLS != nil {
			conn.username = certificateUser(*r.TLS)
		}
		l.offer(conn)
	})
}

// offers reports whether a client lists a subprotocol. Names are compared without regard to case, as coder/websocket does.
func offers(r *http.Request, name string) bool {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for offered := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(offered), name) {
				return true
			}
		}
	}
	return false
}

// dialWeb does the WebSocket handshake, on connections that d opens.
func (d *Dialer) dialWeb(ctx context.Context, e endpoint) (net.Conn, error) {
	var socket net.Conn
	open := func(ctx context.Context, _, _ string) (c net.Conn, err error) {
		socket, err = d.open(ctx, e, "http/1.1")
		return socket, err
	}
	client := &http.Client{
		Transport:     &http.Transport{DialContext: open, DialTLSContext: open},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	u := *e.url
	u.Path = cmp.Or(u.Path, defaultPath)
	c, response, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{
		HTTPClient: client, Subprotocols: []string{subprotocol}, // [MQTT5 6.0.0-3] [MQTT311 6.0.0-3]
	})
	if err != nil {
		return nil, explain(response, err)
	}
	if c.Subprotocol() != subprotocol { // [MQTT5 6.0.0-4] [MQTT311 6.0.0-4]
		c.CloseNow()
		return nil, fmt.Errorf("the server speaks WebSocket, but does not agree to the subprotocol %s", subprotocol)
	}
	return newWebConn(c, socket), nil
}

// explain adds what an HTTP server said to the error of a handshake.
func explain(r *http.Response, err error) error {
	if r == nil {
		return withoutURL(err)
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 200))
	return fmt.Errorf("the server answers %q (%q): is this the right path? %w", r.Status, strings.TrimSpace(string(body)), err)
}
