package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"mqttlab/reference-broker/mqtt"
)

// octets reads hex with spaces, and 'text' between quotes.
func octets(t testing.TB, s string) []byte {
	t.Helper()
	var b []byte
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			b = append(b, part...)
			continue
		}
		h, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		b = append(b, h...)
	}
	return b
}

const (
	malformed = mqtt.MalformedPacket
	protocol  = mqtt.ProtocolError
)

func TestRefused(t *testing.T) {
	const v0 = mqtt.Version(0)
	const client, server = FromClient, FromServer
	tests := []struct {
		name    string
		from    Side
		version mqtt.Version
		bytes   string
		code    mqtt.ReasonCode
		field   string
		offset  int
	}{
		{"type 0", client, 4, "00 00", malformed, "Control Packet type", 0},
		{"AUTH in 3.1.1", client, 4, "F0 00", malformed, "Control Packet type", 0},
		{"not CONNECT first", client, v0, "C0 00", protocol, "Control Packet type", 0},
		{"CONNACK from a client", client, 5, "20", protocol, "Control Packet type", 0},
		{"SUBSCRIBE from a server", server, 5, "82", protocol, "Control Packet type", 0},
		{"DISCONNECT from a 3.1.1 server", server, 4, "E0 00", protocol, "Control Packet type", 0},
		{"PUBREL flags 0", client, 4, "60", malformed, "fixed header flags", 0},
		{"PINGREQ flags", client, 5, "C1", malformed, "fixed header flags", 0},
		{"SUBSCRIBE flags of 3.1 in 3.1.1", client, 4, "8A", malformed, "fixed header flags", 0},
		{"QoS 3", client, 4, "36", malformed, "QoS", 0},
		{"DUP without QoS", client, 5, "38", malformed, "DUP", 0},
		{"Remaining Length of five bytes", client, 4, "C0 80 80 80 80 00", malformed, "Remaining Length", 1},
		{"Remaining Length not minimal", client, 5, "C0 80 00", malformed, "Remaining Length", 1},
		{"Remaining Length not minimal in CONNECT", client, v0, "10 8D 00 0004'MQTT' 05 00 0000 00 0000", malformed, "Remaining Length", 1},
		{"PINGREQ with a body", client, 4, "C0 01 00", malformed, "end of packet", 2},
		{"PINGRESP with a body", server, 5, "D0 01 00", malformed, "end of packet", 2},

		{"protocol name", client, v0, "10 0C 0004'MQTX' 04 00 0000 0000", mqtt.UnsupportedProtocolVersion, "Protocol Name", 2},
		{"level 127", client, v0, "10 0C 0004'MQTT' 7F 00 0000 0000", mqtt.UnsupportedProtocolVersion, "Protocol Version", 8},
		{"bridge of 3.1.1", client, v0, "10 0C 0004'MQTT' 84 00 0000 0000", mqtt.UnsupportedProtocolVersion, "Protocol Version", 8},
		{"MQIsdp 4", client, v0, "10 0E 0006'MQIsdp' 04 00 0000 0000", mqtt.UnsupportedProtocolVersion, "Protocol Version", 10},
		{"reserved connect flag", client, v0, "10 0C 0004'MQTT' 04 01 0000 0000", malformed, "Connect Flags", 9},
		{"Will QoS 3", client, v0, "10 12 0004'MQTT' 04 1C 0000 0000 0001'a' 0001'b'", malformed, "Connect Flags", 9},
		{"Will QoS without will", client, v0, "10 0C 0004'MQTT' 04 08 0000 0000", malformed, "Connect Flags", 9},
		{"Will Retain without will", client, v0, "10 0D 0004'MQTT' 05 20 0000 00 0000", malformed, "Connect Flags", 9},
		{"password alone in 3.1.1", client, v0, "10 0F 0004'MQTT' 04 40 0000 0000 0001'p'", malformed, "Connect Flags", 9},
		{"will missing", client, v0, "10 0C 0004'MQTT' 04 04 0000 0000", malformed, "Will Topic", 14},
		{"user name missing", client, v0, "10 0C 0004'MQTT' 04 80 0000 0000", malformed, "User Name", 14},
		{"surplus user name", client, v0, "10 0F 0004'MQTT' 04 00 0000 0000 0001'u'", malformed, "end of packet", 14},
		{"no payload", client, v0, "10 0A 0004'MQTT' 04 00 0000", malformed, "Client Identifier", 12},
		{"client id not UTF-8", client, v0, "10 0E 0004'MQTT' 04 00 0000 0002 C080", malformed, "Client Identifier", 12},
		{"Receive Maximum 0", client, v0, "10 10 0004'MQTT' 05 00 0000 03 21 0000 0000", protocol, "Receive Maximum", 13},
		{"Maximum Packet Size 0", client, v0, "10 12 0004'MQTT' 05 00 0000 05 27 00000000 0000", protocol, "Maximum Packet Size", 13},
		{"request response 2", client, v0, "10 0F 0004'MQTT' 05 00 0000 02 19 02 0000", protocol, "Request Response Information", 14},
		{"data without method", client, v0, "10 10 0004'MQTT' 05 00 0000 03 16 0000 0000", protocol, "Authentication Data", 13},
		{"unknown property", client, v0, "10 0F 0004'MQTT' 05 00 0000 02 04 00 0000", malformed, "Property Identifier", 13},
		{"property out of place", client, v0, "10 0F 0004'MQTT' 05 00 0000 02 01 00 0000", malformed, "Payload Format Indicator", 13},
		{"Will Delay outside the will", client, v0, "10 12 0004'MQTT' 05 00 0000 05 18 00000000 0000", malformed, "Will Delay Interval", 13},
		{"property cut by Property Length", client, v0, "10 10 0004'MQTT' 05 00 0000 02 21 00 01 0000", malformed, "Receive Maximum", 14},
		{"Property Length too long", client, v0, "10 0D 0004'MQTT' 05 00 0000 05 0000", malformed, "Property Length", 12},

		{"CONNACK flags", server, 5, "20 03 02 00 00", malformed, "Connect Acknowledge Flags", 2},
		{"CONNACK reason", server, 5, "20 03 00 93 00", protocol, "Reason Code", 3},
		{"CONNACK return code 6", server, 4, "20 02 00 06", malformed, "Connect Return code", 3},
		{"Maximum QoS 2", server, 5, "20 05 00 00 02 24 02", protocol, "Maximum QoS", 6},

		{"empty topic", client, 4, "30 02 0000", protocol, "Topic Name", 2},
		{"empty topic without alias", client, 5, "30 03 0000 00", protocol, "Topic Name", 2},
		{"U+0000", client, 4, "30 05 0003'a' 00 'b'", malformed, "Topic Name", 2},
		{"surrogate", client, 4, "30 05 0003 EDA080", malformed, "Topic Name", 2},
		{"packet id 0", client, 4, "32 05 0001'a' 0000", protocol, "Packet Identifier", 5},
		{"topic longer than the packet", client, 4, "30 03 FFFF'a'", malformed, "Topic Name", 2},
		{"alias 0", client, 5, "30 07 0001'a' 03 23 0000", mqtt.TopicAliasInvalid, "Topic Alias", 6},
		{"alias twice", client, 5, "30 0A 0001'a' 06 230001 230001", protocol, "Topic Alias", 9},
		{"subscription id from a client", client, 5, "30 06 0001'a' 02 0B01", protocol, "Subscription Identifier", 6},
		{"subscription id 0", server, 5, "30 06 0001'a' 02 0B00", protocol, "Subscription Identifier", 6},
		{"subscription id not minimal", server, 5, "30 07 0001'a' 03 0B8100", malformed, "Subscription Identifier", 7},
		{"payload format 2", client, 5, "30 06 0001'a' 02 0102", protocol, "Payload Format Indicator", 6},
		{"user property value with U+0000", client, 5, "30 0A 0001'a' 06 26 0000 0001 00", malformed, "User Property", 9},

		{"PUBACK reason", client, 5, "40 03 0001 92", protocol, "Reason Code", 4},
		{"PUBACK 0x10 from a client", client, 5, "40 03 0001 10", protocol, "Reason Code", 4},
		{"PUBREL reason", client, 5, "62 03 0001 87", protocol, "Reason Code", 4},
		{"PUBACK surplus", client, 4, "40 03 0001 00", malformed, "end of packet", 4},
		{"Reason String twice", client, 5, "40 0A 0001 00 06 1F0000 1F0000", protocol, "Reason String", 9},

		{"SUBSCRIBE without filter", client, 4, "82 02 0001", protocol, "Topic Filter", 4},
		{"SUBSCRIBE without options", client, 4, "82 05 0001 0001'a'", malformed, "Subscription Options", 7},
		{"SUBSCRIBE id 0", client, 5, "82 07 0000 00 0001'a' 00", protocol, "Packet Identifier", 2},
		{"reserved options", client, 5, "82 07 0001 00 0001'a' 40", malformed, "Subscription Options", 8},
		{"reserved options 3.1.1", client, 4, "82 06 0001 0001'a' 04", malformed, "Subscription Options", 7},
		{"QoS 3 asked", client, 5, "82 07 0001 00 0001'a' 03", protocol, "Subscription Options", 8},
		{"Retain Handling 3", client, 5, "82 07 0001 00 0001'a' 30", protocol, "Subscription Options", 8},
		{"subscription id twice", client, 5, "82 0B 0001 04 0B01 0B02 0001'a' 00", protocol, "Subscription Identifier", 7},
		{"UNSUBSCRIBE without filter", client, 5, "A2 03 0001 00", protocol, "Topic Filter", 5},
		{"SUBACK without codes", server, 5, "90 03 0001 00", protocol, "Reason Code", 5},
		{"SUBACK code 3", server, 4, "90 03 0001 03", malformed, "return code", 4},
		{"UNSUBACK 3.1.1 with codes", server, 4, "B0 03 0001 00", malformed, "end of packet", 4},

		{"DISCONNECT code of a server", client, 5, "E0 01 8B", protocol, "Reason Code", 2},
		{"DISCONNECT expiry from a server", server, 5, "E0 07 00 05 11 00000000", protocol, "Session Expiry Interval", 4},
		{"AUTH without method", client, 5, "F0 02 18 00", protocol, "Authentication Method", 2},
		{"AUTH success from a client", client, 5, "F0 00", protocol, "Authentication Method", 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := NewDecoder(test.from)
			d.Version = test.version
			p, n, err := d.Next(octets(t, test.bytes))
			e := (*Error)(nil)
			if !errors.As(err, &e) {
				t.Fatalf("got %+v (%d bytes), error %v; want it refused with %s", p, n, err, test.code)
			}
			if e.Code != test.code || e.Field != test.field || e.Offset != test.offset {
				t.Errorf("refused with %s, %s at byte %d (%v)\nwant         %s, %s at byte %d",
					e.Code, e.Field, e.Offset, e, test.code, test.field, test.offset)
			}
		})
	}
}

