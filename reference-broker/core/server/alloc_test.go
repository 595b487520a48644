package server

import (
	"fmt"
	"testing"

	"mqttlab/reference-broker/mqtt"
)

// A message and all packets that follow from it allocate nothing once the tables have grown, whatever its QoS and however many get it.
func TestNothingIsAllocatedPerMessage(t *testing.T) {
	for _, x := range []struct {
		receivers int
		qos       mqtt.QoS
		kept      bool // the receivers' Sessions outlive their connections
		persist   bool // and are stored
	}{
		{receivers: 1},
		{receivers: 1, qos: 1},
		{receivers: 1, qos: 2},
		{receivers: 1, qos: 1, kept: true},
		{receivers: 1, qos: 2, kept: true},
		{receivers: 1, qos: 1, kept: true, persist: true},
		{receivers: 1, qos: 2, kept: true, persist: true},
		{receivers: 100},
		{receivers: 100, qos: 1},
		{receivers: 100, qos: 1, kept: true},
	} {
		t.Run(fmt.Sprintf("%+v", x), func(t *testing.T) {
			s := newBench(t)
			s.tester = start(t, Config{Persist: x.persist})
			var changes []func(*mqtt.Connect)
			if x.kept {
				changes = append(changes, kept)
			}
			connectN(t, s.tester, x.receivers, x.qos, func(int) string { return "a/+/c" }, changes...)
			pub := s.connect("pub")
			p := &mqtt.Publish{Topic: "a/b/c", Payload: make([]byte, 64), QoS: x.qos}
			message := func() {
				if x.qos > 0 {
					p.PacketID = max(1, p.PacketID+1)
				}
				if n := s.exchange(pub.id, p); n != x.receivers {
					t.Fatalf("%d deliveries, want %d", n, x.receivers)
				}
			}
			for range 100 {
				message()
			}
			if n := testing.AllocsPerRun(100, message); n != 0 {
				t.Errorf("%v allocations for one message", n)
			}
		})
	}
}
