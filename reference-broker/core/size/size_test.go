package size

import (
	"strings"
	"testing"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// TestSizesAreTheCodecs holds the sizes computed here against the bytes of the codec, around each length at which a Variable Byte Integer grows.
func TestSizesAreTheCodecs(t *testing.T) {
	check := func(what string, v mqtt.Version, got int, p mqtt.Packet) {
		t.Helper()
		b, err := wire.Append(nil, v, p)
		if err != nil {
			t.Fatal(what, err)
		}
		if got != len(b) {
			t.Errorf("%s in %v: computed %d bytes, the codec writes %d", what, v, got, len(b))
		}
	}
	users := []mqtt.UserProperty{{Name: "name", Value: "value"}, {}}
	for _, n := range []int{0, 1, 100, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 200, 16_360, 16_383, 16_384, 60_000} {
		s := strings.Repeat("x", n)
		for qos := range mqtt.QoS(3) {
			p := mqtt.Publish{Topic: "topic", Payload: []byte(s), QoS: qos}
			if qos > 0 {
				p.PacketID = 1
			}
			check("PUBLISH", mqtt.V311, Publish(mqtt.V311, &p, qos, false, nil), &p)
			check("PUBLISH", mqtt.V5, Publish(mqtt.V5, &p, qos, false, nil), &p)
			p.ContentType, p.ResponseTopic, p.CorrelationData, p.UserProperties = mqtt.Some(s), "r", []byte{}, users
			p.PayloadFormat, p.MessageExpiryInterval = mqtt.Some(byte(0)), mqtt.Some(uint32(0))
			p.TopicAlias = 5
			p.SubscriptionIdentifiers = []uint32{1, 127, 128, 16_384, 2_097_152}
			check("PUBLISH with properties", mqtt.V5, Publish(mqtt.V5, &p, qos, true, p.SubscriptionIdentifiers), &p)
		}
		if n > 0 {
			check("PUBACK", mqtt.V5, Ack(s), &mqtt.Puback{PacketID: 1, ReasonCode: mqtt.QuotaExceeded, ReasonString: s})
		}
		check("SUBACK", mqtt.V5, Suback(n+1, s), &mqtt.Suback{PacketID: 1, ReasonCodes: make([]mqtt.ReasonCode, n+1), ReasonString: s})
		check("UNSUBACK", mqtt.V5, Suback(n+1, ""), &mqtt.Unsuback{PacketID: 1, ReasonCodes: make([]mqtt.ReasonCode, n+1)})
		d := mqtt.Disconnect{ReasonCode: mqtt.UseAnotherServer, ReasonString: s, ServerReference: "other", UserProperties: users}
		check("DISCONNECT", mqtt.V5, Disconnect(&d), &d)
		k := mqtt.Connack{ReasonString: s}
		check("CONNACK", mqtt.V5, Connack(&k), &k)
		k = mqtt.Connack{
			SessionExpiryInterval: mqtt.Some(uint32(0)), ReceiveMaximum: 1, MaximumQoS: mqtt.Some(mqtt.AtMostOnce), RetainAvailable: mqtt.Some(false),
			MaximumPacketSize: 100, AssignedClientID: "id", TopicAliasMaximum: 1, ReasonString: s, WildcardSubscriptionAvailable: mqtt.Some(false),
			SubscriptionIdentifierAvailable: mqtt.Some(false), SharedSubscriptionAvailable: mqtt.Some(false), ServerKeepAlive: mqtt.Some(uint16(0)),
			ResponseInformation: mqtt.Some(""), AuthenticationMethod: mqtt.Some("m"), AuthenticationData: []byte{1, 2}, UserProperties: users,
		}
		check("CONNACK with all properties", mqtt.V5, Connack(&k), &k)
		k = mqtt.Connack{ReasonCode: mqtt.ServerMoved, ServerReference: s}
		check("CONNACK with a Server Reference", mqtt.V5, Connack(&k), &k)
	}
}

func TestSizesOfRequestsAreTheCodecs(t *testing.T) {
	user := []mqtt.UserProperty{{Name: "name", Value: "value"}, {}}
	p := mqtt.Publish{
		Topic: "a/b", Payload: make([]byte, 200), QoS: 1, PacketID: 7, PayloadFormat: mqtt.Some[byte](1), MessageExpiryInterval: mqtt.Some[uint32](9),
		ContentType: mqtt.Some("text"), ResponseTopic: "r", CorrelationData: []byte("c"), UserProperties: user, TopicAlias: 3,
	}
	sub := mqtt.Subscribe{
		PacketID: 7, Subscriptions: []mqtt.Subscription{{TopicFilter: "a"}, {TopicFilter: "bb"}},
		SubscriptionIdentifier: 200, UserProperties: user,
	}
	unsub := mqtt.Unsubscribe{PacketID: 7, TopicFilters: []string{"a", "bb"}, UserProperties: user}
	d := mqtt.Disconnect{ReasonCode: 4, SessionExpiryInterval: mqtt.Some[uint32](9), ReasonString: "r", UserProperties: user}
	a := mqtt.Auth{ReasonCode: 0x18, AuthenticationMethod: mqtt.Some("M"), AuthenticationData: []byte("d"), UserProperties: user}
	for _, c := range []struct {
		packet mqtt.Packet
		v      mqtt.Version
		size   int
	}{
		{&p, mqtt.V5, Publish(mqtt.V5, &p, p.QoS, true, nil)},
		{&p, mqtt.V311, Publish(mqtt.V311, &p, p.QoS, false, nil)},
		{&sub, mqtt.V5, Subscribe(mqtt.V5, &sub)},
		{&sub, mqtt.V311, Subscribe(mqtt.V311, &sub)},
		{&unsub, mqtt.V5, Unsubscribe(mqtt.V5, &unsub)},
		{&unsub, mqtt.V311, Unsubscribe(mqtt.V311, &unsub)},
		{&d, mqtt.V5, Disconnect(&d)},
		{&a, mqtt.V5, Auth(&a)},
	} {
		b, err := wire.Append(nil, c.v, c.packet)
		if err != nil || len(b) != c.size {
			t.Errorf("%v in %v: %d bytes, %v; computed %d", c.packet.Type(), c.v, len(b), err, c.size)
		}
	}
}
