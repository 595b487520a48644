package wire

import (
	"errors"
	"fmt"

	"mqttlab/reference-broker/mqtt"
)

// Append writes p behind dst in the layout of the given version. Fields that the version cannot express are left out, and a packet that it does not
// have is an error, as is a text or packet too long for the format; dst is then returned as it was. Whether the values make sense is
// not checked: a test may want to send nonsense.
//
// The version of a CONNECT is the one it names itself.
func Append(dst []byte, v mqtt.Version, p mqtt.Packet) ([]byte, error) {
	switch p := p.(type) {
	case *mqtt.Connect:
		return appendConnect(dst, p)
	case *mqtt.Connack:
		return appendConnack(dst, v, p)
	case *mqtt.Publish:
		dst, _, err := AppendPublish(dst, v, p, Delivery{
			PacketID: p.PacketID, QoS: p.QoS, Retain: p.Retain, Dup: p.Dup, TopicAlias: p.TopicAlias,
			MessageExpiryInterval: p.MessageExpiryInterval, SubscriptionIdentifiers: p.SubscriptionIdentifiers,
		})
		return dst, err
	case *mqtt.Puback:
		return AppendAck(dst, v, mqtt.TypePuback, (*mqtt.Ack)(p))
	case *mqtt.Pubrec:
		return AppendAck(dst, v, mqtt.TypePubrec, (*mqtt.Ack)(p))
	case *mqtt.Pubrel:
		return AppendAck(dst, v, mqtt.TypePubrel, (*mqtt.Ack)(p))
	case *mqtt.Pubcomp:
		return AppendAck(dst, v, mqtt.TypePubcomp, (*mqtt.Ack)(p))
	case *mqtt.Subscribe:
		return appendSubscribe(dst, v, p)
	case *mqtt.Suback:
		return appendSuback(dst, v, p)
	case *mqtt.Unsubscribe:
		return appendUnsubscribe(dst, v, p)
	case *mqtt.Unsuback:
		return appendUnsuback(dst, v, p)
	case *mqtt.Pingreq:
		return append(dst, byte(mqtt.TypePingreq)<<4, 0), nil
	case *mqtt.Pingresp:
		return append(dst, byte(mqtt.TypePingresp)<<4, 0), nil
	case *mqtt.Disconnect:
		return appendDisconnect(dst, v, p)
	case *mqtt.Auth:
		return appendAuth(dst, v, p)
	case nil:
		return dst, errors.New("no packet to write")
	}
	return dst, fmt.Errorf("%T is not a Control Packet", p)
}
