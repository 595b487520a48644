package metrics

import (
	"context"
	"strconv"
	"time"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

// PublishSys publishes the $SYS/broker topics, retained, at once and then at each interval, until ctx ends. The interval is positive. A topic whose
// value is the same as before is not published again.
func PublishSys(ctx context.Context, b *broker.Broker, version string, interval time.Duration) {
	begin := time.Now()
	last := map[string]string{}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		s := b.Stats()
		for _, t := range sysTopics(&s, version, time.Since(begin)) {
			if old, known := last[t.name]; known && old == t.value {
				continue
			}
			last[t.name] = t.value
			b.Publish(&mqtt.Publish{Topic: t.name, Payload: []byte(t.value), Retain: true})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

type sysTopic struct{ name, value string }

// sysTopics returns what mosquitto has as well, under its names.
func sysTopics(s *broker.Stats, version string, up time.Duration) []sysTopic {
	var all []sysTopic
	text := func(name, value string) { all = append(all, sysTopic{"$SYS/broker/" + name, value}) }
	number := func(name string, n uint64) { text(name, strconv.FormatUint(n, 10)) }
	received, sent := sum(&s.Received), sum(&s.Delivered)
	text("version", version)
	text("uptime", strconv.FormatInt(int64(up/time.Second), 10)+" seconds")
	number("clients/connected", uint64(s.Connections))
	number("clients/disconnected", uint64(max(s.Sessions-s.Connections, 0))) // a connection before CONNECT has no Session
	number("clients/total", uint64(max(s.Sessions, s.Connections)))
	number("subscriptions/count", uint64(s.Subscriptions))
	number("retained messages/count", uint64(s.RetainedMessages))
	number("publish/messages/received", received.Messages)
	number("publish/messages/sent", sent.Messages)
	number("publish/messages/dropped", s.Dropped+s.SlowDropped)
	number("publish/bytes/received", received.Bytes)
	number("publish/bytes/sent", sent.Bytes)
	number("bytes/received", s.BytesReceived)
	number("bytes/sent", s.BytesSent)
	return all
}

func sum(by *[3]server.Traffic) (all server.Traffic) {
	for _, t := range by {
		all.Messages += t.Messages
		all.Bytes += t.Bytes
	}
	return all
}
