package client

import (
	"errors"
	"strings"
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

var resumable = mqtt.Connect{SessionExpiryInterval: mqtt.SessionNeverExpires}

func TestPublishEveryQoS(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{}, mqtt.Connack{})
	s.publish(10, "a", 0)
	s.publish(11, "b", 1)
	s.publish(12, "c", 2)
	s.want("all leave at once", `send PUBLISH "a"`, "done 10", `send PUBLISH "b" 1`, `send PUBLISH "c" 2`)
	s.receive(&mqtt.Puback{PacketID: 1}, &mqtt.Pubrec{PacketID: 2})
	s.want("first answers", "done 11", "send PUBREL 2")
	s.receive(&mqtt.Pubrec{PacketID: 2}, &mqtt.Pubcomp{PacketID: 2}, &mqtt.Pubcomp{PacketID: 2})
	s.want("last answers", "send PUBREL 2", "done 12")
	s.receive(&mqtt.Pubrec{PacketID: 9})
	s.want("PUBREC for nothing", "send PUBREL 9 92")
}

func TestPublishRefusedByServer(t *testing.T) {
	s := connected(t, Config{}, resumable, mqtt.Connack{})
	s.publish(1, "a", 1)
	s.publish(2, "b", 2)
	s.drain()
	s.receive(&mqtt.Puback{PacketID: 1, ReasonCode: mqtt.QuotaExceeded, ReasonString: "full"}, &mqtt.Pubrec{PacketID: 2, ReasonCode: mqtt.NotAuthorized})
	s.want("refusals", `done 1: server answered PUBACK with Quota exceeded (0x97): "full"`, "done 2: server answered PUBREC with Not authorized (0x87)")
	s.m.Lost(s.now, nil)
	s.drain()
	s.reconnect(resumable, mqtt.Connack{SessionPresent: true})
	s.want("refused messages are not sent again", `send CONNECT "dev"`, "connected")
}

