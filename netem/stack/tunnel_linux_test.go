package stack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mqttlab/netem/link"
)

// inNamespace runs f in a network namespace of its own, in which the loopback interface
// is up: nothing that f does to interfaces touches the machine. The thread is thrown
// away afterwards.
func inNamespace(t *testing.T, f func()) {
	t.Helper()
	var missing error
	var work sync.WaitGroup
	work.Go(func() {
		runtime.LockOSThread() // never unlocked
		if missing = unix.Unshare(unix.CLONE_NEWNET); missing != nil {
			return
		}
		if missing = loopbackUp(); missing == nil {
			f()
		}
	})
	work.Wait()
	if missing != nil {
		t.Skipf("no network namespace of our own, which takes the capabilities SYS_ADMIN and NET_ADMIN: %v", missing)
	}
}

func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r)
}

// newTUN returns a network with a TUN device and an echo of the host's own TCP, both in
// a network namespace of their own.
func newTUN(t *testing.T, c Config) (n *Network, target string) {
	t.Helper()
	var err error
	inNamespace(t, func() {
		target = hostServer(t, hostEcho)
		c.TUN = "mqttlab%d"
		n, err = New(c)
	})
	if errors.Is(err, ErrNoTunnel) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx, time.Time{}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n, target
}

// TestTUNLetsTheHostRepairLosses sends far more than fits into any buffer to the host's
// own TCP and back, over links that lose packets.
func TestTUNLetsTheHostRepairLosses(t *testing.T) {
	n, target := newTUN(t, Config{Seed: 4})
	lossy := mustModel(t, link.Config{Delay: 2 * time.Millisecond, LossRatio: 0.02})
	var d *Device
	n.do(func() { d = n.mustDevice(t, DeviceConfig{Up: lossy, Down: lossy}) })
	c, err := d.Dial(t.Context(), "tcp", target)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := bytes.Repeat([]byte("mqtt"), 50_000)
	go func() {
		_, _ = c.Write(want)
		_ = c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d of %d bytes came back, error %v", len(got), len(want), err)
	}
	if s := n.Stats(); s.Up.Dropped[link.DropLoss] == 0 || s.Down.Dropped[link.DropLoss] == 0 || s.Gateway.Dialed != 0 {
		t.Errorf("nothing was lost, or the gateway took part: %+v", s)
	}
}

// TestTUNRefusesAsTheHostDoes connects to a port that nobody listens on, first of all: no
// gateway has to find that out.
func TestTUNRefusesAsTheHostDoes(t *testing.T) {
	n, target := newTUN(t, Config{Seed: 4})
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		t.Fatal(err)
	}
	var d *Device
	n.do(func() { d = n.mustDevice(t, DeviceConfig{}) })
	for range 2 {
		if _, err := d.Dial(t.Context(), "tcp", net.JoinHostPort(host, "9")); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("Dial: %v, want refused", err)
		}
	}
}
