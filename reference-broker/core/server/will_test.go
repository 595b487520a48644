package server

import (
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

func TestWill(t *testing.T) { converse(t, willConversations) }

var willConversations = []conversation{
	willIsPublished, willIsNotPublished, willIsDelayed, willDelayEndsWithTheSession, willIsCancelled, willAtTakeOver, willIsRetained,
	willHasItsProperties, silentClientIsClosed, keepAliveOfTheServer,
}

// watcher subscribes to all wills.
func watcher(s *tester) *peer {
	s.t.Helper()
	w := s.connect("watcher")
	w.subscribe(2, "will/#")
	return w
}

func willIsPublished(t testing.TB) {
	for name, end := range map[string]func(*peer){
		"lost":               (*peer).lose,
		"0x04":               func(p *peer) { p.send(&mqtt.Disconnect{ReasonCode: mqtt.DisconnectWithWill}) },
		"protocol error":     func(p *peer) { p.send(&mqtt.Connect{Version: mqtt.V5}) },
		"malformed":          func(p *peer) { p.m.Malformed(p.now, p.id, mqtt.MalformedPacket); p.drain() },
		"by the Server":      func(p *peer) { p.m.Disconnect(p.now, p.id, mqtt.ServerShuttingDown, ""); p.drain() },
		"reason of a Server": func(p *peer) { p.send(&mqtt.Disconnect{ReasonCode: mqtt.ServerBusy}) },
	} {
		s := start(t, Config{})
		w := watcher(s)
		end(s.connect("c", with(mqtt.Will{Topic: "will/c", Payload: []byte(name), QoS: 1})))
		w.want(name, arrived("will/c", name, 1, 1))
		w.silence("once")
	}
}

func willIsNotPublished(t testing.TB) {
	for _, v := range []func(*mqtt.Connect){v31, v311, kept} {
		s := start(t, Config{})
		w := watcher(s)
		c := s.connect("c", v, with(mqtt.Will{Topic: "will/c"}))
		c.send(&mqtt.Disconnect{})
		c.wantClose("DISCONNECT", bare)
		s.connect("c", v).lose()
		s.advance(2 * time.Hour)
		w.silence("after DISCONNECT, and after a connection without a Will")
	}
}

func willIsDelayed(t testing.TB) {
	s := start(t, Config{})
	w := watcher(s)
	s.connect("c", kept, with(mqtt.Will{Topic: "will/c", DelayInterval: 10})).lose()
	s.advance(10*time.Second - time.Nanosecond)
	w.silence("before the delay")
	s.advance(time.Nanosecond)
	w.want("after it", arrived("will/c", "", 0, 0))
	_, k := s.connectFor("c", kept)
	wantPresent(t, k, true)
	s.advance(2 * time.Hour)
	w.silence("once")
}

func willDelayEndsWithTheSession(t testing.TB) {
	s := start(t, Config{})
	w := watcher(s)
	s.connect("c", expiry(5), with(mqtt.Will{Topic: "will/c", DelayInterval: 10})).lose()
	s.advance(5 * time.Second)
	w.want("at the end of the Session", arrived("will/c", "", 0, 0))
	s.connect("d", with(mqtt.Will{Topic: "will/d", DelayInterval: 10})).lose()
	w.want("at once: the Session ends with its connection", arrived("will/d", "", 0, 0))
	s.connect("e", kept, with(mqtt.Will{Topic: "will/e", DelayInterval: 10})).lose()
	s.connect("e")
	w.want("Clean Start ends the Session", arrived("will/e", "", 0, 0))
	s.advance(time.Minute)
	w.silence("once each")
}

func willIsCancelled(t testing.TB) {
	s := start(t, Config{})
	w := watcher(s)
	s.connect("c", kept, with(mqtt.Will{Topic: "will/c", DelayInterval: 10})).lose()
	s.advance(9 * time.Second)
	s.connect("c", kept)
	s.advance(time.Minute)
	w.silence("the client came back in time")
	if n := len(s.m.sessions); n != 2 {
		t.Errorf("%d Sessions", n)
	}
}

func willAtTakeOver(t testing.TB) {
	for _, c := range []struct {
		delay     uint32
		clean     bool
		published bool
	}{{0, false, true}, {0, true, true}, {10, true, true}, {10, false, false}} {
		s := start(t, Config{})
		w := watcher(s)
		s.connect("c", kept, with(mqtt.Will{Topic: "will/c", DelayInterval: c.delay}))
		s.connect("c", kept, func(p *mqtt.Connect) { p.CleanStart = c.clean })
		if c.published {
			w.want("take-over", arrived("will/c", "", 0, 0))
		}
		s.advance(time.Minute)
		w.silence("no more")
	}
}

func willIsRetained(t testing.TB) {
	s := start(t, Config{})
	s.connect("c", with(mqtt.Will{Topic: "will/kept", Payload: []byte("x"), Retain: true})).lose()
	s.connect("d", with(mqtt.Will{Topic: "will/not", Payload: []byte("x")})).lose()
	w := s.connect("w")
	w.subscribe(0, "will/#")
	w.want("the retained one", retainedText(arrived("will/kept", "x", 0, 0)))
	w.silence("the other is not retained")
}

func willHasItsProperties(t testing.TB) {
	s := start(t, Config{})
	w := watcher(s)
	users := []mqtt.UserProperty{{Name: "b", Value: "1"}, {Name: "a", Value: "2"}, {Name: "b", Value: "1"}}
	s.connect("c", expiry(60), with(mqtt.Will{
		Topic: "will/c", Payload: []byte("x"), QoS: 2, DelayInterval: 5, PayloadFormat: mqtt.Some(byte(1)), MessageExpiryInterval: mqtt.Some(uint32(30)),
		ContentType: mqtt.Some("text"), ResponseTopic: "r", CorrelationData: []byte{}, UserProperties: users,
	})).lose()
	s.advance(5 * time.Second)
	w.want("all of them, the expiry counted from publication", &mqtt.Publish{
		Topic: "will/c", Payload: []byte("x"), QoS: 2, PacketID: 1, PayloadFormat: mqtt.Some(byte(1)), MessageExpiryInterval: mqtt.Some(uint32(30)),
		ContentType: mqtt.Some("text"), ResponseTopic: "r", CorrelationData: []byte{}, UserProperties: users,
	})
}

func keepAlive(seconds uint16) func(*mqtt.Connect) {
	return func(c *mqtt.Connect) { c.KeepAlive = seconds }
}

func silentClientIsClosed(t testing.TB) {
	s := start(t, Config{})
	w := watcher(s)
	forever := s.connect("forever")
	c, old := s.connect("c", keepAlive(10), with(mqtt.Will{Topic: "will/c"})), s.connect("old", v311, keepAlive(10))
	for range 10 {
		s.advance(14 * time.Second)
		c.send(&mqtt.Pingreq{})
		c.want("alive", &mqtt.Pingresp{})
		old.send(&mqtt.Pingreq{})
		old.want("alive", &mqtt.Pingresp{})
	}
	s.advance(15*time.Second - time.Nanosecond)
	c.silence("not yet")
	s.advance(time.Nanosecond)
	c.wantClose("silent for one and a half times Keep Alive", mqtt.KeepAliveTimeout)
	old.wantClose("no DISCONNECT in 3.1.1", bare)
	w.want("its Will", arrived("will/c", "", 0, 0))
	s.advance(1000 * time.Hour)
	forever.silence("Keep Alive 0")
}

func keepAliveOfTheServer(t testing.TB) {
	s := start(t, Config{ServerKeepAlive: mqtt.Some(uint16(4))})
	c, k := s.connectFor("c", keepAlive(100))
	if k.ServerKeepAlive != mqtt.Some(uint16(4)) {
		t.Errorf("CONNACK says %+v", k.ServerKeepAlive)
	}
	old := s.connect("old", v311, keepAlive(100))
	s.advance(6 * time.Second)
	c.wantClose("the Server's value holds", mqtt.KeepAliveTimeout)
	old.silence("3.1.1 can't be told of it")
}
