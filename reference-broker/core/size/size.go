// Package size computes how many bytes Control Packets take on the wire. Client and Server have to know it, to keep to the Maximum Packet Size of
// the other side before a packet is made, and core must not import the codec. A test holds the sizes against it.
package size

import "mqttlab/reference-broker/mqtt"

// Publish returns the size of a PUBLISH with that QoS, with a Topic Alias or not, and with those Subscription Identifiers, whatever p has of these.
func Publish(v mqtt.Version, p *mqtt.Publish, qos mqtt.QoS, alias bool, ids []uint32) int {
	n := 2 + len(p.Topic) + len(p.Payload) + when(qos > 0, 2)
	if v != mqtt.V5 {
		return packet(n)
	}
	props := when(p.PayloadFormat.Set, 2) + when(p.MessageExpiryInterval.Set, 5) + when(alias, 3) +
		optionalOpt(p.ContentType) + optional(p.ResponseTopic) + optionalBytes(p.CorrelationData) + userProperties(p.UserProperties)
	for _, id := range ids {
		props += 1 + varint(int(id))
	}
	return packet(n + withLength(props))
}

// Ack returns the size of PUBACK, PUBREC, PUBREL or PUBCOMP with a Reason String.
func Ack(reason string) int { return packet(2 + 1 + withLength(optional(reason))) }

// Subscribe returns the size of a SUBSCRIBE.
func Subscribe(v mqtt.Version, s *mqtt.Subscribe) int {
	n := 2
	for i := range s.Subscriptions {
		n += 2 + len(s.Subscriptions[i].TopicFilter) + 1
	}
	if v != mqtt.V5 {
		return packet(n)
	}
	id := int(s.SubscriptionIdentifier)
	return packet(n + withLength(when(id > 0, 1+varint(id))+userProperties(s.UserProperties)))
}

// Unsubscribe returns the size of an UNSUBSCRIBE.
func Unsubscribe(v mqtt.Version, u *mqtt.Unsubscribe) int {
	n := 2
	for _, f := range u.TopicFilters {
		n += 2 + len(f)
	}
	if v != mqtt.V5 {
		return packet(n)
	}
	return packet(n + withLength(userProperties(u.UserProperties)))
}

// Suback returns the size of SUBACK or UNSUBACK with so many Reason Codes.
func Suback(codes int, reason string) int { return packet(2 + withLength(optional(reason)) + codes) }

// Connack returns the size of a CONNACK.
func Connack(k *mqtt.Connack) int {
	props := when(k.SessionExpiryInterval.Set, 5) + when(k.ReceiveMaximum > 0, 3) + when(k.MaximumQoS.Set, 2) + when(k.RetainAvailable.Set, 2) +
		when(k.MaximumPacketSize > 0, 5) + optional(k.AssignedClientID) + when(k.TopicAliasMaximum > 0, 3) + optional(k.ReasonString) +
		when(k.WildcardSubscriptionAvailable.Set, 2) + when(k.SubscriptionIdentifierAvailable.Set, 2) +
		when(k.SharedSubscriptionAvailable.Set, 2) + when(k.ServerKeepAlive.Set, 3) + optionalOpt(k.ResponseInformation) +
		optional(k.ServerReference) + optionalOpt(k.AuthenticationMethod) + optionalBytes(k.AuthenticationData) + userProperties(k.UserProperties)
	return packet(2 + withLength(props))
}

// Disconnect returns the size of a DISCONNECT.
func Disconnect(d *mqtt.Disconnect) int {
	props := when(d.SessionExpiryInterval.Set, 5) + optional(d.ReasonString) + optional(d.ServerReference) + userProperties(d.UserProperties)
	return packet(1 + withLength(props))
}

// Auth returns the size of an AUTH.
func Auth(a *mqtt.Auth) int {
	props := optionalOpt(a.AuthenticationMethod) + optionalBytes(a.AuthenticationData) + optional(a.ReasonString) + userProperties(a.UserProperties)
	return packet(1 + withLength(props))
}

// packet returns the size of a packet with so many bytes after the fixed header.
func packet(remaining int) int { return 1 + withLength(remaining) }

// withLength adds the length that stands before n bytes.
func withLength(n int) int { return varint(n) + n }

// varint returns the size of a Variable Byte Integer.
func varint(n int) int {
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

// when returns n if the property is there.
func when(present bool, n int) int {
	if present {
		return n
	}
	return 0
}

// optional returns the size of a string property that is absent when empty.
func optional(s string) int { return when(s != "", 1+2+len(s)) }

func optionalOpt(o mqtt.Opt[string]) int { return when(o.Set, 1+2+len(o.Value)) }

func optionalBytes(b []byte) int { return when(b != nil, 1+2+len(b)) }

func userProperties(list []mqtt.UserProperty) (n int) {
	for _, u := range list {
		n += 1 + 2 + len(u.Name) + 2 + len(u.Value)
	}
	return n
}
