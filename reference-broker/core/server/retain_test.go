package server

import (
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

func TestRetain(t *testing.T) { converse(t, retainConversations) }

var retainConversations = []conversation{
	retainedIsStoredReplacedDeleted, retainFlagOfForwardedMessages, retainHandling, retainedExpires, retainedPastTheQueueLimit,
	retainedOutlivesItsPublisher, retainedDoesNotPileUp,
}

func retainedIsStoredReplacedDeleted(t testing.TB) {
	s := start(t, Config{})
	pub, live := s.connect("pub"), s.connect("live")
	live.subscribe(2, "a/#")
	publish := func(topic, payload string, qos mqtt.QoS, retain bool) {
		p := text(topic, payload, qos)
		p.Retain = retain
		pub.publish(p)
	}
	publish("a/1", "old", 2, true)
	publish("a/1", "new", 1, true)
	publish("a/1", "not retained", 1, false)
	publish("a/2", "x", 0, true)
	publish("a/3", "x", 2, true)
	publish("a/3", "", 0, true)
	if n := len(live.inbox); n != 6 {
		t.Fatalf("the live subscriber has %d messages, want 6", n)
	}
	if p := live.inbox[5].(*mqtt.Publish); len(p.Payload) != 0 || p.Retain {
		t.Fatalf("the empty message arrived as %+v", p)
	}
	c := s.connect("c")
	c.subscribe(1, "a/+")
	c.want("retained", retainedText(arrived("a/1", "new", 1, 1)), retainedText(arrived("a/2", "x", 0, 0)))
	c.silence("the empty one deleted and is not kept")
	c.subscribe(0, "a/1")
	c.want("at the granted QoS", retainedText(arrived("a/1", "new", 0, 0)))
	if n := s.m.Stats(); n.RetainedMessages != 2 || n.RetainedBytes != 3+3+3+1 {
		t.Errorf("%+v", n)
	}
}

func retainFlagOfForwardedMessages(t testing.TB) {
	s := start(t, Config{})
	pub, plain, asPublished := s.connect("pub"), s.connect("plain"), s.connect("asPublished", kept)
	plain.subscribe(1, "a")
	asPublished.subscribeTo(0, mqtt.Subscription{TopicFilter: "a", QoS: 1, RetainAsPublished: true})
	for _, retain := range []bool{false, true} {
		p := text("a", "x", 0)
		p.Retain = retain
		pub.publish(p)
		plain.want("Retain As Published 0", arrived("a", "x", 0, 0))
		asPublished.want("Retain As Published 1", &p)
	}
	asPublished.lose()
	p := text("a", "x", 1)
	p.Retain = true
	pub.publish(p)
	asPublished = s.connect("asPublished", kept)
	asPublished.want("also through the queue", retainedText(arrived("a", "x", 1, 1)))
}

func retainHandling(t testing.TB) {
	s := start(t, Config{})
	s.connect("pub").publish(*retainedText(arrived("a", "x", 0, 0)))
	c := s.connect("c", kept)
	sub := func(h mqtt.RetainHandling) { c.subscribeTo(0, mqtt.Subscription{TopicFilter: "a", RetainHandling: h}) }
	retained := retainedText(arrived("a", "x", 0, 0))
	sub(mqtt.NeverSendRetained)
	c.silence("never")
	sub(mqtt.SendRetained)
	c.want("always", retained)
	sub(mqtt.SendRetained)
	c.want("always, though not new", retained)
	sub(mqtt.SendRetainedIfNew)
	c.silence("not new")
	c.lose()
	c = s.connect("c", kept)
	sub(mqtt.SendRetainedIfNew)
	c.silence("not new in the resumed Session")
	c.send(&mqtt.Unsubscribe{PacketID: 1, TopicFilters: []string{"a"}})
	c.want("unsubscribed", &mqtt.Unsuback{PacketID: 1, ReasonCodes: []mqtt.ReasonCode{mqtt.Success}})
	sub(mqtt.SendRetainedIfNew)
	c.want("new", retained)
}

func retainedExpires(t testing.TB) {
	s := start(t, Config{})
	s.connect("pub").publish(*retainedText(expiring("a", 0, 0, 10)))
	s.advance(4 * time.Second)
	c := s.connect("c")
	c.subscribe(0, "a")
	c.want("what is left", retainedText(expiring("a", 0, 0, 6)))
	s.advance(6 * time.Second)
	c.subscribe(0, "a")
	c.silence("expired")
	if n := s.m.Stats(); n.RetainedMessages != 0 || n.RetainedBytes != 0 {
		t.Errorf("left behind: %+v", n)
	}
}

func retainedPastTheQueueLimit(t testing.TB) {
	s := start(t, Config{Limits: Limits{QueueMessages: 2, MaximumInflight: 1}})
	pub := s.connect("pub")
	for _, topic := range []string{"a/1", "a/2", "a/3", "a/4", "a/5"} {
		pub.publish(*retainedText(arrived(topic, "x", 1, 1)))
	}
	c := s.connect("c")
	c.subscribe(1, "a/#")
	for i := range uint16(5) {
		if got := c.next("retained").(*mqtt.Publish); got.PacketID != i+1 {
			t.Fatalf("message %d has identifier %d", i, got.PacketID)
		}
		c.send(&mqtt.Puback{PacketID: i + 1})
	}
}

func retainedDoesNotPileUp(t testing.TB) {
	s := start(t, Config{Limits: Limits{QueueMessages: 2, MaximumInflight: 1}})
	pub := s.connect("pub")
	for _, topic := range []string{"a/1", "a/2", "a/3"} {
		pub.publish(*retainedText(arrived(topic, "x", 1, 1)))
	}
	c := s.connect("c")
	for range 10 {
		c.subscribe(1, "a/#")
		c.inbox = nil
	}
	s.wantNote(LimitReached, "QueueMessages")
	if n := s.m.Stats().Queued; n != 2+3 {
		t.Errorf("%d messages wait, want the limit and the stored ones: 5", n)
	}
	pub.publish(text("a/1", "live", 1))
	pub.publish(text("a/1", "live", 1))
	if n := s.m.Stats().Queued; n != 2+3+2 {
		t.Errorf("%d messages wait: retained ones count against the others", n)
	}
}

func retainedOutlivesItsPublisher(t testing.TB) {
	s := start(t, Config{})
	pub := s.connect("pub", v311)
	pub.publish(*retainedText(arrived("a", "x", 0, 0)))
	pub.lose()
	c := s.connect("c", v311)
	c.subscribe(0, "#")
	c.want("retained", retainedText(arrived("a", "x", 0, 0)))
}
