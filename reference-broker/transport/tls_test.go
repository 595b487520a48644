package transport_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"mqttlab/reference-broker/transport"
)

// listen opens a listener that is closed with the test.
func listen(t testing.TB, lc *transport.ListenConfig, url string) net.Listener {
	t.Helper()
	ln, err := lc.Listen(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { ln.Close() })
	return ln
}

// echo answers each connection with what it sends, and tells who is there.
func echo(t testing.TB, ln net.Listener) (users chan string) {
	users = make(chan string, 10)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			users <- transport.Username(c)
			go func() {
				defer c.Close()
				if _, err := io.Copy(c, c); err == nil {
					c.(interface{ CloseWrite() error }).CloseWrite()
					io.Copy(io.Discard, c)
				}
			}()
		}
	}()
	return users
}

func dialer(t testing.TB, ca, cert, key string) *transport.Dialer {
	t.Helper()
	c, err := transport.ClientTLS(ca, cert, key)
	must(t, err)
	return &transport.Dialer{TLS: c}
}

// exchange sends, closes its half, and returns what comes back.
func exchange(t *testing.T, c net.Conn, sent []byte) []byte {
	t.Helper()
	c.SetDeadline(time.Now().Add(time.Minute))
	go func() {
		for b := sent; len(b) > 0; b = b[min(len(b), 9999):] {
			c.Write(b[:min(len(b), 9999)])
		}
	}()
	got := make([]byte, len(sent))
	if n, err := io.ReadFull(c, got); err != nil {
		t.Fatalf("%d bytes came back: %v", n, err)
	}
	must(t, c.(interface{ CloseWrite() error }).CloseWrite())
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
		t.Errorf("at the end came %q, %v", rest, err)
	}
	return got
}

func TestEachTransportCarriesBytes(t *testing.T) {
	ca := newAuthority(t)
	lc := &transport.ListenConfig{TLS: ca.server()}
	sent := bytes.Repeat([]byte("0123456789"), 50_000)
	for _, u := range []string{
		"mqtt://127.0.0.1:0", "mqtts://127.0.0.1:0", "ws://127.0.0.1:0", "wss://127.0.0.1:0/mqtt", "mqtt+unix://" + ca.dir + "/s",
	} {
		ln := listen(t, lc, u)
		users := echo(t, ln)
		c, err := dialer(t, ca.file, "", "").Dial(t.Context(), transport.URL(ln))
		if err != nil {
			t.Errorf("%s: %v", u, err)
			continue
		}
		if got := exchange(t, c, sent); !bytes.Equal(got, sent) {
			t.Errorf("%s changed the bytes", u)
		}
		c.Close()
		if user := <-users; user != "" {
			t.Errorf("%s: the user is %q without a certificate", u, user)
		}
		if a := c.RemoteAddr().String(); a != ln.Addr().String() {
			t.Errorf("%s: the remote address is %s", u, a)
		}
	}
}

func TestClientCertificateNamesTheUser(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	cert, key := ca.issue("broker")
	server, err := transport.LoadServerTLS(cert, key, ca.file)
	must(t, err)
	for _, scheme := range []string{"mqtts", "wss"} {
		ln := listen(t, &transport.ListenConfig{TLS: server}, scheme+"://127.0.0.1:0")
		users := echo(t, ln)
		clientCert, clientKey := ca.issue("sensor-7")
		c, err := dialer(t, ca.file, clientCert, clientKey).Dial(t.Context(), transport.URL(ln))
		must(t, err)
		if user := <-users; user != "sensor-7" {
			t.Errorf("%s: the user is %q", scheme, user)
		}
		c.Close()
		foreignCert, foreignKey := other.issue("sensor-7")
		namelessCert, namelessKey := ca.issue("")
		for why, d := range map[string]*transport.Dialer{
			"no certificate":      dialer(t, ca.file, "", ""),
			"a foreign authority": dialer(t, ca.file, foreignCert, foreignKey),
			"no name":             dialer(t, ca.file, namelessCert, namelessKey),
		} {
			if c, err := d.Dial(t.Context(), transport.URL(ln)); err == nil { // in TLS 1.3 the refusal comes with the first read
				c.SetDeadline(time.Now().Add(time.Minute))
				if _, err := c.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
					t.Errorf("%s, %s: %v", scheme, why, err)
				}
				c.Close()
			}
			select {
			case user := <-users:
				t.Errorf("%s, %s: accepted as %q", scheme, why, user)
			default:
			}
		}
	}
}

func TestServerIsVerified(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	for _, scheme := range []string{"mqtts", "wss"} {
		ln := listen(t, &transport.ListenConfig{TLS: ca.server()}, scheme+"://127.0.0.1:0")
		echo(t, ln)
		for host, x := range map[string]struct {
			ca   string
			want string
		}{
			"localhost": {ca.file, ""}, "elsewhere.example": {ca.file, "elsewhere.example"}, "127.0.0.1": {other.file, "unknown authority"}, "127.0.0.2": {"", "127.0.0.2"},
		} {
			d := dialer(t, x.ca, "", "")
			d.Socket = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
			}
			c, err := d.Dial(t.Context(), scheme+"://"+host)
			if err == nil {
				c.Close()
			}
			if x.want == "" && err != nil || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
				t.Errorf("%s://%s: %v", scheme, host, err)
			}
		}
	}
}

