package secure

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mqttlab/simulator/device"
	"mqttlab/simulator/live"
)

// certificate makes one that vouches for itself, for "broker.test" and until a time, and the pool that trusts it.
func certificate(t *testing.T, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until, DNSNames: []string{"broker.test"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// tomorrow is when certificates of these tests end, if they are to be good.
func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

// heard is a device that tells the test what happened to its connection.
type heard struct {
	opened   chan device.Conn
	received chan []byte
	writable chan struct{}
	closed   chan error
}

func (h *heard) Opened(c device.Conn) { h.opened <- c }
func (h *heard) Received(p []byte)    { h.received <- bytes.Clone(p) }
func (h *heard) Writable()            { h.writable <- struct{}{} }
func (h *heard) Closed(err error)     { h.closed <- err }

// bench is one device behind a Layer, and the listener it connects to.
type bench struct {
	t        *testing.T
	loop     *live.Loop
	layer    *Layer
	host     device.Host
	listener net.Listener
}

func newBench(t *testing.T, cfg *tls.Config) *bench {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, loop: live.New(live.Config{Target: listener.Addr().String()}), layer: New(cfg), listener: listener}
	b.host = b.layer.Host(b.loop.Host(&live.Traffic{}, netip.Addr{}), b.loop.Do)
	t.Cleanup(func() {
		listener.Close()
		b.loop.Close()
		b.layer.Close()
	})
	return b
}

// open connects the device, and returns the target's side.
func (b *bench) open() (*heard, net.Conn) {
	b.t.Helper()
	h := &heard{make(chan device.Conn, 1), make(chan []byte, 100_000), make(chan struct{}, 1000), make(chan error, 10)}
	b.loop.Do(func() {
		if err := b.host.Open(h); err != nil {
			b.t.Error(err)
		}
	})
	c, err := b.listener.Accept()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return h, c
}

// within waits for what has to happen; its limit is for tests that would otherwise hang.
func within[T any](t *testing.T, c chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatalf("%s did not happen", what)
		panic("unreachable")
	}
}

// tap keeps what was read last.
type tap struct {
	net.Conn
	last []byte
}

func (c *tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.last = append(c.last, p[:n]...)
	c.last = c.last[max(0, len(c.last)-64):]
	return n, err
}

// talk opens a connection over which the target says hello, so that the device has all that a handshake brings, its tickets too.
func (b *bench) talk(cert tls.Certificate) (*heard, device.Conn, *tls.Conn) {
	b.t.Helper()
	h, raw := b.open()
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}
	cfg.SetSessionTicketKeys([][32]byte{{1}})
	target := tls.Server(&tap{Conn: raw}, cfg)
	if _, err := target.Write([]byte("hello")); err != nil {
		b.t.Fatal(err)
	}
	c := within(b.t, h.opened, "Opened")
	if got := within(b.t, h.received, "Received"); string(got) != "hello" {
		b.t.Fatalf("received %q", got)
	}
	return h, c, target
}

func TestSessionsAreResumedIfThereIsACache(t *testing.T) {
	cert, pool := certificate(t, tomorrow())
	for _, cache := range []tls.ClientSessionCache{nil, tls.NewLRUClientSessionCache(1)} {
		b := newBench(t, &tls.Config{ServerName: "broker.test", RootCAs: pool, ClientSessionCache: cache})
		for i := range 2 {
			_, c, target := b.talk(cert)
			if want := cache != nil && i == 1; target.ConnectionState().DidResume != want {
				t.Errorf("connection %d, with a cache: %v: resumed %v", i+1, cache != nil, !want)
			}
			b.loop.Do(c.Close)
		}
	}
}

// TestLargeMessagesArriveWhole sends more than TLS puts into a record, than a read takes, and than all buffers hold.
func TestLargeMessagesArriveWhole(t *testing.T) {
	cert, pool := certificate(t, tomorrow())
	b := newBench(t, &tls.Config{ServerName: "broker.test", RootCAs: pool})
	h, c, target := b.talk(cert)
	piece := bytes.Repeat([]byte("0123456789abcdefg"), 1<<14) // a length that no buffer has
	sent, total := 0, 256*len(piece)
	push := func() { // until the layer wants to wait
		for sent < total {
			n := c.Send(piece[sent%len(piece):][:min(total-sent, len(piece)-sent%len(piece))])
			if n == 0 {
				return
			}
			sent += n
		}
	}
	b.loop.Do(push)
	if sent == total {
		t.Fatalf("%d bytes were taken although nobody reads", sent)
	}
	total = sent + len(piece)
	all := bytes.Repeat(piece, 1+total/len(piece))[:total]
	got := make(chan []byte, 1)
	go func() {
		p := make([]byte, len(all))
		_, _ = io.ReadFull(target, p)
		got <- p
	}()
	for done := false; !done; {
		within(t, h.writable, "Writable")
		b.loop.Do(func() { push(); done = sent == total })
	}
	if !bytes.Equal(within(t, got, "arrival at the target"), all) {
		t.Error("bytes to the target were lost or reordered")
	}
	go func() { _, _ = target.Write(piece) }()
	var back []byte
	for len(back) < len(piece) {
		back = append(back, within(t, h.received, "arrival at the device")...)
	}
	if !bytes.Equal(back, piece) {
		t.Error("bytes to the device were lost or reordered")
	}
}

