package server

import (
	"strings"
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

func TestAuth(t *testing.T) { converse(t, authConversations) }

var authConversations = []conversation{
	admission, refusal5And311, packetsAreHeld, heldPacketsAreBounded, enhanced, enhancedRefused, reauthentication, brokenAuths, admissionTooLate,
}

var authenticated = Config{Authenticate: true}

func (p *peer) admit(a Admission) {
	p.t.Helper()
	if len(p.asks) == 0 {
		p.t.Fatal("nothing to decide on")
	}
	p.asks = p.asks[1:]
	p.m.Admit(p.now, p.id, a)
	p.drain()
}

func admission(t testing.TB) {
	var user string
	s := start(t, Config{Authenticate: true, Authorize: func(a Access) bool { user = a.Username; return true }})
	c := s.open()
	will := mqtt.Will{Topic: "will", Payload: []byte("x")}
	connect := &mqtt.Connect{Version: mqtt.V5, ClientID: "c", Username: mqtt.Some("u"), Password: mqtt.Some([]byte("p")), Will: &will}
	c.send(connect)
	c.silence("no answer before the decision")
	if got := c.asks[0].(*mqtt.Connect); string(got.Password.Value) != "p" {
		t.Errorf("asked about %+v", got)
	}
	will.Payload[0] = '!' // the decoder's buffer is used again
	*connect = mqtt.Connect{}
	c.admit(Admission{Username: "proven", UserProperties: []mqtt.UserProperty{{Name: "a", Value: "b"}}})
	c.want("CONNACK", &mqtt.Connack{TopicAliasMaximum: 64, UserProperties: []mqtt.UserProperty{{Name: "a", Value: "b"}}})
	c.publish(text("a", "", 0))
	if user != "proven" {
		t.Errorf("Authorize was asked about user %q", user)
	}
	w := s.open()
	w.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "w"})
	w.admit(Admission{})
	w.next("CONNACK")
	w.subscribe(0, "will")
	c.lose()
	w.want("the Will as it was", arrived("will", "x", 0, 0))
}

func refusal5And311(t testing.TB) {
	s := start(t, Config{Authenticate: true, ReasonStrings: true})
	for _, v := range []mqtt.Version{mqtt.V5, mqtt.V311} {
		c := s.open()
		c.send(&mqtt.Connect{Version: v, CleanStart: true, ClientID: "c"})
		c.admit(Admission{ReasonCode: mqtt.BadUserNameOrPassword, Reason: "try again"})
		c.want("refused", &mqtt.Connack{ReasonCode: mqtt.BadUserNameOrPassword, ReasonString: "try again"})
		c.wantClose("refused", bare)
	}
	if n := s.m.Stats(); n.Sessions != 0 || n.Connections != 0 {
		t.Errorf("left behind: %+v", n)
	}
}

func packetsAreHeld(t testing.TB) {
	for _, code := range []mqtt.ReasonCode{mqtt.Success, mqtt.NotAuthorized} {
		s := start(t, authenticated)
		c := s.open()
		payload := []byte("x")
		filters := []mqtt.Subscription{{TopicFilter: "a"}}
		c.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c"}, &mqtt.Subscribe{PacketID: 1, Subscriptions: filters},
			&mqtt.Publish{Topic: "a", Payload: payload, Retain: true}, &mqtt.Pingreq{}, &mqtt.Disconnect{}, &mqtt.Pingreq{})
		payload[0], filters[0].TopicFilter = '!', "!"
		c.silence("held")
		c.admit(Admission{ReasonCode: code})
		if code == mqtt.Success {
			c.next("CONNACK")
			c.want("in order", &mqtt.Suback{PacketID: 1, ReasonCodes: []mqtt.ReasonCode{0}}, arrived("a", "x", 0, 0), &mqtt.Pingresp{})
			c.wantClose("nothing after DISCONNECT", bare)
			continue
		}
		c.want("refused", &mqtt.Connack{ReasonCode: code})
		c.wantClose("refused", bare)
		if s.m.Stats().RetainedMessages != 0 {
			t.Error("a packet behind a refused CONNECT had an effect")
		}
	}
}

func heldPacketsAreBounded(t testing.TB) {
	s := start(t, Config{Authenticate: true, Limits: Limits{HeldPackets: 2}})
	c := s.open()
	c.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c"}, &mqtt.Pingreq{}, &mqtt.Pingreq{}, &mqtt.Pingreq{})
	c.want("too many", &mqtt.Connack{ReasonCode: mqtt.QuotaExceeded})
	c.wantClose("too many", bare)
	s.wantNote(LimitReached, "HeldPackets")
	for _, p := range []mqtt.Packet{
		&mqtt.Publish{Topic: "a", Payload: make([]byte, 50), UserProperties: []mqtt.UserProperty{{Name: strings.Repeat("n", 50)}}},
		&mqtt.Subscribe{Subscriptions: []mqtt.Subscription{{TopicFilter: strings.Repeat("a", 101)}}},
		&mqtt.Unsubscribe{TopicFilters: []string{strings.Repeat("a", 101)}},
	} {
		s := start(t, Config{Authenticate: true, Limits: Limits{HeldBytes: 100}})
		c := s.open()
		c.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c"}, p)
		c.want("too large", &mqtt.Connack{ReasonCode: mqtt.QuotaExceeded})
		c.wantClose("too large", bare)
	}
	d := s.open()
	d.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c"})
	s.advance(10 * time.Second)
	d.wantClose("no decision in time", bare)
}

