package selftest

import (
	"cmp"
	"slices"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/spec/octets"
)

// seen is what both codecs can tell of a packet, in one form.
type seen struct {
	Type             octets.Type
	Dup, Retain      bool
	QoS              byte
	Topic, Payload   string
	ID               uint16
	Code             byte
	Codes            []byte
	SessionPresent   bool
	ClientID         string
	Clean            bool
	Filters          []string
	Properties       []octets.Value
	UserProperties   []octets.Value
	SubscriptionsIDs []uint32
}

// ofOctets is the view of the reader of the checks. Properties that mean the same as their absence are left out where the other codec cannot tell.
func ofOctets(r *octets.Received) seen {
	s := seen{
		Type: r.Type, Dup: r.Dup, Retain: r.Retain, QoS: r.QoS, Topic: r.Topic, Payload: r.Payload, ID: r.ID, Code: r.Code,
		Codes: r.Codes, SessionPresent: r.SessionPresent, ClientID: r.ClientID, Clean: r.Clean, Filters: r.Filters,
	}
	if r.Type == octets.CONNACK {
		s.Code = 0 // of a return code wire tells the Reason Code that is nearest
	}
	for _, v := range r.Properties {
		switch {
		case v.ID == octets.UserProperty:
			s.UserProperties = append(s.UserProperties, v)
		case v.ID == octets.SubscriptionIdentifier:
			s.SubscriptionsIDs = append(s.SubscriptionsIDs, v.Number)
		case !emptyMeansAbsent(r.Type, v):
			s.Properties = append(s.Properties, v)
		}
	}
	return s.sorted()
}

// emptyMeansAbsent says that the structs of the broker do not tell a property with this value from none.
func emptyMeansAbsent(in octets.Type, v octets.Value) bool {
	switch v.ID {
	case octets.ResponseTopic, octets.ReasonString, octets.ServerReference, octets.AssignedClientIdentifier:
		return v.Text == ""
	case octets.TopicAliasMaximum, octets.RequestResponseInformation:
		return v.Number == 0
	case octets.SessionExpiryInterval:
		return in == octets.CONNECT && v.Number == 0
	}
	return false
}

func (s seen) sorted() seen {
	slices.SortStableFunc(s.Properties, func(a, b octets.Value) int { return cmp.Compare(a.ID, b.ID) })
	if len(s.Codes) == 0 {
		s.Codes = nil
	}
	return s
}

// properties gathers what is set.
type properties []octets.Value

func (p *properties) number(id octets.PropertyID, set bool, n uint32) {
	if set {
		*p = append(*p, octets.Value{ID: id, Number: n})
	}
}

func (p *properties) text(id octets.PropertyID, set bool, s string) {
	if set {
		*p = append(*p, octets.Value{ID: id, Text: s})
	}
}

