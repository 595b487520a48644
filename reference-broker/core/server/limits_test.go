package server

import (
	"strings"
	"testing"

	"mqttlab/reference-broker/mqtt"
)

func TestLimits(t *testing.T) { converse(t, limitConversations) }

var limitConversations = []conversation{
	queueLimits, resentTooLarge, retainedLimits, topicLimits, sessionLimit, maximumPacketSizeOfTheClient, connackTooLarge, dollarTopics, unauthorized, payloadFormat,
}

func (s *tester) wantNote(kind EventKind, detail string) {
	s.t.Helper()
	for _, e := range s.notes {
		if e.Kind == kind && strings.Contains(e.Detail, detail) {
			return
		}
	}
	s.t.Fatalf("no event %q %q among %+v", kind, detail, s.notes)
}

func queueLimits(t testing.TB) {
	for limit, l := range map[string]Limits{
		"QueueMessages": {QueueMessages: 3}, "QueueBytes": {QueueBytes: 3 * 4}, "TotalQueueBytes": {TotalQueueBytes: 3 * (4 + entryBytes)},
	} {
		s := start(t, Config{Limits: l})
		c, pub := s.connect("c", kept), s.connect("pub")
		c.subscribe(1, "a")
		c.lose()
		for _, x := range []string{"001", "002", "003", "004", "005"} {
			pub.publish(text("a", x, 1))
		}
		s.wantNote(LimitReached, limit)
		c = s.connect("c", kept)
		c.want("the oldest stay", arrived("a", "001", 1, 1), arrived("a", "002", 1, 2), arrived("a", "003", 1, 3))
		c.silence("the newest are dropped")
		pub.publish(text("a", "0", 0))
		c.want("QoS 0 has no queue to be limited by", arrived("a", "0", 0, 0))
	}
}

func retainedLimits(t testing.TB) {
	for _, l := range []Limits{{RetainedMessages: 2}, {RetainedBytes: 4}} {
		s := start(t, Config{Limits: l})
		pub := s.connect("pub")
		pub.publish(*retainedText(arrived("a", "1", 1, 1)))
		pub.publish(*retainedText(arrived("b", "1", 1, 1)))
		pub.send(retainedText(arrived("c", "1", 1, 1)))
		pub.want("refused", &mqtt.Puback{PacketID: 1, ReasonCode: mqtt.QuotaExceeded})
		pub.publish(*retainedText(arrived("a", "2", 1, 1)))
		pub.publish(*retainedText(arrived("c", "1", 0, 0)))
		s.wantNote(LimitReached, "RetainedMessages or RetainedBytes")
		pub.publish(*retainedText(arrived("b", "", 1, 1)))
		pub.publish(*retainedText(arrived("c", "3", 1, 1)))
		c := s.connect("c")
		c.subscribe(0, "#")
		c.want("replaced, deleted, room again", retainedText(arrived("a", "2", 0, 0)), retainedText(arrived("c", "3", 0, 0)))
		c.silence("no more")
	}
}

func topicLimits(t testing.TB) {
	s := start(t, Config{Limits: Limits{TopicLevels: 3}})
	c, old := s.connect("c"), s.connect("old", v311)
	c.subscribe(0, "#")
	for _, p := range []*peer{c, old} {
		p.send(arrived("a/b/c/d", "", 1, 1), arrived("a/b/c/d", "", 2, 2))
		p.send(&mqtt.Subscribe{PacketID: 3, Subscriptions: []mqtt.Subscription{{TopicFilter: "a/b/c/d"}, {TopicFilter: "a/b/c"}}})
	}
	c.want("5.0", &mqtt.Puback{PacketID: 1, ReasonCode: mqtt.TopicNameInvalid}, &mqtt.Pubrec{PacketID: 2, ReasonCode: mqtt.TopicNameInvalid},
		&mqtt.Suback{PacketID: 3, ReasonCodes: []mqtt.ReasonCode{mqtt.TopicFilterInvalid, 0}})
	old.want("3.1.1", &mqtt.Puback{PacketID: 1}, &mqtt.Pubrec{PacketID: 2}, &mqtt.Suback{PacketID: 3, ReasonCodes: []mqtt.ReasonCode{0x80, 0}})
	old.send(&mqtt.Pubrel{PacketID: 2})
	old.want("the exchange ends as usual", &mqtt.Pubcomp{PacketID: 2})
	c.silence("nothing is delivered")
	c.send(arrived("a", "", 2, 2))
	c.want("after the refusal the identifier is free", arrived("a", "", 0, 0), &mqtt.Pubrec{PacketID: 2})
}

func sessionLimit(t testing.TB) {
	s := start(t, Config{Limits: Limits{MaximumSessions: 2}})
	s.connect("a")
	b := s.connect("b", kept)
	b.lose()
	for _, v := range []func(*mqtt.Connect){v311, kept} {
		c, k := s.connectFor("c", v)
		if k.ReasonCode != mqtt.QuotaExceeded {
			t.Errorf("CONNACK %v", k.ReasonCode)
		}
		c.wantClose("too many", bare)
	}
	s.connect("b", kept)
	s.connect("b")
}

