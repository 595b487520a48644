package client

import (
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

// TestRestoredMessagesGoOn restores one message of each kind: PUBRELs come first, then what was sent, with DUP, then what waited, if it has not expired.
func TestRestoredMessagesGoOn(t *testing.T) {
	s := newTester(t, Config{})
	message := func(topic string, qos mqtt.QoS) *mqtt.Publish { return &mqtt.Publish{Topic: topic, QoS: qos} }
	late, soon := message("late", 1), message("soon", 1)
	late.MessageExpiryInterval, soon.MessageExpiryInterval = mqtt.Some[uint32](10), mqtt.Some[uint32](100)
	taken := s.now.Add(-60 * time.Second)
	err := s.m.Restore(s.now, []Kept{
		{Publish: message("released", 2), Token: 3, Taken: taken, PacketID: 5, Released: true},
		{Publish: message("sent", 2), Token: 1, Taken: taken, PacketID: 9},
		{Publish: message("sent too", 1), Token: 2, Taken: taken, PacketID: 2},
		{Publish: late, Token: 4, Taken: taken},
		{Publish: soon, Token: 5, Taken: taken},
	}, []uint16{7})
	if err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(time.Hour / 2) // the Server decides whether the Session has expired
	soon.MessageExpiryInterval.Value += 1800
	s.reconnect(resumable, mqtt.Connack{SessionPresent: true})
	s.want(
		"the Session goes on", `send CONNECT "dev"`, "connected", "send PUBREL 5", `send PUBLISH "sent" 9 dup`, `send PUBLISH "sent too" 2 dup`,
		"done 4: message expired before it could be sent", `send PUBLISH "soon" 10 expires 40`,
	)
	s.receive(&mqtt.Publish{Topic: "in", QoS: 2, PacketID: 7, Dup: true}, &mqtt.Pubrel{PacketID: 7}, &mqtt.Pubcomp{PacketID: 5})
	s.want("it was delivered by the process before", "send PUBREC 7", "send PUBCOMP 7", "done 3")
}

func TestRestoreRefusesOneIdentifierForTwo(t *testing.T) {
	s := newTester(t, Config{})
	two := []Kept{{Publish: &mqtt.Publish{Topic: "a", QoS: 1}, PacketID: 1}, {Publish: &mqtt.Publish{Topic: "b", QoS: 1}, PacketID: 1}}
	if err := s.m.Restore(s.now, two, nil); err == nil {
		t.Error("restored")
	}
}
