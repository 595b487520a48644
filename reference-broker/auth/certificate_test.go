package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mqttlab/reference-broker/auth"
	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/transport"
)

// certificate writes a certificate that is its own authority, and its key, and returns it.
func certificate(t *testing.T, name, file string) tls.Certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, private.Public(), private)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	must(t, os.WriteFile(file+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	pair, err := tls.LoadX509KeyPair(file, file+".key")
	must(t, err)
	return pair
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestCertificateIsTheUser goes all the way: certificate, transport, broker, door, rules.
func TestCertificateIsTheUser(t *testing.T) {
	dir := t.TempDir()
	own, sensor := filepath.Join(dir, "broker"), filepath.Join(dir, "sensor")
	certificate(t, "broker", own)
	pair := certificate(t, "sensor-7", sensor)
	secure, err := transport.LoadServerTLS(own, own+".key", sensor)
	must(t, err)
	rules, err := auth.ParseRules("rules", []byte("rules:\n- {allow: publish, topic: \"%u/#\"}\n"))
	must(t, err)
	b, err := broker.New(broker.Config{
		Authenticator: auth.NewDoor(auth.DoorConfig{FailureTime: time.Millisecond}), Server: server.Config{Authorize: rules.Authorize},
	})
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	trust, err := transport.ClientTLS(own, "", "")
	must(t, err)
	trust.Certificates = []tls.Certificate{pair}
	for _, scheme := range []string{"mqtts", "wss"} {
		ln, err := (&transport.ListenConfig{TLS: secure}).Listen(ctx, scheme+"://127.0.0.1:0")
		must(t, err)
		go b.Serve(ctx, ln)
		c, err := client.Dial(ctx, transport.URL(ln), &client.Options{TLS: trust})
		must(t, err)
		_, err = c.Publish(ctx, &client.Message{Topic: "sensor-7/x", QoS: mqtt.AtLeastOnce})
		must(t, err)
		if _, err = c.Publish(ctx, &client.Message{Topic: "sensor-8/x", QoS: mqtt.AtLeastOnce}); !errors.Is(err, mqtt.NotAuthorized) {
			t.Errorf("%s: as another user: %v", scheme, err)
		}
		must(t, c.Close(ctx))
		o := &client.Options{TLS: trust, Connect: mqtt.Connect{Username: mqtt.Some("sensor-8")}}
		if _, err := client.Dial(ctx, transport.URL(ln), o); !errors.Is(err, mqtt.BadUserNameOrPassword) {
			t.Errorf("%s: with another name: %v", scheme, err)
		}
	}
	must(t, b.Close(ctx))
}
