package server

import (
	"testing"

	"mqttlab/reference-broker/mqtt"
)

func TestReasonStringGoesBeforeUserProperties(t *testing.T) {
	s := start(t, Config{ReasonStrings: true})
	users := []mqtt.UserProperty{{Name: "n", Value: "v"}}
	for _, c := range []struct {
		limit uint32
		want  mqtt.Disconnect
	}{
		{100, mqtt.Disconnect{ReasonCode: mqtt.NotAuthorized, ReasonString: "because", UserProperties: users}},
		{20, mqtt.Disconnect{ReasonCode: mqtt.NotAuthorized, UserProperties: users}},
		{10, mqtt.Disconnect{ReasonCode: mqtt.NotAuthorized}},
	} {
		p := s.connect("c", func(x *mqtt.Connect) { x.MaximumPacketSize = 100 })
		conn := s.m.conns[p.id]
		conn.maxPacket = c.limit
		s.m.refuse(conn, refusal{code: mqtt.NotAuthorized, why: "because", properties: users})
		s.drain()
		p.want("what fits", &c.want)
	}
}
