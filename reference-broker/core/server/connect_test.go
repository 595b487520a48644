package server

import (
	"strings"
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

func TestConnect(t *testing.T) { converse(t, connectConversations) }

var connectConversations = []conversation{
	clientIDs, refusedConnects, firstPacketIsConnect, secondConnect, connectInTime, serverTellsItsFeatures, responseInformation,
	redirect, malformedPackets, reasonStrings, aliasesOfTheClient, aliasesOfTheServer, brokenAliases, brokenDisconnects,
}

func clientIDs(t testing.TB) {
	long := strings.Repeat("x", 24)
	for _, c := range []struct {
		why      string
		version  mqtt.Version
		clean    bool
		id       string
		code     mqtt.ReasonCode
		assigned bool
	}{
		{"any in 5.0", mqtt.V5, false, long, mqtt.Success, false},
		{"empty in 5.0", mqtt.V5, false, "", mqtt.Success, true},
		{"empty in 3.1.1 with Clean Session", mqtt.V311, true, "", mqtt.Success, false},
		{"empty in 3.1.1 without", mqtt.V311, false, "", mqtt.ClientIdentifierNotValid, false},
		{"empty in 3.1", mqtt.V31, true, "", mqtt.ClientIdentifierNotValid, false},
		{"24 bytes in 3.1", mqtt.V31, true, long, mqtt.ClientIdentifierNotValid, false},
		{"23 bytes in 3.1", mqtt.V31, true, long[1:], mqtt.Success, false},
		{"too long", mqtt.V5, true, strings.Repeat("x", 1025), mqtt.ClientIdentifierNotValid, false},
	} {
		s := start(t, Config{})
		p, k := s.connectFor(c.id, func(p *mqtt.Connect) { p.Version, p.CleanStart = c.version, c.clean })
		if k.ReasonCode != c.code || (k.AssignedClientID != "") != c.assigned {
			t.Errorf("%s: CONNACK %+v", c.why, k)
		}
		if c.code.Failed() {
			p.wantClose(c.why, bare)
		}
	}
	s := start(t, Config{})
	first, k := s.connectFor("", expiry(10))
	second, k2 := s.connectFor("")
	if k.AssignedClientID == k2.AssignedClientID {
		t.Fatal("two clients have the same identifier")
	}
	first.silence("both stay")
	second.silence("both stay")
	first.lose()
	_, k = s.connectFor(k.AssignedClientID, unclean)
	wantPresent(t, k, true)
	if k.AssignedClientID != "" {
		t.Error("an identifier was assigned to who has one")
	}
}

func refusedConnects(t testing.TB) {
	deny := Config{Authorize: func(Access) bool { return false }}
	noRetain := Config{NoRetain: true, MaximumQoS: mqtt.Some(mqtt.AtLeastOnce), CheckPayloadFormat: true}
	for _, c := range []struct {
		why    string
		cfg    Config
		change func(*mqtt.Connect)
		code   mqtt.ReasonCode
		old    mqtt.ReasonCode // for 3.1.1
	}{
		{"unknown version", Config{}, func(c *mqtt.Connect) { c.Version = 6 }, mqtt.UnsupportedProtocolVersion, mqtt.UnsupportedProtocolVersion},
		{"Authentication Data alone", Config{}, func(c *mqtt.Connect) { c.AuthenticationData = []byte{1} }, mqtt.ProtocolError, bare},
		{"unknown method", Config{}, func(c *mqtt.Connect) { c.AuthenticationMethod = mqtt.Some("x") }, mqtt.BadAuthenticationMethod, bare},
		{"Will Topic with a wildcard", Config{}, with(mqtt.Will{Topic: "a/#"}), mqtt.TopicNameInvalid, bare},
		{"Will Topic of the Server", Config{}, with(mqtt.Will{Topic: "$SYS/x"}), mqtt.TopicNameInvalid, bare},
		{"Will Response Topic", Config{}, with(mqtt.Will{Topic: "a", ResponseTopic: "+"}), mqtt.ProtocolError, bare},
		{"Will QoS", noRetain, with(mqtt.Will{Topic: "a", QoS: 2}), mqtt.QoSNotSupported, bare},
		{"Will Retain", noRetain, with(mqtt.Will{Topic: "a", Retain: true}), mqtt.RetainNotSupported, bare},
		{"Will Payload", noRetain, with(mqtt.Will{Topic: "a", PayloadFormat: mqtt.Some(byte(1)), Payload: []byte{0xFF}}), mqtt.PayloadFormatInvalid, bare},
		{"Will not authorized", deny, with(mqtt.Will{Topic: "a"}), mqtt.NotAuthorized, mqtt.NotAuthorized},
	} {
		s := start(t, c.cfg)
		p, k := s.connectFor("c", c.change)
		if k.ReasonCode != c.code || k.SessionPresent {
			t.Errorf("%s: CONNACK %+v", c.why, k)
		}
		p.send(&mqtt.Publish{Topic: "a", Retain: true, Payload: []byte("x")})
		p.wantClose(c.why, bare)
		if n := s.m.Stats(); n.RetainedMessages != 0 || n.Connections != 0 || n.Sessions != 0 {
			t.Errorf("%s: left behind %+v", c.why, n)
		}
		old := s.open()
		packet := &mqtt.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "c"}
		c.change(packet)
		old.send(packet)
		if c.old != bare {
			old.want(c.why, &mqtt.Connack{ReasonCode: c.old})
		}
		old.wantClose(c.why+" in 3.1.1", bare)
	}
}

