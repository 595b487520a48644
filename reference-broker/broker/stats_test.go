package broker

import (
	"net"
	"testing"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

// nosy is an Authenticator that takes the user from the transport.
type nosy struct{}

func (nosy) Authenticate(server.ConnID, mqtt.Packet) server.Admission {
	return server.Admission{ReasonCode: mqtt.NotAuthorized}
}

func (nosy) AuthenticateUser(proven string, _ server.ConnID, _ mqtt.Packet) server.Admission {
	if proven != "ann" {
		return server.Admission{ReasonCode: mqtt.BadUserNameOrPassword}
	}
	return server.Admission{Username: proven}
}

// certified is a connection whose client has shown a certificate.
type certified struct{ net.Conn }

func (certified) Username() string { return "ann" }

func TestTransportProvesUsers(t *testing.T) {
	b := start(t, Config{Authenticator: nosy{}})
	for _, c := range []struct {
		wrap func(net.Conn) net.Conn
		want mqtt.ReasonCode
	}{
		{func(nc net.Conn) net.Conn { return nc }, mqtt.BadUserNameOrPassword},
		{func(nc net.Conn) net.Conn { return certified{nc} }, mqtt.Success},
	} {
		near, far := net.Pipe()
		b.accept(c.wrap(far), "test")
		p := newPeer(t, near, mqtt.V5)
		p.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "c"})
		if got := want[*mqtt.Connack](p, "an answer").ReasonCode; got != c.want {
			t.Errorf("CONNACK %v, want %v", got, c.want)
		}
	}
}

func TestTrafficIsCounted(t *testing.T) {
	b := start(t, Config{})
	p := join(t, b, mqtt.V5, "c")
	p.subscribe("a", 1)
	p.send(&mqtt.Publish{Topic: "a", QoS: 1, PacketID: 7, Payload: []byte("12345")})
	for range 2 { // PUBLISH and PUBACK
		if _, err := p.next(); err != nil {
			t.Fatal(err)
		}
	}
	s := b.Stats()
	one := server.Traffic{Messages: 1, Bytes: 5}
	if s.Received[1] != one || s.Delivered[1] != one || s.BytesReceived < 5 || s.BytesSent < 5 {
		t.Errorf("%+v", s)
	}
}
