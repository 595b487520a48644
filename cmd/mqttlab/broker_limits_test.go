package main

import (
	"bytes"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// send writes packets of 5.0.
func (c *rawClient) send(packets ...mqtt.Packet) *rawClient {
	c.t.Helper()
	var b []byte
	for _, p := range packets {
		var err error
		if b, err = wire.Append(b, mqtt.V5, p); err != nil {
			c.t.Fatal(err)
		}
	}
	if _, err := c.nc.Write(b); err != nil {
		c.t.Fatal(err)
	}
	return c
}

// codes returns the Reason Codes of the next packet, which must be of type t.
func (c *rawClient) codes(t mqtt.Type) []mqtt.ReasonCode {
	c.t.Helper()
	p := c.next()
	if p.Type() != t {
		c.t.Fatalf("%v came: %+v", p.Type(), p)
	}
	switch p := p.(type) {
	case *mqtt.Connack:
		return []mqtt.ReasonCode{p.ReasonCode}
	case *mqtt.Puback:
		return []mqtt.ReasonCode{p.ReasonCode}
	case *mqtt.Suback:
		return p.ReasonCodes
	case *mqtt.Disconnect:
		return []mqtt.ReasonCode{p.ReasonCode}
	}
	return nil
}

// closed waits for the broker to close without a word.
func (c *rawClient) closed() {
	c.t.Helper()
	c.nc.SetReadDeadline(time.Now().Add(30 * time.Second))
	if n, err := c.nc.Read(make([]byte, 1)); n > 0 || err == nil || os.IsTimeout(err) {
		c.t.Errorf("not closed: %d bytes, %v", n, err)
	}
}

// dialSilent opens a connection and says nothing.
func dialSilent(t *testing.T, address string) *rawClient {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	c := &rawClient{t: t, nc: nc, dec: wire.NewDecoder(wire.FromServer)}
	c.dec.Version = mqtt.V5
	return c
}

func dialWith(t *testing.T, address string, p *mqtt.Connect) *rawClient {
	t.Helper()
	p.Version = mqtt.V5
	return dialSilent(t, address).send(p)
}

func publication(topic, payload string, qos mqtt.QoS, id uint16) *mqtt.Publish {
	return &mqtt.Publish{Topic: topic, Payload: []byte(payload), QoS: qos, PacketID: id}
}

func retain(p *mqtt.Publish) *mqtt.Publish {
	p.Retain = true
	return p
}

func subscription(filters ...string) *mqtt.Subscribe {
	p := &mqtt.Subscribe{PacketID: 9}
	for _, f := range filters {
		p.Subscriptions = append(p.Subscriptions, mqtt.Subscription{TopicFilter: f, QoS: mqtt.AtLeastOnce})
	}
	return p
}

// TestLimits sets one limit each and has a client come to it: the broker does what the printed configuration says of the key.
func TestLimits(t *testing.T) {
	one := func(code mqtt.ReasonCode) []mqtt.ReasonCode { return []mqtt.ReasonCode{code} }
	for _, x := range []struct {
		key, value string
		talk       func(t *testing.T, address string) []mqtt.ReasonCode
		want       []mqtt.ReasonCode
	}{
		{"maximum_packet_size", "100", func(t *testing.T, at string) []mqtt.ReasonCode {
			return dialRaw(t, at, "c").send(publication("a", strings.Repeat("x", 200), 0, 0)).codes(mqtt.TypeDisconnect)
		}, one(mqtt.PacketTooLarge)},
		{"maximum_client_id", "23", func(t *testing.T, at string) []mqtt.ReasonCode {
			return dialWith(t, at, &mqtt.Connect{ClientID: strings.Repeat("x", 24)}).codes(mqtt.TypeConnack)
		}, one(mqtt.ClientIdentifierNotValid)},
		{"maximum_sessions", "1", func(t *testing.T, at string) []mqtt.ReasonCode {
			dialRaw(t, at, "one")
			return dialWith(t, at, &mqtt.Connect{ClientID: "two"}).codes(mqtt.TypeConnack)
		}, one(mqtt.QuotaExceeded)},
		{"receive_maximum", "1", func(t *testing.T, at string) []mqtt.ReasonCode {
			c := dialRaw(t, at, "c").send(publication("a", "", 2, 1), publication("a", "", 2, 2))
			if p := c.next(); p.Type() != mqtt.TypePubrec {
				t.Errorf("the first message is answered with %v", p.Type())
			}
			return c.codes(mqtt.TypeDisconnect)
		}, one(mqtt.ReceiveMaximumExceeded)},
		{"subscriptions", "1", subscribeTwice, []mqtt.ReasonCode{1, mqtt.QuotaExceeded}},
		{"total_subscriptions", "1", subscribeTwice, []mqtt.ReasonCode{1, mqtt.QuotaExceeded}},
		{"topic_levels", "2", func(t *testing.T, at string) []mqtt.ReasonCode {
			c := dialRaw(t, at, "c").send(publication("a/b/c", "", 1, 1), subscription("a/b", "a/b/c"))
			return append(c.codes(mqtt.TypePuback), c.codes(mqtt.TypeSuback)...)
		}, []mqtt.ReasonCode{mqtt.TopicNameInvalid, 1, mqtt.TopicFilterInvalid}},
		{"retained_messages", "1", retainTwice, []mqtt.ReasonCode{mqtt.NoMatchingSubscribers, mqtt.QuotaExceeded}},
		{"retained_bytes", "3B", retainTwice, []mqtt.ReasonCode{mqtt.NoMatchingSubscribers, mqtt.QuotaExceeded}},
		{"maximum_connections", "1", func(t *testing.T, at string) []mqtt.ReasonCode {
			dialRaw(t, at, "one")
			dialSilent(t, at).closed()
			return nil
		}, nil},
		{"connect_timeout", "50ms", func(t *testing.T, at string) []mqtt.ReasonCode {
			dialSilent(t, at).closed()
			return nil
		}, nil},
	} {
		t.Run(x.key, func(t *testing.T) {
			address := startLimited(t, x.key, x.value)
			if diff := cmp.Diff(x.want, x.talk(t, address)); diff != "" {
				t.Errorf("Reason Codes (-want +got):\n%s", diff)
			}
		})
	}
}

// startLimited starts a broker with one limit. $SYS would count as retained.
func startLimited(t *testing.T, key, value string) string {
	t.Helper()
	address, stop, ended := startService(t, map[string]string{"limits." + key: value, "sys_interval": "0s", "limits.linger": "1ms"})
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return address
}

func subscribeTwice(t *testing.T, address string) []mqtt.ReasonCode {
	return dialRaw(t, address, "c").send(subscription("a", "b")).codes(mqtt.TypeSuback)
}

func retainTwice(t *testing.T, address string) []mqtt.ReasonCode {
	c := dialRaw(t, address, "c").send(retain(publication("a", "x", 1, 1)), retain(publication("b", "x", 1, 2)))
	return append(c.codes(mqtt.TypePuback), c.codes(mqtt.TypePuback)...)
}

func TestAnnouncedLimits(t *testing.T) {
	address, _, _ := startService(t, map[string]string{"limits.maximum_packet_size": "100", "limits.maximum_session_expiry": "10s", "limits.receive_maximum": "7"})
	c := dialWith(t, address, &mqtt.Connect{ClientID: "c", SessionExpiryInterval: 100})
	k, ok := c.next().(*mqtt.Connack)
	if !ok || k.MaximumPacketSize != 100 || k.SessionExpiryInterval.Value != 10 || k.ReceiveMaximum != 7 {
		t.Errorf("CONNACK %+v", k)
	}
}

// TestQueueLimits lets three messages come for a Session that is away, and then two unacknowledged ones.
func TestQueueLimits(t *testing.T) {
	for key, value := range map[string]string{"queue_messages": "2", "queue_bytes": "4B", "total_queue_bytes": "132B"} {
		t.Run(key, func(t *testing.T) {
			address := startLimited(t, key, value)
			again := &mqtt.Connect{ClientID: "away", SessionExpiryInterval: 100}
			away := dialWith(t, address, again)
			away.codes(mqtt.TypeConnack)
			away.send(subscription("a")).codes(mqtt.TypeSuback)
			away.send(&mqtt.Disconnect{}).closed()
			pub := dialRaw(t, address, "pub")
			for _, text := range []string{"1", "2", "3"} {
				pub.send(publication("a", text, 1, 1)).codes(mqtt.TypePuback)
			}
			away = dialWith(t, address, again)
			away.codes(mqtt.TypeConnack)
			away.send(&mqtt.Pingreq{})
			var got bytes.Buffer
			for p := away.next(); p.Type() != mqtt.TypePingresp; p = away.next() {
				got.Write(p.(*mqtt.Publish).Payload)
			}
			if got.String() != "12" {
				t.Errorf("%q came: the newest is dropped", got.String())
			}
		})
	}
	t.Run("inflight", func(t *testing.T) {
		address := startLimited(t, "inflight", "1")
		c := dialRaw(t, address, "c").send(subscription("a"))
		c.codes(mqtt.TypeSuback)
		c.send(publication("a", "1", 1, 1), publication("a", "2", 1, 2), publication("a", "3", 0, 0), &mqtt.Pingreq{})
		var order []string
		for p := c.next(); p.Type() != mqtt.TypePingresp; p = c.next() {
			if m, ok := p.(*mqtt.Publish); ok {
				order = append(order, string(m.Payload))
			}
		}
		if diff := cmp.Diff([]string{"1", "3"}, order); diff != "" {
			t.Errorf("before the acknowledgement (-want +got):\n%s", diff)
		}
		if m, ok := c.send(&mqtt.Puback{PacketID: 1}).next().(*mqtt.Publish); !ok || string(m.Payload) != "2" {
			t.Errorf("after the acknowledgement %+v", m)
		}
	})
}
