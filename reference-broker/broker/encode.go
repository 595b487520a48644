package broker

import (
	"slices"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// layouts keeps the last few encodings of the PUBLISH that is being delivered: one for each way in which its receivers differ (version,
// QoS, flags, identifiers). All but the Packet Identifier of a further receiver is then a copy.
type layouts struct {
	message *mqtt.Publish
	list    [4]layout // a plain fan-out needs one, mixed versions and QoS a few
	next    int
}

type layout struct {
	v5       bool
	delivery server.Delivery // PacketID is not compared
	bytes    []byte
	idOffset int
}

// forget must be called before a message pointer can mean another message.
func (l *layouts) forget() { l.message = nil }

// append writes m as d wants it behind dst.
func (l *layouts) append(dst []byte, v mqtt.Version, m *mqtt.Publish, d *server.Delivery) ([]byte, error) {
	if l.message != m {
		// The first receiver, and often the only one: encode in place.
		l.message, l.next = m, 0
		for i := range l.list {
			l.list[i].bytes = l.list[i].bytes[:0]
		}
		out, _, err := wire.AppendPublish(dst, v, m, wire.Delivery(*d))
		return out, err
	}
	x := l.find(v == mqtt.V5, d)
	if x == nil {
		x = &l.list[l.next%len(l.list)]
		l.next++
		var err error
		x.v5, x.delivery = v == mqtt.V5, *d
		if x.bytes, x.idOffset, err = wire.AppendPublish(x.bytes[:0], v, m, wire.Delivery(*d)); err != nil {
			return dst, err
		}
	}
	start := len(dst)
	dst = append(dst, x.bytes...)
	wire.SetPacketID(dst[start:], x.idOffset, d.PacketID)
	return dst, nil
}

func (l *layouts) find(v5 bool, d *server.Delivery) *layout {
	for i := range l.list {
		if x := &l.list[i]; len(x.bytes) > 0 && x.v5 == v5 && (!v5 || sameProperties(&x.delivery, d)) &&
			x.delivery.QoS == d.QoS && x.delivery.Retain == d.Retain && x.delivery.Dup == d.Dup {
			return x
		}
	}
	return nil
}

func sameProperties(a, b *server.Delivery) bool {
	return a.TopicAlias == b.TopicAlias && a.OmitTopic == b.OmitTopic && a.MessageExpiryInterval == b.MessageExpiryInterval &&
		slices.Equal(a.SubscriptionIdentifiers, b.SubscriptionIdentifiers)
}
