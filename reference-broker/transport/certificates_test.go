package transport_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mqttlab/reference-broker/transport"
)

// authority signs certificates for one test.
type authority struct {
	t    testing.TB
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its own certificate
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.file, _ = a.issue("authority")
	return a
}

// issue makes a certificate for a name and returns its file and that of its key. The first is the authority's own.
func (a *authority) issue(name string) (cert, key string) {
	a.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(a.t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	must(a.t, err)
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if a.cert == nil {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		a.cert, a.key = c, private
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, private.Public(), a.key)
	must(a.t, err)
	if a.cert == c {
		a.cert, err = x509.ParseCertificate(der)
		must(a.t, err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	must(a.t, err)
	return a.write("CERTIFICATE", der), a.write("PRIVATE KEY", secret)
}

func (a *authority) write(kind string, der []byte) string {
	f, err := os.CreateTemp(a.dir, "*.pem")
	must(a.t, err)
	defer f.Close()
	must(a.t, pem.Encode(f, &pem.Block{Type: kind, Bytes: der}))
	return f.Name()
}

func (a *authority) server() *transport.ServerTLS {
	cert, key := a.issue("broker")
	s, err := transport.LoadServerTLS(cert, key, "")
	must(a.t, err)
	return s
}

// replace puts a new certificate in the place of another.
func (a *authority) replace(cert, key, name string) {
	newCert, newKey := a.issue(name)
	must(a.t, os.Rename(newCert, cert))
	must(a.t, os.Rename(newKey, key))
}

func (a *authority) missing() string { return filepath.Join(a.dir, "missing") }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
