package server

import (
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

func TestQoS(t *testing.T) { converse(t, qosConversations) }

var qosConversations = []conversation{
	qosIsTheLowerOfPublishedAndGranted, qos2IsReleasedOnce, resumeSendsAgainInOrder, receiveMaximumOfTheClient, receiveMaximumOfTheServer,
	packetIdentifierInUse,
}

func qosIsTheLowerOfPublishedAndGranted(t testing.TB) {
	for _, v := range []func(*mqtt.Connect){v31, v311, func(*mqtt.Connect) {}} {
		for published := range mqtt.QoS(3) {
			for granted := range mqtt.QoS(3) {
				s := start(t, Config{})
				sub, pub := s.connect("sub", v), s.connect("pub", v)
				sub.subscribe(granted, "a/+")
				pub.publish(text("a/b", "x", published))
				qos := min(published, granted)
				var id uint16
				if qos > 0 {
					id = 1
				}
				sub.want("the message", arrived("a/b", "x", qos, id))
				sub.silence("one copy")
			}
		}
	}
}

func qos2IsReleasedOnce(t testing.TB) {
	s := start(t, Config{})
	sub, pub := s.connect("sub"), s.connect("pub")
	sub.subscribe(2, "a")
	m := arrived("a", "x", 2, 5)
	pub.send(m)
	pub.want("first copy", &mqtt.Pubrec{PacketID: 5})
	pub.send(again(arrived("a", "x", 2, 5)), arrived("a", "x", 2, 5))
	pub.want("a repetition is acknowledged, DUP or not", &mqtt.Pubrec{PacketID: 5}, &mqtt.Pubrec{PacketID: 5})
	sub.want("the message", arrived("a", "x", 2, 1))
	sub.silence("repetitions are not delivered")
	pub.send(&mqtt.Pubrel{PacketID: 5}, &mqtt.Pubrel{PacketID: 5})
	pub.want("release", &mqtt.Pubcomp{PacketID: 5}, &mqtt.Pubcomp{PacketID: 5, ReasonCode: mqtt.PacketIdentifierNotFound})
	pub.send(again(arrived("a", "y", 2, 5)))
	sub.want("after PUBCOMP the identifier is a new message, whatever DUP says", arrived("a", "y", 2, 2))

	sub.send(&mqtt.Pubrec{PacketID: 1}, &mqtt.Pubrec{PacketID: 1}, &mqtt.Pubrec{PacketID: 9}, &mqtt.Pubcomp{PacketID: 1}, &mqtt.Pubcomp{PacketID: 1})
	sub.want("PUBREL for each PUBREC", &mqtt.Pubrel{PacketID: 1}, &mqtt.Pubrel{PacketID: 1},
		&mqtt.Pubrel{PacketID: 9, ReasonCode: mqtt.PacketIdentifierNotFound})
	sub.send(&mqtt.Pubrec{PacketID: 2, ReasonCode: mqtt.QuotaExceeded})
	sub.silence("a refused message has no PUBREL")
}

func resumeSendsAgainInOrder(t testing.TB) {
	for _, v := range []func(*mqtt.Connect){v311, func(c *mqtt.Connect) { c.SessionExpiryInterval = 60 }} {
		s := start(t, Config{})
		sub, pub := s.connect("sub", v, unclean), s.connect("pub")
		sub.subscribe(2, "a")
		for i, q := range []mqtt.QoS{1, 2, 2, 1} {
			pub.publish(text("a", string(rune('0'+i)), q))
		}
		sub.want("messages", arrived("a", "0", 1, 1), arrived("a", "1", 2, 2), arrived("a", "2", 2, 3), arrived("a", "3", 1, 4))
		sub.send(&mqtt.Pubrec{PacketID: 3}, &mqtt.Puback{PacketID: 1})
		sub.want("release", &mqtt.Pubrel{PacketID: 3})
		sub.lose()
		pub.publish(text("a", "4", 1))
		pub.publish(text("a", "5", 0))
		s.advance(time.Second)
		sub, k := s.connectFor("sub", v, unclean)
		if !k.SessionPresent {
			t.Error("Session Present is 0")
		}
		sub.want("what was not acknowledged, then what is new", &mqtt.Pubrel{PacketID: 3}, again(arrived("a", "1", 2, 2)),
			again(arrived("a", "3", 1, 4)), arrived("a", "4", 1, 5))
		sub.silence("nothing else")
		s.advance(time.Hour)
		sub.silence("nothing is sent again on a live connection")
	}
}

func receiveMaximumOfTheClient(t testing.TB) {
	s := start(t, Config{})
	sub, pub := s.connect("sub", func(c *mqtt.Connect) { c.ReceiveMaximum = 2 }), s.connect("pub")
	sub.subscribe(2, "a")
	for _, x := range []string{"1", "2", "3", "4"} {
		pub.publish(text("a", x, 1))
	}
	pub.publish(text("a", "0", 0))
	sub.want("two, and QoS 0", arrived("a", "1", 1, 1), arrived("a", "2", 1, 2), arrived("a", "0", 0, 0))
	sub.silence("the window is full")
	sub.send(&mqtt.Pingreq{})
	sub.want("other packets go on", &mqtt.Pingresp{})
	sub.send(&mqtt.Puback{PacketID: 2})
	sub.want("a place is free", arrived("a", "3", 1, 3))
	sub.send(&mqtt.Puback{PacketID: 2})
	sub.silence("an acknowledgement counts once")
	sub.send(&mqtt.Puback{PacketID: 1})
	sub.want("the last", arrived("a", "4", 1, 4))
}

func receiveMaximumOfTheServer(t testing.TB) {
	s := start(t, Config{Limits: Limits{ReceiveMaximum: 2}})
	pub, k := s.connectFor("pub")
	if k.ReceiveMaximum != 2 {
		t.Errorf("CONNACK has Receive Maximum %d", k.ReceiveMaximum)
	}
	pub.send(arrived("a", "", 2, 1), arrived("a", "", 2, 2), arrived("a", "", 2, 2))
	pub.inbox = nil
	pub.send(arrived("a", "", 2, 3))
	pub.wantClose("third message", mqtt.ReceiveMaximumExceeded)
}

func TestBrokenAcknowledgements(t *testing.T) {
	for name, packet := range map[string]mqtt.Packet{
		"PUBREC for QoS 1":       &mqtt.Pubrec{PacketID: 1},
		"PUBCOMP for QoS 1":      &mqtt.Pubcomp{PacketID: 1},
		"PUBACK for QoS 2":       &mqtt.Puback{PacketID: 2},
		"PUBCOMP before PUBREL":  &mqtt.Pubcomp{PacketID: 2},
		"identifier 0":           &mqtt.Puback{},
		"PUBREL identifier 0":    &mqtt.Pubrel{},
		"reason of DISCONNECT":   &mqtt.Puback{PacketID: 1, ReasonCode: mqtt.ServerBusy},
		"PUBCOMP with a failure": &mqtt.Pubcomp{PacketID: 2, ReasonCode: mqtt.QuotaExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Config{})
			sub, pub := s.connect("sub"), s.connect("pub")
			sub.subscribe(2, "a")
			pub.publish(text("a", "", 1))
			pub.publish(text("a", "", 2))
			sub.inbox = nil
			sub.send(packet)
			sub.wantClose(name, mqtt.ProtocolError)
		})
	}
}

func packetIdentifierInUse(t testing.TB) {
	s := start(t, Config{})
	c := s.connect("c")
	c.send(arrived("a", "", 2, 7))
	c.want("unreleased", &mqtt.Pubrec{PacketID: 7, ReasonCode: mqtt.NoMatchingSubscribers})
	c.send(arrived("a", "", 1, 7))
	c.want("PUBLISH", &mqtt.Puback{PacketID: 7, ReasonCode: mqtt.PacketIdentifierInUse})
	c.send(&mqtt.Subscribe{PacketID: 7, Subscriptions: []mqtt.Subscription{{TopicFilter: "a"}}})
	c.want("SUBSCRIBE", &mqtt.Suback{PacketID: 7, ReasonCodes: []mqtt.ReasonCode{mqtt.PacketIdentifierInUse}})
	c.send(&mqtt.Unsubscribe{PacketID: 7, TopicFilters: []string{"a"}})
	c.want("UNSUBSCRIBE", &mqtt.Unsuback{PacketID: 7, ReasonCodes: []mqtt.ReasonCode{mqtt.PacketIdentifierInUse}})
}
