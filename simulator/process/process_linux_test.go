package process

import (
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestListening finds this process at ports that it opens, and nobody at others.
func TestListening(t *testing.T) {
	for _, network := range []struct{ name, listen, ask string }{
		{"tcp4", "127.0.0.1:0", "127.0.0.1"}, {"tcp4", "0.0.0.0:0", "127.0.0.1"}, {"tcp", ":0", "localhost"}, {"tcp6", "[::1]:0", "::1"},
	} {
		ln, err := net.Listen(network.name, network.listen)
		if err != nil {
			t.Logf("%s: not on this machine: %v", network.listen, err)
			continue
		}
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		address := net.JoinHostPort(network.ask, port)
		if pids, err := Listening(address); err != nil || !slices.Equal(pids, []int{os.Getpid()}) {
			t.Errorf("%s: processes %v, error %v; want only %d", address, pids, err, os.Getpid())
		}
		ln.Close()
		if pids, _ := Listening(address); slices.Contains(pids, os.Getpid()) { // somebody else may have taken the port
			t.Errorf("%s, closed: processes %v", address, pids)
		}
	}
	if pids, err := Listening("192.0.2.1:1883"); !errors.Is(err, ErrUnknown) {
		t.Errorf("an address of documentation: processes %v, error %v", pids, err)
	}
	if _, err := Listening("nonsense"); err == nil || errors.Is(err, ErrUnknown) {
		t.Errorf("nonsense: %v", err)
	}
}

// TestCPU holds the clock against what the kernel tells this process of itself.
func TestCPU(t *testing.T) {
	own := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	for start := own(); own()-start < 20*time.Millisecond; {
		continue
	}
	before := own()
	got, err := CPU(os.Getpid())
	after := own()
	const grain = 20 * time.Millisecond // of rusage: it splits by ticks
	if err != nil || got < before-grain || got > after+grain {
		t.Errorf("%v, error %v; want between %v and %v", got, err, before, after)
	}
	for _, pid := range []int{1 << 22, 0, -1} { // the kernel's ids end below 1<<22; zero would be the caller's own clock
		if _, err := CPU(os.Getpid(), pid); err == nil {
			t.Errorf("process %d, which does not exist, has used time", pid)
		}
	}
}
