package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
)

// ServerTLS is the certificate of a Server and whom it trusts, read from files that may be read again while it is in use. Its methods may be
// called from any goroutine.
type ServerTLS struct {
	cert, key, clientCA string
	current             atomic.Pointer[tls.Config]
}

// LoadServerTLS reads a certificate chain and its private key from PEM files. With clientCA, a PEM file too, clients must have a certificate
// signed by one of those in it (mutual TLS), and its Common Name is their user name; empty: clients need none.
func LoadServerTLS(cert, key, clientCA string) (*ServerTLS, error) {
	s := &ServerTLS{cert: cert, key: key, clientCA: clientCA}
	return s, s.Reload()
}

// Reload reads the files again. New connections get what is in them; existing ones stay as they are. After an error what was read last still holds.
func (s *ServerTLS) Reload() error {
	pair, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", s.cert, s.key, err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if s.clientCA != "" {
		if c.ClientCAs, err = loadPool(s.clientCA); err != nil {
			return fmt.Errorf("certificates of client authorities: %w", err)
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
		c.VerifyConnection = hasUsername
	}
	s.current.Store(c)
	return nil
}

// config returns a configuration that follows Reload. web: it is for HTTP.
func (s *ServerTLS) config(web bool) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := s.current.Load()
		if web { // no HTTP/2: WebSocket needs 1.1
			now = now.Clone()
			now.NextProtos = []string{"http/1.1"}
		}
		return now, nil
	}
	return c
}

// hasUsername refuses client certificates that name nobody: such a client would pass for an anonymous one.
func hasUsername(s tls.ConnectionState) error {
	if certificateUser(s) == "" {
		return errors.New("the client certificate has no Common Name to be the user name")
	}
	return nil
}

func certificateUser(s tls.ConnectionState) string {
	if len(s.VerifiedChains) == 0 {
		return ""
	}
	return s.PeerCertificates[0].Subject.CommonName
}

// ClientTLS returns the TLS side of a client: ca is a PEM file with the authorities to trust (empty: the system's), cert and key are PEM files with
// the client's own certificate and key (empty: none).
func ClientTLS(ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	var errs []error
	if ca != "" {
		pool, err := loadPool(ca)
		c.RootCAs = pool
		errs = append(errs, err)
	}
	switch {
	case cert != "" && key != "":
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			err = fmt.Errorf("certificate %s with key %s: %w", cert, key, err)
		}
		c.Certificates = []tls.Certificate{pair}
		errs = append(errs, err)
	case cert != "" || key != "":
		errs = append(errs, errors.New("a client certificate needs both its file and that of its key"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

func loadPool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in PEM format", file)
	}
	return pool, nil
}

// tlsConn is the Server's end of a TLS connection whose handshake is over.
type tlsConn struct {
	*tls.Conn
	username string
}

// Username is for the function of that name.
func (c *tlsConn) Username() string { return c.username }

// listenTLS does TLS handshakes on the connections of ln.
func (lc *ListenConfig) listenTLS(ln net.Listener, e endpoint) net.Listener {
	l := newReadyListener(ln, e)
	pending := newUnderway(lc.Handshakes)
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = func() {
		cancel()
		pending.closeAll()
	}
	config := lc.TLS.config(false)
	l.wg.Go(func() {
		for {
			raw, err := ln.Accept()
			if err != nil {
				select {
				case l.failed <- err:
					continue
				case <-l.done:
					return
				}
			}
			pending.enter(raw)
			l.wg.Go(func() {
				c, err := lc.handshake(ctx, raw, config)
				pending.leave(raw)
				if err != nil {
					lc.Logger.Debug("handshake failed", "listener", l.url, "remote", raw.RemoteAddr().String(), "error", err)
					raw.Close()
					return
				}
				l.offer(c)
			})
		}
	})
	return l
}

func (lc *ListenConfig) handshake(ctx context.Context, raw net.Conn, config *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, lc.HandshakeTimeout)
	defer cancel()
	c := tls.Server(raw, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return &tlsConn{Conn: c, username: certificateUser(c.ConnectionState())}, nil
}
