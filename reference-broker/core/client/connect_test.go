package client

import (
	"errors"
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

func TestConnectSendsNothingBeforeConnack(t *testing.T) {
	s := newTester(t, Config{})
	s.m.Opened(s.now, &mqtt.Connect{Version: mqtt.V5, CleanStart: true, KeepAlive: 10})
	s.publish(1, "a", 1)
	s.want("CONNECT comes first and alone", `send CONNECT "dev" clean`)
	if err := s.m.Publish(s.now, 2, &mqtt.Publish{Topic: "a"}); !errors.Is(err, ErrNotConnected) {
		t.Errorf("QoS 0 before CONNACK: %v, want ErrNotConnected", err)
	}
	s.receive(&mqtt.Connack{AssignedClientID: "given"})
	s.want("the queue leaves after CONNACK", "connected", `send PUBLISH "a" 1`)
	if s.m.ClientID() != "given" {
		t.Errorf("client identifier %q, want the assigned one", s.m.ClientID())
	}
}

func TestConnectRefused(t *testing.T) {
	s := newTester(t, Config{})
	s.reconnect(mqtt.Connect{CleanStart: true}, mqtt.Connack{ReasonCode: mqtt.NotAuthorized, ReasonString: "go away"})
	var got error
	s.m.Drain(func(a *Action) {
		if a.Kind == StateChange {
			got = a.Err
		}
	})
	var refused *RefusedError
	if !errors.Is(got, mqtt.NotAuthorized) || !errors.As(got, &refused) || refused.Packet != mqtt.TypeConnack {
		t.Errorf("%v does not tell that the server refused with NotAuthorized", got)
	}
}

func TestConnackTimeout(t *testing.T) {
	s := newTester(t, Config{ConnectTimeout: 3 * time.Second})
	s.m.Opened(s.now, &mqtt.Connect{Version: mqtt.V311, CleanStart: true})
	s.wait(2999 * time.Millisecond)
	s.want("patience", `send CONNECT "dev" clean`)
	s.wait(time.Millisecond)
	s.want("a server that does not answer", "close", "disconnected: no answer from the server in time")
}

func TestCleanStart(t *testing.T) {
	for _, c := range []struct {
		name    string
		connect mqtt.Connect
		away    time.Duration
		again   string
	}{
		{"5.0 session lives", mqtt.Connect{Version: mqtt.V5, CleanStart: true, SessionExpiryInterval: 60}, 59 * time.Second, `send CONNECT "dev"`},
		{"5.0 session expired", mqtt.Connect{Version: mqtt.V5, CleanStart: true, SessionExpiryInterval: 60}, 60 * time.Second, `send CONNECT "dev" clean`},
		{"5.0 session ends with the connection", mqtt.Connect{Version: mqtt.V5, CleanStart: false}, 0, `send CONNECT "dev" clean`},
		{"5.0 never expires", mqtt.Connect{Version: mqtt.V5, SessionExpiryInterval: mqtt.SessionNeverExpires}, 1e6 * time.Second, `send CONNECT "dev"`},
		{"3.1.1 kept", mqtt.Connect{Version: mqtt.V311}, time.Hour, `send CONNECT "dev"`},
		{"3.1.1 clean", mqtt.Connect{Version: mqtt.V311, CleanStart: true}, 0, `send CONNECT "dev" clean`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := connected(t, Config{}, c.connect, mqtt.Connack{})
			s.m.Lost(s.now, nil)
			s.now = s.now.Add(c.away)
			s.m.Opened(s.now, &c.connect)
			s.want("the second connection", "disconnected", c.again)
		})
	}
}

func TestSessionPresent(t *testing.T) {
	s := newTester(t, Config{})
	s.reconnect(mqtt.Connect{CleanStart: true}, mqtt.Connack{SessionPresent: true})
	s.want("a session that was not asked for", `send CONNECT "dev" clean`, "send DISCONNECT 82", "close",
		"disconnected: server broke the protocol: CONNACK says Session Present though CONNECT asked for a clean start (answered Protocol Error (0x82))")
}

func TestServerEndsConnection(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{}, mqtt.Connack{})
	s.receive(&mqtt.Disconnect{ReasonCode: mqtt.ServerMoved, ServerReference: "b:1883"})
	s.receive(&mqtt.Pingresp{})
	s.want("DISCONNECT from the server", "close", "disconnected: server ended the connection: Server moved (0x9D), use b:1883")
}

