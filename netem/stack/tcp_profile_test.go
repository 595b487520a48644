package stack

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"mqttlab/netem/link"
	"mqttlab/netem/pcapng"
)

// talk moves 20 kB both ways between a device of a profile and an echo, over a link that
// loses nothing, and returns what was on the air.
func talk(t *testing.T, name string) []captured {
	t.Helper()
	profile, err := LookupTCP(name)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	capture := pcapng.NewWriter(&file, name)
	n := newVirtual(t, Config{Seed: 1})
	if err := n.Listen("broker:1883", echo); err != nil {
		t.Fatal(err)
	}
	m := mustModel(t, link.Config{Delay: 25 * time.Millisecond})
	d := n.mustDevice(t, DeviceConfig{Up: m, Down: m, TCP: profile, Capture: capture})
	const total = 20_000
	left, received := make([]byte, total), 0
	send := func(s *Socket) { left = left[s.Send(left):] }
	if _, err := d.Open("broker:1883", &calls{
		opened: send, writable: send,
		readable: func(s *Socket) {
			for k := 1; k > 0; received += k {
				k = s.Receive(make([]byte, 4096))
			}
		},
	}); err != nil {
		t.Fatal(err)
	}
	n.mustRun(t, time.Minute)
	if err := capture.Flush(); err != nil {
		t.Fatal(err)
	}
	if s := n.Stats(); received != total || s.RetransmissionsUp+s.RetransmissionsDown != 0 {
		t.Fatalf("%d of %d bytes came back, %d + %d retransmissions", received, total, s.RetransmissionsUp, s.RetransmissionsDown)
	}
	return readCapture(t, file.Bytes())
}

// TestTCPProfilesShowOnTheAir holds packets against the figures of the profiles.
func TestTCPProfilesShowOnTheAir(t *testing.T) {
	for _, test := range []struct {
		name                   string
		syn                    int // bytes of SYN and SYN-ACK
		segment, window, flown int // the largest seen; 0: not looked at
	}{
		{name: "linux", syn: 60, segment: segment},
		{name: "lwip", syn: 44, segment: 536, window: 2144, flown: 1072},
		{name: "single-mss", syn: 44, segment: 536, window: 536, flown: 536},
	} {
		t.Run(test.name, func(t *testing.T) {
			var longest, window, flown int
			var acked, sent uint32
			for _, c := range talk(t, test.name) {
				s := header.TCP(c.ip.Payload())
				payload := len(s.Payload())
				if s.Flags().Contains(header.TCPFlagSyn) && len(c.ip) != test.syn {
					t.Errorf("a SYN takes %d bytes, want %d", len(c.ip), test.syn)
				}
				longest = max(longest, payload)
				if !c.out {
					acked = s.AckNumber()
					continue
				}
				window = max(window, int(s.WindowSize()))
				if payload > 0 {
					sent = s.SequenceNumber() + uint32(payload)
					flown = max(flown, int(sent-acked))
				}
			}
			if longest != test.segment {
				t.Errorf("the largest segment holds %d bytes, want %d", longest, test.segment)
			}
			if test.window > 0 && window != test.window {
				t.Errorf("the largest window is %d, want %d", window, test.window)
			}
			if test.flown > 0 && flown != test.flown {
				t.Errorf("%d bytes were sent without an acknowledgement, want %d", flown, test.flown)
			}
		})
	}
}

// TestTCPProfilesWaitAsTheyDo loses one message of a device and times its coming again.
func TestTCPProfilesWaitAsTheyDo(t *testing.T) {
	for name, want := range map[string]time.Duration{"linux": 300 * time.Millisecond, "lwip": 1350 * time.Millisecond, "single-mss": 1850 * time.Millisecond} {
		profile, err := LookupTCP(name)
		if err != nil {
			t.Fatal(err)
		}
		n := newVirtual(t, Config{Seed: 1})
		start := n.Now()
		var arrived time.Duration
		if err := n.Listen("broker:1883", func(*Socket) Handler {
			return &calls{readable: func(s *Socket) { s.Receive(make([]byte, 10)); arrived = n.Now().Sub(start) }}
		}); err != nil {
			t.Fatal(err)
		}
		down := link.Config{Delay: 50 * time.Millisecond}
		up := down
		up.Outages = []link.Outage{{Start: time.Second, Duration: 10 * time.Millisecond}}
		d := n.mustDevice(t, DeviceConfig{Up: mustModel(t, up), Down: mustModel(t, down), TCP: profile})
		s, err := d.Open("broker:1883", &calls{})
		if err != nil {
			t.Fatal(err)
		}
		n.At(start.Add(time.Second), func() { s.Send([]byte("x")) })
		n.mustRun(t, time.Minute)
		if got := arrived - time.Second - 50*time.Millisecond; got != want {
			t.Errorf("%s sends again after %v, want %v", name, got, want)
		}
	}
}

func TestTCPProfileMistakes(t *testing.T) {
	if _, err := LookupTCP("lwipp"); err == nil || !strings.Contains(err.Error(), "linux, lwip, single-mss") {
		t.Errorf("LookupTCP: %v", err)
	}
	n := newVirtual(t, Config{})
	for _, p := range []TCPProfile{{MSSBytes: 20}, {WindowBytes: -1}, {MSSBytes: 536, SendBytes: 500}, {MSSBytes: 536, WindowBytes: 500}} {
		if _, err := n.AddDevice(DeviceConfig{TCP: p}); err == nil {
			t.Errorf("a device with %+v was accepted", p)
		}
	}
}
