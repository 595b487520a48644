package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reports/model"
)

// certificate makes one for 127.0.0.1, and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
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

// serveTLS makes a broker listen for TLS too.
func serveTLS(t *testing.T, b *broker.Broker, cert tls.Certificate) (port string) {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.Serve(t.Context(), ln) }()
	t.Cleanup(func() { // runs before the broker's own
		ln.Close()
		<-served
	})
	_, port, err = net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// users lets everybody in and remembers their passwords.
type users struct {
	mu        sync.Mutex
	passwords map[string]string
}

func (u *users) Authenticate(_ server.ConnID, p mqtt.Packet) server.Admission {
	if c, ok := p.(*mqtt.Connect); ok {
		u.mu.Lock()
		u.passwords[c.Username.Value] = string(c.Password.Value)
		u.mu.Unlock()
	}
	return server.Admission{}
}

func (u *users) password(of string) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.passwords[of]
}

const secured = `
name: secured
duration: 1s
ramp: 100ms
settle: 300ms
interval: 100ms
drain: 30s
groups:
  - {name: plain, count: 4, interval: 100ms, qos: 1}
  - {name: tls, count: 4, interval: 100ms, qos: 1, tls: true, tls_port: PORT, username: "dev-{index}", password: "secret-{number}", payload_bytes: 5000, link: {up: {delay: 5ms}, down: {delay: 5ms}}}
`

func TestGroupsByTLSWithTheirOwnCredentials(t *testing.T) {
	cert, pool := certificate(t)
	for _, mode := range []model.Mode{model.Live, model.Emulated} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			seen := &users{passwords: map[string]string{}}
			b, url := startBroker(t, "127.0.0.1:0", broker.Config{Authenticator: seen})
			port := serveTLS(t, b, cert)
			r := mustRun(t, Options{
				Target: url, Mode: mode, TLS: &tls.Config{RootCAs: pool}, Scenario: parse(t, strings.Replace(secured, "PORT", port, 1)),
			})
			wantDelivered(t, r.Fleet.Groups[0], 40)
			wantDelivered(t, r.Fleet.Groups[1], 40)
			if got := seen.password("dev-2"); got != "secret-6" {
				t.Errorf("dev-2 logged in with %q", got)
			}
			if strings.Contains(r.Fleet.Scenario.Text, "secret") {
				t.Error("the record holds the pattern of passwords")
			}
			plain, secure := r.Fleet.Groups[0].Wire.Layers, r.Fleet.Groups[1].Wire.Layers
			if plain.TLSBytes != 0 || plain.PayloadBytes != 40*64 || plain.MQTTBytes < 40*10 {
				t.Errorf("plain: %+v", *plain)
			}
			// A handshake of TLS 1.3 with a small certificate is near 1 kB, a record adds 22 bytes.
			if secure.PayloadBytes != 40*5000 || secure.TLSBytes < 4*700+40*2*22 || secure.TLSBytes > 4*3000+40*200 {
				t.Errorf("TLS: %+v", *secure)
			}
			if ip := secure.HeaderBytes > 0; ip != (mode == model.Emulated) {
				t.Errorf("headers: %+v", *secure)
			}
		})
	}
}

func TestTargetByTLS(t *testing.T) {
	cert, pool := certificate(t)
	b, _ := startBroker(t, "127.0.0.1:0", broker.Config{})
	url := "mqtts://127.0.0.1:" + serveTLS(t, b, cert)
	text := strings.NewReplacer("{name: two", "{name: two, behaviour: wake-publish-sleep", "drain: 5s", "drain: 1m").Replace(brief) + "faults: [{kind: cable-unplug, groups: [one], start: 500ms, duration: 300ms}]\n"
	for _, mode := range []model.Mode{model.Live, model.Emulated} {
		r := mustRun(t, Options{Target: url, Mode: mode, TLS: &tls.Config{RootCAs: pool}, Scenario: parse(t, text)})
		for _, g := range r.Fleet.Groups[1:] {
			if l := g.Ledger[0]; l.Sent != 40 || l.Reached() != 40 {
				t.Errorf("%s, group %q: %+v", mode, g.Name, l)
			}
		}
	}
	_, err := Run(t.Context(), Options{Target: url, Mode: model.Live, Scenario: parse(t, brief)})
	if unreachable := (*UnreachableError)(nil); !errors.As(err, &unreachable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	_, err = Run(t.Context(), Options{Mode: model.Virtual, Scenario: parse(t, strings.Replace(secured, "PORT", "8883", 1))})
	if err == nil || !strings.Contains(err.Error(), `group "tls": virtual mode has no TLS`) {
		t.Errorf("TLS in virtual mode: %v", err)
	}
}
