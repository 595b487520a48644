package wire

import (
	"fmt"
	"testing"

	"mqttlab/reference-broker/mqtt"
)

func busyPublish(v mqtt.Version) *mqtt.Publish {
	m := &mqtt.Publish{Topic: "site/7/device/42/temperature", Payload: make([]byte, 64), QoS: 1, PacketID: 10}
	if v == mqtt.V5 {
		m.MessageExpiryInterval, m.ContentType = mqtt.Some(uint32(60)), mqtt.Some("text/plain")
		m.UserProperties = []mqtt.UserProperty{{Name: "unit", Value: "celsius"}}
	}
	return m
}

func BenchmarkDecode(b *testing.B) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		for _, p := range []mqtt.Packet{busyPublish(v), &mqtt.Puback{PacketID: 10}} {
			b.Run(fmt.Sprintf("%s-%s", v, p.Type()), func(b *testing.B) {
				one, err := Append(nil, v, p)
				if err != nil {
					b.Fatal(err)
				}
				var batch []byte
				for range 32 {
					batch = append(batch, one...)
				}
				d := NewDecoder(FromClient)
				d.Version = v
				var packets []mqtt.Packet
				b.ReportAllocs()
				for i := 0; i < b.N; i += 32 {
					packets, _, err = d.All(packets[:0], batch)
					if err != nil || len(packets) != 32 {
						b.Fatal(len(packets), err)
					}
				}
			})
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		m := busyPublish(v)
		buf := make([]byte, 0, 4096)
		b.Run(v.String()+"-PUBLISH", func(b *testing.B) {
			b.ReportAllocs()
			d := Delivery{QoS: 1, PacketID: 7, MessageExpiryInterval: m.MessageExpiryInterval}
			for b.Loop() {
				buf, _, _ = AppendPublish(buf[:0], v, m, d)
			}
		})
		b.Run(v.String()+"-PUBACK", func(b *testing.B) {
			b.ReportAllocs()
			a := mqtt.Ack{PacketID: 7, ReasonCode: mqtt.NoMatchingSubscribers}
			for b.Loop() {
				buf, _ = AppendAck(buf[:0], v, mqtt.TypePuback, &a)
			}
		})
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		m := busyPublish(v)
		one, err := Append(nil, v, m)
		if err != nil {
			t.Fatal(err)
		}
		one, _ = AppendAck(one, v, mqtt.TypePuback, &mqtt.Ack{PacketID: 1})
		d := NewDecoder(FromClient)
		d.Version = v
		packets, buf := make([]mqtt.Packet, 0, 2), make([]byte, 0, 4096)
		if n := testing.AllocsPerRun(100, func() { packets, _, _ = d.All(packets[:0], one) }); n != 0 || len(packets) != 2 {
			t.Errorf("%s: decoding a PUBLISH and a PUBACK allocates %v times (%d packets)", v, n, len(packets))
		}
		if n := testing.AllocsPerRun(100, func() {
			buf, _, _ = AppendPublish(buf[:0], v, m, Delivery{QoS: 1, PacketID: 3})
			buf, _ = AppendAck(buf, v, mqtt.TypePubrec, &mqtt.Ack{PacketID: 3})
		}); n != 0 {
			t.Errorf("%s: writing a PUBLISH and a PUBREC allocates %v times", v, n)
		}
	}
}
