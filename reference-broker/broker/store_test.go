package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/store"
	"mqttlab/reference-broker/transport"
)

func openStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir, store.Options{MinimumFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func durable(client string) *mqtt.Connect {
	return &mqtt.Connect{Version: mqtt.V5, ClientID: client, SessionExpiryInterval: mqtt.SessionNeverExpires}
}

// TestQueueOutlivesTheBroker queues messages for a client that is away, closes the broker, and has the next one deliver them in order.
func TestQueueOutlivesTheBroker(t *testing.T) {
	messages := uint32(100_000)
	if testing.Short() {
		messages = 5000
	}
	dir := t.TempDir()
	s := openStore(t, dir)
	b := start(t, Config{Store: s})
	away := pipe(t, b, mqtt.V5)
	away.send(durable("away"))
	want[*mqtt.Connack](away, "CONNACK")
	away.subscribe("q", 1)
	away.nc.Close()
	publishMany(t, pipe(t, b, mqtt.V5), messages)
	stop(t, b, s)

	s = openStore(t, dir)
	b = start(t, Config{Store: s})
	back := pipe(t, b, mqtt.V5)
	back.send(durable("away"))
	if !want[*mqtt.Connack](back, "CONNACK").SessionPresent {
		t.Fatal("the Session is not there")
	}
	for n := range messages {
		p := want[*mqtt.Publish](back, "a queued message")
		if got := binary.BigEndian.Uint32(p.Payload); got != n {
			t.Fatalf("message %d came, want %d", got, n)
		}
		back.send(&mqtt.Puback{PacketID: p.PacketID})
	}
	back.nc.Close()
	stop(t, b, s)
}

// publishMany publishes numbers and takes their acknowledgements, a window at a time.
func publishMany(t *testing.T, p *peer, messages uint32) {
	t.Helper()
	p.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "pub", CleanStart: true})
	want[*mqtt.Connack](p, "CONNACK")
	const window = 1000
	for n := uint32(0); n < messages; n += window {
		go func() {
			for i := range uint32(window) {
				p.send(&mqtt.Publish{Topic: "q", QoS: 1, PacketID: uint16(i + 1), Payload: binary.BigEndian.AppendUint32(nil, n+i)})
			}
		}()
		for range window {
			if k := want[*mqtt.Puback](p, "PUBACK"); k.ReasonCode != mqtt.Success {
				t.Fatal("PUBACK with", k.ReasonCode)
			}
		}
	}
	p.nc.Close()
}

func stop(t *testing.T, b *Broker, s *store.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestBrokerEndsWithItsStore takes the store away: nothing is acknowledged any more, clients lose their connections and Serve says why.
func TestBrokerEndsWithItsStore(t *testing.T) {
	s := openStore(t, t.TempDir())
	b := start(t, Config{Store: s})
	ln, err := transport.Listen(t.Context(), "mqtt://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.Serve(t.Context(), ln) }()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, nc, mqtt.V5)
	p.send(durable("c"))
	want[*mqtt.Connack](p, "CONNACK")
	p.subscribe("a", 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	p.send(&mqtt.Publish{Topic: "a", QoS: 1, PacketID: 1})
	if x, err := p.next(); err == nil {
		t.Errorf("%v although nothing can be stored", x.Type())
	}
	select {
	case err := <-served:
		if err == nil || errors.Is(err, ErrClosed) {
			t.Errorf("Serve returned %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("Serve goes on")
	}
	if _, err := b.Pipe(); err == nil {
		t.Error("a client is let in")
	}
}
