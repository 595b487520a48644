package stack

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mqttlab/netem/link"
)

// TestALostHandshakeDoesNotDelayTheFirstMessage loses a packet of the handshake and
// then the first message. That comes again after TCP's first timeout, which must not
// contain the wait for the handshake.
func TestALostHandshakeDoesNotDelayTheFirstMessage(t *testing.T) {
	const ms = time.Millisecond
	// A SYN comes again after a second, and then a trip takes 50 ms each way.
	lost := func(at ...time.Duration) link.Config {
		c := link.Config{Delay: 50 * ms}
		for _, start := range at {
			c.Outages = append(c.Outages, link.Outage{Start: start, Duration: 10 * ms})
		}
		return c
	}
	for _, test := range []struct {
		name     string
		up, down link.Config
		want     time.Duration // arrival of the first message
	}{
		{"nothing lost", lost(), lost(), 150 * ms},
		{"message", lost(100 * ms), lost(), 450 * ms},
		{"SYN", lost(0), lost(), 1150 * ms},
		{"SYN and message", lost(0, 1100*ms), lost(), 2150 * ms},
		{"SYN-ACK", lost(), lost(50 * ms), 1150 * ms},
		{"SYN-ACK and message", lost(1100 * ms), lost(50 * ms), 2150 * ms},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := newVirtual(t, Config{Seed: 1})
			start := n.Now()
			var arrived time.Duration
			if err := n.Listen("broker:1883", func(*Socket) Handler {
				return &calls{readable: func(s *Socket) {
					if s.Receive(make([]byte, 100)) > 0 {
						arrived = n.Now().Sub(start)
					}
				}}
			}); err != nil {
				t.Fatal(err)
			}
			d := n.mustDevice(t, DeviceConfig{Up: mustModel(t, test.up), Down: mustModel(t, test.down)})
			if _, err := d.Open("broker:1883", &calls{opened: func(s *Socket) { s.Send([]byte("CONNECT")) }}); err != nil {
				t.Fatal(err)
			}
			n.mustRun(t, time.Minute)
			if arrived != test.want {
				t.Errorf("the first message arrived after %v, want %v", arrived, test.want)
			}
		})
	}
}

// TestTheAnswererMeasuresNoRepeatedHandshake is the same for the other end: its
// SYN-ACK went twice before a message of the device completed the handshake, and then
// its own first message is lost.
func TestTheAnswererMeasuresNoRepeatedHandshake(t *testing.T) {
	const ms = time.Millisecond
	n := newVirtual(t, Config{Seed: 1})
	start := n.Now()
	if err := n.Listen("broker:1883", echo); err != nil {
		t.Fatal(err)
	}
	// All is lost for two seconds, until the message goes at 2.2 s for the fourth time.
	up := link.Config{Delay: 50 * ms, Outages: []link.Outage{{Start: 90 * ms, Duration: 1910 * ms}}}
	down := link.Config{Delay: 50 * ms}
	var answered time.Duration
	d := n.mustDevice(t, DeviceConfig{Up: mustModel(t, up), Down: mustModel(t, down)})
	lossy := down
	lossy.LossRatio = 1
	dead, fine := mustModel(t, lossy), mustModel(t, down)
	if _, err := d.Open("broker:1883", &calls{
		opened:   func(s *Socket) { s.Send([]byte("CONNECT")) },
		readable: func(s *Socket) { s.Receive(make([]byte, 100)); answered = n.Now().Sub(start) },
	}); err != nil {
		t.Fatal(err)
	}
	n.At(start.Add(2240*ms), func() { d.SetLinks(nil, dead) })
	n.At(start.Add(2300*ms), func() { d.SetLinks(nil, fine) })
	n.mustRun(t, time.Minute)
	if want := 3300 * ms; answered != want { // at 2.25 s, a second's timeout, and the way
		t.Errorf("the answer arrived after %v, want %v", answered, want)
	}
}

// TestTheTargetIsDialledWhenTheHandshakeIsThrough wants a server's time limit for the
// first message to begin when the connection stands, save for the first connection,
// which finds out whether the target is there.
func TestTheTargetIsDialledWhenTheHandshakeIsThrough(t *testing.T) {
	target := hostServer(t, hostEcho)
	var dials atomic.Int32
	var d *Device
	dead := mustModel(t, link.Config{LossRatio: 1})
	n := newWall(t, Config{Seed: 1, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}})
	n.do(func() { d = n.mustDevice(t, DeviceConfig{}) })
	c, err := d.Dial(t.Context(), "tcp", target)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d.SetLinks(nil, dead)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := d.Dial(ctx, "tcp", target)
		ended <- err
	}()
	// The second SYN-ACK shows that the first SYN was handled.
	for lost := uint64(0); lost < 2; time.Sleep(time.Millisecond) {
		_, v := d.Counters()
		lost = v.DroppedTotal()
	}
	if got := dials.Load(); got != 1 {
		t.Errorf("%d connections to the target while the second handshake is under way, want 1", got)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Dial: %v", err)
	}
}

// TestATargetThatGoesAway shows as a reset once, and as a refusal from then on.
func TestATargetThatGoesAway(t *testing.T) {
	var gone atomic.Bool
	target := hostServer(t, hostEcho)
	n := newWall(t, Config{Seed: 1, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if gone.Load() {
			return nil, syscall.ECONNREFUSED
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}})
	var d *Device
	n.do(func() { d = n.mustDevice(t, DeviceConfig{}) })
	c, err := d.Dial(t.Context(), "tcp", target)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	gone.Store(true)
	if c, err = d.Dial(t.Context(), "tcp", target); err == nil {
		_, err = c.Read(make([]byte, 1))
		c.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the first connection to a target that has gone: %v, want a reset", err)
	}
	if _, err := d.Dial(t.Context(), "tcp", target); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the second one: %v, want refused", err)
	}
	gone.Store(false)
	if c, err = d.Dial(t.Context(), "tcp", target); err != nil {
		t.Fatalf("once the target is back: %v", err)
	}
	c.Close()
}
