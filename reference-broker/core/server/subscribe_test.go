package server

import (
	"fmt"
	"testing"

	"mqttlab/reference-broker/mqtt"
)

func TestSubscribe(t *testing.T) { converse(t, subscribeConversations) }

var subscribeConversations = []conversation{
	overlapping, overlappingSeparately, noLocal, resubscribeReplaces, unsubscribing, matching, brokenSubscribes, unavailableFeatures,
	manySubscriptions, propertiesArriveUnchanged, noSubscribers, brokenPublishes, severalFilters, subscribing31,
}

func identified(p *mqtt.Publish, ids ...uint32) *mqtt.Publish {
	p.SubscriptionIdentifiers = ids
	return p
}

// overlap makes three Subscriptions that match a/b.
func overlap(c *peer) {
	c.subscribeTo(1, mqtt.Subscription{TopicFilter: "a/b", QoS: 0})
	c.subscribeTo(2, mqtt.Subscription{TopicFilter: "a/#", QoS: 2})
	c.subscribeTo(0, mqtt.Subscription{TopicFilter: "#", QoS: 1})
	c.subscribeTo(2, mqtt.Subscription{TopicFilter: "a/+", QoS: 1})
}

func overlapping(t testing.TB) {
	s := start(t, Config{})
	c, pub := s.connect("c", kept), s.connect("pub")
	overlap(c)
	c.subscribeTo(5, mqtt.Subscription{TopicFilter: "z/+", QoS: 1}, mqtt.Subscription{TopicFilter: "z/z", QoS: 1},
		mqtt.Subscription{TopicFilter: "z/z/#", QoS: 1})
	pub.publish(text("a/b", "x", 2))
	c.want("one copy, the highest QoS, all identifiers", identified(arrived("a/b", "x", 2, 1), 2, 2, 1))
	c.silence("one copy")
	c.lose()
	pub.publish(text("a/b", "y", 1))
	pub.publish(text("z/z", "z", 1)) // must not overwrite the identifiers of the one before
	c = s.connect("c", kept)
	c.want("the same through the queue", again(identified(arrived("a/b", "x", 2, 1), 2, 2, 1)), identified(arrived("a/b", "y", 1, 2), 2, 2, 1),
		identified(arrived("z/z", "z", 1, 3), 5, 5, 5))
}

func overlappingSeparately(t testing.TB) {
	s := start(t, Config{SeparateCopies: true})
	c := s.connect("c")
	overlap(c)
	s.connect("pub").publish(text("a/b", "x", 2))
	c.want("one copy each", arrived("a/b", "x", 1, 1), identified(arrived("a/b", "x", 2, 2), 2), identified(arrived("a/b", "x", 1, 3), 2),
		identified(arrived("a/b", "x", 0, 0), 1))
	c.silence("no more")
}

func noLocal(t testing.TB) {
	s := start(t, Config{})
	c := s.connect("c")
	c.subscribeTo(0, mqtt.Subscription{TopicFilter: "a", NoLocal: true})
	c.publish(text("a", "own", 0))
	c.silence("its own message")
	s.connect("d").publish(text("a", "other", 0))
	c.want("another's", arrived("a", "other", 0, 0))
	c.subscribeTo(0, mqtt.Subscription{TopicFilter: "a"})
	c.publish(text("a", "own", 0))
	c.want("No Local 0", arrived("a", "own", 0, 0))
}

func resubscribeReplaces(t testing.TB) {
	s := start(t, Config{})
	c, pub := s.connect("c"), s.connect("pub")
	c.subscribeTo(1, mqtt.Subscription{TopicFilter: "a", QoS: 2})
	c.subscribeTo(2, mqtt.Subscription{TopicFilter: "a", QoS: 0})
	pub.publish(text("a", "x", 2))
	c.want("new QoS, new identifier", identified(arrived("a", "x", 0, 0), 2))
	c.silence("one Subscription")
	c.subscribe(0, "a")
	pub.publish(text("a", "x", 2))
	c.want("no identifier", arrived("a", "x", 0, 0))
	if n := s.m.Stats().Subscriptions; n != 1 {
		t.Errorf("%d Subscriptions", n)
	}
}

