package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"mqttlab/reference-broker/testbed"
	"mqttlab/reference-broker/transport"
	"mqttlab/spec/target"
)

// drainFor is how long the embedded broker and clients may take to say goodbye.
const drainFor = 5 * time.Second

// startReference starts the embedded reference broker, on a port of its own of the named transport, with a temporary store.
func startReference(ctx context.Context, over string) (*target.Target, func(), error) {
	dir, err := os.MkdirTemp("", "mqttlab-reference-") // for the store, the socket and the certificate
	if err != nil {
		return nil, nil, exit(exitInternal, err)
	}
	ln, dialer, err := listenReference(ctx, over, dir)
	if err != nil {
		os.RemoveAll(dir)
		return nil, nil, exit(exitInternal, err)
	}
	b, err := testbed.NewLasting(filepath.Join(dir, "store"), testbed.Guarded, nil)
	if err != nil {
		ln.Close()
		os.RemoveAll(dir)
		return nil, nil, exit(exitInternal, err)
	}
	b.Serve(ln)
	stop := func() {
		_ = b.Close(context.WithoutCancel(ctx))
		os.RemoveAll(dir)
	}
	t, err := target.Parse(transport.URL(ln))
	if err != nil {
		stop()
		return nil, nil, exit(exitInternal, err)
	}
	if t.Network != "tcp" {
		dialBy(t, dialer)
	}
	t.URL, t.Name = target.Reference, "reference broker"
	t.Restart, t.Crash = b.Restart, b.Crash
	t.Settings = target.Settings{
		UserName: new(testbed.UserName), Password: new(testbed.Password),
		ForbiddenTopic: testbed.ForbiddenTopic, RefusedClientID: testbed.RefusedClientID,
	}
	if over != "tcp" {
		t.Name += " over " + over
	}
	return t, stop, nil
}

// listenReference makes a listener and what connects to it.
func listenReference(ctx context.Context, over, dir string) (net.Listener, *transport.Dialer, error) {
	url, known := map[string]string{
		"tcp": "mqtt://127.0.0.1:0", "tls": "mqtts://127.0.0.1:0", "ws": "ws://127.0.0.1:0/mqtt", "wss": "wss://127.0.0.1:0/mqtt",
		"unix": "mqtt+unix://" + filepath.Join(dir, "mqtt.sock"),
	}[over]
	if !known {
		return nil, nil, fmt.Errorf("the embedded broker does not serve %q", over)
	}
	lc, d := &transport.ListenConfig{}, &transport.Dialer{}
	if over == "tls" || over == "wss" {
		var err error
		if lc.TLS, d.TLS, err = throwAwayTLS(dir); err != nil {
			return nil, nil, err
		}
	}
	ln, err := lc.Listen(ctx, url)
	return ln, d, err
}

// throwAwayTLS makes a certificate for the loopback interface, signed by itself, and clients that trust it.
func throwAwayTLS(dir string) (*transport.ServerTLS, *tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(30 * 24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			return nil, nil, err
		}
	}
	server, err := transport.LoadServerTLS(certFile, keyFile, "")
	if err != nil {
		return nil, nil, err
	}
	client, err := transport.ClientTLS(certFile, "", "")
	return server, client, err
}
