package server

import (
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

func TestSession(t *testing.T) { converse(t, sessionConversations) }

var sessionConversations = []conversation{
	sessionIsKept, sessionEndsWithItsConnection, sessionExpires, disconnectChangesExpiry, expiryIsCapped, cleanStartDropsTheSession,
	takeOver, oldVersionsKeepSessions, takeOverOfASessionThatEnds, qos0Offline, expiryIsCountedDown, expiredMessagesAreDropped,
	expiredButBegunIsSentAgain, queueIsInOrder, expiryChangesOnReconnect,
}

func wantPresent(t testing.TB, k *mqtt.Connack, want bool) {
	t.Helper()
	if k.SessionPresent != want {
		t.Fatalf("Session Present is %v, want %v", k.SessionPresent, want)
	}
}

func sessionIsKept(t testing.TB) {
	s := start(t, Config{})
	sub, k := s.connectFor("sub", kept)
	wantPresent(t, k, false)
	sub.subscribeTo(7, mqtt.Subscription{TopicFilter: "a", QoS: 1})
	sub.lose()
	pub := s.connect("pub")
	pub.publish(text("a", "queued", 1))
	s.advance(59 * time.Minute)
	sub, k = s.connectFor("sub", kept)
	wantPresent(t, k, true)
	want := arrived("a", "queued", 1, 1)
	want.SubscriptionIdentifiers = []uint32{7}
	sub.want("the queue", want)
	pub.publish(text("a", "live", 0))
	want = arrived("a", "live", 0, 0)
	want.SubscriptionIdentifiers = []uint32{7}
	sub.want("the Subscription with its identifier", want)
	_, k = s.connectFor("other", kept)
	wantPresent(t, k, false)
}

func sessionEndsWithItsConnection(t testing.TB) {
	s := start(t, Config{})
	c := s.connect("c", unclean)
	c.subscribe(1, "a")
	c.lose()
	c, k := s.connectFor("c", unclean)
	wantPresent(t, k, false)
	s.connect("pub").publish(text("a", "", 1))
	c.silence("no Subscription is left")
	if n := s.m.Stats(); n.Sessions != 2 || n.Subscriptions != 0 {
		t.Errorf("left behind: %+v", n)
	}
}

func sessionExpires(t testing.TB) {
	s := start(t, Config{})
	c := s.connect("c", expiry(10))
	c.subscribe(1, "a")
	s.advance(time.Minute)
	c.lose()
	s.connect("pub").publish(text("a", "", 1))
	s.advance(9 * time.Second)
	c, k := s.connectFor("c", unclean, expiry(10))
	wantPresent(t, k, true)
	c.lose()
	s.advance(10 * time.Second)
	if n := s.m.Stats(); n.Sessions != 1 || n.Subscriptions != 0 || n.Queued != 0 {
		t.Errorf("left behind: %+v", n)
	}
	_, k = s.connectFor("c", unclean)
	wantPresent(t, k, false)
}

func disconnectChangesExpiry(t testing.TB) {
	s := start(t, Config{})
	c := s.connect("c", expiry(10))
	c.send(&mqtt.Disconnect{SessionExpiryInterval: mqtt.Some(uint32(100))})
	c.wantClose("DISCONNECT", bare)
	s.advance(50 * time.Second)
	c, k := s.connectFor("c", unclean, expiry(100))
	wantPresent(t, k, true)
	c.send(&mqtt.Disconnect{SessionExpiryInterval: mqtt.Some(uint32(0))})
	c, k = s.connectFor("c", unclean, with(mqtt.Will{Topic: "will"}))
	wantPresent(t, k, false)
	watch := s.connect("watch")
	watch.subscribe(0, "will")
	c.send(&mqtt.Disconnect{SessionExpiryInterval: mqtt.Some(uint32(5))})
	c.wantClose("raised from 0", mqtt.ProtocolError)
	watch.want("that was no DISCONNECT", arrived("will", "", 0, 0))
}

func expiryIsCapped(t testing.TB) {
	s := start(t, Config{Limits: Limits{MaximumSessionExpiry: 20}})
	c, k := s.connectFor("c", expiry(mqtt.SessionNeverExpires))
	if k.SessionExpiryInterval != mqtt.Some(uint32(20)) {
		t.Errorf("CONNACK says %+v", k.SessionExpiryInterval)
	}
	c.lose()
	old := s.connect("old", v311, unclean)
	old.lose()
	s.advance(20 * time.Second)
	if n := s.m.Stats().Sessions; n != 0 {
		t.Errorf("%d Sessions are left", n)
	}
}

func cleanStartDropsTheSession(t testing.TB) {
	s := start(t, Config{})
	c := s.connect("c", kept)
	c.subscribe(1, "a")
	c.lose()
	pub := s.connect("pub")
	pub.publish(text("a", "", 1))
	c, k := s.connectFor("c", expiry(100))
	wantPresent(t, k, false)
	pub.publish(text("a", "", 1))
	c.silence("nothing of the old Session")
	c.lose()
	_, k = s.connectFor("c", unclean)
	wantPresent(t, k, true)
}

func takeOver(t testing.TB) {
	s := start(t, Config{})
	first := s.connect("c", kept)
	first.subscribe(0, "a")
	second, k := s.connectFor("c", kept)
	wantPresent(t, k, true)
	first.wantClose("taken over", mqtt.SessionTakenOver)
	s.connect("pub").publish(text("a", "x", 0))
	second.want("the Session went over", arrived("a", "x", 0, 0))
	s.connect("c", v311)
	second.wantClose("taken over by another version", mqtt.SessionTakenOver)
}

func takeOverOfASessionThatEnds(t testing.TB) {
	s := start(t, Config{})
	first := s.connect("c", v311)
	_, k := s.connectFor("c", v311, unclean)
	first.wantClose("3.1.1 has no DISCONNECT from the Server", bare)
	wantPresent(t, k, false)
}

func oldVersionsKeepSessions(t testing.TB) {
	s := start(t, Config{})
	c, k := s.connectFor("c", v311, unclean)
	wantPresent(t, k, false)
	c.subscribe(1, "a")
	c.send(&mqtt.Disconnect{})
	c.wantClose("DISCONNECT", bare)
	s.connect("pub").publish(text("a", "x", 1))
	s.advance(10_000 * time.Hour)
	c, k = s.connectFor("c", v311, unclean)
	wantPresent(t, k, true)
	c.want("queued", arrived("a", "x", 1, 1))
	c.lose()
	_, k = s.connectFor("c", v31, unclean)
	wantPresent(t, k, false) // 3.1 has no such flag
	_, k = s.connectFor("c", v311)
	wantPresent(t, k, false)
}

func qos0Offline(t testing.TB) {
	for _, keep := range []bool{false, true} {
		s := start(t, Config{KeepQoS0Offline: keep})
		c := s.connect("c", kept)
		c.subscribe(0, "a")
		c.lose()
		s.connect("pub").publish(text("a", "x", 0))
		c = s.connect("c", kept)
		if keep {
			c.want("kept", arrived("a", "x", 0, 0))
		}
		c.silence("QoS 0 for a client that is away")
	}
}

func expiring(topic string, qos mqtt.QoS, id uint16, seconds uint32) *mqtt.Publish {
	p := arrived(topic, "x", qos, id)
	p.MessageExpiryInterval = mqtt.Some(seconds)
	return p
}

func expiryIsCountedDown(t testing.TB) {
	s := start(t, Config{})
	c, pub := s.connect("c", kept), s.connect("pub")
	c.subscribe(1, "a")
	pub.publish(*expiring("a", 0, 0, 100))
	c.want("at once", expiring("a", 0, 0, 100))
	c.lose()
	pub.publish(*expiring("a", 1, 0, 100))
	s.advance(30*time.Second + time.Millisecond)
	c = s.connect("c", kept)
	c.want("later", expiring("a", 1, 1, 70))
}

func expiredMessagesAreDropped(t testing.TB) {
	s := start(t, Config{})
	c, pub := s.connect("c", kept), s.connect("pub")
	c.subscribe(1, "a")
	c.lose()
	pub.publish(*expiring("a", 1, 0, 10))
	pub.publish(text("a", "stays", 1))
	s.advance(10 * time.Second)
	c = s.connect("c", kept)
	c.want("only what does not expire", arrived("a", "stays", 1, 1))
	c.silence("the other is gone")
}

func expiredButBegunIsSentAgain(t testing.TB) {
	s := start(t, Config{})
	c, pub := s.connect("c", kept), s.connect("pub")
	c.subscribe(2, "a")
	pub.publish(*expiring("a", 2, 0, 10))
	c.want("first", expiring("a", 2, 1, 10))
	c.lose()
	s.advance(time.Minute)
	c = s.connect("c", kept)
	c.want("again", again(expiring("a", 2, 1, 0)))
}

func queueIsInOrder(t testing.TB) {
	s := start(t, Config{Limits: Limits{MaximumInflight: 3}})
	c, pub := s.connect("c", kept), s.connect("pub")
	c.subscribe(1, "a")
	c.lose()
	const n = 100
	for i := range n {
		pub.publish(text("a", string(rune(i)), 1))
	}
	c = s.connect("c", kept)
	for i := range n {
		got := c.next("queued").(*mqtt.Publish)
		if string(got.Payload) != string(rune(i)) {
			t.Fatalf("message %d came in place of %d", []rune(string(got.Payload))[0], i)
		}
		c.send(&mqtt.Puback{PacketID: got.PacketID})
	}
	c.silence("all are sent")
}

func expiryChangesOnReconnect(t testing.TB) {
	s := start(t, Config{})
	s.connect("c", kept).lose()
	c, k := s.connectFor("c", unclean)
	wantPresent(t, k, true)
	c.lose()
	_, k = s.connectFor("c", unclean)
	wantPresent(t, k, false)
}
