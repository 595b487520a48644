package broker

import (
	"testing"
	"testing/synctest"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/transport"
)

// overfill publishes n messages of 1 KiB to a subscriber that does not read.
func overfill(t *testing.T, cfg Config, n int, qos mqtt.QoS) (*Broker, *peer, *peer) {
	b := start(t, cfg)
	sub, pub := join(t, b, mqtt.V311, "sub"), join(t, b, mqtt.V311, "pub")
	sub.subscribe("t", qos)
	for i := range n {
		payload := make([]byte, 1024)
		payload[0], payload[1] = byte(i>>8), byte(i)
		pub.send(&mqtt.Publish{Topic: "t", Payload: payload})
	}
	synctest.Wait()
	return b, sub, pub
}

func TestSlowReaderLosesQoS0(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{SlowLimit: 32 << 10}
		b, sub, pub := overfill(t, cfg, 300, mqtt.AtMostOnce)
		dropped := b.Stats().SlowDropped
		// At least what may wait gets through, at most that, what the pipe holds and what the writer had in its hands.
		least, most := cfg.SlowLimit/1024, (transport.PipeBuffer+cfg.SlowLimit)/1024+deskBuffer/1024+1
		if delivered := 300 - int(dropped); delivered < least || delivered > most {
			t.Fatalf("%d of 300 dropped, but %d to %d fit", dropped, least, most)
		}
		last := -1
		for range 300 - int(dropped) {
			m := want[*mqtt.Publish](sub, "what fitted")
			n := int(m.Payload[0])<<8 | int(m.Payload[1])
			if n <= last {
				t.Fatalf("message %d came after %d", n, last)
			}
			last = n
		}
		sub.wantSilence("the rest was dropped")
		pub.send(&mqtt.Publish{Topic: "t", Payload: []byte("again")})
		if m := want[*mqtt.Publish](sub, "after catching up"); string(m.Payload) != "again" {
			t.Errorf("got %q", m.Payload)
		}
		pub.wantSilence("the publisher felt nothing")
	})
}

func TestHopelessReaderIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Config{SlowLimit: 32 << 10, OutgoingLimit: 64 << 10})
		sub, pub := join(t, b, mqtt.V311, "sub"), join(t, b, mqtt.V311, "pub")
		sub.subscribe("t", mqtt.AtLeastOnce)
		for i := range 300 {
			pub.send(&mqtt.Publish{Topic: "t", Payload: make([]byte, 1024), QoS: 1, PacketID: uint16(i + 1)})
			want[*mqtt.Puback](pub, "the publisher is served")
		}
		for {
			if _, err := sub.next(); err != nil {
				break
			}
		}
		if s := b.Stats(); s.SlowClosed != 1 || s.SlowDropped != 0 || s.Connections != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// A client that asks and does not read the answers is not read any more: it cannot fill the broker's memory.
func TestReadingWaitsForWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Config{SlowLimit: 16 << 10, OutgoingLimit: 64 << 10})
		p := join(t, b, mqtt.V311, "c")
		const pings = 400_000
		go func() {
			for range pings / 1000 {
				batch := make([]byte, 0, 2000)
				for range 1000 {
					batch = append(batch, 0xC0, 0)
				}
				if _, err := p.nc.Write(batch); err != nil {
					t.Errorf("write: %v", err)
				}
			}
		}()
		synctest.Wait()
		for i := range pings {
			if _, err := p.next(); err != nil {
				t.Fatalf("answer %d: %v", i, err)
			}
		}
	})
}

// Retained messages that a SUBSCRIBE asks for are not dropped however many there are.
func TestManyRetainedMessagesArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Config{SlowLimit: 4 << 10})
		pub := join(t, b, mqtt.V311, "pub")
		const n = 2000
		for i := range n {
			pub.send(&mqtt.Publish{Topic: "r/" + string(rune('a'+i%26)) + "/" + string(rune('0'+i/26)), Payload: make([]byte, 100), Retain: true})
		}
		pub.wantSilence("stored")
		sub := join(t, b, mqtt.V311, "sub")
		sub.subscribe("r/#", 0)
		for i := range n {
			if m := want[*mqtt.Publish](sub, "retained message"); !m.Retain {
				t.Fatalf("message %d has RETAIN 0", i)
			}
		}
		if d := b.Stats().SlowDropped; d != 0 {
			t.Errorf("%d dropped", d)
		}
	})
}
