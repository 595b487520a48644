package server

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
			d := Delivery{QoS: qos}
			if qos > 0 {
				p.PacketID, d.PacketID = 1, 1
			}
			check("PUBLISH", mqtt.V311, publishSize(mqtt.V311, &p, &d), &p)
			check("PUBLISH", mqtt.V5, publishSize(mqtt.V5, &p, &d), &p)
			p.ContentType, p.ResponseTopic, p.CorrelationData, p.UserProperties = mqtt.Some(s), "r", []byte{}, users
			p.PayloadFormat, p.MessageExpiryInterval = mqtt.Some(byte(0)), mqtt.Some(uint32(0))
			p.TopicAlias, d.TopicAlias = 5, 5
			p.SubscriptionIdentifiers = []uint32{1, 127, 128, 16_384, 2_097_152}
			d.SubscriptionIdentifiers = p.SubscriptionIdentifiers
			check("PUBLISH with properties", mqtt.V5, publishSize(mqtt.V5, &p, &d), &p)
		}
		if n > 0 {
			check("PUBACK", mqtt.V5, ackSize(s), &mqtt.Puback{PacketID: 1, ReasonCode: mqtt.QuotaExceeded, ReasonString: s})
		}
		check("SUBACK", mqtt.V5, subackSize(n+1, s), &mqtt.Suback{PacketID: 1, ReasonCodes: make([]mqtt.ReasonCode, n+1), ReasonString: s})
		check("UNSUBACK", mqtt.V5, subackSize(n+1, ""), &mqtt.Unsuback{PacketID: 1, ReasonCodes: make([]mqtt.ReasonCode, n+1)})
		d := mqtt.Disconnect{ReasonCode: mqtt.UseAnotherServer, ReasonString: s, ServerReference: "other", UserProperties: users}
		check("DISCONNECT", mqtt.V5, disconnectSize(&d), &d)
		k := mqtt.Connack{ReasonString: s}
		check("CONNACK", mqtt.V5, connackSize(&k), &k)
		k = mqtt.Connack{
			SessionExpiryInterval: mqtt.Some(uint32(0)), ReceiveMaximum: 1, MaximumQoS: mqtt.Some(mqtt.AtMostOnce), RetainAvailable: mqtt.Some(false),
			MaximumPacketSize: 100, AssignedClientID: "id", TopicAliasMaximum: 1, ReasonString: s, WildcardSubscriptionAvailable: mqtt.Some(false),
			SubscriptionIdentifierAvailable: mqtt.Some(false), SharedSubscriptionAvailable: mqtt.Some(false), ServerKeepAlive: mqtt.Some(uint16(0)),
			ResponseInformation: mqtt.Some(""), AuthenticationMethod: mqtt.Some("m"), AuthenticationData: []byte{1, 2}, UserProperties: users,
		}
		check("CONNACK with all properties", mqtt.V5, connackSize(&k), &k)
		k = mqtt.Connack{ReasonCode: mqtt.ServerMoved, ServerReference: s}
		check("CONNACK with a Server Reference", mqtt.V5, connackSize(&k), &k)
	}
}

func TestReasonStringGoesBeforeUserProperties(t *testing.T) {
	s := start(t, Config{ReasonStrings: true})
	users := []mqtt.UserProperty{{Name: "n", Value: "v"}}
	for _, c := range []struct {
		limit uint32
		want  mqtt.Disconnect
	}{
		{100, mqtt.Disconnect{ReasonCode: mqtt.NotAuthorized, ReasonString: "because", UserProperties: users}},
		{20, mqtt.Disconnect{ReasonCode: mqtt.NotAuthorized, UserProperties: users}},
		{10, mqtt.Disconnect{ReasonCode: mqtt.NotAuthorized}},
	} {
		p := s.connect("c", func(x *mqtt.Connect) { x.MaximumPacketSize = 100 })
		conn := s.m.conns[p.id]
		conn.maxPacket = c.limit
		s.m.refuse(conn, refusal{code: mqtt.NotAuthorized, why: "because", properties: users})
		s.drain()
		p.want("what fits", &c.want)
	}
}
