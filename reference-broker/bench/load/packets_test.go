package load

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// The codec of the broker understands what the generator sends.
func TestPackets(t *testing.T) {
	b := appendConnect(nil, "client", transient)
	b = appendSubscribe(b, 7, 1, "a/+", "b/#")
	qos2 := newTemplate("t/u", 2, true, 6, 5)
	qos2.bytes[qos2.idAt+1] = 9
	b = append(b, qos2.bytes...)
	b = append(b, newTemplate("t/u", 0, false, 200, 1).bytes...)
	b = append(b, disconnectPacket...)
	got, n, err := wire.NewDecoder(wire.FromClient).All(nil, b)
	if err != nil || n != len(b) {
		t.Fatalf("%d of %d bytes are packets: %v", n, len(b), err)
	}
	for _, p := range got {
		size, _ := frame(b)
		one, err := wire.Append(nil, mqtt.V311, p)
		if err != nil || size != len(one) {
			t.Errorf("%s: frame says %d bytes, the codec %d, %v", p.Type(), size, len(one), err)
		}
		b = b[size:]
	}
	one := make([]byte, 200)
	one[3] = 1
	want := []mqtt.Packet{
		&mqtt.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "client"},
		&mqtt.Subscribe{PacketID: 7, Subscriptions: []mqtt.Subscription{{TopicFilter: "a/+", QoS: 1}, {TopicFilter: "b/#", QoS: 1}}},
		&mqtt.Publish{Topic: "t/u", QoS: 2, Retain: true, PacketID: 9, Payload: []byte{0, 0, 0, 5, 0, 0}},
		&mqtt.Publish{Topic: "t/u", Payload: one},
		&mqtt.Disconnect{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(newTemplate("t", 1, false, 8, 3).bytes)
	f.Add([]byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, body := frame(b)
		if n > len(b) || n > 0 && (body < 2 || body > n) {
			t.Fatalf("%d bytes with the body at %d, of % x", n, body, b)
		}
		if n > 0 {
			published(b[0], b[body:n])
		}
	})
}