func TestVersionsOfTLS(t *testing.T) {
	ca := newAuthority(t)
	ln := listen(t, &transport.ListenConfig{TLS: ca.server()}, "mqtts://127.0.0.1:0")
	echo(t, ln)
	for version, works := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		d := dialer(t, ca.file, "", "")
		d.TLS.MinVersion, d.TLS.MaxVersion = version, version
		c, err := d.Dial(t.Context(), transport.URL(ln))
		if works != (err == nil) {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			c.Close()
		}
	}
}

func TestReload(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue("before")
	server, err := transport.LoadServerTLS(cert, key, "")
	must(t, err)
	for _, scheme := range []string{"mqtts", "wss"} {
		ln := listen(t, &transport.ListenConfig{TLS: server}, scheme+"://127.0.0.1:0")
		echo(t, ln)
		name := func() (name string) {
			d := dialer(t, ca.file, "", "")
			d.TLS.VerifyConnection = func(s tls.ConnectionState) error {
				name = s.PeerCertificates[0].Subject.CommonName
				return nil
			}
			c, err := d.Dial(t.Context(), transport.URL(ln))
			must(t, err)
			c.Close()
			return name
		}
		ca.replace(cert, key, "before")
		must(t, server.Reload())
		if n := name(); n != "before" {
			t.Errorf("%s: the certificate is %q", scheme, n)
		}
		ca.replace(cert, key, "after")
		must(t, server.Reload())
		if n := name(); n != "after" {
			t.Errorf("%s: the certificate is %q", scheme, n)
		}
		must(t, os.WriteFile(cert, []byte("broken"), 0o600))
		if err := server.Reload(); err == nil || !strings.Contains(err.Error(), cert) {
			t.Errorf("a broken file: %v", err)
		}
		if n := name(); n != "after" {
			t.Errorf("%s: after a failed Reload the certificate is %q", scheme, n)
		}
	}
}

func TestWrongFiles(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue("x")
	_, otherKey := ca.issue("y")
	if _, err := transport.LoadServerTLS(cert, otherKey, ""); err == nil || !strings.Contains(err.Error(), otherKey) {
		t.Errorf("a key of another certificate: %v", err)
	}
	if _, err := transport.LoadServerTLS(cert, key, key); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("an authority without certificate: %v", err)
	}
	_, err := transport.ClientTLS(ca.missing(), cert, "")
	if err == nil || !strings.Contains(err.Error(), "missing") || !strings.Contains(err.Error(), "needs both") {
		t.Errorf("not both mistakes are named: %v", err)
	}
}

// TestSlowHandshakes shows that clients that say nothing keep nobody waiting, and are closed: the oldest when there are too many, and each by the clock.
func TestSlowHandshakes(t *testing.T) {
	ca := newAuthority(t)
	for _, scheme := range []string{"mqtts", "ws", "wss"} {
		many := listen(t, &transport.ListenConfig{TLS: ca.server(), HandshakeTimeout: time.Hour, Handshakes: 3}, scheme+"://127.0.0.1:0")
		echo(t, many)
		oldest := silent(t, many)
		for range 4 {
			silent(t, many)
		}
		c, err := dialer(t, ca.file, "", "").Dial(within(t), transport.URL(many))
		if err != nil {
			t.Fatalf("%s: the fast client had to wait: %v", scheme, err)
		}
		c.Close()
		if _, err := io.ReadAll(oldest); os.IsTimeout(err) {
			t.Errorf("%s: the oldest of too many is still open", scheme)
		}
		late := listen(t, &transport.ListenConfig{TLS: ca.server(), HandshakeTimeout: 50 * time.Millisecond}, scheme+"://127.0.0.1:0")
		echo(t, late)
		if _, err := io.ReadAll(silent(t, late)); os.IsTimeout(err) {
			t.Errorf("%s: who says nothing is not closed", scheme)
		}
	}
}

// silent opens a connection that says nothing, and may be read from for a minute.
func silent(t *testing.T, ln net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", ln.Addr().String())
	must(t, err)
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

func TestCloseEndsHandshakes(t *testing.T) {
	ca := newAuthority(t)
	for _, scheme := range []string{"mqtts", "ws", "wss"} {
		ln := listen(t, &transport.ListenConfig{TLS: ca.server()}, scheme+"://127.0.0.1:0")
		silent, err := net.Dial("tcp", ln.Addr().String())
		must(t, err)
		defer silent.Close()
		ready := make(chan error, 1)
		go func() { // a client whose handshake is over, and whom nobody accepts
			c, err := dialer(t, ca.file, "", "").Dial(context.Background(), transport.URL(ln))
			if err == nil {
				c.SetDeadline(time.Now().Add(time.Minute))
				_, err = c.Read(make([]byte, 1))
				c.Close()
			}
			ready <- err
		}()
		time.Sleep(5 * time.Millisecond)
		must(t, ln.Close())
		if _, err := ln.Accept(); err == nil {
			t.Errorf("%s: Accept works after Close", scheme)
		}
		silent.SetDeadline(time.Now().Add(time.Minute))
		if _, err := silent.Read(make([]byte, 1)); os.IsTimeout(err) {
			t.Errorf("%s: a handshake survived Close", scheme)
		}
		if err := <-ready; err == nil || os.IsTimeout(err) {
			t.Errorf("%s: a connection that nobody accepted is open: %v", scheme, err)
		}
	}
}