// What a pedantic reader might refuse, and the standards let through.
func TestAccepted(t *testing.T) {
	tests := []struct {
		name    string
		version mqtt.Version
		bytes   string
	}{
		{"Remaining Length not minimal in 3.1.1", 4, "C0 80 00"},
		{"user name announced but missing in 3.1", 0, "10 0E 0006'MQIsdp' 03 C0 0000 0000"},
		{"reserved connect flag in 3.1", 0, "10 0E 0006'MQIsdp' 03 01 0000 0000"},
		{"DUP of PUBREL in 3.1", 3, "6A 02 0001"},
		{"control characters", 4, "30 04 0002 01 1F"},
		{"U+FEFF and U+FFFF", 4, "30 08 0006 EFBBBF EFBFBF"},
		{"any order of properties", 5, "30 0B 0001'a' 07 23 0001 03 0001'x'"},
		{"user property with equal names", 5, "30 0F 0001'a' 0B 26 0001'k' 0000 26 0000 0000"},
		{"PUBACK with an empty property section", 5, "40 04 0001 00 00"},
		{"DISCONNECT with an empty property section", 5, "E0 02 00 00"},
	}
	for _, test := range tests {
		d := NewDecoder(FromClient)
		d.Version = test.version
		b := octets(t, test.bytes)
		if _, n, err := d.Next(b); err != nil || n != len(b) {
			t.Errorf("%s: %d of %d bytes read, error %v", test.name, n, len(b), err)
		}
	}
}

