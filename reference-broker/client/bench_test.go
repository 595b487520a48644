package client_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/mqtt"
)

// BenchmarkThroughput sends messages of 64 bytes from one client to another through the reference broker in the same process over TCP.
func BenchmarkThroughput(b *testing.B) {
	for qos := mqtt.AtMostOnce; qos <= mqtt.ExactlyOnce; qos++ {
		b.Run(fmt.Sprintf("QoS%d", qos), func(b *testing.B) {
			ctx := b.Context()
			url := benchBroker(b)
			in, err := client.Dial(ctx, url, &client.Options{Buffer: 1 << 30})
			if err != nil {
				b.Fatal(err)
			}
			out, err := client.Dial(ctx, url, nil)
			if err != nil {
				b.Fatal(err)
			}
			sub, err := in.Subscribe(ctx, client.Filter{TopicFilter: "bench", QoS: qos})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			window := make(chan struct{}, 1000) // QoS 0 has no flow control: the broker drops what a slow client leaves lying
			go func() {
				m := &client.Message{Topic: "bench", QoS: qos, Payload: make([]byte, 64)}
				for range b.N {
					window <- struct{}{}
					if _, err := out.Enqueue(m); err != nil {
						_, _ = out.Publish(ctx, m) // the queue is full: wait
					}
				}
			}()
			n := 0
			for range sub.Messages(ctx) {
				<-window
				if n++; n == b.N {
					break
				}
			}
			b.StopTimer()
			_ = out.Close(ctx)
			_ = in.Close(ctx)
		})
	}
}

func benchBroker(b *testing.B) string {
	srv, err := broker.New(broker.Config{})
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = srv.Serve(context.Background(), ln) }()
	b.Cleanup(func() { _ = srv.Close(context.Background()) })
	return "mqtt://" + ln.Addr().String()
}