func truth(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

func users(list []mqtt.UserProperty) []octets.Value {
	var all []octets.Value
	for _, u := range list {
		all = append(all, octets.Value{ID: octets.UserProperty, Name: u.Name, Text: u.Value})
	}
	return all
}

func reasons(list []mqtt.ReasonCode) []byte {
	var all []byte
	for _, c := range list {
		all = append(all, byte(c))
	}
	return all
}

// ofWire is the view of the codec of the broker.
func ofWire(p mqtt.Packet) seen {
	s := seen{Type: octets.Type(p.Type())}
	props := properties{}
	switch p := p.(type) {
	case *mqtt.Connect:
		s.ClientID, s.Clean, s.UserProperties = p.ClientID, p.CleanStart, users(p.UserProperties)
		if p.Will != nil {
			s.Topic, s.Payload, s.QoS, s.Retain = p.Will.Topic, string(p.Will.Payload), byte(p.Will.QoS), p.Will.Retain
		}
		props.connect(p)
	case *mqtt.Connack:
		s.SessionPresent, s.UserProperties = p.SessionPresent, users(p.UserProperties)
		props.connack(p)
	case *mqtt.Publish:
		s.Topic, s.Payload, s.ID, s.QoS, s.Retain, s.Dup = p.Topic, string(p.Payload), p.PacketID, byte(p.QoS), p.Retain, p.Dup
		s.UserProperties, s.SubscriptionsIDs = users(p.UserProperties), slices.Clone(p.SubscriptionIdentifiers)
		props.publish(p)
	case *mqtt.Puback:
		s.ack(&props, (*mqtt.Ack)(p))
	case *mqtt.Pubrec:
		s.ack(&props, (*mqtt.Ack)(p))
	case *mqtt.Pubrel:
		s.ack(&props, (*mqtt.Ack)(p))
	case *mqtt.Pubcomp:
		s.ack(&props, (*mqtt.Ack)(p))
	case *mqtt.Subscribe:
		s.ID, s.UserProperties = p.PacketID, users(p.UserProperties)
		for _, f := range p.Subscriptions {
			s.Filters = append(s.Filters, f.TopicFilter)
		}
		if p.SubscriptionIdentifier != 0 {
			s.SubscriptionsIDs = []uint32{p.SubscriptionIdentifier}
		}
	case *mqtt.Unsubscribe:
		s.ID, s.UserProperties, s.Filters = p.PacketID, users(p.UserProperties), p.TopicFilters
	case *mqtt.Suback:
		s.ID, s.UserProperties, s.Codes = p.PacketID, users(p.UserProperties), reasons(p.ReasonCodes)
		props.text(octets.ReasonString, p.ReasonString != "", p.ReasonString)
	case *mqtt.Unsuback:
		s.ID, s.UserProperties, s.Codes = p.PacketID, users(p.UserProperties), reasons(p.ReasonCodes)
		props.text(octets.ReasonString, p.ReasonString != "", p.ReasonString)
	case *mqtt.Disconnect:
		s.Code, s.UserProperties = byte(p.ReasonCode), users(p.UserProperties)
		props.number(octets.SessionExpiryInterval, p.SessionExpiryInterval.Set, p.SessionExpiryInterval.Value)
		props.text(octets.ReasonString, p.ReasonString != "", p.ReasonString)
		props.text(octets.ServerReference, p.ServerReference != "", p.ServerReference)
	case *mqtt.Auth:
		s.Code, s.UserProperties = byte(p.ReasonCode), users(p.UserProperties)
		props.text(octets.AuthenticationMethod, p.AuthenticationMethod.Set, p.AuthenticationMethod.Value)
		props.text(octets.AuthenticationData, p.AuthenticationData != nil, string(p.AuthenticationData))
		props.text(octets.ReasonString, p.ReasonString != "", p.ReasonString)
	}
	if len(props) > 0 {
		s.Properties = props
	}
	return s.sorted()
}

func (s *seen) ack(props *properties, a *mqtt.Ack) {
	s.ID, s.Code, s.UserProperties = a.PacketID, byte(a.ReasonCode), users(a.UserProperties)
	props.text(octets.ReasonString, a.ReasonString != "", a.ReasonString)
}

func (p *properties) connect(c *mqtt.Connect) {
	p.number(octets.SessionExpiryInterval, c.SessionExpiryInterval != 0, c.SessionExpiryInterval)
	p.number(octets.ReceiveMaximum, c.ReceiveMaximum != 0, uint32(c.ReceiveMaximum))
	p.number(octets.MaximumPacketSize, c.MaximumPacketSize != 0, c.MaximumPacketSize)
	p.number(octets.TopicAliasMaximum, c.TopicAliasMaximum != 0, uint32(c.TopicAliasMaximum))
	p.number(octets.RequestResponseInformation, c.RequestResponseInformation, 1)
	p.number(octets.RequestProblemInformation, c.RequestProblemInformation.Set, truth(c.RequestProblemInformation.Value))
	p.text(octets.AuthenticationMethod, c.AuthenticationMethod.Set, c.AuthenticationMethod.Value)
	p.text(octets.AuthenticationData, c.AuthenticationData != nil, string(c.AuthenticationData))
}

func (p *properties) connack(c *mqtt.Connack) {
	p.number(octets.SessionExpiryInterval, c.SessionExpiryInterval.Set, c.SessionExpiryInterval.Value)
	p.number(octets.ReceiveMaximum, c.ReceiveMaximum != 0, uint32(c.ReceiveMaximum))
	p.number(octets.MaximumQoS, c.MaximumQoS.Set, uint32(c.MaximumQoS.Value))
	p.number(octets.RetainAvailable, c.RetainAvailable.Set, truth(c.RetainAvailable.Value))
	p.number(octets.MaximumPacketSize, c.MaximumPacketSize != 0, c.MaximumPacketSize)
	p.text(octets.AssignedClientIdentifier, c.AssignedClientID != "", c.AssignedClientID)
	p.number(octets.TopicAliasMaximum, c.TopicAliasMaximum != 0, uint32(c.TopicAliasMaximum))
	p.text(octets.ReasonString, c.ReasonString != "", c.ReasonString)
	p.number(octets.WildcardSubscriptionAvailable, c.WildcardSubscriptionAvailable.Set, truth(c.WildcardSubscriptionAvailable.Value))
	p.number(octets.SubscriptionIdentifierAvailable, c.SubscriptionIdentifierAvailable.Set, truth(c.SubscriptionIdentifierAvailable.Value))
	p.number(octets.SharedSubscriptionAvailable, c.SharedSubscriptionAvailable.Set, truth(c.SharedSubscriptionAvailable.Value))
	p.number(octets.ServerKeepAlive, c.ServerKeepAlive.Set, uint32(c.ServerKeepAlive.Value))
	p.text(octets.ResponseInformation, c.ResponseInformation.Set, c.ResponseInformation.Value)
	p.text(octets.ServerReference, c.ServerReference != "", c.ServerReference)
	p.text(octets.AuthenticationMethod, c.AuthenticationMethod.Set, c.AuthenticationMethod.Value)
	p.text(octets.AuthenticationData, c.AuthenticationData != nil, string(c.AuthenticationData))
}

func (p *properties) publish(m *mqtt.Publish) {
	p.number(octets.PayloadFormatIndicator, m.PayloadFormat.Set, uint32(m.PayloadFormat.Value))
	p.number(octets.MessageExpiryInterval, m.MessageExpiryInterval.Set, m.MessageExpiryInterval.Value)
	p.number(octets.TopicAlias, m.TopicAlias != 0, uint32(m.TopicAlias))
	p.text(octets.ContentType, m.ContentType.Set, m.ContentType.Value)
	p.text(octets.ResponseTopic, m.ResponseTopic != "", m.ResponseTopic)
	p.text(octets.CorrelationData, m.CorrelationData != nil, string(m.CorrelationData))
}

// build makes the packet that was read anew with the builder of the checks, nil where it does not build the type, or where the reader does not keep all.
func build(r *octets.Received, v octets.Version) octets.Packet {
	props := rebuilt(r)
	switch r.Type {
	case octets.PUBLISH:
		return octets.Publish{Topic: r.Topic, Payload: r.Payload, QoS: r.QoS, Retain: r.Retain, Dup: r.Dup, ID: r.ID, Properties: props}
	case octets.PUBACK, octets.PUBREC, octets.PUBREL, octets.PUBCOMP:
		return octets.Ack{Type: r.Type, ID: r.ID, Code: r.Code, Properties: props}
	case octets.SUBSCRIBE:
		s := octets.Subscribe{ID: r.ID, Properties: props}
		for _, f := range r.Filters {
			s.Filters = append(s.Filters, octets.Subscription{Filter: f})
		}
		return s
	case octets.UNSUBSCRIBE:
		return octets.Unsubscribe{ID: r.ID, Filters: r.Filters, Properties: props}
	case octets.PINGREQ:
		return octets.Pingreq{}
	case octets.DISCONNECT:
		return octets.Disconnect{Code: r.Code, Properties: props}
	case octets.AUTH:
		return octets.Auth{Code: r.Code, Properties: props}
	}
	return nil
}

func rebuilt(r *octets.Received) octets.Properties {
	var props octets.Properties
	for _, v := range r.Properties {
		switch v.ID {
		case octets.UserProperty:
			props = append(props, octets.User(v.Name, v.Text))
		case octets.ContentType, octets.ResponseTopic, octets.CorrelationData, octets.AuthenticationMethod, octets.AuthenticationData,
			octets.ReasonString, octets.ServerReference:
			props = append(props, v.ID.Text(v.Text))
		default:
			props = append(props, v.ID.Prop(v.Number))
		}
	}
	return props
}