func TestVersionToAnswerIn(t *testing.T) {
	for bytes, want := range map[string]mqtt.Version{
		"10 0C 0004'MQTT' 06 00 0000 0000":    mqtt.V311,
		"10 0C 0004'MQTT' 03 00 0000 0000":    mqtt.V311,
		"10 0C 0004'MQTT' 84 00 0000 0000":    mqtt.V311,
		"10 0D 0004'MQTT' 85 00 0000 00 0000": mqtt.V5,
		"10 0E 0006'MQIsdp' 83 00 0000 0000":  mqtt.V311,
		"10 0C 0004'mqtt' 04 00 0000 0000":    0,
		"10 0D 0004'mqtt' 05 00 0000 00 0000": mqtt.V5,
	} {
		_, _, err := NewDecoder(FromClient).Next(octets(t, bytes))
		e := (*Error)(nil)
		if !errors.As(err, &e) || e.Code != mqtt.UnsupportedProtocolVersion || e.Version != want {
			t.Errorf("%s: error %v with version %d, want version %d", bytes, err, e.Version, want)
		}
	}
}

// A CONNECT that is malformed after its version byte still tells the version, so that the answer can be in its layout.
func TestMalformedConnectTellsItsVersion(t *testing.T) {
	d := NewDecoder(FromClient)
	_, _, err := d.Next(octets(t, "10 0D 0004'MQTT' 05 01 0000 00 0000"))
	if !errors.Is(err, mqtt.MalformedPacket) || d.Version != mqtt.V5 {
		t.Errorf("error %v, version %d", err, d.Version)
	}
}