func TestRefusedHandshakesSayWhyInOneLine(t *testing.T) {
	good, trusted := certificate(t, tomorrow())
	expired, trustedToo := certificate(t, time.Now().Add(-time.Hour))
	const verify = "TLS handshake: tls: failed to verify certificate: x509: "
	serve := func(cert tls.Certificate) func(net.Conn) {
		return func(c net.Conn) { _ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake() }
	}
	for name, c := range map[string]struct {
		client *tls.Config
		serve  func(net.Conn)
		want   string
	}{
		"expired":           {&tls.Config{ServerName: "broker.test", RootCAs: trustedToo}, serve(expired), verify + "certificate has expired"},
		"wrong host":        {&tls.Config{ServerName: "other.test", RootCAs: trusted}, serve(good), verify + "certificate is valid for broker.test, not other.test"},
		"unknown authority": {&tls.Config{ServerName: "broker.test", RootCAs: trustedToo}, serve(good), verify + "certificate signed by unknown authority"},
		"no TLS":            {&tls.Config{ServerName: "broker.test", RootCAs: trusted}, func(c net.Conn) { _, _ = c.Write([]byte("\x20\x02\x00\x00\x00")) }, "TLS handshake: tls: first record does not look like a TLS handshake"},
		"hangs up":          {&tls.Config{ServerName: "broker.test", RootCAs: trusted}, func(c net.Conn) { c.(*net.TCPConn).CloseWrite() }, "TLS handshake: EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, c.client)
			h, raw := b.open()
			go c.serve(raw)
			err := within(t, h.closed, "Closed")
			if !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %q in one line", err, c.want)
			}
			if len(h.opened) > 0 {
				t.Error("the device was told of a connection")
			}
		})
	}
}

// TestTargetWantsACertificate is refused after the client's part of the handshake, as TLS 1.3 has it.
func TestTargetWantsACertificate(t *testing.T) {
	cert, pool := certificate(t, tomorrow())
	b := newBench(t, &tls.Config{ServerName: "broker.test", RootCAs: pool})
	h, raw := b.open()
	go func() {
		_ = tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert}).Handshake()
	}()
	if err := within(t, h.closed, "Closed"); err.Error() != "remote error: tls: certificate required" {
		t.Error(err)
	}
}

func TestClosedConnectionEndsInOrderAndIsSilent(t *testing.T) {
	cert, pool := certificate(t, tomorrow())
	b := newBench(t, &tls.Config{ServerName: "broker.test", RootCAs: pool})
	for name, end := range map[string]struct {
		do   func(device.Conn)
		want bool // a close_notify comes
	}{
		"close": {device.Conn.Close, true}, "abort": {device.Conn.Abort, false}, "vanish": {func(device.Conn) { b.host.Vanish(); b.host.Return() }, false},
	} {
		h, c, target := b.talk(cert)
		b.loop.Do(func() {
			c.Send([]byte("bye"))
			end.do(c)
			if n := c.Send([]byte("more")); n != 0 {
				t.Errorf("%s: took %d bytes more", name, n)
			}
		})
		if end.want {
			if p, err := io.ReadAll(target); string(p) != "bye" || err != nil {
				t.Errorf("%s: the target read %q, %v", name, p, err)
			}
			// Go's TLS takes a bare end of the stream for one, so look at the last record: an encrypted alert has two bytes, its type and a tag of 16.
			if last := target.NetConn().(*tap).last; !bytes.HasPrefix(last[max(0, len(last)-24):], []byte{23, 3, 3, 0, 19}) {
				t.Errorf("%s: no close_notify at the end of %x", name, last)
			}
		}
		target.Close()
		b.loop.Do(func() {})
		if len(h.closed) > 0 {
			t.Errorf("%s: the device was told of the end it made", name)
		}
	}
}

// TestCloseOfTheLayer ends connections in every state, and waits for their goroutines.
func TestCloseOfTheLayer(t *testing.T) {
	cert, pool := certificate(t, tomorrow())
	b := newBench(t, &tls.Config{ServerName: "broker.test", RootCAs: pool})
	open, _, _ := b.talk(cert)
	shaking, silent := b.open()
	if _, err := io.ReadFull(silent, make([]byte, 5)); err != nil { // the device has begun its handshake
		t.Fatal(err)
	}
	b.layer.Close()
	for _, h := range []*heard{open, shaking} {
		if len(h.closed) > 0 {
			t.Errorf("the device was told %v", <-h.closed)
		}
	}
	late, c := b.open()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a closed layer began a handshake")
	}
	if len(late.opened) > 0 {
		t.Error("a closed layer opened a connection")
	}
}
