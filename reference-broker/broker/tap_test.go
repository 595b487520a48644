package broker

import (
	"testing"
	"testing/synctest"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

// tap answers with what its functions say; nil functions pass.
type tap struct {
	in, out func(frame []byte) Tapped
	keep    bool
}

func (p *tap) In(_ server.ConnID, frame []byte) Tapped {
	if p.in == nil {
		return Pass(frame)
	}
	return p.in(frame)
}

func (p *tap) Out(_ server.ConnID, frame []byte) Tapped {
	if p.out == nil {
		return Pass(frame)
	}
	return p.out(frame)
}

func (p *tap) Closing(server.ConnID) bool { return !p.keep }

// only applies f to Control Packets of one type.
func only(t mqtt.Type, f func(frame []byte) Tapped) func([]byte) Tapped {
	return func(frame []byte) Tapped {
		if frame[0]>>4 == byte(t) {
			return f(frame)
		}
		return Pass(frame)
	}
}

func TestTap(t *testing.T) {
	swallow := func([]byte) Tapped { return Tapped{} }
	twice := func(f []byte) Tapped { return Tapped{Frames: [][]byte{f, f}} }
	tests := []struct {
		name string
		tap  tap
		talk func(p *peer)
	}{
		{"nothing changed", tap{}, func(p *peer) {
			p.subscribe("t", 0)
			p.send(&mqtt.Publish{Topic: "t", Payload: []byte("x")})
			want[*mqtt.Publish](p, "passed")
		}},
		{"answer swallowed", tap{out: only(mqtt.TypeSuback, swallow)}, func(p *peer) {
			p.send(&mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "t"}}})
			p.wantSilence("no SUBACK")
		}},
		{"answer doubled", tap{out: only(mqtt.TypePuback, twice)}, func(p *peer) {
			p.send(&mqtt.Publish{Topic: "t", QoS: 1, PacketID: 5})
			want[*mqtt.Puback](p, "first")
			want[*mqtt.Puback](p, "second")
		}},
		{"answer changed", tap{out: only(mqtt.TypePuback, func(f []byte) Tapped { f[3]++; return Pass(f) })}, func(p *peer) {
			p.send(&mqtt.Publish{Topic: "t", QoS: 1, PacketID: 5})
			p.wantPacket(&mqtt.Puback{PacketID: 6, ReasonCode: mqtt.NoMatchingSubscribers}, "wrong Packet Identifier")
		}},
		{"request swallowed", tap{in: only(mqtt.TypePublish, swallow)}, func(p *peer) {
			p.send(&mqtt.Publish{Topic: "t", QoS: 1, PacketID: 5})
			p.wantSilence("no PUBACK")
		}},
		{"garbage forgiven", tap{in: only(0, swallow)}, func(p *peer) {
			p.write([]byte{0, 0})
			p.wantSilence("type 0 is ignored")
		}},
		{"closed instead of an answer", tap{out: only(mqtt.TypePuback, func([]byte) Tapped { return Tapped{Close: true} })}, func(p *peer) {
			p.send(&mqtt.Publish{Topic: "t", QoS: 1, PacketID: 5})
			p.wantClose("no PUBACK")
		}},
		{"closed on a request", tap{in: only(mqtt.TypePingreq, func([]byte) Tapped { return Tapped{Close: true} })}, func(p *peer) {
			p.send(&mqtt.Pingreq{})
			p.wantClose("no PINGRESP")
		}},
		{"kept open", tap{keep: true}, func(p *peer) {
			p.write([]byte{0, 0})
			want[*mqtt.Disconnect](p, "the Server has ended the conversation")
			p.send(&mqtt.Pingreq{}, &mqtt.Pingreq{})
			synctest.Wait()
			p.send(&mqtt.Pingreq{}) // would fail if the connection were closed
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test.talk(join(t, start(t, Config{Tap: &test.tap}), mqtt.V5, "c"))
			})
		})
	}
}
