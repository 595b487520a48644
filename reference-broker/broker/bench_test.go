package broker

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/transport"
	"mqttlab/reference-broker/wire"
)

// BenchmarkDelivery is one PUBLISH from socket to socket: read, decoded, routed, encoded, written. No allocation per message.
func BenchmarkDelivery(b *testing.B) {
	for _, receivers := range []int{1, 50} {
		b.Run(fmt.Sprintf("to %d", receivers), func(b *testing.B) {
			br, err := New(Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer br.Close(context.Background())
			ln, err := transport.Listen(b.Context(), loopback)
			if err != nil {
				b.Fatal(err)
			}
			go br.Serve(b.Context(), ln)
			var subs []net.Conn
			for i := range receivers {
				nc := enter(b, transport.URL(ln), fmt.Sprint("sub", i))
				exchange(b, nc, &mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "a/b/c"}}}, 5)
				subs = append(subs, nc)
			}
			deliver(b, enter(b, transport.URL(ln), "pub"), subs)
			for _, nc := range subs {
				nc.Close()
			}
		})
	}
}

// deliver publishes b.N messages in batches and waits for each batch at all receivers.
func deliver(b *testing.B, pub net.Conn, subs []net.Conn) {
	defer pub.Close()
	one, _ := wire.Append(nil, mqtt.V311, &mqtt.Publish{Topic: "a/b/c", Payload: make([]byte, 64)})
	var batch []byte
	for range 100 {
		batch = append(batch, one...)
	}
	in := make([]byte, len(batch))
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += 100 {
		if _, err := pub.Write(batch); err != nil {
			b.Fatal(err)
		}
		for _, nc := range subs {
			if _, err := io.ReadFull(nc, in); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.StopTimer()
}

func enter(b *testing.B, url, id string) net.Conn {
	nc, err := transport.Dial(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	exchange(b, nc, &mqtt.Connect{Version: mqtt.V311, ClientID: id, CleanStart: true}, 4)
	return nc
}

// exchange sends p and reads an answer of n bytes.
func exchange(b *testing.B, nc net.Conn, p mqtt.Packet, n int) {
	out, _ := wire.Append(nil, mqtt.V311, p)
	if _, err := nc.Write(out); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(nc, make([]byte, n)); err != nil {
		b.Fatal(err)
	}
}
