package broker

import (
	"bytes"
	"testing"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// Whatever the order of receivers, each gets the bytes that encoding for it alone gives.
func TestLayoutsEqualSingleEncodings(t *testing.T) {
	m := &mqtt.Publish{Topic: "a/b", Payload: make([]byte, 150), ContentType: mqtt.Some("x")}
	var deliveries []server.Delivery
	for _, ids := range [][]uint32{nil, {1}, {2}, {1, 2}} {
		for _, d := range []server.Delivery{
			{},
			{Retain: true},
			{QoS: 1, PacketID: 7},
			{QoS: 1, PacketID: 8, Dup: true},
			{QoS: 2, PacketID: 9},
			{TopicAlias: 3},
			{TopicAlias: 3, OmitTopic: true},
			{MessageExpiryInterval: mqtt.Some(uint32(5))},
		} {
			d.SubscriptionIdentifiers = ids
			deliveries = append(deliveries, d)
		}
	}
	var l layouts
	for round := range 300 {
		d := deliveries[round*7%len(deliveries)]
		if round%3 == 0 {
			d.PacketID += uint16(round) // the same layout again
		}
		v := []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}[round%5%3]
		if round == 150 {
			l.forget()
			m = &mqtt.Publish{Topic: "another", Payload: []byte("y")}
		}
		got, err := l.append([]byte("before"), v, m, &d)
		want, _, err2 := wire.AppendPublish([]byte("before"), v, m, wire.Delivery(d))
		if err != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Fatalf("round %d, %s, %+v (%v, %v):\ngot  % x\nwant % x", round, v, d, err, err2, got, want)
		}
	}
}

func BenchmarkLayouts(b *testing.B) {
	m := &mqtt.Publish{Topic: "site/7/device/42", Payload: make([]byte, 64), UserProperties: []mqtt.UserProperty{{Name: "unit", Value: "celsius"}}}
	var l layouts
	buf := make([]byte, 0, 4096)
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		b.Run(v.String(), func(b *testing.B) {
			b.ReportAllocs()
			d := server.Delivery{QoS: 1}
			for b.Loop() {
				d.PacketID++
				buf, _ = l.append(buf[:0], v, m, &d)
			}
		})
	}
}