func unsubscribing(t testing.TB) {
	s := start(t, Config{})
	c, pub := s.connect("c"), s.connect("pub")
	c.subscribe(1, "a", "b", "#")
	pub.publish(text("a", "under way", 1))
	c.send(&mqtt.Unsubscribe{PacketID: 5, TopicFilters: []string{"#", "a", "a", "+"}})
	c.want("the message", arrived("a", "under way", 1, 1))
	c.want("UNSUBACK", &mqtt.Unsuback{PacketID: 5, ReasonCodes: []mqtt.ReasonCode{
		mqtt.Success, mqtt.Success, mqtt.NoSubscriptionExisted, mqtt.NoSubscriptionExisted,
	}})
	pub.publish(text("a", "", 1))
	pub.publish(text("b", "", 0))
	c.want("only identical filters are removed", arrived("b", "", 0, 0))
	c.send(&mqtt.Puback{PacketID: 1})
	c.silence("the exchange ended")
}

func matching(t testing.TB) {
	s := start(t, Config{DollarTopics: true})
	c, pub := s.connect("c"), s.connect("pub")
	for filter, topics := range map[string][2][]string{
		"a/#":  {{"a", "a/b", "a/b/c"}, {"ab"}},
		"a/+":  {{"a/b", "a/"}, {"a", "a/b/c"}},
		"#":    {{"a", "/"}, {"$x", "$x/y"}},
		"+/y":  {{"a/y"}, {"$x/y"}},
		"$x/#": {{"$x", "$x/y"}, {"x"}},
	} {
		c.subscribe(0, filter)
		for _, topic := range topics[0] {
			pub.publish(text(topic, "", 0))
			c.want(filter+" matches "+topic, arrived(topic, "", 0, 0))
		}
		for _, topic := range topics[1] {
			pub.publish(text(topic, "", 0))
			c.silence(filter + " does not match " + topic)
		}
		c.send(&mqtt.Unsubscribe{PacketID: 1, TopicFilters: []string{filter}})
		c.next("UNSUBACK")
	}
}

func brokenSubscribes(t testing.TB) {
	sub := func(x mqtt.Subscription) *mqtt.Subscribe {
		return &mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "ok"}, x}}
	}
	for _, c := range []struct {
		p    mqtt.Packet
		code mqtt.ReasonCode
	}{
		{&mqtt.Subscribe{PacketID: 1}, mqtt.ProtocolError},
		{&mqtt.Subscribe{Subscriptions: []mqtt.Subscription{{TopicFilter: "a"}}}, mqtt.ProtocolError},
		{sub(mqtt.Subscription{TopicFilter: ""}), mqtt.TopicFilterInvalid},
		{sub(mqtt.Subscription{TopicFilter: "a#"}), mqtt.TopicFilterInvalid},
		{sub(mqtt.Subscription{TopicFilter: "a+/b"}), mqtt.TopicFilterInvalid},
		{sub(mqtt.Subscription{TopicFilter: "$share//a"}), mqtt.TopicFilterInvalid},
		{sub(mqtt.Subscription{TopicFilter: "$share/g+/a"}), mqtt.TopicFilterInvalid},
		{sub(mqtt.Subscription{TopicFilter: "a", QoS: 3}), mqtt.ProtocolError},
		{sub(mqtt.Subscription{TopicFilter: "a", RetainHandling: 3}), mqtt.ProtocolError},
		{sub(mqtt.Subscription{TopicFilter: "$share/g/a", NoLocal: true}), mqtt.ProtocolError},
		{&mqtt.Unsubscribe{PacketID: 1}, mqtt.ProtocolError},
		{&mqtt.Unsubscribe{TopicFilters: []string{"a"}}, mqtt.ProtocolError},
		{&mqtt.Unsubscribe{PacketID: 1, TopicFilters: []string{"ok", "#/a"}}, mqtt.TopicFilterInvalid},
	} {
		s := start(t, Config{})
		p := s.connect("c")
		p.send(c.p)
		p.wantClose(show(c.p), c.code)
		if n := s.m.Stats().Subscriptions; n != 0 {
			t.Errorf("%s left a Subscription", show(c.p))
		}
	}
}