func TestViolationsEndConnection(t *testing.T) {
	method := mqtt.Connect{AuthenticationMethod: mqtt.Some("M")}
	quiet := mqtt.Connect{RequestProblemInformation: mqtt.Some(false)}
	for _, c := range []struct {
		name    string
		connect mqtt.Connect
		packets []mqtt.Packet
		code    mqtt.ReasonCode
	}{
		{"second CONNACK", mqtt.Connect{}, []mqtt.Packet{&mqtt.Connack{}}, mqtt.ProtocolError},
		{"client's packet", mqtt.Connect{}, []mqtt.Packet{&mqtt.Pingreq{}}, mqtt.ProtocolError},
		{"SUBACK for nothing", mqtt.Connect{}, []mqtt.Packet{&mqtt.Suback{PacketID: 1}}, mqtt.ProtocolError},
		{"alias above maximum", mqtt.Connect{TopicAliasMaximum: 1}, []mqtt.Packet{&mqtt.Publish{Topic: "a", TopicAlias: 2}}, mqtt.TopicAliasInvalid},
		{"alias unknown", mqtt.Connect{TopicAliasMaximum: 1}, []mqtt.Packet{&mqtt.Publish{TopicAlias: 1}}, mqtt.ProtocolError},
		{"no topic", mqtt.Connect{}, []mqtt.Packet{&mqtt.Publish{}}, mqtt.ProtocolError},
		{"AUTH without method", mqtt.Connect{}, []mqtt.Packet{&mqtt.Auth{}}, mqtt.ProtocolError},
		{"AUTH with other method", method, []mqtt.Packet{&mqtt.Auth{AuthenticationMethod: mqtt.Some("N")}}, mqtt.ProtocolError},
		{"AUTH unasked", method, []mqtt.Packet{&mqtt.Auth{ReasonCode: mqtt.ContinueAuthentication, AuthenticationMethod: mqtt.Some("M")}}, mqtt.ProtocolError},
		{"problem information", quiet, []mqtt.Packet{&mqtt.Puback{PacketID: 1, ReasonString: "x"}}, mqtt.ProtocolError},
		{
			"Receive Maximum",
			mqtt.Connect{ReceiveMaximum: 1},
			[]mqtt.Packet{&mqtt.Publish{Topic: "a", QoS: 2, PacketID: 1}, &mqtt.Publish{Topic: "a", QoS: 2, PacketID: 2}},
			mqtt.ReceiveMaximumExceeded,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := connected(t, Config{}, c.connect, mqtt.Connack{AuthenticationMethod: c.connect.AuthenticationMethod})
			s.receive(c.packets...)
			var sent mqtt.Packet
			var err error
			closed := false
			s.m.Drain(func(a *Action) {
				switch a.Kind {
				case SendPacket:
					sent = a.Packet
				case Close:
					closed = true
				case StateChange:
					err = a.Err
				}
			})
			d, ok := sent.(*mqtt.Disconnect)
			if !ok || d.ReasonCode != c.code || !closed {
				t.Errorf("sent %v, closed %v; want DISCONNECT %v and a close", sent, closed, c.code)
			}
			var violation *ViolationError
			if !errors.As(err, &violation) || !errors.Is(err, c.code) {
				t.Errorf("%v is no ViolationError with %v", err, c.code)
			}
		})
	}
}

func TestViolationIn311OnlyCloses(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{Version: mqtt.V311}, mqtt.Connack{})
	s.m.Malformed(s.now, mqtt.MalformedPacket, "PUBLISH with QoS 3")
	s.want("3.1.1 has no DISCONNECT with a reason", "close",
		"disconnected: server broke the protocol: PUBLISH with QoS 3 (answered Malformed Packet (0x81))")
}

func TestDisconnect(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{}, mqtt.Connack{MaximumPacketSize: 20})
	if err := s.m.Disconnect(s.now, &mqtt.Disconnect{ReasonCode: mqtt.SessionTakenOver}); !errors.As(err, new(*InvalidError)) {
		t.Errorf("a server's reason code: %v", err)
	}
	if err := s.m.Disconnect(s.now, &mqtt.Disconnect{SessionExpiryInterval: mqtt.Some[uint32](5)}); !errors.As(err, new(*InvalidError)) {
		t.Errorf("an expiry interval that CONNECT did not have: %v", err)
	}
	if err := s.m.Disconnect(s.now, &mqtt.Disconnect{ReasonString: "longer than twenty bytes"}); err != nil {
		t.Error(err)
	}
	s.want("the reason string does not fit", "send DISCONNECT", "close", "disconnected")
	if err := s.m.Disconnect(s.now, nil); !errors.Is(err, ErrNotConnected) {
		t.Errorf("twice: %v", err)
	}
}

