package wire

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mqttlab/reference-broker/mqtt"
)

// sample is a Control Packet that fills every field its version has.
type sample struct {
	name    string
	from    Side
	version mqtt.Version
	packet  mqtt.Packet
}

var pairs = []mqtt.UserProperty{{Name: "k", Value: "1"}, {Name: "k", Value: ""}, {Name: "", Value: "\uFEFFü"}}

func ackFull(id uint16, code mqtt.ReasonCode) mqtt.Ack {
	return mqtt.Ack{PacketID: id, ReasonCode: code, ReasonString: "because", UserProperties: pairs}
}

func samples() []sample {
	will := &mqtt.Will{Topic: "will/topic", Payload: []byte{0, 1, 255}, QoS: 2, Retain: true}
	will5 := &mqtt.Will{
		Topic: "w", Payload: []byte{}, QoS: 1, DelayInterval: 3, PayloadFormat: mqtt.Some(byte(1)), MessageExpiryInterval: mqtt.Some(uint32(0)),
		ContentType: mqtt.Some(""), ResponseTopic: "r", CorrelationData: []byte{}, UserProperties: pairs,
	}
	list := []sample{
		{"bare", FromClient, mqtt.V31, &mqtt.Connect{Version: mqtt.V31, ClientID: "c"}},
		{"full", FromClient, mqtt.V31, &mqtt.Connect{
			Version: mqtt.V31, CleanStart: true, KeepAlive: 65535, ClientID: "c", Will: will,
			Username: mqtt.Some("u"), Password: mqtt.Some([]byte("p")),
		}},
		{"full", FromClient, mqtt.V311, &mqtt.Connect{
			Version: mqtt.V311, KeepAlive: 10, ClientID: "", Will: will, Username: mqtt.Some(""), Password: mqtt.Some([]byte{}),
		}},
		{"bare", FromClient, mqtt.V5, &mqtt.Connect{Version: mqtt.V5}},
		{"full", FromClient, mqtt.V5, &mqtt.Connect{
			Version: mqtt.V5, CleanStart: true, KeepAlive: 1, ClientID: "client", Will: will5, Password: mqtt.Some([]byte{0}),
			SessionExpiryInterval: 1 << 31, ReceiveMaximum: 1, MaximumPacketSize: 1 << 30, TopicAliasMaximum: 9, RequestResponseInformation: true,
			RequestProblemInformation: mqtt.Some(false), AuthenticationMethod: mqtt.Some("SCRAM"), AuthenticationData: []byte{7}, UserProperties: pairs,
		}},
		{"refused", FromServer, mqtt.V31, &mqtt.Connack{ReasonCode: mqtt.ServerUnavailable}},
		{"refused", FromServer, mqtt.V311, &mqtt.Connack{ReasonCode: mqtt.NotAuthorized}},
		{"present", FromServer, mqtt.V311, &mqtt.Connack{SessionPresent: true}},
		{"full", FromServer, mqtt.V5, &mqtt.Connack{
			SessionPresent: true, SessionExpiryInterval: mqtt.Some(uint32(0)), ReceiveMaximum: 20, MaximumQoS: mqtt.Some(mqtt.QoS(1)),
			RetainAvailable: mqtt.Some(false), MaximumPacketSize: 99, AssignedClientID: "auto-1", TopicAliasMaximum: 65535, ReasonString: "ok",
			WildcardSubscriptionAvailable: mqtt.Some(true), SubscriptionIdentifierAvailable: mqtt.Some(false),
			SharedSubscriptionAvailable: mqtt.Some(true), ServerKeepAlive: mqtt.Some(uint16(0)), ResponseInformation: mqtt.Some("resp/"),
			ServerReference: "other:1883", AuthenticationMethod: mqtt.Some("SCRAM"), AuthenticationData: []byte("x"), UserProperties: pairs,
		}},
		{"refused", FromServer, mqtt.V5, &mqtt.Connack{ReasonCode: mqtt.UnsupportedProtocolVersion}},
		{"full", FromServer, mqtt.V5, &mqtt.Suback{PacketID: 9, ReasonCodes: []mqtt.ReasonCode{2, 0x8F}, ReasonString: "r", UserProperties: pairs}},
		{"full", FromServer, mqtt.V311, &mqtt.Suback{PacketID: 9, ReasonCodes: []mqtt.ReasonCode{0, 1, 2, 0x80}}},
		{"full", FromServer, mqtt.V5, &mqtt.Unsuback{PacketID: 9, ReasonCodes: []mqtt.ReasonCode{0, 0x11}, ReasonString: "r", UserProperties: pairs}},
		{"full", FromServer, mqtt.V311, &mqtt.Unsuback{PacketID: 65535}},
		{"full", FromClient, mqtt.V5, &mqtt.Subscribe{
			PacketID: 1, SubscriptionIdentifier: mqtt.MaxSubscriptionIdentifier, UserProperties: pairs, Subscriptions: []mqtt.Subscription{
				{TopicFilter: "a/#", QoS: 2, NoLocal: true, RetainAsPublished: true, RetainHandling: mqtt.NeverSendRetained}, {TopicFilter: "+"},
			},
		}},
		{"full", FromClient, mqtt.V31, &mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "a", QoS: 1}, {TopicFilter: "b"}}}},
		{"full", FromClient, mqtt.V5, &mqtt.Unsubscribe{PacketID: 1, TopicFilters: []string{"a", "b/+"}, UserProperties: pairs}},
		{"full", FromClient, mqtt.V311, &mqtt.Unsubscribe{PacketID: 1, TopicFilters: []string{"a", "b/+"}}},
		{"ping", FromClient, mqtt.V311, &mqtt.Pingreq{}},
		{"pong", FromServer, mqtt.V31, &mqtt.Pingresp{}},
		{"bare", FromClient, mqtt.V311, &mqtt.Disconnect{}},
		{"bare", FromServer, mqtt.V5, &mqtt.Disconnect{}},
		{"code", FromServer, mqtt.V5, &mqtt.Disconnect{ReasonCode: mqtt.SessionTakenOver}},
		{"full", FromServer, mqtt.V5, &mqtt.Disconnect{ReasonCode: mqtt.ServerMoved, ServerReference: "x", ReasonString: "r", UserProperties: pairs}},
		{"full", FromClient, mqtt.V5, &mqtt.Disconnect{ReasonCode: mqtt.DisconnectWithWill, SessionExpiryInterval: mqtt.Some(uint32(0)), ReasonString: "r"}},
		{"done", FromServer, mqtt.V5, &mqtt.Auth{}},
		{"full", FromClient, mqtt.V5, &mqtt.Auth{
			ReasonCode: mqtt.ReAuthenticate, AuthenticationMethod: mqtt.Some("m"), AuthenticationData: []byte{}, ReasonString: "r", UserProperties: pairs,
		}},
	}
	for _, from := range []Side{FromClient, FromServer} {
		for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
			list = append(list, publishes(from, v)...)
			list = append(list, acknowledgements(from, v)...)
		}
	}
	return list
}

