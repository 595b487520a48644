package stack

import (
	"testing"
	"time"

	"mqttlab/netem/link"
)

// TestRTOFollowsTheLinks opens devices with short and long links in one network:
// each has the shortest retransmission timeout of its own round trip.
func TestRTOFollowsTheLinks(t *testing.T) {
	n := newVirtual(t, Config{})
	for _, test := range []struct{ delay, want time.Duration }{
		{0, 200 * time.Millisecond},
		{50 * time.Millisecond, 300 * time.Millisecond},
		{300 * time.Millisecond, 800 * time.Millisecond},
		{52 * time.Millisecond, 300 * time.Millisecond},
	} {
		m := mustModel(t, link.Config{Delay: test.delay})
		if got := n.mustDevice(t, DeviceConfig{Up: m, Down: m}).path.minRTO; got != test.want {
			t.Errorf("delay %v each way: shortest timeout %v, want %v", test.delay, got, test.want)
		}
	}
	if len(n.paths) != 3 {
		t.Errorf("%d paths, want 3", len(n.paths))
	}
}

// TestOneListenerServesAllPaths connects devices of several round trips, one of
// them added before Listen and the others after.
func TestOneListenerServesAllPaths(t *testing.T) {
	n := newVirtual(t, Config{Seed: 1})
	delays := []time.Duration{0, 50 * time.Millisecond, 300 * time.Millisecond}
	answered := make([]time.Duration, len(delays))
	start := n.Now()
	for i, delay := range delays {
		m := mustModel(t, link.Config{Delay: delay})
		d := n.mustDevice(t, DeviceConfig{Up: m, Down: m})
		if i == 0 {
			if err := n.Listen("broker:1883", echo); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.Open("broker:1883", &calls{
			opened:   func(s *Socket) { s.Send([]byte("x")) },
			readable: func(s *Socket) { s.Receive(make([]byte, 1)); answered[i] = n.Now().Sub(start) + 1 },
			closed:   func(_ *Socket, err error) { t.Errorf("device %d: %v", i, err) },
		}); err != nil {
			t.Fatal(err)
		}
	}
	n.mustRun(t, 10*time.Second)
	for i, delay := range delays {
		if want := 4*delay + 1; answered[i] != want { // handshake and echo
			t.Errorf("device %d: answered after %v, want %v", i, answered[i]-1, want-1)
		}
	}
	if s := n.Stats(); s.Established != 3 || s.Opened != 3 {
		t.Errorf("%d opened, %d established, want 3", s.Opened, s.Established)
	}
}