func TestTooLargeIsSeenFromTheFixedHeader(t *testing.T) {
	d := NewDecoder(FromClient)
	d.Version, d.MaximumPacketSize = mqtt.V5, 10
	if _, _, err := d.Next([]byte{0x30, 9}); !errors.Is(err, mqtt.PacketTooLarge) {
		t.Errorf("11 bytes announced, limit 10: %v", err)
	}
	if _, n, err := d.Next([]byte{0x30, 8}); n != 0 || err != nil {
		t.Errorf("10 bytes announced, limit 10: %d, %v", n, err)
	}
}

func TestAppendRefusesWhatDoesNotFit(t *testing.T) {
	long := strings.Repeat("x", 65536)
	for _, p := range []mqtt.Packet{
		&mqtt.Publish{Topic: long},
		&mqtt.Publish{Topic: "t", UserProperties: []mqtt.UserProperty{{Name: "n", Value: long}}},
		&mqtt.Publish{Topic: "t", SubscriptionIdentifiers: []uint32{1 << 28}},
		&mqtt.Publish{Topic: "t", Payload: make([]byte, mqtt.MaxRemainingLength)},
		&mqtt.Connect{Version: 6},
		&mqtt.Connect{Version: 4, Password: mqtt.Some([]byte(long))},
		nil,
	} {
		b, err := Append([]byte("as it was"), mqtt.V5, p)
		if err == nil || !bytes.Equal(b, []byte("as it was")) {
			t.Errorf("%T: error %v, %d bytes", p, err, len(b))
		}
	}
	if _, err := Append(nil, mqtt.V311, &mqtt.Auth{}); err == nil {
		t.Error("AUTH was written for 3.1.1")
	}
}