func auth(code mqtt.ReasonCode, method, data string) *mqtt.Auth {
	return &mqtt.Auth{ReasonCode: code, AuthenticationMethod: mqtt.Some(method), AuthenticationData: []byte(data)}
}

// enhance connects with method "m" in two steps.
func enhance(s *tester) *peer {
	s.t.Helper()
	c := s.open()
	c.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c", AuthenticationMethod: mqtt.Some("m"), AuthenticationData: []byte("1")})
	c.admit(Admission{ReasonCode: mqtt.ContinueAuthentication, AuthenticationData: []byte("2")})
	c.want("a step", auth(mqtt.ContinueAuthentication, "m", "2"))
	c.send(auth(mqtt.ContinueAuthentication, "m", "3"))
	c.admit(Admission{Username: "u", AuthenticationData: []byte("4")})
	c.want("accepted", &mqtt.Connack{TopicAliasMaximum: 64, AuthenticationMethod: mqtt.Some("m"), AuthenticationData: []byte("4")})
	return c
}

func enhanced(t testing.TB) {
	c := enhance(start(t, authenticated))
	c.send(&mqtt.Pingreq{})
	c.want("connected", &mqtt.Pingresp{})
}

func enhancedRefused(t testing.TB) {
	s := start(t, authenticated)
	c := s.open()
	c.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c", AuthenticationMethod: mqtt.Some("m")})
	c.admit(Admission{ReasonCode: mqtt.ContinueAuthentication})
	c.next("AUTH")
	c.send(auth(mqtt.ContinueAuthentication, "m", "3"))
	c.admit(Admission{ReasonCode: mqtt.NotAuthorized})
	c.want("refused", &mqtt.Connack{ReasonCode: mqtt.NotAuthorized})
	c.wantClose("refused", bare)
}

func reauthentication(t testing.TB) {
	c := enhance(start(t, authenticated))
	c.send(auth(mqtt.ReAuthenticate, "m", "5"))
	c.send(&mqtt.Pingreq{})
	c.want("other packets go on", &mqtt.Pingresp{})
	c.admit(Admission{ReasonCode: mqtt.ContinueAuthentication, AuthenticationData: []byte("6")})
	c.want("a step", auth(mqtt.ContinueAuthentication, "m", "6"))
	c.send(auth(mqtt.ContinueAuthentication, "m", "7"))
	c.admit(Admission{AuthenticationData: []byte("8")})
	c.want("done", auth(mqtt.Success, "m", "8"))
	c.send(auth(mqtt.ReAuthenticate, "m", "9"))
	c.admit(Admission{ReasonCode: mqtt.NotAuthorized})
	c.wantClose("failed", mqtt.NotAuthorized)
}

func brokenAuths(t testing.TB) {
	s := start(t, Config{})
	c := s.connect("c")
	c.send(auth(mqtt.ReAuthenticate, "m", ""))
	c.wantClose("no method in CONNECT", mqtt.ProtocolError)
	for _, p := range []*mqtt.Auth{
		auth(mqtt.ReAuthenticate, "other", ""), auth(mqtt.ContinueAuthentication, "m", ""), auth(mqtt.Success, "m", ""), {ReasonCode: mqtt.ReAuthenticate},
	} {
		c := enhance(start(t, authenticated))
		c.send(p)
		c.wantClose(show(p), mqtt.ProtocolError)
	}
	for _, p := range []mqtt.Packet{
		auth(mqtt.ReAuthenticate, "m", ""), auth(mqtt.ContinueAuthentication, "other", ""), &mqtt.Connect{Version: mqtt.V5, ClientID: "c"},
	} {
		s := start(t, authenticated)
		c := s.open()
		c.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c", AuthenticationMethod: mqtt.Some("m")})
		c.admit(Admission{ReasonCode: mqtt.ContinueAuthentication})
		c.next("AUTH")
		c.send(p)
		c.want(show(p), &mqtt.Connack{ReasonCode: mqtt.ProtocolError})
		c.wantClose(show(p), bare)
	}
}

func admissionTooLate(t testing.TB) {
	s := start(t, authenticated)
	c := s.open()
	c.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c"})
	c.lose()
	s.m.Admit(s.now, c.id, Admission{})
	s.drain()
	if n := s.m.Stats(); n.Sessions != 0 || n.Connections != 0 {
		t.Errorf("left behind: %+v", n)
	}
}
