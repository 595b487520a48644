package client

import "mqttlab/reference-broker/mqtt"

// The sizes below are of whole packets in bytes, for the Maximum Packet Size of CONNACK. They are computed, not taken from an encoded
// packet, because a message that is too large must be refused before it has a Packet Identifier.

// packetSize adds the fixed header to a Remaining Length.
func packetSize(remaining int) int { return 1 + varintSize(remaining) + remaining }

func varintSize(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14:
		return 2
	case n < 1<<21:
		return 3
	}
	return 4
}

func withLength(properties int) int { return varintSize(properties) + properties }

func userSize(props []mqtt.UserProperty) (n int) {
	for _, u := range props {
		n += 1 + 2 + len(u.Name) + 2 + len(u.Value)
	}
	return n
}

func publishSize(v mqtt.Version, p *mqtt.Publish) int {
	n := 2 + len(p.Topic) + len(p.Payload)
	if p.QoS > mqtt.AtMostOnce {
		n += 2
	}
	if v != mqtt.V5 {
		return packetSize(n)
	}
	props := userSize(p.UserProperties)
	if p.PayloadFormat.Set {
		props += 2
	}
	if p.MessageExpiryInterval.Set {
		props += 5
	}
	if p.ContentType.Set {
		props += 3 + len(p.ContentType.Value)
	}
	if p.ResponseTopic != "" {
		props += 3 + len(p.ResponseTopic)
	}
	if p.CorrelationData != nil {
		props += 3 + len(p.CorrelationData)
	}
	// A Topic Alias may come on top.
	return packetSize(n + withLength(props+3))
}

func subscribeSize(v mqtt.Version, s *mqtt.Subscribe) int {
	n := 2
	for i := range s.Subscriptions {
		n += 2 + len(s.Subscriptions[i].TopicFilter) + 1
	}
	if v != mqtt.V5 {
		return packetSize(n)
	}
	props := userSize(s.UserProperties)
	if s.SubscriptionIdentifier > 0 {
		props += 1 + varintSize(int(s.SubscriptionIdentifier))
	}
	return packetSize(n + withLength(props))
}

func unsubscribeSize(v mqtt.Version, u *mqtt.Unsubscribe) int {
	n := 2
	for _, f := range u.TopicFilters {
		n += 2 + len(f)
	}
	if v != mqtt.V5 {
		return packetSize(n)
	}
	return packetSize(n + withLength(userSize(u.UserProperties)))
}

func disconnectSize(d *mqtt.Disconnect) int {
	props := userSize(d.UserProperties)
	if d.SessionExpiryInterval.Set {
		props += 5
	}
	if d.ReasonString != "" {
		props += 3 + len(d.ReasonString)
	}
	return packetSize(1 + withLength(props))
}

func authSize(a *mqtt.Auth) int {
	props := userSize(a.UserProperties) + 3 + len(a.AuthenticationMethod.Value)
	if a.AuthenticationData != nil {
		props += 3 + len(a.AuthenticationData)
	}
	if a.ReasonString != "" {
		props += 3 + len(a.ReasonString)
	}
	return packetSize(1 + withLength(props))
}
