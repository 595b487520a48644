package stack

import (
	"math/rand/v2"
	"testing"
	"time"

	gvisor "gvisor.dev/gvisor/pkg/tcpip/stack"

	"mqttlab/netem/link"
)

// TestADeviceThatWakesUpGetsWhatWaits sends a command to a device in power saving
// mode: it comes with the device's next packet, not at its next wake-up.
func TestADeviceThatWakesUpGetsWhatWaits(t *testing.T) {
	const delay = 100 * time.Millisecond
	n := newVirtual(t, Config{Seed: 1})
	var peer *Socket
	if err := n.Listen("broker:1883", func(s *Socket) Handler { peer = s; return echo(s) }); err != nil {
		t.Fatal(err)
	}
	d := n.mustDevice(t, DeviceConfig{
		Up: mustModel(t, link.Config{Delay: delay}),
		Down: mustModel(t, link.Config{Delay: delay, Sleep: link.Sleep{
			Interval: 24 * time.Hour, Window: 5 * time.Second, AwakeAfterTraffic: 5 * time.Second, AfterTraffic: true,
		}}),
	})
	heard := ""
	s, err := d.Open("broker:1883", &calls{readable: func(s *Socket) {
		var b [64]byte
		heard += string(b[:s.Receive(b[:])])
	}})
	if err != nil {
		t.Fatal(err)
	}
	n.mustRun(t, time.Minute)
	peer.Send([]byte("open the valve;"))
	n.mustRun(t, time.Minute)
	if heard != "" {
		t.Fatalf("asleep, the device heard %q", heard)
	}
	s.Send([]byte("21 degrees;"))
	n.mustRun(t, delay)
	if heard != "open the valve;" {
		t.Errorf("awake, the device heard %q, want the command", heard)
	}
	n.mustRun(t, 2*delay) // TCP, which has lost packets as far as it knows, waits for the acknowledgement
	if want := "open the valve;21 degrees;"; heard != want {
		t.Errorf("after another round trip it heard %q, want %q", heard, want)
	}
}

func TestHastenKeepsTheHeap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	ours, other := &Device{number: 1}, &Device{number: 2}
	packet := &gvisor.PacketBuffer{}
	for range 200 {
		var h eventHeap
		want := 0
		for i := range uint32(50) {
			e := entry{at: random.Int64N(1000), device: ours, packet: packet}
			dir := direction(random.IntN(2))
			if random.IntN(3) == 0 {
				e.device = other
			}
			e.order = packetOrder(e.device.number, dir, i)
			if e.device == ours && dir == down && (e.at >= 500 || e.at == 100) {
				want++
			}
			h.push(e)
		}
		h.hasten(ours, down, 500, 100)
		var last entry
		got := 0
		for len(h) > 0 {
			e := h.pop()
			if e.before(&last) {
				t.Fatalf("an entry at %d comes after one at %d", e.at, last.at)
			}
			if e.device == ours && e.direction() == down && e.at == 100 {
				got++
			}
			last = e
		}
		if got != want {
			t.Fatalf("%d packets were hastened, want %d", got, want)
		}
	}
}