func firstPacketIsConnect(t testing.TB) {
	for _, p := range []mqtt.Packet{&mqtt.Publish{Topic: "a"}, &mqtt.Pingreq{}, &mqtt.Auth{}, &mqtt.Disconnect{}, &mqtt.Connack{}} {
		s := start(t, Config{})
		c := s.open()
		c.send(p)
		c.wantClose(p.Type().String(), bare)
	}
}

func secondConnect(t testing.TB) {
	for _, p := range []mqtt.Packet{&mqtt.Connect{Version: mqtt.V5}, &mqtt.Connack{}, &mqtt.Suback{}, &mqtt.Unsuback{}, &mqtt.Pingresp{}} {
		s := start(t, Config{})
		c := s.connect("c")
		c.send(p)
		c.wantClose(p.Type().String(), mqtt.ProtocolError)
		old := s.connect("old", v311)
		old.send(p)
		old.wantClose(p.Type().String()+" in 3.1.1", bare)
	}
}

func connectInTime(t testing.TB) {
	s := start(t, Config{Limits: Limits{ConnectTimeout: 3 * time.Second}})
	late, early := s.open(), s.open()
	s.advance(3*time.Second - time.Nanosecond)
	early.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c"})
	early.next("CONNACK")
	s.advance(time.Hour)
	late.wantClose("no CONNECT", bare)
	early.silence("connected in time")
}

func serverTellsItsFeatures(t testing.TB) {
	s := start(t, Config{})
	c := s.open()
	c.send(&mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "c"})
	c.want("all features", &mqtt.Connack{TopicAliasMaximum: 64})
	old := s.open()
	old.send(&mqtt.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "old"})
	old.want("3.1.1", &mqtt.Connack{})
	no := mqtt.Some(false)
	s = start(t, Config{
		MaximumQoS: mqtt.Some(mqtt.AtMostOnce), NoRetain: true, NoWildcardSubscriptions: true, NoSharedSubscriptions: true, NoSubscriptionIdentifiers: true,
		Limits: Limits{MaximumPacketSize: 1000, NoTopicAliases: true, ReceiveMaximum: 3},
	})
	c = s.open()
	c.send(&mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "c"})
	c.want("no features", &mqtt.Connack{
		ReceiveMaximum: 3, MaximumQoS: mqtt.Some(mqtt.AtMostOnce), RetainAvailable: no, MaximumPacketSize: 1000,
		WildcardSubscriptionAvailable: no, SubscriptionIdentifierAvailable: no, SharedSubscriptionAvailable: no,
	})
}

func responseInformation(t testing.TB) {
	s := start(t, Config{ResponseInformation: "reply/"})
	_, k := s.connectFor("a")
	if k.ResponseInformation.Set {
		t.Error("given without having been asked for")
	}
	_, k = s.connectFor("b", func(c *mqtt.Connect) { c.RequestResponseInformation = true })
	if k.ResponseInformation != mqtt.Some("reply/b") {
		t.Errorf("CONNACK says %+v", k.ResponseInformation)
	}
}

func redirect(t testing.TB) {
	for permanent, code := range map[bool]mqtt.ReasonCode{false: mqtt.UseAnotherServer, true: mqtt.ServerMoved} {
		s := start(t, Config{Redirect: Redirect{Reference: "other:1883", Permanent: permanent}})
		c := s.open()
		c.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c"})
		c.want("CONNACK", &mqtt.Connack{ReasonCode: code, ServerReference: "other:1883"})
		c.wantClose("redirected", bare)
	}
	s := start(t, Config{})
	c := s.connect("c")
	s.m.Disconnect(s.now, c.id, mqtt.UseAnotherServer, "other:1883")
	s.drain()
	c.want("DISCONNECT", &mqtt.Disconnect{ReasonCode: mqtt.UseAnotherServer, ServerReference: "other:1883"})
	c.wantClose("by the owner", bare)
}

