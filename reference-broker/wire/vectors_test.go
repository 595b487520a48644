package wire

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mqttlab/reference-broker/mqtt"
)

// The examples that the two standards print, completed to whole packets where a figure shows a part.
func TestFiguresOfTheStandards(t *testing.T) {
	tests := []struct {
		figure  string
		from    Side
		version mqtt.Version
		bytes   string
		want    mqtt.Packet
	}{
		{"3.1.1 figure 3.6, CONNECT", FromClient, 4, "10 14 0004'MQTT' 04 CE 000A 0000 0000 0000 0000 0000", &mqtt.Connect{
			Version: 4, CleanStart: true, KeepAlive: 10, Will: &mqtt.Will{QoS: 1}, Username: mqtt.Some(""), Password: mqtt.Some([]byte{}),
		}},
		{"5.0 figure 3-6, CONNECT", FromClient, 5, "10 1B 0004'MQTT' 05 CE 000A 05 11 0000000A 0000 00 0000 0000 0000 0000", &mqtt.Connect{
			Version: 5, CleanStart: true, KeepAlive: 10, SessionExpiryInterval: 10, Will: &mqtt.Will{QoS: 1},
			Username: mqtt.Some(""), Password: mqtt.Some([]byte{}),
		}},
		{"3.1.1 figure 3.11, PUBLISH", FromClient, 4, "32 07 0003'a/b' 000A", &mqtt.Publish{Topic: "a/b", QoS: 1, PacketID: 10}},
		{"5.0 figure 3-9, PUBLISH", FromClient, 5, "32 08 0003'a/b' 000A 00", &mqtt.Publish{Topic: "a/b", QoS: 1, PacketID: 10}},
		{"3.1.1 figures 3.21 and 3.23, SUBSCRIBE", FromClient, 4, "82 0E 000A 0003'a/b' 01 0003'c/d' 02", &mqtt.Subscribe{
			PacketID: 10, Subscriptions: []mqtt.Subscription{{TopicFilter: "a/b", QoS: 1}, {TopicFilter: "c/d", QoS: 2}},
		}},
		{"5.0 figures 3-19 and 3-21, SUBSCRIBE", FromClient, 5, "82 0F 000A 00 0003'a/b' 01 0003'c/d' 02", &mqtt.Subscribe{
			PacketID: 10, Subscriptions: []mqtt.Subscription{{TopicFilter: "a/b", QoS: 1}, {TopicFilter: "c/d", QoS: 2}},
		}},
		{"3.1.1 figure 3.27, SUBACK", FromServer, 4, "90 05 000A 00 02 80", &mqtt.Suback{PacketID: 10, ReasonCodes: []mqtt.ReasonCode{0, 2, 0x80}}},
		{"3.1.1 figure 3.30, UNSUBSCRIBE", FromClient, 4, "A2 0C 000A 0003'a/b' 0003'c/d'", &mqtt.Unsubscribe{
			PacketID: 10, TopicFilters: []string{"a/b", "c/d"},
		}},
		{"5.0 figure 3-24, DISCONNECT", FromClient, 5, "E0 07 00 05 11 00000000", &mqtt.Disconnect{SessionExpiryInterval: mqtt.Some(uint32(0))}},
		{"figure 1.2, a string of A and U+2A6D4", FromClient, 4, "30 07 0005 41 F0AA9B94", &mqtt.Publish{Topic: "A\U0002A6D4"}},
	}
	for _, test := range tests {
		t.Run(test.figure, func(t *testing.T) {
			b := octets(t, test.bytes)
			d := NewDecoder(test.from)
			if b[0]>>4 != byte(mqtt.TypeConnect) {
				d.Version = test.version
			}
			got, n, err := d.Next(b)
			if err != nil || n != len(b) {
				t.Fatalf("read %d of %d bytes: %v", n, len(b), err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if again, err := Append(nil, test.version, test.want); err != nil || !bytes.Equal(again, b) {
				t.Errorf("writes % x (%v)\nwant   % x", again, err, b)
			}
		})
	}
}

// Table 2-1 of 5.0: the ends of each size of a Variable Byte Integer.
func TestVariableByteInteger(t *testing.T) {
	for v, want := range map[uint32]string{
		0: "00", 127: "7F", 128: "80 01", 16383: "FF 7F", 16384: "80 80 01", 2097151: "FF FF 7F", 2097152: "80 80 80 01", 268435455: "FF FF FF 7F",
	} {
		b := appendVarint(nil, v)
		if got, n, ok := varint(b); !bytes.Equal(b, octets(t, want)) || got != v || n != len(b) || !ok {
			t.Errorf("%d: % x, read back as %d in %d bytes, %v", v, b, got, n, ok)
		}
	}
}

func TestOnePublishForManyReceivers(t *testing.T) {
	m := &mqtt.Publish{Topic: "a/b", Payload: make([]byte, 300), QoS: 2, PacketID: 1, Retain: true, Dup: true, UserProperties: pairs}
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		d := Delivery{PacketID: 5, QoS: 1, TopicAlias: 3, SubscriptionIdentifiers: []uint32{7}}
		first, at, err := AppendPublish([]byte("front"), v, m, d)
		if err != nil {
			t.Fatal(err)
		}
		copied := append([]byte(nil), first[5:]...)
		SetPacketID(copied, at, 0x1234)
		d.PacketID = 0x1234
		want, _, _ := AppendPublish(nil, v, m, d)
		if !bytes.Equal(copied, want) {
			t.Errorf("%s: patched % x\nwant % x", v, copied[:20], want[:20])
		}
	}
	alone, at, err := AppendPublish(nil, mqtt.V5, m, Delivery{OmitTopic: true, TopicAlias: 3})
	if err != nil || at != 0 || !bytes.HasPrefix(alone[3:], []byte{0, 0}) {
		t.Errorf("% x, offset %d, %v; want an empty Topic Name and no Packet Identifier", alone[:8], at, err)
	}
}