func unavailableFeatures(t testing.TB) {
	cfg := Config{
		NoWildcardSubscriptions: true, NoSharedSubscriptions: true, NoSubscriptionIdentifiers: true, MaximumQoS: mqtt.Some(mqtt.AtLeastOnce), NoRetain: true,
	}
	one := func(filter string) []mqtt.Subscription { return []mqtt.Subscription{{TopicFilter: filter, QoS: 2}} }
	for _, c := range []struct {
		p    mqtt.Packet
		code mqtt.ReasonCode
	}{
		{&mqtt.Subscribe{PacketID: 1, Subscriptions: one("a/#")}, mqtt.WildcardSubscriptionsNotSupported},
		{&mqtt.Subscribe{PacketID: 1, Subscriptions: one("$share/g/a")}, mqtt.SharedSubscriptionsNotSupported},
		{&mqtt.Subscribe{PacketID: 1, Subscriptions: one("a"), SubscriptionIdentifier: 1}, mqtt.SubscriptionIdentifiersNotSupported},
		{&mqtt.Publish{Topic: "a", QoS: 2, PacketID: 1}, mqtt.QoSNotSupported},
		{&mqtt.Publish{Topic: "a", Retain: true}, mqtt.RetainNotSupported},
	} {
		s := start(t, cfg)
		p := s.connect("c")
		p.send(c.p)
		p.wantClose(show(c.p), c.code)
	}
	s := start(t, cfg)
	c, old := s.connect("c"), s.connect("old", v311)
	c.send(&mqtt.Subscribe{PacketID: 1, Subscriptions: one("a")})
	c.want("granted less", &mqtt.Suback{PacketID: 1, ReasonCodes: []mqtt.ReasonCode{mqtt.GrantedQoS1}})
	old.send(&mqtt.Subscribe{PacketID: 1, Subscriptions: append(one("a/#"), one("a")...)})
	old.want("refused in SUBACK", &mqtt.Suback{PacketID: 1, ReasonCodes: []mqtt.ReasonCode{0x80, 1}})
}

func manySubscriptions(t testing.TB) {
	for _, l := range []Limits{{Subscriptions: 40}, {TotalSubscriptions: 40}} {
		subscribeUpTo40(start(t, Config{Limits: l}))
	}
}

func subscribeUpTo40(s *tester) {
	s.t.Helper()
	c, pub := s.connect("c"), s.connect("pub")
	for i := range 40 {
		c.subscribe(0, fmt.Sprint("t", i))
	}
	c.send(&mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "one more"}, {TopicFilter: "t7"}}})
	c.want("the limit", &mqtt.Suback{PacketID: 1, ReasonCodes: []mqtt.ReasonCode{mqtt.QuotaExceeded, 0}})
	for i := 0; i < 40; i += 2 {
		c.send(&mqtt.Unsubscribe{PacketID: 1, TopicFilters: []string{fmt.Sprint("t", i)}})
		c.want("removed", &mqtt.Unsuback{PacketID: 1, ReasonCodes: []mqtt.ReasonCode{0}})
	}
	for i := range 40 {
		topic := fmt.Sprint("t", i)
		pub.publish(text(topic, "", 0))
		if i%2 == 1 {
			c.want("still there", arrived(topic, "", 0, 0))
		}
		c.silence("no more")
	}
}