func malformedPackets(t testing.TB) {
	s := start(t, Config{})
	c, old := s.connect("c"), s.connect("old", v311)
	s.m.Malformed(s.now, c.id, mqtt.PacketTooLarge)
	s.m.Malformed(s.now, old.id, mqtt.MalformedPacket)
	s.drain()
	c.wantClose("5.0", mqtt.PacketTooLarge)
	old.wantClose("3.1.1", bare)
	c = s.open()
	s.m.Malformed(s.now, c.id, mqtt.MalformedPacket)
	s.drain()
	c.wantClose("no CONNECT of any version", bare)
	c = s.open()
	s.m.MalformedConnect(s.now, c.id, mqtt.V5, mqtt.MalformedPacket)
	s.drain()
	c.want("CONNECT of 5.0", &mqtt.Connack{ReasonCode: mqtt.MalformedPacket})
	c.wantClose("CONNECT of 5.0", bare)
	c = s.open()
	s.m.MalformedConnect(s.now, c.id, mqtt.V311, mqtt.MalformedPacket)
	s.drain()
	c.wantClose("CONNECT of 3.1.1", bare)
	c = s.open()
	s.m.MalformedConnect(s.now, c.id, mqtt.V311, mqtt.UnsupportedProtocolVersion)
	s.drain()
	c.want("CONNECT of an unknown level", &mqtt.Connack{ReasonCode: mqtt.UnsupportedProtocolVersion})
	c.wantClose("CONNECT of an unknown level", bare)
	s.m.Malformed(s.now, 999, mqtt.MalformedPacket)
	s.m.Lost(s.now, 999)
	s.m.Receive(s.now, 999, &mqtt.Pingreq{})
	s.drain()
}

func reasonStrings(t testing.TB) {
	deny := func(a Access) bool { return a.Kind != PublishTo }
	s := start(t, Config{ReasonStrings: true, Authorize: deny})
	quiet := s.connect("quiet", func(c *mqtt.Connect) { c.RequestProblemInformation = mqtt.Some(false) })
	chatty, small := s.connect("chatty"), s.connect("small", func(c *mqtt.Connect) { c.MaximumPacketSize = 20 })
	p := arrived("a", "", 1, 3)
	for _, c := range []*peer{quiet, chatty, small} {
		c.send(p)
	}
	denied := mqtt.Puback{PacketID: 3, ReasonCode: mqtt.NotAuthorized}
	quiet.want("Request Problem Information 0", &denied)
	small.want("too small for a Reason String", &denied)
	told := denied
	told.ReasonString = "not authorized to publish there"
	chatty.want("with a Reason String", &told)
	for _, c := range []*peer{quiet, chatty, small} {
		c.send(&mqtt.Connect{Version: mqtt.V5})
	}
	quiet.want("DISCONNECT may have it all the same", &mqtt.Disconnect{ReasonCode: mqtt.ProtocolError, ReasonString: "second CONNECT"})
	small.want("it does not fit", &mqtt.Disconnect{ReasonCode: mqtt.ProtocolError})
}

func aliased(topic string, alias uint16) *mqtt.Publish {
	return &mqtt.Publish{Topic: topic, TopicAlias: alias}
}

func aliasesOfTheClient(t testing.TB) {
	s := start(t, Config{})
	sub, pub, other := s.connect("sub"), s.connect("pub", kept), s.connect("other")
	sub.subscribe(0, "#")
	pub.send(aliased("a", 1), aliased("b", 64), aliased("", 1), aliased("", 64), aliased("c", 1), aliased("", 1))
	other.send(aliased("o", 1), aliased("", 1))
	for _, topic := range []string{"a", "b", "a", "b", "c", "c", "o", "o"} {
		sub.want("alias resolved", arrived(topic, "", 0, 0))
	}
	pub.lose()
	pub = s.connect("pub", kept)
	pub.send(aliased("", 1))
	pub.wantClose("aliases end with the connection", mqtt.ProtocolError)
}

func brokenAliases(t testing.TB) {
	for _, c := range []struct {
		p    *mqtt.Publish
		code mqtt.ReasonCode
	}{
		{aliased("a", 65), mqtt.TopicAliasInvalid},
		{aliased("", 5), mqtt.ProtocolError},
		{aliased("", 0), mqtt.ProtocolError},
	} {
		s := start(t, Config{})
		pub := s.connect("pub")
		pub.send(aliased("a", 6), c.p)
		pub.wantClose("alias", c.code)
	}
}

func aliasesOfTheServer(t testing.TB) {
	s := start(t, Config{})
	sub := s.connect("sub", func(c *mqtt.Connect) { c.TopicAliasMaximum = 2 })
	plain, pub := s.connect("plain"), s.connect("pub")
	sub.subscribe(0, "#")
	plain.subscribe(0, "#")
	for _, topic := range []string{"a", "b", "c", "a", "b", "c"} {
		pub.publish(text(topic, "", 0))
		plain.want("Topic Alias Maximum 0", arrived(topic, "", 0, 0))
	}
	sub.want("first with the topic, then without, never above the maximum", aliased("a", 1), aliased("b", 2), aliased("c", 0),
		aliased("", 1), aliased("", 2), aliased("c", 0))
	s = start(t, Config{OutboundAliasesOff: true})
	sub = s.connect("sub", func(c *mqtt.Connect) { c.TopicAliasMaximum = 2 })
	sub.subscribe(0, "#")
	s.connect("pub").publish(text("a", "", 0))
	sub.want("turned off", arrived("a", "", 0, 0))
}

func brokenDisconnects(t testing.TB) {
	for _, p := range []*mqtt.Disconnect{{ReasonCode: mqtt.ServerShuttingDown}, {ServerReference: "x"}, {ReasonCode: 0x01}} {
		s := start(t, Config{})
		c := s.connect("c")
		c.send(p)
		c.wantClose("not from a client", mqtt.ProtocolError)
	}
}