func TestAckOfWrongKindIsViolation(t *testing.T) {
	for name, p := range map[string]mqtt.Packet{
		"PUBACK for QoS 2": &mqtt.Puback{PacketID: 2}, "PUBREC for QoS 1": &mqtt.Pubrec{PacketID: 1}, "PUBCOMP before PUBREC": &mqtt.Pubcomp{PacketID: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := connected(t, Config{}, resumable, mqtt.Connack{})
			s.publish(1, "a", 1)
			s.publish(2, "b", 2)
			s.drain()
			s.receive(p)
			if got := s.drain(); len(got) != 3 || got[0] != "send DISCONNECT 82" || got[1] != "close" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestReceiveMaximumOfServer(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{KeepAlive: 10}, mqtt.Connack{ReceiveMaximum: 2})
	for i := range Token(4) {
		s.publish(i, "q", 1+mqtt.QoS(i%2))
	}
	s.publish(9, "zero", 0)
	s.want("two are under way, QoS 0 goes on", `send PUBLISH "q" 1`, `send PUBLISH "q" 2`, `send PUBLISH "zero"`, "done 9")
	if err := s.m.Subscribe(s.now, 20, &mqtt.Subscribe{Subscriptions: []mqtt.Subscription{{TopicFilter: "#"}}}); err != nil {
		t.Fatal(err)
	}
	s.wait(9 * time.Second)
	s.want("other packets go on", "send SUBSCRIBE 3 #", "send PINGREQ")
	s.receive(&mqtt.Pubrec{PacketID: 2})
	s.want("PUBREC frees no place", "send PUBREL 2")
	s.receive(&mqtt.Pubcomp{PacketID: 2})
	s.want("PUBCOMP does", "done 1", `send PUBLISH "q" 4`)
	s.receive(&mqtt.Puback{PacketID: 1})
	s.want("PUBACK does", "done 0", `send PUBLISH "q" 5`)
}

func TestMaxInflightOfOwner(t *testing.T) {
	s := connected(t, Config{MaxInflight: 1}, mqtt.Connect{Version: mqtt.V311}, mqtt.Connack{})
	s.publish(1, "a", 1)
	s.publish(2, "b", 1)
	s.want("one at a time", `send PUBLISH "a" 1`)
	s.receive(&mqtt.Puback{PacketID: 1})
	s.want("one at a time", "done 1", `send PUBLISH "b" 2`)
}

func TestResumeSendsAgainInOrder(t *testing.T) {
	s := connected(t, Config{}, resumable, mqtt.Connack{})
	for i := range Token(5) {
		s.publish(i, "q", 1+mqtt.QoS(i%2))
	}
	s.receive(&mqtt.Pubrec{PacketID: 4}, &mqtt.Puback{PacketID: 1})
	s.drain()
	s.m.Lost(s.now, errors.New("cable pulled"))
	s.publish(5, "new", 1)
	s.reconnect(resumable, mqtt.Connack{SessionPresent: true, ReceiveMaximum: 2})
	s.want("PUBREL and as many PUBLISH as the new Receive Maximum allows", "disconnected: cable pulled", `send CONNECT "dev"`, "connected",
		"send PUBREL 4", `send PUBLISH "q" 2 dup`)
	s.receive(&mqtt.Pubcomp{PacketID: 4})
	s.want("next", "done 3", `send PUBLISH "q" 3 dup`)
	s.receive(&mqtt.Puback{PacketID: 3}, &mqtt.Pubrec{PacketID: 2}, &mqtt.Pubcomp{PacketID: 2})
	s.want("new ones last", "done 2", `send PUBLISH "q" 5 dup`, "send PUBREL 2", "done 1", `send PUBLISH "new" 6`)
}

func TestSessionLost(t *testing.T) {
	for _, requeue := range []bool{false, true} {
		s := connected(t, Config{Requeue: requeue}, resumable, mqtt.Connack{})
		s.publish(1, "a", 1)
		s.publish(2, "b", 2)
		s.receive(&mqtt.Pubrec{PacketID: 2})
		s.m.Lost(s.now, nil)
		s.publish(3, "c", 1)
		s.drain()
		s.reconnect(resumable, mqtt.Connack{SessionPresent: false})
		if requeue {
			s.want("all are new messages", `send CONNECT "dev"`, "connected",
				`send PUBLISH "b" 1`, `send PUBLISH "a" 2`, `send PUBLISH "c" 3`)
			continue
		}
		s.want("what was sent is over, what waited is not", `send CONNECT "dev"`, "done 2: "+ErrSessionLost.Error(), "done 1: "+ErrSessionLost.Error(),
			"connected", `send PUBLISH "c" 1`)
	}
}

func TestCleanSessionEndsWithConnection(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{Version: mqtt.V311, CleanStart: true}, mqtt.Connack{})
	s.publish(1, "a", 1)
	s.drain()
	s.m.Lost(s.now, nil)
	s.want("its messages too", "disconnected", "done 1: "+ErrSessionLost.Error())
}

func TestQueueIsBounded(t *testing.T) {
	s := newTester(t, Config{MaxQueued: 2, QueueQoS0: true})
	s.publish(1, "a", 0)
	s.publish(2, "b", 1)
	if err := s.m.Publish(s.now, 3, &mqtt.Publish{Topic: "c", QoS: 1}); !errors.Is(err, ErrQueueFull) {
		t.Errorf("third message: %v, want ErrQueueFull", err)
	}
	s.reconnect(mqtt.Connect{CleanStart: true}, mqtt.Connack{})
	s.want("in order", `send CONNECT "dev" clean`, "connected", `send PUBLISH "a"`, "done 1", `send PUBLISH "b" 1`)
	if q, f := s.m.Unfinished(); q != 0 || f != 1 {
		t.Errorf("unfinished %d, %d; want 0, 1", q, f)
	}
}

func TestMessageExpiry(t *testing.T) {
	s := newTester(t, Config{})
	for i, seconds := range []uint32{10, 20} {
		p := &mqtt.Publish{Topic: "a", QoS: 1, MessageExpiryInterval: mqtt.Some(seconds)}
		if err := s.m.Publish(s.now, Token(i), p); err != nil {
			t.Fatal(err)
		}
	}
	s.now = s.now.Add(12 * time.Second)
	s.reconnect(resumable, mqtt.Connack{})
	s.want("one waited too long", `send CONNECT "dev"`, "connected", "done 0: "+ErrExpired.Error(), `send PUBLISH "a" 1 expires 8`)
	s.m.Lost(s.now, nil)
	s.now = s.now.Add(time.Hour)
	s.reconnect(resumable, mqtt.Connack{SessionPresent: true})
	s.want("what was sent once does not expire here", "disconnected", `send CONNECT "dev"`, "connected", `send PUBLISH "a" 1 dup expires 1`)
}

func TestLimitsOfServer(t *testing.T) {
	no := mqtt.Some(false)
	s := connected(t, Config{}, mqtt.Connect{}, mqtt.Connack{
		MaximumQoS: mqtt.Some(mqtt.AtLeastOnce), RetainAvailable: no, MaximumPacketSize: 30, WildcardSubscriptionAvailable: no,
		SharedSubscriptionAvailable: no, SubscriptionIdentifierAvailable: no,
	})
	for _, c := range []struct {
		p    mqtt.Publish
		code mqtt.ReasonCode
	}{
		{mqtt.Publish{Topic: "a", QoS: 2}, mqtt.QoSNotSupported},
		{mqtt.Publish{Topic: "a", Retain: true}, mqtt.RetainNotSupported},
		{mqtt.Publish{Topic: "a", Payload: make([]byte, 25)}, mqtt.PacketTooLarge},
		{mqtt.Publish{Topic: "a/+"}, mqtt.TopicNameInvalid},
		{mqtt.Publish{Topic: ""}, mqtt.TopicNameInvalid},
		{mqtt.Publish{Topic: "a\xff"}, mqtt.MalformedPacket},
		{mqtt.Publish{Topic: "a", QoS: 3}, mqtt.ProtocolError},
		{mqtt.Publish{Topic: "a", ResponseTopic: "#"}, mqtt.TopicNameInvalid},
		{mqtt.Publish{Topic: "a", SubscriptionIdentifiers: []uint32{1}}, mqtt.ProtocolError},
		{mqtt.Publish{Topic: "a", TopicAlias: 1}, mqtt.TopicAliasInvalid},
		{mqtt.Publish{Topic: "a", PayloadFormat: mqtt.Some[byte](2)}, mqtt.PayloadFormatInvalid},
		{mqtt.Publish{Topic: "a", ContentType: mqtt.Some("\x00")}, mqtt.MalformedPacket},
		{mqtt.Publish{Topic: strings.Repeat("a", 65536)}, mqtt.PacketTooLarge},
	} {
		err := s.m.Publish(s.now, 1, &c.p)
		if !errors.Is(err, c.code) || !errors.As(err, new(*InvalidError)) {
			t.Errorf("%.40v: %v, want %v", c.p, err, c.code)
		}
	}
	for _, c := range []struct {
		f    mqtt.Subscription
		id   uint32
		code mqtt.ReasonCode
	}{
		{mqtt.Subscription{TopicFilter: "a/#"}, 0, mqtt.WildcardSubscriptionsNotSupported},
		{mqtt.Subscription{TopicFilter: "$share/g/a"}, 0, mqtt.SharedSubscriptionsNotSupported},
		{mqtt.Subscription{TopicFilter: "$share/g/a", NoLocal: true}, 0, mqtt.ProtocolError},
		{mqtt.Subscription{TopicFilter: "$share/g"}, 0, mqtt.TopicFilterInvalid},
		{mqtt.Subscription{TopicFilter: "a#"}, 0, mqtt.TopicFilterInvalid},
		{mqtt.Subscription{TopicFilter: "a"}, 1, mqtt.SubscriptionIdentifiersNotSupported},
		{mqtt.Subscription{TopicFilter: "a", QoS: 3}, 0, mqtt.ProtocolError},
		{mqtt.Subscription{TopicFilter: strings.Repeat("a", 30)}, 0, mqtt.PacketTooLarge},
	} {
		err := s.m.Subscribe(s.now, 1, &mqtt.Subscribe{Subscriptions: []mqtt.Subscription{c.f}, SubscriptionIdentifier: c.id})
		if !errors.Is(err, c.code) || !errors.As(err, new(*InvalidError)) {
			t.Errorf("%v: %v, want %v", c.f, err, c.code)
		}
	}
	s.want("nothing was sent")
}

func TestLimitsOfServerHoldForWhatWaited(t *testing.T) {
	s := newTester(t, Config{})
	s.publish(1, "a", 2)
	s.reconnect(resumable, mqtt.Connack{MaximumQoS: mqtt.Some(mqtt.AtMostOnce)})
	s.want("the limit was not known before", `send CONNECT "dev"`, "connected",
		"done 1: not sent: the server takes messages up to QoS 0, this one has QoS 2")
}

func TestTopicAliases(t *testing.T) {
	s := connected(t, Config{TopicAliases: true}, resumable, mqtt.Connack{TopicAliasMaximum: 1})
	s.publish(1, "a", 1)
	s.publish(2, "a", 0)
	s.publish(3, "b", 0)
	s.want("one alias", `send PUBLISH "a" 1 alias 1`, `send PUBLISH "" alias 1`, "done 2", `send PUBLISH "b"`, "done 3")
	s.m.Lost(s.now, nil)
	s.reconnect(resumable, mqtt.Connack{SessionPresent: true})
	s.want("none on the next connection", "disconnected", `send CONNECT "dev"`, "connected", `send PUBLISH "a" 1 dup`)
}

func TestBufferOfBurstIsGivenBack(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{}, mqtt.Connack{})
	for i := range Token(1000) {
		s.publish(i, "a", 0)
	}
	s.drain()
	if cap(s.m.actions) < 1000 {
		t.Error("a busy machine grows its buffer anew for each batch")
	}
	for range calmDrains + 1 {
		s.publish(0, "a", 0)
		s.drain()
	}
	if cap(s.m.actions) > keptActions {
		t.Errorf("an idle machine holds %d actions", cap(s.m.actions))
	}
}

func TestMessageThatMustNotBeSentAgain(t *testing.T) {
	s := connected(t, Config{}, resumable, mqtt.Connack{})
	s.publish(1, "a", 2)
	s.drain()
	s.m.Lost(s.now, nil)
	s.drain()
	s.reconnect(resumable, mqtt.Connack{SessionPresent: true, MaximumQoS: mqtt.Some(mqtt.AtLeastOnce)})
	var err error
	s.m.Drain(func(a *Action) {
		if a.Kind == Done {
			err = a.Err
		}
	})
	if !errors.Is(err, ErrNotResent) || errors.As(err, new(*InvalidError)) {
		t.Errorf("%v; want ErrNotResent, and not the type that says it was never sent", err)
	}
}
