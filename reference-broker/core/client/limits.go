package client

import (
	"fmt"

	"mqttlab/reference-broker/core/size"
	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// Limits is what the Server allows on the present Network Connection, from CONNACK with the standard's defaults filled in.
type Limits struct {
	MaximumPacketSize        uint32 // bytes; 0: no limit
	SessionExpiryInterval    uint32 // seconds; as the Server decided
	ReceiveMaximum           uint16 // QoS 1 and 2 messages under way
	TopicAliasMaximum        uint16 // 0: no aliases
	KeepAlive                uint16 // seconds; 0: off
	MaximumQoS               mqtt.QoS
	NoRetain                 bool // retained messages are not available
	NoWildcard               bool // likewise wildcards in Topic Filters
	NoSharedSubscription     bool
	NoSubscriptionIdentifier bool
}

// limitsOf reads the CONNACK a to the CONNECT c.
func limitsOf(c *mqtt.Connect, a *mqtt.Connack) Limits {
	l := Limits{
		MaximumPacketSize:     a.MaximumPacketSize,
		SessionExpiryInterval: a.SessionExpiryInterval.Or(c.SessionExpiryInterval),
		ReceiveMaximum:        a.ReceiveMaximum,
		TopicAliasMaximum:     a.TopicAliasMaximum,
		// [MQTT5 3.1.2-21] [MQTT5 3.2.2-21]
		KeepAlive:                a.ServerKeepAlive.Or(c.KeepAlive),
		MaximumQoS:               a.MaximumQoS.Or(mqtt.ExactlyOnce),
		NoRetain:                 !a.RetainAvailable.Or(true),
		NoWildcard:               !a.WildcardSubscriptionAvailable.Or(true),
		NoSharedSubscription:     !a.SharedSubscriptionAvailable.Or(true),
		NoSubscriptionIdentifier: !a.SubscriptionIdentifierAvailable.Or(true),
	}
	if l.ReceiveMaximum == 0 {
		l.ReceiveMaximum = mqtt.DefaultReceiveMaximum
	}
	return l
}

func invalid(code mqtt.ReasonCode, format string, args ...any) error {
	return &InvalidError{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// admits reports what of p the Server's limits forbid.
func (l *Limits) admits(v mqtt.Version, p *mqtt.Publish) error {
	// [MQTT5 3.2.2-11]
	if p.QoS > l.MaximumQoS {
		return invalid(mqtt.QoSNotSupported, "the server takes messages up to QoS %d, this one has QoS %d", l.MaximumQoS, p.QoS)
	}
	// [MQTT5 3.2.2-14]
	if p.Retain && l.NoRetain {
		return invalid(mqtt.RetainNotSupported, "the server keeps no retained messages: send it without the retain flag")
	}
	// [MQTT5 3.2.2-15]
	if l.MaximumPacketSize > 0 {
		if n := publishSize(v, p); n > int(l.MaximumPacketSize) {
			return invalid(mqtt.PacketTooLarge, "PUBLISH of %d bytes is above the server's Maximum Packet Size of %d", n, l.MaximumPacketSize)
		}
	}
	return nil
}

// admitsFilters reports what of s the standard or the Server's limits forbid.
func (l *Limits) admitsFilters(v mqtt.Version, s *mqtt.Subscribe) error {
	// [MQTT5 3.8.3-2] [MQTT311 3.8.3-3]
	if len(s.Subscriptions) == 0 {
		return invalid(mqtt.ProtocolError, "SUBSCRIBE without a topic filter")
	}
	if s.SubscriptionIdentifier > mqtt.MaxSubscriptionIdentifier {
		return invalid(mqtt.ProtocolError, "Subscription Identifier %d is above %d", s.SubscriptionIdentifier, mqtt.MaxSubscriptionIdentifier)
	}
	if s.SubscriptionIdentifier != 0 && l.NoSubscriptionIdentifier {
		return invalid(mqtt.SubscriptionIdentifiersNotSupported, "the server takes no Subscription Identifiers")
	}
	for i := range s.Subscriptions {
		if err := l.admitsFilter(v, &s.Subscriptions[i]); err != nil {
			return err
		}
	}
	return checkUser(s.UserProperties)
}

func (l *Limits) admitsFilter(v mqtt.Version, f *mqtt.Subscription) error {
	filter, err := checkFilter(v, f.TopicFilter)
	if err != nil {
		return err
	}
	if f.QoS > mqtt.ExactlyOnce || f.RetainHandling > mqtt.NeverSendRetained {
		return invalid(mqtt.ProtocolError, "topic filter %q: QoS and Retain Handling go from 0 to 2", f.TopicFilter)
	}
	if v != mqtt.V5 {
		return nil
	}
	shared := filter.Share != ""
	switch {
	// [MQTT5 3.8.3-4]
	case shared && f.NoLocal:
		return invalid(mqtt.ProtocolError, "topic filter %q: a Shared Subscription has no No Local", f.TopicFilter)
	case shared && l.NoSharedSubscription:
		return invalid(mqtt.SharedSubscriptionsNotSupported, "topic filter %q: the server has no Shared Subscriptions", f.TopicFilter)
	case l.NoWildcard && topic.HasWildcard(filter.Path):
		return invalid(mqtt.WildcardSubscriptionsNotSupported, "topic filter %q: the server allows no wildcards", f.TopicFilter)
	}
	return nil
}

// publishSize is that of a PUBLISH with a Topic Alias, which may come on top. It is computed, not taken from an encoded packet, because a message
// that is too large must be refused before it has a Packet Identifier.
func publishSize(v mqtt.Version, p *mqtt.Publish) int { return size.Publish(v, p, p.QoS, true, nil) }