func maximumPacketSizeOfTheClient(t testing.TB) {
	s := start(t, Config{})
	c := s.connect("c", func(c *mqtt.Connect) { c.MaximumPacketSize, c.ReceiveMaximum = 30, 1 })
	pub := s.connect("pub")
	c.subscribe(1, "a")
	fit := 30 - 2 - 3 - 2 - 1 // fixed header, topic, identifier, no properties
	large := mqtt.Publish{Topic: "a", Payload: make([]byte, fit+1), QoS: 1}
	just := mqtt.Publish{Topic: "a", Payload: make([]byte, fit), QoS: 1}
	for range 3 {
		pub.publish(large)
	}
	just.PacketID = 1
	pub.publish(just)
	c.want("what fits", &just)
	pub.publish(large)
	pub.publish(text("a", "x", 1))
	c.send(&mqtt.Puback{PacketID: 1})
	c.want("a dropped one has no place in the window", arrived("a", "x", 1, 2))
	large.QoS, large.Payload = 0, make([]byte, fit+3)
	pub.publish(large)
	c.silence("too large")
	s.wantNote(MessageDropped, "")
	many := &mqtt.Subscribe{PacketID: 1}
	for range 30 {
		many.Subscriptions = append(many.Subscriptions, mqtt.Subscription{TopicFilter: "b"})
	}
	c.send(many)
	c.wantClose("SUBACK can't be sent", mqtt.PacketTooLarge)
}

func resentTooLarge(t testing.TB) {
	s := start(t, Config{})
	c, pub := s.connect("c", kept), s.connect("pub")
	c.subscribe(2, "a")
	large := mqtt.Publish{Topic: "a", Payload: make([]byte, 100), QoS: 1}
	pub.publish(large)
	large.QoS = 2
	pub.publish(large)
	c.inbox = nil
	c.lose()
	c = s.connect("c", kept, func(c *mqtt.Connect) { c.MaximumPacketSize, c.ReceiveMaximum = 50, 2 })
	c.silence("too large to be sent again")
	pub.publish(text("a", "x", 1))
	c.want("QoS 1 gave its place free", arrived("a", "x", 1, 3))
	pub.publish(text("a", "y", 1))
	c.silence("QoS 2 keeps its place")
}

func connackTooLarge(t testing.TB) {
	s := start(t, Config{})
	c := s.open()
	c.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c", MaximumPacketSize: 5})
	c.wantClose("no CONNACK fits", bare)
	if n := s.m.Stats(); n.Sessions != 0 || n.Connections != 0 {
		t.Errorf("left behind: %+v", n)
	}
}

func dollarTopics(t testing.TB) {
	s := start(t, Config{})
	c := s.connect("c")
	c.subscribe(0, "$SYS/#", "#")
	c.send(arrived("$SYS/x", "", 1, 1))
	c.want("the Server's", &mqtt.Puback{PacketID: 1, ReasonCode: mqtt.TopicNameInvalid})
	p := text("$SYS/x", "up", 0)
	p.Retain = true
	s.m.Publish(s.now, &p)
	s.drain()
	c.want("the Server's own", arrived("$SYS/x", "up", 0, 0))
	c.subscribe(0, "$SYS/+")
	c.want("and retained", retainedText(arrived("$SYS/x", "up", 0, 0)))
}

func unauthorized(t testing.TB) {
	var asked []Access
	cfg := Config{Authorize: func(a Access) bool {
		asked = append(asked, a)
		return !strings.HasPrefix(a.Topic, "secret")
	}}
	user := func(c *mqtt.Connect) { c.Username = mqtt.Some("u") }
	s := start(t, cfg)
	c, old, w := s.connect("c", user), s.connect("old", v311, user), s.connect("w")
	w.subscribe(0, "#")
	asked = nil
	for _, p := range []*peer{c, old} {
		p.send(arrived("secret", "", 0, 0), arrived("secret", "", 1, 1), arrived("secret", "", 2, 2))
		p.send(&mqtt.Subscribe{PacketID: 3, Subscriptions: []mqtt.Subscription{{TopicFilter: "$share/g/secret/#"}, {TopicFilter: "secret"}}})
	}
	c.want("5.0 is told", &mqtt.Puback{PacketID: 1, ReasonCode: mqtt.NotAuthorized}, &mqtt.Pubrec{PacketID: 2, ReasonCode: mqtt.NotAuthorized},
		&mqtt.Suback{PacketID: 3, ReasonCodes: []mqtt.ReasonCode{mqtt.NotAuthorized, mqtt.NotAuthorized}})
	old.want("3.1.1 can't be", &mqtt.Puback{PacketID: 1}, &mqtt.Pubrec{PacketID: 2}, &mqtt.Suback{PacketID: 3, ReasonCodes: []mqtt.ReasonCode{0, 0x80}})
	w.silence("nothing is delivered")
	if want := (Access{PublishTo, "c", "u", "secret", 2, false}); asked[2] != want {
		t.Errorf("asked %+v, want %+v", asked[2], want)
	}
	cfg.CloseUnauthorized = true
	s = start(t, cfg)
	c = s.connect("c")
	c.send(arrived("secret", "", 0, 0))
	c.wantClose("CloseUnauthorized", mqtt.NotAuthorized)
}

func payloadFormat(t testing.TB) {
	bad := arrived("a", "\xFF", 1, 1)
	bad.PayloadFormat = mqtt.Some(byte(1))
	for check, code := range map[bool]mqtt.ReasonCode{false: mqtt.Success, true: mqtt.PayloadFormatInvalid} {
		s := start(t, Config{CheckPayloadFormat: check, HideNoSubscribers: true})
		c := s.connect("c")
		c.send(bad)
		c.want("not UTF-8", &mqtt.Puback{PacketID: 1, ReasonCode: code})
	}
}

func TestValidateNamesAllMistakes(t *testing.T) {
	cfg := Config{MaximumQoS: mqtt.Some(mqtt.QoS(3)), Limits: Limits{ConnectTimeout: -1, MaximumClientID: 5, QueueBytes: -2, TopicAliasMaximum: 70_000}}
	err := cfg.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, field := range []string{"MaximumQoS", "ConnectTimeout", "MaximumClientID", "QueueBytes", "TopicAliasMaximum"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in %q", field, err)
		}
	}
}
