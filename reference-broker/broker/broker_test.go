package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

func TestMessagesFlow(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
		for qos := mqtt.AtMostOnce; qos <= mqtt.ExactlyOnce; qos++ {
			t.Run(fmt.Sprintf("%s QoS %d", v, qos), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := start(t, Config{})
					sub, pub := join(t, b, v, "sub"), join(t, b, v, "pub")
					sub.subscribe("a/+", qos)
					pub.send(&mqtt.Publish{Topic: "a/b", Payload: []byte("hello"), QoS: qos, PacketID: 7 * uint16(qos)})
					switch qos {
					case mqtt.AtLeastOnce:
						pub.wantPacket(&mqtt.Puback{PacketID: 7}, "QoS 1 is acknowledged")
					case mqtt.ExactlyOnce:
						pub.wantPacket(&mqtt.Pubrec{PacketID: 14}, "QoS 2 is received")
						pub.send(&mqtt.Pubrel{PacketID: 14})
						pub.wantPacket(&mqtt.Pubcomp{PacketID: 14}, "QoS 2 is complete")
					}
					m := want[*mqtt.Publish](sub, "the message arrives")
					if m.Topic != "a/b" || string(m.Payload) != "hello" || m.QoS != qos {
						t.Errorf("got %+v", m)
					}
				})
			})
		}
	}
}

func TestPacketsInAnyPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Config{})
		p := pipe(t, b, mqtt.V311)
		var all []byte
		payload := bytes.Repeat([]byte("x"), 3*deskBuffer) // does not fit the first buffer
		for _, m := range []mqtt.Packet{
			&mqtt.Connect{Version: mqtt.V311, ClientID: "c", CleanStart: true},
			&mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "t"}}},
			&mqtt.Publish{Topic: "t", Payload: payload},
			&mqtt.Pingreq{},
		} {
			all, _ = wire.Append(all, mqtt.V311, m)
		}
		for len(all) > 0 {
			n := min(len(all), 1+len(all)%977)
			p.write(all[:n])
			all = all[n:]
			synctest.Wait()
		}
		want[*mqtt.Connack](p, "CONNECT in pieces")
		want[*mqtt.Suback](p, "SUBSCRIBE in pieces")
		if m := want[*mqtt.Publish](p, "large PUBLISH"); !bytes.Equal(m.Payload, payload) {
			t.Errorf("payload of %d bytes came back as %d", len(payload), len(m.Payload))
		}
		want[*mqtt.Pingresp](p, "packet behind a large one")
	})
}

// What follows CONNECT in the same read is under the limits of a client, not of a stranger.
func TestLargePacketBehindConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Config{})
		p := pipe(t, b, mqtt.V311)
		all, _ := wire.Append(nil, mqtt.V311, &mqtt.Connect{Version: mqtt.V311, ClientID: "c", CleanStart: true})
		all, _ = wire.Append(all, mqtt.V311, &mqtt.Publish{Topic: "t", Payload: make([]byte, 2*largestConnect), QoS: 1, PacketID: 1})
		go p.nc.Write(all)
		want[*mqtt.Connack](p, "CONNECT")
		want[*mqtt.Puback](p, "PUBLISH of 1 MiB")
	})
}

func TestStrangersCannotAnnounceMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pipe(t, start(t, Config{}), mqtt.V311)
		p.write([]byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F})
		p.wantClose("a CONNECT of 256 MiB is refused from its fixed header")
	})
}

func TestMistakesAreToldAndEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Config{})
		p := join(t, b, mqtt.V5, "c")
		p.write([]byte{0x00, 0x00})
		if d := want[*mqtt.Disconnect](p, "5.0 is told why"); d.ReasonCode != mqtt.MalformedPacket {
			t.Errorf("DISCONNECT %s", d.ReasonCode)
		}
		p.wantClose("after DISCONNECT")

		p = join(t, b, mqtt.V311, "c")
		p.write([]byte{0x00, 0x00})
		p.wantClose("3.1.1 has no words for it")

		p = pipe(t, b, mqtt.V311)
		p.write([]byte("\x10\x0C\x00\x04MQTT\x7F\x02\x00\x00\x00\x00"))
		p.wantPacket(&mqtt.Connack{ReasonCode: mqtt.UnsupportedProtocolVersion}, "unknown version is answered in the layout of 3.1.1")
		p.wantClose("unknown version")

		p = pipe(t, b, mqtt.V5)
		p.write([]byte("\x10\x0D\x00\x04MQTT\x05\x01\x00\x00\x00\x00\x00"))
		if a := want[*mqtt.Connack](p, "malformed CONNECT of 5.0"); a.ReasonCode != mqtt.MalformedPacket {
			t.Errorf("CONNACK %s", a.ReasonCode)
		}
		p.wantClose("malformed CONNECT")

		p = pipe(t, b, mqtt.V311)
		p.write([]byte("\x10\x0C\x00\x04MQTT\x04\x01\x00\x00\x00\x00"))
		p.wantClose("malformed CONNECT of 3.1.1 gets no CONNACK")
	})
}

func TestClockRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Config{})
		began := time.Now()
		silent := pipe(t, b, mqtt.V311)
		_, err := silent.nc.Read(make([]byte, 1))
		if took := time.Since(began); err == nil || took != 10*time.Second {
			t.Errorf("a connection without CONNECT ended after %v (%v), want 10 s", took, err)
		}
		began = time.Now()
		p := pipe(t, b, mqtt.V311)
		p.send(&mqtt.Connect{Version: mqtt.V311, ClientID: "c", CleanStart: true, KeepAlive: 4})
		want[*mqtt.Connack](p, "CONNECT")
		p.wantClose("Keep Alive is over")
		if took := time.Since(began); took < 6*time.Second || took > 7*time.Second {
			t.Errorf("Keep Alive of 4 s ended after %v", took)
		}
	})
}

func TestCloseSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Config{})
		five, three := join(t, b, mqtt.V5, "five"), join(t, b, mqtt.V311, "three")
		closed := make(chan error)
		go func() { closed <- b.Close(context.Background()) }()
		if d := want[*mqtt.Disconnect](five, "5.0 is told"); d.ReasonCode != mqtt.ServerShuttingDown {
			t.Errorf("DISCONNECT %s", d.ReasonCode)
		}
		five.wantClose("broker closed")
		three.wantClose("broker closed")
		five.nc.Close()
		three.nc.Close()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if _, err := b.Pipe(); !errors.Is(err, ErrClosed) {
			t.Errorf("Pipe of a closed broker: %v", err)
		}
	})
}

// A client that never closes its end is waited for, but not for ever.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := New(Config{Linger: 3 * time.Second})
		p := join(t, b, mqtt.V5, "c")
		began := time.Now()
		if err := b.Close(context.Background()); err != nil || time.Since(began) != 3*time.Second {
			t.Errorf("closed after %v, %v", time.Since(began), err)
		}
		p.nc.Close()
		b, _ = New(Config{Linger: time.Hour})
		join(t, b, mqtt.V5, "c")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := b.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cut short: %v", err)
		}
	})
}

func TestTooManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Config{MaximumConnections: 1})
		p := join(t, b, mqtt.V311, "one")
		if _, err := b.Pipe(); err == nil {
			t.Error("a second connection was let in")
		}
		p.send(&mqtt.Disconnect{})
		p.nc.Close()
		synctest.Wait()
		join(t, b, mqtt.V311, "two")
	})
}

func TestConfigMistakesComeTogether(t *testing.T) {
	_, err := New(Config{MaximumConnections: -1, SlowLimit: 10, OutgoingLimit: 5, Linger: -1, Server: server.Config{MaximumQoS: mqtt.Some(mqtt.QoS(3))}})
	for _, field := range []string{"MaximumConnections", "OutgoingLimit", "Linger", "MaximumQoS"} {
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(field)) {
			t.Errorf("error does not name %s: %v", field, err)
		}
	}
}
