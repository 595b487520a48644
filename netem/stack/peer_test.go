package stack

import (
	"testing"
	"time"

	"mqttlab/netem/link"
)

func TestListenerKnowsThePeerAndItsOwnRetransmissions(t *testing.T) {
	n := newVirtual(t, Config{Seed: 3})
	peers := map[*Device]*Socket{}
	if err := n.Listen("broker:1883", func(s *Socket) Handler {
		peers[s.Peer()] = s
		s.Send(make([]byte, 8000))
		return &calls{}
	}); err != nil {
		t.Fatal(err)
	}
	lossy := mustModel(t, link.Config{Delay: 20 * time.Millisecond, LossRatio: 0.5})
	clean := n.mustDevice(t, DeviceConfig{})
	bad := n.mustDevice(t, DeviceConfig{Down: lossy})
	for _, d := range []*Device{clean, bad} {
		s, err := d.Open("broker:1883", &calls{readable: func(s *Socket) {
			for b := make([]byte, 4096); s.Receive(b) > 0; {
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if s.Peer() != nil {
			t.Error("a device's own socket has a peer device")
		}
	}
	n.mustRun(t, time.Minute)
	if len(peers) != 2 || peers[clean] == nil || peers[bad] == nil {
		t.Fatalf("peers %v, want both devices", peers)
	}
	if got := peers[clean].Retransmissions(); got != 0 {
		t.Errorf("%d retransmissions over a clean link", got)
	}
	all := n.Stats().RetransmissionsDown
	if got := peers[bad].Retransmissions(); got == 0 || got != all {
		t.Errorf("%d retransmissions over a lossy link, the network counted %d", got, all)
	}
}
