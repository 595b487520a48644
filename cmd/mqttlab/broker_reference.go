package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mqttlab/reference-broker/testbed"
	"mqttlab/reference-broker/transport"
	"mqttlab/spec/target"
)

// drainFor is how long the embedded broker and clients may take to say goodbye.
const drainFor = 5 * time.Second

// startReference starts the embedded reference broker, on a port of its own for each of the named transports, with a temporary store.
func startReference(ctx context.Context, over []string) (t *target.Target, d *transport.Dialer, stop func(), err error) {
	dir, err := os.MkdirTemp("", "mqttlab-reference-") // for the store, the socket and the certificate
	if err != nil {
		return nil, nil, nil, exit(exitInternal, err)
	}
	lns, d, err := listenReference(ctx, over, dir)
	if err != nil {
		os.RemoveAll(dir)
		return nil, nil, nil, exit(exitInternal, err)
	}
	b, err := testbed.NewLasting(filepath.Join(dir, "store"), testbed.Guarded, nil)
	if err != nil {
		for _, ln := range lns {
			ln.Close()
		}
		os.RemoveAll(dir)
		return nil, nil, nil, exit(exitInternal, err)
	}
	b.Serve(lns...)
	stop = func() {
		_ = b.Close(context.WithoutCancel(ctx))
		os.RemoveAll(dir)
	}
	t, err = target.Parse(transport.URL(lns[0]))
	if err != nil {
		stop()
		return nil, nil, nil, exit(exitInternal, err)
	}
	t.URL, t.Name = target.Reference, "reference broker"
	if len(over) == 1 && over[0] != "tcp" {
		t.Name += " over " + over[0]
	}
	for _, ln := range lns[1:] {
		t.Listeners = append(t.Listeners, transport.URL(ln))
	}
	t.Restart, t.Crash = b.Restart, b.Crash
	t.Settings = target.Settings{
		UserName: new(testbed.UserName), Password: new(testbed.Password),
		ForbiddenTopic: testbed.ForbiddenTopic, RefusedClientID: testbed.RefusedClientID,
	}
	return t, d, stop, nil
}

// listenReference makes the listeners and what connects to them.
func listenReference(ctx context.Context, over []string, dir string) (lns []net.Listener, d *transport.Dialer, err error) {
	lc, d := &transport.ListenConfig{}, &transport.Dialer{}
	if slices.Contains(over, "tls") || slices.Contains(over, "wss") {
		if lc.TLS, d.TLS, err = throwAwayTLS(dir); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range over {
		ln, err := lc.Listen(ctx, map[string]string{
			"tcp": "mqtt://127.0.0.1:0", "tls": "mqtts://127.0.0.1:0", "ws": "ws://127.0.0.1:0/mqtt", "wss": "wss://127.0.0.1:0/mqtt",
			"unix": "mqtt+unix://" + filepath.Join(dir, "mqtt.sock"),
		}[name])
		if err != nil {
			for _, ln := range lns {
				ln.Close()
			}
			return nil, nil, err
		}
		lns = append(lns, ln)
	}
	return lns, d, nil
}

// throwAwayTLS puts a throw-away certificate into a folder, for a server, and makes clients that trust it.
func throwAwayTLS(dir string) (*transport.ServerTLS, *tls.Config, error) {
	cert, key, client, err := throwAwayCertificate()
	if err != nil {
		return nil, nil, err
	}
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(os.WriteFile(certFile, cert, 0o600), os.WriteFile(keyFile, key, 0o600)); err != nil {
		return nil, nil, err
	}
	server, err := transport.LoadServerTLS(certFile, keyFile, "")
	return server, client, err
}

// throwAwayCertificate makes a certificate for the loopback interface, signed by itself, with its key, and clients that trust it.
func throwAwayCertificate() (certPEM, keyPEM []byte, client *tls.Config, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(30 * 24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, nil, err
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	client = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	client.RootCAs.AppendCertsFromPEM(certPEM)
	return certPEM, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), client, nil
}
