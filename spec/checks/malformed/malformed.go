// Package malformed checks that a server closes the Network Connection on packets that
// cannot be parsed or must not come, and that its own packets are well-formed.
package malformed

import (
	"context"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// refused wants each of these packets to end the connection of a client.
func refused(t *conformance.T, why string, codes []byte, packets ...octets.Packet) {
	for _, packet := range packets {
		p := t.Connect()
		p.Send(packet)
		t.WantClosed(p, why, codes...)
	}
}

// refusedConnect wants each of these packets refused as a CONNECT.
func refusedConnect(t *conformance.T, why string, codes []byte, packets ...octets.Packet) {
	for _, packet := range packets {
		p := t.Dial()
		p.Send(packet)
		t.WantClosed(p, why, codes...)
	}
}

// one is a SUBSCRIBE, off an UNSUBSCRIBE of one filter.
func one(t *conformance.T, props ...octets.Property) octets.Subscribe {
	return octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: t.Topic("a")}}, Properties: props}
}

func off(t *conformance.T, props ...octets.Property) octets.Unsubscribe {
	return octets.Unsubscribe{ID: 1, Filters: []string{t.Topic("a")}, Properties: props}
}

var _ = conformance.Register(conformance.Check{
	Name:   "FixedHeaderFlags",
	Title:  "closes the Network Connection on reserved header flags that are not as fixed",
	Covers: statement.IDs(statement.V311("2.2.2-2", "4.8.0-1"), statement.V5("2.1.3-1", "4.13.1-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, c := range []struct {
			packet octets.Packet
			fixed  byte
		}{
			{octets.Pingreq{}, 0},
			{one(t), 2},
			{off(t), 2},
			{octets.Puback(3), 0},
			{octets.Pubrec(3), 0},
			{octets.Pubrel(3), 2},
			{octets.Pubcomp(3), 0},
		} {
			for flags := range byte(16) {
				if flags != c.fixed {
					refused(t, "wrong flags are malformed", []byte{0x81}, octets.WithFlags(c.packet, flags))
				}
			}
		}
		for flags := byte(1); flags < 16; flags++ {
			refusedConnect(t, "wrong flags are malformed", []byte{0x81}, octets.WithFlags(t.NewConnect(), flags))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:  "OwnPackets",
	Title: "sends packets with the flags that are fixed, lengths in their shortest form and a Property Length, and none that only clients send",
	Covers: statement.IDs(
		statement.V311("2.2.2-1"), statement.V5("2.1.3-1", "1.5.5-1", "2.2.2-1"), statement.X5("2.1.2-3"),
	),
	Run: func(_ context.Context, t *conformance.T) {
		// The reader judges every packet by itself; here each type comes once.
		p, publisher, most := t.Connect(), t.Connect(), t.Limits().MaximumQoS
		p.Subscribe(octets.Subscription{Filter: t.Topic("a"), QoS: most})
		p.Barrier("PINGREQ is answered")
		for qos := range most + 1 {
			for _, size := range []int{0, 200} {
				payload := string(make([]byte, size))
				publisher.Publish(octets.Publish{Topic: t.Topic("a"), Payload: payload, QoS: qos})
				p.Ack(p.WantMessage(t.Topic("a"), payload, "the message is delivered"))
			}
		}
		p.Unsubscribe(t.Topic("a"))
		p.WantSilence("nothing else is sent")
		publisher.WantSilence("nothing else is sent")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "TypeZero",
	Title:  "closes the Network Connection on Control Packet type 0",
	Covers: statement.IDs(statement.X5("2.1.2-1"), statement.V311("4.8.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "type 0 is forbidden", []byte{0x81, 0x82}, octets.Raw{0x00, 0x00}, octets.Raw{0x02, 0x02, 0x00, 0x01})
		if !t.V5() {
			refused(t, "type 15 is forbidden", nil, octets.Raw{0xF0, 0x00})
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FromServerOnly",
	Title:  "closes the Network Connection on CONNACK, SUBACK, UNSUBACK and PINGRESP from a client",
	Covers: statement.IDs(statement.X5("2.1.2-2"), statement.V5("4.13.1-1"), statement.V311("4.8.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		packets := []octets.Packet{octets.Raw{0x20, 2, 0, 0}, octets.Raw{0x90, 3, 0, 1, 0}, octets.Raw{0xB0, 2, 0, 1}, octets.Raw{0xD0, 0}}
		if t.V5() {
			packets = []octets.Packet{octets.Raw{0x20, 3, 0, 0, 0}, octets.Raw{0x90, 4, 0, 1, 0, 0}, octets.Raw{0xB0, 4, 0, 1, 0, 0}, octets.Raw{0xD0, 0}}
		}
		refused(t, "servers send this, clients do not", []byte{0x82, 0x81}, packets...)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "LengthOfFiveBytes",
	Title:  "closes the Network Connection on a Variable Byte Integer of five bytes",
	Covers: statement.IDs(statement.X5("1.5.5-1"), statement.V311("4.8.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "a Remaining Length has at most four bytes", []byte{0x81, 0x95},
			octets.Raw{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, octets.Raw{0xC0, 0x80, 0x80, 0x80, 0x80, 0x00}, octets.WithLength(one(t), 0x80, 0x80, 0x80, 0x80, 0x01))
		if t.V5() {
			five := octets.RawProperties(0x80, 0x80, 0x80, 0x80, 0x00)
			s, m := one(t), octets.Publish{Topic: t.Topic("a"), Payload: "x", Properties: five}
			s.Properties = five
			refused(t, "a Property Length has at most four bytes", []byte{0x81}, s, m)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "LengthTooLong",
	Title:  "closes the Network Connection on a length that takes more bytes than it needs, or reads it as the number that it is",
	Covers: statement.V5("1.5.5-1"),
	Run: func(_ context.Context, t *conformance.T) {
		long := octets.RawProperties(octets.OverlongVarInt(0, 2)...)
		s := one(t)
		s.Properties = long
		for _, c := range []struct {
			packet octets.Packet
			answer octets.Type
		}{
			{octets.WithLength(octets.Pingreq{}, octets.OverlongVarInt(0, 2)...), octets.PINGRESP},
			{s, octets.SUBACK},
		} {
			p := t.Connect()
			p.Send(c.packet)
			t.OneOf(p, "a length has its shortest form; no reaction to others is named", conformance.ClosedWith(0x81, 0x82), conformance.Closed(),
				conformance.Answered(c.answer).Info("accepts lengths that are longer than they need to be"))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FieldsMissing",
	Title:  "closes the Network Connection on packets whose fields do not fit into their Remaining Length",
	Covers: statement.IDs(statement.X5("2.1.4-1"), statement.V5("4.13.1-1"), statement.V311("4.8.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "a field is missing or cut", []byte{0x81, 0x82},
			octets.Trimmed(octets.Puback(1), 1), octets.Trimmed(octets.Pubrec(1), 2), octets.Trimmed(octets.Pubrel(1), 1), octets.Trimmed(octets.Pubcomp(1), 2),
			octets.Raw{0x82, 0x01, 0x00}, octets.Raw{0x82, 0x00}, octets.Raw{0xA2, 0x00}, octets.Raw{0xA2, 0x01, 0x00},
			octets.Raw{0x32, 0x04, 0x00, 0x02, 'a', 'b'}, octets.Raw{0x32, 0x05, 0x00, 0x02, 'a', 'b', 0x00},
			octets.Trimmed(off(t), 1), octets.Trimmed(one(t), 2),
		)
		c := t.NewConnect()
		refusedConnect(t, "a field is missing or cut", []byte{0x81}, octets.Trimmed(c, 1), octets.Trimmed(c, len(c.ClientID)+1), octets.Raw{0x10, 0x00})
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "BytesLeftOver",
	Title:  "closes the Network Connection on bytes behind the last field of a packet without payload",
	Covers: statement.IDs(statement.X5("2.3-1", "2.1.4-1"), statement.V311("4.8.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "there is no payload", []byte{0x81, 0x82}, octets.Extended(octets.Pingreq{}, 0), octets.Extended(octets.Pingreq{}, 'x', 'y'))
		if !t.V5() {
			refused(t, "there is no payload", nil, octets.Extended(octets.Puback(1), 0), octets.Extended(octets.Pubrel(1), 0, 0))
			return
		}
		for _, typ := range []octets.Type{octets.PUBACK, octets.PUBREC, octets.PUBREL, octets.PUBCOMP} {
			whole := octets.Ack{Type: typ, ID: 1, Code: 0x10, Properties: octets.Properties{octets.User("a", "b")}}
			if typ == octets.PUBREL || typ == octets.PUBCOMP {
				whole.Code = 0x92
			}
			refused(t, "there is no payload", []byte{0x81, 0x82}, octets.Extended(whole, 'x'))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ProtocolErrors",
	Title:  "closes the Network Connection on what is well-formed, but not allowed there, and says why",
	Covers: statement.IDs(statement.V5("4.13.1-1", "4.13.2-1"), statement.X5("4.13.1-1"), statement.V311("4.8.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "a Protocol Error ends the connection", []byte{0x82, 0x81}, t.NewConnect(), octets.Subscribe{ID: 1}, octets.Unsubscribe{ID: 1})
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SaysWhy",
	Title:  "sends DISCONNECT with the reason before it closes because of an error",
	Covers: statement.X5("4.13.1-1"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, packet := range []octets.Packet{octets.Raw{0x00, 0x00}, octets.Subscribe{ID: 1}, octets.WithFlags(one(t), 0), t.NewConnect()} {
			p := t.Connect()
			p.Send(packet)
			t.OneOf(p, "a DISCONNECT with the reason should come before the close", conformance.ClosedWith())
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ConnectSaysWhy",
	Title:  "may send CONNACK with the reason before it closes because of an error in CONNECT",
	Covers: statement.IDs(statement.X5("4.13.1-2"), statement.V5("4.13.2-1")),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.Properties = octets.RawProperties(0x7F)
		for _, packet := range []octets.Packet{octets.Trimmed(t.NewConnect(), 1), c} {
			p := t.Dial()
			p.Send(packet)
			t.OneOf(p, "an error in CONNECT ends the connection, with CONNACK or without", conformance.ClosedWith(),
				conformance.ClosedSilently().Info("closes without a CONNACK that says why"))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "OthersGoOn",
	Title:  "serves other clients as before when one of them sends what cannot be parsed",
	Covers: statement.IDs(statement.X5("4.13.1-3"), statement.V311("4.8.0-1")),
	Needs:  []target.Feature{target.QoS1},
	Run: func(_ context.Context, t *conformance.T) {
		other, publisher, topic := t.Connect(), t.Connect(), t.Topic("a")
		other.Subscribe(octets.Subscription{Filter: topic, QoS: 1})
		for _, packet := range deadly(t) {
			p := t.Connect()
			p.Send(packet)
			p.Reaction(nil)
			p.Close()
			publisher.Publish(octets.Publish{Topic: topic, Payload: "still there", QoS: 1})
			other.Ack(other.WantMessage(topic, "still there", "an error on one connection has no effect on others"))
		}
	},
})

// deadly are packets that have killed brokers, or come close to those: a SUBSCRIBE whose
// last filter has no options byte (mochi-mqtt/server 2.7.9, index out of range), empty
// and cut property lists, acknowledgements of nothing.
func deadly(t *conformance.T) []octets.Packet {
	return []octets.Packet{
		octets.Trimmed(one(t), 1),
		octets.Trimmed(off(t), 1),
		octets.Raw{0x82, 0x00},
		octets.Raw{0xA2, 0x00},
		octets.Raw{0x30, 0x00},
		octets.Raw{0x62, 0x00},
		octets.Raw{0x40, 0x00},
		octets.Raw{0xE0, 0x01, 0x00},
		octets.Raw{0xF0, 0x00},
		octets.Subscribe{Filters: []octets.Subscription{{Filter: "$share/"}}},
		octets.Raw{0x82, 0x08, 0x00, 0x01, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
	}
}
