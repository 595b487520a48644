package metrics

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

func figures() broker.Stats {
	return broker.Stats{
		Stats: server.Stats{
			Connections: 1, Sessions: 3, Subscriptions: 4, RetainedMessages: 5, RetainedBytes: 6, Queued: 7,
			Received:  [3]server.Traffic{{Messages: 10, Bytes: 100}, {Messages: 11, Bytes: 101}, {Messages: 12, Bytes: 102}},
			Delivered: [3]server.Traffic{{Messages: 20, Bytes: 200}, {Messages: 21, Bytes: 201}, {Messages: 22, Bytes: 202}},
			Resent:    30, Dropped: 31,
		},
		SlowDropped: 32, SlowClosed: 33, BytesReceived: 34, BytesSent: 35,
	}
}

// page is what Prometheus reads of figures, without help and types.
const page = `mqttlab_connections 1
mqttlab_messages_dropped_total{reason="limit_or_expiry"} 31
mqttlab_messages_dropped_total{reason="slow"} 32
mqttlab_messages_received_payload_bytes_total{qos="0"} 100
mqttlab_messages_received_payload_bytes_total{qos="1"} 101
mqttlab_messages_received_payload_bytes_total{qos="2"} 102
mqttlab_messages_received_total{qos="0"} 10
mqttlab_messages_received_total{qos="1"} 11
mqttlab_messages_received_total{qos="2"} 12
mqttlab_messages_resent_total 30
mqttlab_messages_sent_payload_bytes_total{qos="0"} 200
mqttlab_messages_sent_payload_bytes_total{qos="1"} 201
mqttlab_messages_sent_payload_bytes_total{qos="2"} 202
mqttlab_messages_sent_total{qos="0"} 20
mqttlab_messages_sent_total{qos="1"} 21
mqttlab_messages_sent_total{qos="2"} 22
mqttlab_network_received_bytes_total 34
mqttlab_network_sent_bytes_total 35
mqttlab_queued_messages 7
mqttlab_retained_bytes 6
mqttlab_retained_messages 5
mqttlab_sessions 3
mqttlab_slow_connections_closed_total 33
mqttlab_subscriptions 4
`

func TestPage(t *testing.T) {
	status := error(nil)
	s := httptest.NewServer(Handler(figures, func() error { return status }))
	defer s.Close()
	get := func(path string) (int, string) {
		r, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(b)
	}
	_, text := get("/metrics")
	var ours strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "mqttlab_") {
			ours.WriteString(line)
		}
	}
	if diff := cmp.Diff(page, ours.String()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(text, "\ngo_goroutines ") {
		t.Error("nothing about the process")
	}
	if code, text := get("/healthz"); code != 200 || text != "ok\n" {
		t.Errorf("healthy: %d %q", code, text)
	}
	status = errors.New("the broker is shutting down")
	if code, text := get("/healthz"); code != 503 || text != "the broker is shutting down\n" {
		t.Errorf("not healthy: %d %q", code, text)
	}
	if code, _ := get("/"); code != 404 {
		t.Errorf("elsewhere: %d", code)
	}
}

func TestSysTopics(t *testing.T) {
	s := figures()
	got := map[string]string{}
	for _, x := range sysTopics(&s, "1.0", 90*time.Second) {
		got[strings.TrimPrefix(x.name, "$SYS/broker/")] = x.value
	}
	want := map[string]string{
		"version": "1.0", "uptime": "90 seconds", "clients/connected": "1", "clients/disconnected": "2", "clients/total": "3", "subscriptions/count": "4",
		"retained messages/count": "5", "publish/messages/received": "33", "publish/messages/sent": "63", "publish/messages/dropped": "63",
		"publish/bytes/received": "303", "publish/bytes/sent": "603", "bytes/received": "34", "bytes/sent": "35",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSysIsRetainedAndRenewed subscribes late, and waits for the next interval.
func TestSysIsRetainedAndRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := broker.New(broker.Config{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go PublishSys(ctx, b, "1.0", 10*time.Second)
		time.Sleep(time.Second)
		nc, err := b.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var out []byte
		for _, p := range []mqtt.Packet{
			&mqtt.Connect{Version: mqtt.V5, ClientID: "c", CleanStart: true},
			&mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "$SYS/broker/uptime"}, {TopicFilter: "$SYS/broker/version"}}},
		} {
			if out, err = wire.Append(out, mqtt.V5, p); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := nc.Write(out); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		in := make([]byte, 4096)
		n, err := nc.Read(in)
		if err != nil {
			t.Fatal(err)
		}
		dec := wire.NewDecoder(wire.FromServer)
		dec.Version = mqtt.V5
		packets, _, err := dec.All(nil, in[:n])
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range packets {
			if p, ok := p.(*mqtt.Publish); ok {
				got = append(got, string(p.Payload))
			}
		}
		if diff := cmp.Diff([]string{"0 seconds", "1.0", "10 seconds"}, got); diff != "" {
			t.Error(diff)
		}
		cancel()
		nc.Close()
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
