package client

import (
	"testing"

	"mqttlab/reference-broker/mqtt"
)

func in(id uint16, qos mqtt.QoS) *mqtt.Publish {
	return &mqtt.Publish{Topic: "t", QoS: qos, PacketID: id}
}

func TestDeliverEveryQoS(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{}, mqtt.Connack{})
	s.receive(in(0, 0), in(1, 1), in(1, 1), in(1, 2))
	s.want("QoS 1 with an identifier used again is a new message", "deliver t", "deliver t", "send PUBACK 1", "deliver t", "send PUBACK 1",
		"deliver t", "send PUBREC 1")
	s.receive(in(1, 2), &mqtt.Pubrel{PacketID: 1}, &mqtt.Pubrel{PacketID: 1})
	s.want("QoS 2 is delivered once", "send PUBREC 1", "send PUBCOMP 1", "send PUBCOMP 1 92")
	s.receive(in(1, 2))
	s.want("new after PUBCOMP", "deliver t", "send PUBREC 1")
}

func TestIncomingAliases(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{TopicAliasMaximum: 2}, mqtt.Connack{})
	s.receive(&mqtt.Publish{Topic: "a", TopicAlias: 2}, &mqtt.Publish{TopicAlias: 2}, &mqtt.Publish{Topic: "b", TopicAlias: 2}, &mqtt.Publish{TopicAlias: 2})
	s.want("the alias stands for its latest topic", "deliver a", "deliver a", "deliver b", "deliver b")
}

func TestManualAcksLeaveInOrder(t *testing.T) {
	s := connected(t, Config{ManualAck: true}, mqtt.Connect{}, mqtt.Connack{})
	s.receive(in(1, 1), in(2, 2), in(3, 1), in(0, 0))
	s.want("nothing is acknowledged yet", "deliver t receipt 1", "deliver t receipt 2", "deliver t receipt 3", "deliver t")
	s.m.Ack(s.now, 3, mqtt.Success)
	s.m.Ack(s.now, 2, mqtt.NotAuthorized)
	s.want("they wait for the first")
	s.m.Ack(s.now, 1, mqtt.SessionTakenOver)
	s.m.Ack(s.now, 1, mqtt.Success)
	s.m.Ack(s.now, 77, mqtt.Success)
	s.want("in order of arrival, once, with codes that may be sent", "send PUBACK 1 83", "send PUBREC 2 87", "send PUBACK 3")
	s.receive(in(2, 2))
	s.want("a refused QoS 2 message is new again", "deliver t receipt 4")
}

func TestManualAckIn311HasNoCode(t *testing.T) {
	s := connected(t, Config{ManualAck: true}, mqtt.Connect{Version: mqtt.V311}, mqtt.Connack{})
	s.receive(in(5, 2))
	s.m.Ack(s.now, 1, mqtt.NotAuthorized)
	s.receive(in(5, 2))
	s.want("the exchange goes on", "deliver t receipt 1", "send PUBREC 5", "send PUBREC 5")
}

func TestReceiveMaximumBoundsWhatIsUnacknowledged(t *testing.T) {
	c := resumable
	c.ReceiveMaximum = 2
	s := connected(t, Config{ManualAck: true}, c, mqtt.Connack{})
	s.receive(in(1, 1), in(2, 2))
	s.m.Ack(s.now, 1, mqtt.Success)
	s.receive(in(3, 1))
	s.drain()
	s.receive(in(4, 1))
	s.want("a third", "send DISCONNECT 93", "close",
		"disconnected: server broke the protocol: more messages under way than the Receive Maximum allows (answered Receive Maximum exceeded (0x93))")
}

func TestManualQoS2OverTwoConnections(t *testing.T) {
	s := connected(t, Config{ManualAck: true}, resumable, mqtt.Connack{})
	s.receive(in(1, 2), in(2, 2), in(3, 1), in(4, 2))
	s.m.Lost(s.now, nil)
	s.m.Ack(s.now, 2, mqtt.Success)
	s.m.Ack(s.now, 3, mqtt.Success)
	s.drain()
	s.reconnect(resumable, mqtt.Connack{SessionPresent: true})
	s.receive(in(1, 2), in(2, 2), in(3, 1))
	s.want("QoS 2 is not delivered again, QoS 1 is", `send CONNECT "dev"`, "connected", "deliver t receipt 5")
	s.m.Ack(s.now, 1, mqtt.Success)
	s.want("both in order", "send PUBREC 1", "send PUBREC 2")
	s.m.Ack(s.now, 4, mqtt.Success)
	s.receive(in(4, 2))
	s.want("acknowledged before it came again; waits for receipt 5")
	s.m.Ack(s.now, 5, mqtt.Success)
	s.want("the rest", "send PUBACK 3", "send PUBREC 4")
	s.receive(&mqtt.Pubrel{PacketID: 1}, &mqtt.Pubrel{PacketID: 2}, &mqtt.Pubrel{PacketID: 4})
	s.want("released", "send PUBCOMP 1", "send PUBCOMP 2", "send PUBCOMP 4")
}

func TestReceiptsEndWithSession(t *testing.T) {
	s := connected(t, Config{ManualAck: true}, resumable, mqtt.Connack{})
	s.receive(in(1, 2))
	s.m.Lost(s.now, nil)
	s.drain()
	s.reconnect(resumable, mqtt.Connack{})
	s.m.Ack(s.now, 1, mqtt.Success)
	s.receive(in(1, 2))
	s.want("another message of another session", `send CONNECT "dev"`, "connected", "deliver t receipt 2")
}

func TestSubscribe(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{}, mqtt.Connack{})
	sub := &mqtt.Subscribe{Subscriptions: []mqtt.Subscription{{TopicFilter: "a"}, {TopicFilter: "b"}}}
	if err := s.m.Subscribe(s.now, 1, sub); err != nil {
		t.Fatal(err)
	}
	if err := s.m.Unsubscribe(s.now, 2, &mqtt.Unsubscribe{TopicFilters: []string{"c"}}); err != nil {
		t.Fatal(err)
	}
	s.receive(&mqtt.Unsuback{PacketID: 2, ReasonCodes: make([]mqtt.ReasonCode, 1)}, &mqtt.Suback{PacketID: 1, ReasonCodes: make([]mqtt.ReasonCode, 2)})
	s.want("answers in any order", "send SUBSCRIBE 1 a b", "send UNSUBSCRIBE 2 c", "done 2", "done 1")
	if err := s.m.Subscribe(s.now, 3, sub); err != nil {
		t.Fatal(err)
	}
	s.receive(&mqtt.Suback{PacketID: 3, ReasonCodes: make([]mqtt.ReasonCode, 1)})
	s.want("one code for two filters", "send SUBSCRIBE 3 a b", "send DISCONNECT 82", "close",
		"disconnected: server broke the protocol: SUBACK with another number of Reason Codes than topic filters were sent (answered Protocol Error (0x82))",
		"done 3: "+ErrConnectionLost.Error())
	if err := s.m.Subscribe(s.now, 4, sub); err != ErrNotConnected {
		t.Errorf("without a connection: %v", err)
	}
}

func TestReceiveMaximumDoesNotExistIn311(t *testing.T) {
	s := connected(t, Config{}, mqtt.Connect{Version: mqtt.V311, ReceiveMaximum: 1}, mqtt.Connack{})
	s.receive(in(1, 2), in(2, 2))
	s.want("the server was never told", "deliver t", "send PUBREC 1", "deliver t", "send PUBREC 2")
}
