package transport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mqttlab/reference-broker/transport"
)

// web opens a WebSocket to a listener without this package's help.
func web(t *testing.T, url string, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	c, response, err := websocket.Dial(ctx, url, o)
	if err == nil {
		t.Cleanup(func() { c.CloseNow() })
	}
	return c, response, err
}

// accepted returns the Server's end of the next connection.
func accepted(t *testing.T, ln net.Listener) net.Conn {
	t.Helper()
	c, err := ln.Accept()
	must(t, err)
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

func TestMessagesAreAStream(t *testing.T) {
	ln := listen(t, &transport.ListenConfig{}, "ws://127.0.0.1:0")
	c, _, err := web(t, transport.URL(ln)+"/anything", &websocket.DialOptions{Subprotocols: []string{"other", "mqtt"}})
	must(t, err)
	if p := c.Subprotocol(); p != "mqtt" {
		t.Errorf("the subprotocol is %q", p)
	}
	s := accepted(t, ln)
	for _, message := range []string{"a", "", "bc", "defgh"} {
		must(t, c.Write(t.Context(), websocket.MessageBinary, []byte(message)))
	}
	w, err := c.Writer(t.Context(), websocket.MessageBinary) // one message in several frames
	must(t, err)
	for _, frame := range []string{"i", "jk", ""} {
		_, err = w.Write([]byte(frame))
		must(t, err)
	}
	must(t, w.Close())
	got := make([]byte, 11)
	if _, err := io.ReadFull(s, got); err != nil || string(got) != "abcdefghijk" {
		t.Errorf("%q, %v", got, err)
	}
	_, err = s.Write([]byte("back"))
	must(t, err)
	kind, b, err := c.Read(t.Context())
	if kind != websocket.MessageBinary || string(b) != "back" || err != nil {
		t.Errorf("the client got %v %q, %v", kind, b, err)
	}
	go s.Read(make([]byte, 1))
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("the server does not take part in closing: %v", err)
	}
}

func TestTextMessageCloses(t *testing.T) {
	ln := listen(t, &transport.ListenConfig{}, "ws://127.0.0.1:0")
	c, _, err := web(t, transport.URL(ln), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	must(t, err)
	must(t, c.Write(t.Context(), websocket.MessageText, []byte("\x10")))
	s := accepted(t, ln)
	failed := make(chan error, 1)
	go func() {
		_, err := s.Read(make([]byte, 1))
		s.Close()
		failed <- err
	}()
	_, _, err = c.Read(t.Context())
	if status := websocket.CloseStatus(err); status != websocket.StatusUnsupportedData {
		t.Errorf("the client is told %v", err)
	}
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "text") {
		t.Errorf("the server reads %v", err)
	}
}

func TestRefusedHandshakes(t *testing.T) {
	ln := listen(t, &transport.ListenConfig{Origins: []string{"*.good.example"}}, "ws://127.0.0.1:0/mqtt")
	from := func(origin string) *websocket.DialOptions {
		return &websocket.DialOptions{Subprotocols: []string{"mqtt"}, HTTPHeader: http.Header{"Origin": {origin}}}
	}
	for _, x := range []struct {
		what   string
		url    string
		o      *websocket.DialOptions
		status int
	}{
		{"another path", strings.TrimSuffix(transport.URL(ln), "/mqtt") + "/other", &websocket.DialOptions{Subprotocols: []string{"mqtt"}}, 404},
		{"no subprotocol", transport.URL(ln), nil, 400},
		{"another subprotocol", transport.URL(ln), &websocket.DialOptions{Subprotocols: []string{"wamp"}}, 400},
		{"a page from elsewhere", transport.URL(ln), from("http://bad.example"), 403},
		{"a page that may", transport.URL(ln), from("http://www.good.example"), 101},
		{"a page of the same host", transport.URL(ln), from("http://" + ln.Addr().String()), 101},
	} {
		if _, r, err := web(t, x.url, x.o); r == nil || r.StatusCode != x.status {
			t.Errorf("%s: %v, %v", x.what, r, err)
		} else if x.status == 101 {
			accepted(t, ln)
		}
	}
	for _, url := range []string{strings.Replace(transport.URL(ln), "/mqtt", "/other", 1), "ws://" + ln.Addr().String() + "/?token=secret"} {
		_, err := transport.Dial(t.Context(), url)
		if err == nil || !strings.Contains(err.Error(), "right path") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := (&transport.ListenConfig{Origins: []string{"["}}).Listen(t.Context(), "ws://127.0.0.1:0"); err == nil {
		t.Error("a broken pattern was taken")
	}
}

func TestServerWithoutSubprotocol(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := websocket.Accept(w, r, nil); err == nil {
			c.CloseNow()
		}
	}))
	defer s.Close()
	_, err := transport.Dial(t.Context(), strings.Replace(s.URL, "http", "ws", 1))
	if err == nil || !strings.Contains(err.Error(), "subprotocol") {
		t.Errorf("error %v", err)
	}
}

// TestCloseDoesNotWait closes both kinds of ends while the peer neither reads nor closes.
func TestCloseDoesNotWait(t *testing.T) {
	ln := listen(t, &transport.ListenConfig{}, "ws://127.0.0.1:0")
	for _, half := range []bool{false, true} {
		c, err := transport.Dial(t.Context(), transport.URL(ln))
		must(t, err)
		s := accepted(t, ln)
		for _, end := range []net.Conn{s, c} {
			reading := make(chan struct{})
			go func() {
				defer close(reading)
				io.Copy(io.Discard, end)
			}()
			start := time.Now()
			if half {
				end.(interface{ CloseWrite() error }).CloseWrite()
			}
			end.Close()
			<-reading
			if took := time.Since(start); took > 4*time.Second {
				t.Errorf("closing took %v", took)
			}
		}
	}
}
