package server_test

import (
	"fmt"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

// A Server with two clients, without a network: the owner hands packets in and carries out what Drain tells it.
func Example() {
	m := server.New(server.Config{})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	drain := func() {
		m.Drain(func(a *server.Action) {
			switch a.Kind {
			case server.SendPacket:
				fmt.Printf("to %d: %v\n", a.Conn, a.Packet.Type())
			case server.SendAck:
				fmt.Printf("to %d: %v %d\n", a.Conn, a.AckType, a.Ack.PacketID)
			case server.SendPublish:
				fmt.Printf("to %d: PUBLISH %s %s\n", a.Conn, a.Publish.Topic, a.Publish.Payload)
			case server.Close:
				fmt.Printf("close %d\n", a.Conn)
			}
		})
	}
	for id := server.ConnID(1); id <= 2; id++ {
		m.Open(now, id, server.Transport{})
		m.Receive(now, id, &mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: fmt.Sprint("client ", id), KeepAlive: 60})
	}
	m.Receive(now, 1, &mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "sensor/#"}}})
	m.Receive(now, 2, &mqtt.Publish{Topic: "sensor/7", Payload: []byte("20.5"), QoS: mqtt.AtLeastOnce, PacketID: 1})
	drain()

	// Nobody says anything any more: Keep Alive runs out.
	at, _ := m.Deadline()
	fmt.Println("next deadline after", at.Sub(now))
	m.Advance(at)
	drain()
	// Output:
	// to 1: CONNACK
	// to 2: CONNACK
	// to 1: SUBACK
	// to 1: PUBLISH sensor/7 20.5
	// to 2: PUBACK 1
	// next deadline after 1m30s
	// to 1: DISCONNECT
	// close 1
	// to 2: DISCONNECT
	// close 2
}
