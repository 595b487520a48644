package server

import (
	"fmt"
	"runtime"
	"testing"

	"mqttlab/reference-broker/mqtt"
)

// bench is a Machine whose subscribers acknowledge as they should, without a codec.
type bench struct {
	*tester
	take               func(*Action)
	delivered          int
	replies, answering []reply
}

type reply struct {
	conn ConnID
	t    mqtt.Type
	id   uint16
}

func newBench(b testing.TB) *bench {
	s := &bench{tester: start(b, Config{})}
	s.take = s.collect
	return s
}

// connectN connects n clients that subscribe to filter(i) at qos.
func connectN(b testing.TB, s *tester, n int, qos mqtt.QoS, filter func(i int) string, changes ...func(*mqtt.Connect)) []*peer {
	b.Helper()
	peers := make([]*peer, n)
	for i := range peers {
		peers[i] = s.connect(fmt.Sprint("sub", i), changes...)
		peers[i].subscribe(qos, filter(i))
	}
	return peers
}

// exchange publishes p and plays the other ends' part in the QoS 1 and 2 exchanges until nothing is left to do.
func (s *bench) exchange(pub ConnID, p *mqtt.Publish) (delivered int) {
	s.delivered = 0
	s.m.Receive(s.now, pub, p)
	s.m.Drain(s.take)
	for len(s.replies) > 0 {
		s.replies, s.answering = s.answering[:0], s.replies
		for _, r := range s.answering {
			s.reply(r.conn, r.t, r.id)
		}
		s.m.Drain(s.take)
	}
	return s.delivered
}

// collect notes what an action wants as an answer.
func (s *bench) collect(a *Action) {
	switch {
	case a.Kind == SendPublish:
		s.delivered++
		switch a.Delivery.QoS {
		case 1:
			s.replies = append(s.replies, reply{a.Conn, mqtt.TypePuback, a.Delivery.PacketID})
		case 2:
			s.replies = append(s.replies, reply{a.Conn, mqtt.TypePubrec, a.Delivery.PacketID})
		}
	case a.Kind == SendAck && a.AckType == mqtt.TypePubrec:
		s.replies = append(s.replies, reply{a.Conn, mqtt.TypePubrel, a.Ack.PacketID})
	case a.Kind == SendAck && a.AckType == mqtt.TypePubrel:
		s.replies = append(s.replies, reply{a.Conn, mqtt.TypePubcomp, a.Ack.PacketID})
	}
}

var (
	benchPuback  mqtt.Puback
	benchPubrec  mqtt.Pubrec
	benchPubrel  mqtt.Pubrel
	benchPubcomp mqtt.Pubcomp
)

func (s *bench) reply(conn ConnID, t mqtt.Type, id uint16) {
	switch t {
	case mqtt.TypePuback:
		benchPuback.PacketID = id
		s.m.Receive(s.now, conn, &benchPuback)
	case mqtt.TypePubrec:
		benchPubrec.PacketID = id
		s.m.Receive(s.now, conn, &benchPubrec)
	case mqtt.TypePubrel:
		benchPubrel.PacketID = id
		s.m.Receive(s.now, conn, &benchPubrel)
	case mqtt.TypePubcomp:
		benchPubcomp.PacketID = id
		s.m.Receive(s.now, conn, &benchPubcomp)
	}
}

func benchmarkFlow(b *testing.B, subscribers int, qos mqtt.QoS, changes ...func(*mqtt.Connect)) {
	s := newBench(b)
	connectN(b, s.tester, subscribers, qos, func(int) string { return "a/+/c" }, changes...)
	pub := s.connect("pub")
	p := &mqtt.Publish{Topic: "a/b/c", Payload: make([]byte, 64), QoS: qos}
	delivered := 0
	b.ReportAllocs()
	for b.Loop() {
		if qos > 0 {
			p.PacketID = max(1, p.PacketID+1)
		}
		delivered += s.exchange(pub.id, p)
	}
	if delivered != b.N*subscribers {
		b.Fatalf("%d deliveries of %d messages to %d subscribers", delivered, b.N, subscribers)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(delivered), "ns/delivery")
}

func BenchmarkQoS0(b *testing.B)          { benchmarkFlow(b, 1, 0) }
func BenchmarkQoS1(b *testing.B)          { benchmarkFlow(b, 1, 1) }
func BenchmarkQoS2(b *testing.B)          { benchmarkFlow(b, 1, 2) }
func BenchmarkQoS1Kept(b *testing.B)      { benchmarkFlow(b, 1, 1, kept) }
func BenchmarkFanOut500(b *testing.B)     { benchmarkFlow(b, 500, 0) }
func BenchmarkFanOut500QoS1(b *testing.B) { benchmarkFlow(b, 500, 1) }

// BenchmarkMatch100000 routes among 100,000 wildcard filters of one client.
func BenchmarkMatch100000(b *testing.B) {
	s := newBench(b)
	sub, pub := s.connect("sub"), s.connect("pub")
	for i := range 100_000 {
		sub.subscribe(0, fmt.Sprintf("site/%d/+/unit%d/#", i%100, i/100))
	}
	p := &mqtt.Publish{Payload: make([]byte, 64)}
	topics := make([]string, 1000)
	for i := range topics {
		topics[i] = fmt.Sprintf("site/%d/x/unit%d/temperature", i%100, i)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		p.Topic = topics[i%1000]
		i++
		if n := s.exchange(pub.id, p); n != 1 {
			b.Fatal("delivered", n)
		}
	}
}

// BenchmarkRetained100000 is one subscriber to 100,000 retained messages.
func BenchmarkRetained100000(b *testing.B) {
	s := newBench(b)
	pub := s.connect("pub")
	for i := range 100_000 {
		pub.send(&mqtt.Publish{Topic: fmt.Sprintf("site/%d/unit%d", i%100, i/100), Payload: make([]byte, 64), Retain: true})
	}
	sub := s.connect("sub")
	p := &mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "#"}}}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		s.m.Receive(s.now, sub.id, p)
		s.m.Drain(func(a *Action) {
			if a.Kind == SendPublish {
				n++
			}
		})
		if n != 100_000 {
			b.Fatal("delivered", n)
		}
	}
}

// BenchmarkConnect is CONNECT, SUBSCRIBE, DISCONNECT.
func BenchmarkConnect(b *testing.B) {
	s := start(b, Config{})
	connect := &mqtt.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a", KeepAlive: 60}
	subscribe := &mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "a/b"}}}
	disconnect := &mqtt.Disconnect{}
	var id ConnID
	b.ReportAllocs()
	for b.Loop() {
		id++
		s.m.Open(s.now, id, Transport{})
		s.m.Receive(s.now, id, connect)
		s.m.Receive(s.now, id, subscribe)
		s.m.Receive(s.now, id, disconnect)
		s.m.Drain(func(*Action) {})
	}
}

// BenchmarkIdle reports the heap of a connected client with one Subscription.
func BenchmarkIdle(b *testing.B) {
	const clients = 10_000
	for b.Loop() {
		m := New(Config{})
		s := start(b, Config{})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range ConnID(clients) {
			m.Open(s.now, i, Transport{})
			m.Receive(s.now, i, &mqtt.Connect{Version: mqtt.V311, CleanStart: true, ClientID: fmt.Sprint("client", i), KeepAlive: 60})
			m.Receive(s.now, i, &mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: fmt.Sprint("client/", i)}}})
			m.Drain(func(*Action) {})
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/clients, "B/client")
		runtime.KeepAlive(m)
	}
}
