package transport_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"mqttlab/reference-broker/transport"
)

func TestSocketLeftBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	u := "mqtt+unix://" + path
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	left.SetUnlinkOnClose(false)
	if ln, err := transport.Listen(t.Context(), u); err == nil {
		ln.Close()
		t.Error("the socket of a living listener was taken")
	}
	left.Close()
	ln, err := transport.Listen(t.Context(), u)
	must(t, err)
	echo(t, ln)
	c, err := transport.Dial(t.Context(), u)
	must(t, err)
	exchange(t, c, []byte("x"))
	c.Close()
	ln.Close()
	must(t, os.WriteFile(path, []byte("precious"), 0o600))
	if _, err := transport.Listen(t.Context(), u); err == nil {
		t.Error("a file was taken for a socket")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
		t.Errorf("the file is %q, %v", b, err)
	}
}