func propertiesArriveUnchanged(t testing.TB) {
	s := start(t, Config{})
	c := s.connect("c", kept)
	c.subscribe(1, "a")
	p := &mqtt.Publish{
		Topic: "a", Payload: []byte("x"), PayloadFormat: mqtt.Some(byte(1)), ContentType: mqtt.Some(""), ResponseTopic: "r",
		CorrelationData: []byte{0, 1}, UserProperties: []mqtt.UserProperty{{Name: "b", Value: "2"}, {Name: "a", Value: "1"}, {Name: "b", Value: "2"}},
	}
	pub := s.connect("pub")
	pub.publish(*p)
	c.want("live", p)
	c.lose()
	p.QoS, p.PacketID, p.CorrelationData = 1, 1, []byte{}
	pub.send(p)
	c = s.connect("c", kept)
	got := c.next("queued").(*mqtt.Publish)
	if got.CorrelationData == nil {
		t.Error("empty Correlation Data got lost")
	}
	c.inbox = append(c.inbox, got)
	c.want("queued", p)
}

func noSubscribers(t testing.TB) {
	for hide, code := range map[bool]mqtt.ReasonCode{false: mqtt.NoMatchingSubscribers, true: mqtt.Success} {
		s := start(t, Config{HideNoSubscribers: hide})
		c := s.connect("c")
		c.send(arrived("a", "", 1, 1), arrived("a", "", 2, 2))
		c.want("nobody", &mqtt.Puback{PacketID: 1, ReasonCode: code}, &mqtt.Pubrec{PacketID: 2, ReasonCode: code})
		c.subscribe(0, "b")
		c.send(arrived("b", "", 1, 1))
		c.want("state first, acknowledgement then", arrived("b", "", 0, 0), &mqtt.Puback{PacketID: 1})
	}
}

func brokenPublishes(t testing.TB) {
	for _, c := range []struct {
		p    *mqtt.Publish
		code mqtt.ReasonCode
	}{
		{&mqtt.Publish{Topic: "a/+"}, mqtt.TopicNameInvalid},
		{&mqtt.Publish{Topic: "#"}, mqtt.TopicNameInvalid},
		{&mqtt.Publish{Topic: "a", QoS: 3, PacketID: 1}, mqtt.MalformedPacket},
		{&mqtt.Publish{Topic: "a", QoS: 1}, mqtt.ProtocolError},
		{&mqtt.Publish{Topic: "a", ResponseTopic: "a/#"}, mqtt.ProtocolError},
		{&mqtt.Publish{Topic: "a", SubscriptionIdentifiers: []uint32{1}}, mqtt.ProtocolError},
		{&mqtt.Publish{Topic: "a", PayloadFormat: mqtt.Some(byte(2))}, mqtt.ProtocolError},
	} {
		s := start(t, Config{})
		w := s.connect("w")
		w.subscribe(0, "#")
		p := s.connect("c")
		p.send(c.p)
		p.wantClose(show(c.p), c.code)
		w.silence("not delivered")
	}
}

func severalFilters(t testing.TB) {
	s := start(t, Config{})
	s.connect("pub").publish(*retainedText(arrived("r", "x", 0, 0)))
	c := s.connect("c")
	c.send(&mqtt.Subscribe{PacketID: 3, Subscriptions: []mqtt.Subscription{{TopicFilter: "r", QoS: 1}, {TopicFilter: "b", QoS: 2}, {TopicFilter: "c"}}})
	c.want("SUBACK in order, then what it brings", &mqtt.Suback{PacketID: 3, ReasonCodes: []mqtt.ReasonCode{1, 2, 0}}, retainedText(arrived("r", "x", 0, 0)))
}

func subscribing31(t testing.TB) {
	s := start(t, Config{Authorize: func(a Access) bool { return a.Kind != SubscribeTo || a.Topic != "secret" }})
	c := s.connect("c", v31)
	c.send(&mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "secret", QoS: 1}}})
	c.want("MQTT 3.1 has no failure in SUBACK", &mqtt.Suback{PacketID: 1, ReasonCodes: []mqtt.ReasonCode{1}})
	s.connect("pub").publish(text("secret", "", 0))
	c.silence("nothing comes")
}