func publishes(from Side, v mqtt.Version) []sample {
	full := &mqtt.Publish{Topic: "a/b", Payload: make([]byte, 200), PacketID: 10, QoS: mqtt.ExactlyOnce, Retain: true, Dup: true}
	list := []sample{
		{"empty", from, v, &mqtt.Publish{Topic: "t", Payload: []byte{}}},
		{"full", from, v, full},
	}
	if v != mqtt.V5 {
		return list
	}
	full.PayloadFormat, full.MessageExpiryInterval, full.TopicAlias = mqtt.Some(byte(0)), mqtt.Some(uint32(1<<32-1)), 65535
	full.ContentType, full.ResponseTopic, full.CorrelationData, full.UserProperties = mqtt.Some("text"), "r/t", []byte{1, 0}, pairs
	if from == FromServer {
		full.SubscriptionIdentifiers = []uint32{1, 127, 128, 1, mqtt.MaxSubscriptionIdentifier}
	}
	return append(list, sample{"alias", from, v, &mqtt.Publish{Payload: []byte("x"), TopicAlias: 1}})
}

func acknowledgements(from Side, v mqtt.Version) []sample {
	list := []sample{
		{"ok", from, v, &mqtt.Puback{PacketID: 1}},
		{"ok", from, v, &mqtt.Pubrec{PacketID: 256}},
		{"ok", from, v, &mqtt.Pubrel{PacketID: 65535}},
		{"ok", from, v, &mqtt.Pubcomp{PacketID: 7}},
	}
	if v != mqtt.V5 {
		return list
	}
	puback, pubrec := mqtt.Puback(ackFull(1, mqtt.Success)), mqtt.Pubrec(ackFull(2, mqtt.QuotaExceeded))
	pubrel, pubcomp := mqtt.Pubrel(ackFull(3, mqtt.PacketIdentifierNotFound)), mqtt.Pubcomp(ackFull(4, mqtt.PacketIdentifierNotFound))
	return append(list, sample{"code", from, v, &mqtt.Puback{PacketID: 1, ReasonCode: mqtt.NotAuthorized}},
		sample{"full", from, v, &puback}, sample{"full", from, v, &pubrec}, sample{"full", from, v, &pubrel}, sample{"full", from, v, &pubcomp})
}

