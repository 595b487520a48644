package server

import (
	"testing"

	"mqttlab/reference-broker/mqtt"
)

func TestShared(t *testing.T) { converse(t, sharedConversations) }

var sharedConversations = []conversation{
	sharedInTurn, sharedGroupsAreIndependent, sharedLeaving, sharedRedelivery, sharedQoS2IsNotRedelivered, sharedPrefersReady,
	sharedRetained, sharedOldVersions, sharedTooLarge, sharedRefused,
}

// share connects n members of a group.
func share(s *tester, n int, qos mqtt.QoS, changes ...func(*mqtt.Connect)) []*peer {
	s.t.Helper()
	members := make([]*peer, n)
	for i := range members {
		members[i] = s.connect(string(rune('A'+i)), changes...)
		members[i].subscribeTo(uint32(i+1), mqtt.Subscription{TopicFilter: "$share/g/a/+", QoS: qos})
	}
	return members
}

func sharedInTurn(t testing.TB) {
	s := start(t, Config{})
	members := share(s, 3, 0)
	pub := s.connect("pub")
	for range 4 {
		for i, c := range members {
			pub.publish(text("a/b", "x", 1))
			c.want("its turn, its identifier, its QoS", identified(arrived("a/b", "x", 0, 0), uint32(i+1)))
		}
	}
	for _, c := range members {
		c.silence("one copy")
	}
}

func sharedGroupsAreIndependent(t testing.TB) {
	s := start(t, Config{})
	c := s.connect("c")
	c.subscribe(0, "$share/g/a", "$share/h/a", "$share/g/#", "a")
	s.connect("pub").publish(text("a", "", 0))
	for range 4 {
		c.want("one for each group and one for itself", arrived("a", "", 0, 0))
	}
	c.silence("no more")
}

func sharedLeaving(t testing.TB) {
	s := start(t, Config{})
	members := share(s, 2, 0)
	pub := s.connect("pub")
	members[0].send(&mqtt.Unsubscribe{PacketID: 1, TopicFilters: []string{"$share/g/a/+", "a/+"}})
	members[0].want("left", &mqtt.Unsuback{PacketID: 1, ReasonCodes: []mqtt.ReasonCode{0, mqtt.NoSubscriptionExisted}})
	for range 3 {
		pub.publish(text("a/b", "", 0))
		members[1].want("the one that is left", identified(arrived("a/b", "", 0, 0), 2))
	}
	members[1].lose()
	pub.publish(text("a/b", "", 0))
	if n := len(s.m.groups) + s.m.filters.Len(); n != 0 {
		t.Errorf("an empty group is left")
	}
}

func sharedRedelivery(t testing.TB) {
	s := start(t, Config{})
	members := share(s, 2, 1, func(c *mqtt.Connect) { c.ReceiveMaximum = 1 })
	pub := s.connect("pub")
	for _, x := range []string{"1", "2", "3", "4"} {
		pub.publish(text("a/b", x, 1))
	}
	members[0].want("first", identified(arrived("a/b", "1", 1, 1), 1))
	members[1].want("second", identified(arrived("a/b", "2", 1, 1), 2))
	members[0].lose()
	for i, x := range []string{"4", "1", "3"} {
		members[1].send(&mqtt.Puback{PacketID: uint16(i + 1)})
		members[1].want("what the other left behind too", identified(arrived("a/b", x, 1, uint16(i+2)), 2))
	}
	members[1].send(&mqtt.Puback{PacketID: 4})
	members[1].silence("that was all")
	members[1].lose()
	if n := s.m.Stats().Queued; n != 0 {
		t.Errorf("%d messages are queued for nobody", n)
	}
}

func sharedQoS2IsNotRedelivered(t testing.TB) {
	s := start(t, Config{})
	members := share(s, 2, 2)
	s.connect("pub").publish(text("a/b", "1", 2))
	members[0].want("first", identified(arrived("a/b", "1", 2, 1), 1))
	members[0].lose()
	members[1].silence("QoS 2 under way is nobody else's")
}

func sharedPrefersReady(t testing.TB) {
	s := start(t, Config{})
	members := share(s, 3, 1, kept, func(c *mqtt.Connect) { c.ReceiveMaximum = 1 })
	pub := s.connect("pub")
	members[0].lose()
	for _, x := range []string{"1", "2", "3"} {
		pub.publish(text("a/b", x, 1))
	}
	members[1].want("connected", identified(arrived("a/b", "1", 1, 1), 2))
	members[2].want("connected", identified(arrived("a/b", "2", 1, 1), 3))
	members[1].send(&mqtt.Puback{PacketID: 1})
	members[1].want("queued with who is connected", identified(arrived("a/b", "3", 1, 2), 2))
	members[1].lose()
	members[2].lose()
	pub.publish(text("a/b", "4", 1))
	for i := range members {
		members[i] = s.connect(string(rune('A'+i)), kept)
	}
	members[1].want("sent again to the same", again(identified(arrived("a/b", "3", 1, 2), 2)))
	members[2].want("sent again to the same", again(identified(arrived("a/b", "2", 1, 1), 3)), identified(arrived("a/b", "4", 1, 2), 3))
	members[0].silence("not its turn")
}

func sharedRetained(t testing.TB) {
	s := start(t, Config{})
	s.connect("pub").publish(*retainedText(arrived("a/b", "x", 0, 0)))
	share(s, 1, 0)[0].silence("no retained messages")
}

func sharedOldVersions(t testing.TB) {
	for _, on := range []bool{false, true} {
		s := start(t, Config{Shared311: on})
		c := s.connect("c", v311)
		c.subscribe(0, "$share/g/a")
		s.connect("pub").publish(text("a", "", 0))
		if on {
			c.want("Shared311", arrived("a", "", 0, 0))
		}
		c.silence("a filter like any other")
	}
}

func sharedTooLarge(t testing.TB) {
	s := start(t, Config{})
	small := s.connect("small", func(c *mqtt.Connect) { c.MaximumPacketSize = 30 })
	small.subscribe(0, "$share/g/a")
	large := s.connect("large")
	large.subscribe(0, "$share/g/a")
	pub := s.connect("pub")
	p := mqtt.Publish{Topic: "a", Payload: make([]byte, 100)}
	for range 3 {
		pub.publish(p)
		large.want("given to who can take it", &p)
	}
	small.silence("too large")
}

func sharedRefused(t testing.TB) {
	s := start(t, Config{})
	members := share(s, 2, 2)
	pub := s.connect("pub")
	pub.publish(text("a/b", "", 1))
	pub.publish(text("a/b", "", 2))
	members[0].inbox, members[1].inbox = nil, nil
	members[0].send(&mqtt.Puback{PacketID: 1, ReasonCode: mqtt.QuotaExceeded})
	members[1].send(&mqtt.Pubrec{PacketID: 1, ReasonCode: mqtt.UnspecifiedError})
	members[0].silence("a refused message ends there")
	members[1].silence("a refused message ends there")
}