func TestAuthentication(t *testing.T) {
	m := mqtt.Some("M")
	s := newTester(t, Config{})
	c := &mqtt.Connect{Version: mqtt.V5, CleanStart: true, AuthenticationMethod: m, AuthenticationData: []byte("1")}
	s.m.Opened(s.now, c)
	s.receive(&mqtt.Auth{ReasonCode: mqtt.ContinueAuthentication, AuthenticationMethod: m, AuthenticationData: []byte("2")})
	s.want("challenge", `send CONNECT "dev" clean`, "challenge AUTH 18 M 2")
	if err := s.m.Authenticate(s.now, &mqtt.Auth{AuthenticationData: []byte("3")}); err != nil {
		t.Fatal(err)
	}
	s.receive(&mqtt.Connack{AuthenticationMethod: m})
	s.want("answer", "send AUTH 18 M 3", "connected")
	if err := s.m.Authenticate(s.now, &mqtt.Auth{}); err == nil {
		t.Error("an answer to no challenge was sent")
	}
	if err := s.m.Authenticate(s.now, &mqtt.Auth{ReasonCode: mqtt.ReAuthenticate, AuthenticationData: []byte("4")}); err != nil {
		t.Fatal(err)
	}
	s.receive(&mqtt.Auth{AuthenticationMethod: m})
	s.want("re-authentication", "send AUTH 19 M 4", "challenge AUTH 00 M ")
}

func TestKeepAlive(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{KeepAlive: 60}, mqtt.Connack{ServerKeepAlive: mqtt.Some[uint16](20)})
	s.wait(18 * time.Second)
	s.publish(1, "a", 0)
	s.want("busy", `send PUBLISH "a"`, "done 1")
	s.wait(18 * time.Second)
	s.want("a packet was sent 18 s ago")
	s.wait(time.Second)
	s.want("idle for the server's keep alive, less a margin", "send PINGREQ")
	s.receive(&mqtt.Pingresp{})
	s.wait(19 * time.Second)
	s.want("idle again", "send PINGREQ")
	s.wait(5 * time.Second)
	s.receive(&mqtt.Publish{Topic: "b"})
	s.want("a sign of life", "deliver b")
	s.wait(9 * time.Second)
	s.want("half the keep alive is not over")
	s.wait(time.Second)
	s.want("no PINGRESP", "close", "disconnected: no answer from the server in time")
	if _, ok := s.m.Deadline(); ok {
		t.Error("a disconnected machine waits for time")
	}
}

func TestKeepAliveOff(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{}, mqtt.Connack{})
	if at, ok := s.m.Deadline(); ok {
		t.Errorf("keep alive 0 waits for %v", at)
	}
}

func TestCheckConnectNamesAllMistakes(t *testing.T) {
	err := CheckConnect(&mqtt.Connect{
		Version: 6, ClientID: "\x00", Password: mqtt.Some([]byte("p")), AuthenticationData: []byte{1},
		Will: &mqtt.Will{Topic: "a/#", Payload: make([]byte, 65536)},
	})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 6 {
		t.Errorf("got %v, want six mistakes", err)
	}
	for _, code := range []mqtt.ReasonCode{mqtt.TopicNameInvalid, mqtt.MalformedPacket, mqtt.ProtocolError} {
		if !errors.Is(err, code) {
			t.Errorf("%v is not found in it", code)
		}
	}
	if err := CheckConnect(&mqtt.Connect{Version: mqtt.V5, Will: &mqtt.Will{Topic: "a", QoS: 2}, Password: mqtt.Some([]byte("p"))}); err != nil {
		t.Errorf("a valid CONNECT: %v", err)
	}
}

func TestNothingOfOneConnectionIsSentOnTheNext(t *testing.T) {
	s := connected(t, Config{}, resumable, mqtt.Connack{})
	s.publish(1, "a", 1)
	s.publish(2, "b", 0)
	s.m.Malformed(s.now, mqtt.MalformedPacket, "nonsense")
	s.m.Lost(s.now, nil)
	s.m.Opened(s.now, &mqtt.Connect{Version: mqtt.V5})
	s.want("CONNECT is the first packet", "done 2",
		"disconnected: server broke the protocol: nonsense (answered Malformed Packet (0x81))", `send CONNECT "dev"`)
}