func (s sample) String() string {
	side := [...]string{FromClient: "client", FromServer: "server"}[s.from]
	return s.version.String() + "/" + side + "/" + s.packet.Type().String() + "/" + s.name
}

// decoder returns one that is past CONNECT unless the sample is one.
func (s sample) decoder() *Decoder {
	d := NewDecoder(s.from)
	if s.packet.Type() != mqtt.TypeConnect {
		d.Version = s.version
	}
	return d
}

func TestEveryPacketComesBackAsItWas(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.String(), func(t *testing.T) {
			b, err := Append([]byte("before"), s.version, s.packet)
			if err != nil {
				t.Fatal(err)
			}
			got, n, err := s.decoder().Next(b[6:])
			if err != nil || n != len(b)-6 {
				t.Fatalf("read %d of %d bytes, error %v, from % x", n, len(b)-6, err, b[6:])
			}
			if diff := cmp.Diff(s.packet, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("wrote - / read +:\n%s", diff)
			}
		})
	}
}

// A packet that ends too early is waited for; one whose Remaining Length was cut to match is refused unless the shorter form is a packet too.
func TestTruncationsAreRefused(t *testing.T) {
	for _, s := range samples() {
		b, _ := Append(nil, s.version, s.packet)
		for cut := range b {
			if p, n, err := s.decoder().Next(b[:cut]); n != 0 || err != nil || p != nil {
				t.Errorf("%s cut at %d: got %v, %d, %v; want to be asked for more", s, cut, p, n, err)
			}
		}
		_, used, _ := varint(b[1:])
		body := b[1+used:]
		for cut := range body {
			short := append(appendVarint([]byte{b[0]}, uint32(cut)), body[:cut]...)
			p, _, err := s.decoder().Next(short)
			if err == nil && !shorterForm(s, p, cut) {
				t.Errorf("%s with Remaining Length %d instead of %d was accepted: %+v", s, cut, len(body), p)
			}
			if e := (*Error)(nil); err != nil && (!errors.As(err, &e) || e.Offset > len(short)) {
				t.Errorf("%s cut to %d: error %v points outside", s, cut, err)
			}
		}
	}
}

// shorterForm says whether a body cut to n bytes is a valid packet by the standard.
func shorterForm(s sample, p mqtt.Packet, n int) bool {
	switch p := p.(type) {
	case *mqtt.Publish:
		return true // the payload is what is left
	case *mqtt.Puback, *mqtt.Pubrec, *mqtt.Pubrel, *mqtt.Pubcomp:
		return n == 2 || n == 3
	case *mqtt.Disconnect:
		return n == 0 || n == 1
	case *mqtt.Connect:
		return s.version == mqtt.V31 && (!p.Password.Set || !p.Username.Set)
	case *mqtt.Connack:
		return n == 2 && p.ReasonCode.ConnectReturnCode() != 0
	case *mqtt.Auth:
		return n == 0
	case *mqtt.Subscribe:
		return len(p.Subscriptions) > 0
	case *mqtt.Unsubscribe:
		return len(p.TopicFilters) > 0
	case *mqtt.Suback:
		return len(p.ReasonCodes) > 0
	case *mqtt.Unsuback:
		return len(p.ReasonCodes) > 0
	}
	return false
}

func TestAllDecodesWhatIsComplete(t *testing.T) {
	var b []byte
	want := []mqtt.Packet{}
	for i := range 40 { // more than one chunk of a slab
		p := &mqtt.Publish{Topic: "t", Payload: []byte{byte(i)}, QoS: 1, PacketID: uint16(i + 1)}
		a := &mqtt.Puback{PacketID: uint16(i + 1)}
		b, _ = Append(b, mqtt.V311, p)
		b, _ = Append(b, mqtt.V311, a)
		want = append(want, p, a)
	}
	whole := len(b)
	b = append(b, 0x30)
	d := NewDecoder(FromServer)
	d.Version = mqtt.V311
	for range 2 { // the second time with used structs
		got, n, err := d.All(nil, b)
		if err != nil || n != whole {
			t.Fatalf("used %d of %d bytes, error %v", n, whole, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	}
	got, n, err := d.All(nil, append(b[:whole:whole], 0x00))
	if len(got) != len(want) || n != whole || !errors.Is(err, mqtt.MalformedPacket) {
		t.Errorf("%d packets, %d bytes, error %v; want those before the mistake and the mistake", len(got), n, err)
	}
}
