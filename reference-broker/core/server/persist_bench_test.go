package server

import (
	"testing"

	"mqttlab/reference-broker/mqtt"
)

// BenchmarkPersist is BenchmarkQoS1Kept with Store actions: a message put, its delivery put, both removed.
func BenchmarkPersist(b *testing.B) {
	s := newBench(b)
	s.tester = start(b, Config{Persist: true})
	connectN(b, s.tester, 1, 1, func(int) string { return "a/b" }, kept)
	pub := s.connect("pub")
	p := &mqtt.Publish{Topic: "a/b", Payload: make([]byte, 64), QoS: 1}
	records := 0
	collect := s.take
	s.take = func(a *Action) {
		if a.Kind == Store {
			records++
			return
		}
		collect(a)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.PacketID = max(1, p.PacketID+1)
		if n := s.exchange(pub.id, p); n != 1 {
			b.Fatal("delivered", n)
		}
	}
	if records != 4*b.N {
		b.Fatalf("%d records for %d messages, want 4 each", records, b.N)
	}
}
