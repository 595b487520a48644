package malformed

import (
	"context"
	"slices"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:   "UserPropertyIllFormed",
	Title:  "closes the Network Connection on a User Property whose name or value is not UTF-8",
	Covers: statement.V5("1.5.7-1"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, bad := range []string{"\xff", "a\xc3", "\xed\xa0\x80", "x\x00y"} {
			for _, user := range []octets.Property{octets.User(bad, "value"), octets.User("name", bad)} {
				refused(t, "name and value of a User Property are well-formed UTF-8", []byte{0x81},
					octets.Publish{Topic: t.Topic("a"), Properties: octets.Properties{user}}, one(t, user), off(t, user))
			}
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "BinaryDataTooShort",
	Title:  "closes the Network Connection on Binary Data that is longer than what holds it",
	Covers: statement.X5("1.5.6-1"),
	Run: func(_ context.Context, t *conformance.T) {
		cut := octets.Property{ID: octets.CorrelationData, Value: []byte{0, 9, 'd'}}
		refused(t, "Correlation Data runs past the properties", []byte{0x81},
			octets.Publish{Topic: t.Topic("a"), Properties: octets.Properties{cut}},
			octets.Publish{Topic: t.Topic("a"), Payload: "more than nine bytes", Properties: octets.Properties{cut}})
		c := t.NewConnect()
		c.UserName, c.Password = new("user"), new("password")
		w := t.NewConnect()
		w.Will = &octets.Will{Topic: t.Topic("a"), Payload: "payload"}
		w.UserName, w.Password = nil, nil
		refusedConnect(t, "Binary Data runs past the packet", []byte{0x81}, octets.Trimmed(c, 1), octets.Trimmed(w, 1))
	},
})

// withProperties is each kind of packet that a client sends, with these properties.
func withProperties(t *conformance.T, props octets.Properties) []octets.Packet {
	s, u := one(t), off(t)
	s.Properties, u.Properties = props, props
	packets := []octets.Packet{s, u, octets.Publish{Topic: t.Topic("a"), Payload: "x", Properties: props}}
	for _, typ := range []octets.Type{octets.PUBACK, octets.PUBREC, octets.PUBREL, octets.PUBCOMP} {
		packets = append(packets, octets.Ack{Type: typ, ID: 1, Properties: props})
	}
	return packets
}

var _ = conformance.Register(conformance.Check{
	Name:   "PropertyLength",
	Title:  "closes the Network Connection on a Property Length beyond the packet or within a property",
	Covers: statement.X5("2.2.2.1-1"),
	Run: func(_ context.Context, t *conformance.T) {
		user := octets.Bytes(octets.V5, octets.Raw(append([]byte{0x26}, "\x00\x01a\x00\x01b"...)))
		for _, props := range []octets.Properties{
			octets.RawProperties(0x7F), octets.RawProperties(0xFF, 0xFF, 0xFF, 0x7F), octets.RawProperties(append([]byte{0x03}, user...)...),
			octets.RawProperties(0x01, 0x26),
		} {
			refused(t, "the properties do not end with their length", []byte{0x81, 0x82}, withProperties(t, props)...)
			c := t.NewConnect()
			c.Properties = props
			refusedConnect(t, "the properties do not end with their length", []byte{0x81}, c)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NoPropertyLength",
	Title:  "closes the Network Connection on packets without a Property Length",
	Covers: statement.V5("2.2.2-1"),
	Run: func(_ context.Context, t *conformance.T) {
		none := octets.RawProperties()
		s, u, c := one(t), off(t), t.NewConnect()
		s.Properties, u.Properties, c.Properties = none, none, none
		refused(t, "there is a Property Length, if only 0", []byte{0x81, 0x82}, s, u, octets.Publish{Topic: t.Topic("a"), Properties: none})
		refusedConnect(t, "there is a Property Length, if only 0", []byte{0x81}, c)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "UnknownProperty",
	Title:  "closes the Network Connection on a property identifier that does not exist",
	Covers: statement.X5("2.2.2.2-1"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, id := range []octets.PropertyID{0x00, 0x04, 0x0A, 0x14, 0x2B, 0x7F} {
			props := octets.Properties{id.Prop(1)}
			refused(t, "the property does not exist", []byte{0x81, 0x82}, withProperties(t, props)...)
			c := t.NewConnect()
			c.Properties = props
			refusedConnect(t, "the property does not exist", []byte{0x81}, c)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WrongValue",
	Title:  "closes the Network Connection on a property value that is not of the type of the property",
	Covers: statement.X5("2.2.2.2-3"),
	Run: func(_ context.Context, t *conformance.T) {
		short := func(id octets.PropertyID, value ...byte) octets.Properties {
			return octets.Properties{{ID: id, Value: value}}
		}
		for _, props := range []octets.Properties{
			short(octets.MessageExpiryInterval, 0, 0, 1), short(octets.TopicAlias, 1), short(octets.PayloadFormatIndicator),
			short(octets.ContentType, 0), short(octets.ContentType, 0, 2, 'a'), short(octets.ResponseTopic, 0, 1, 0xFF),
			short(octets.UserProperty, 0, 1, 'a'), short(octets.CorrelationData, 0),
		} {
			refused(t, "the value is not of the property's type", []byte{0x81, 0x82}, octets.Publish{Topic: t.Topic("a"), Properties: props})
		}
		s := one(t, octets.Property{ID: octets.SubscriptionIdentifier, Value: []byte{0x80}})
		refused(t, "the value is not of the property's type", []byte{0x81, 0x82}, s)
		c := t.NewConnect()
		c.Properties = short(octets.SessionExpiryInterval, 0, 0, 1)
		refusedConnect(t, "the value is not of the property's type", []byte{0x81}, c)
	},
})

// every is a well-formed property of each identifier.
var every = []octets.Property{
	octets.PayloadFormatIndicator.Prop(1), octets.MessageExpiryInterval.Prop(1), octets.ContentType.Text("x"), octets.ResponseTopic.Text("x"),
	octets.CorrelationData.Text("x"), octets.SubscriptionIdentifier.Prop(1), octets.SessionExpiryInterval.Prop(1),
	octets.AssignedClientIdentifier.Text("x"), octets.ServerKeepAlive.Prop(1), octets.AuthenticationMethod.Text("x"),
	octets.AuthenticationData.Text("x"), octets.RequestProblemInformation.Prop(1), octets.WillDelayInterval.Prop(1),
	octets.RequestResponseInformation.Prop(1), octets.ResponseInformation.Text("x"), octets.ServerReference.Text("x"),
	octets.ReasonString.Text("x"), octets.ReceiveMaximum.Prop(1), octets.TopicAliasMaximum.Prop(1), octets.TopicAlias.Prop(1),
	octets.MaximumQoS.Prop(1), octets.RetainAvailable.Prop(1), octets.User("x", "x"), octets.MaximumPacketSize.Prop(1),
	octets.WildcardSubscriptionAvailable.Prop(1), octets.SubscriptionIdentifierAvailable.Prop(1), octets.SharedSubscriptionAvailable.Prop(1),
}

// foreign are the properties that do not belong where only these may be.
func foreign(allowed ...octets.PropertyID) []octets.Property {
	allowed = append(allowed, octets.UserProperty)
	return slices.DeleteFunc(slices.Clone(every), func(p octets.Property) bool { return slices.Contains(allowed, p.ID) })
}

var _ = conformance.Register(conformance.Check{
	Name:   "ForeignInSubscribe",
	Title:  "closes the Network Connection on a SUBSCRIBE with a property of other packets",
	Covers: statement.X5("T2.4-SUBSCRIBE", "2.2.2.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, p := range foreign(octets.SubscriptionIdentifier) {
			refused(t, p.ID.String()+" does not belong in SUBSCRIBE", []byte{0x81, 0x82}, one(t, p))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ForeignInUnsubscribe",
	Title:  "closes the Network Connection on an UNSUBSCRIBE with a property of other packets",
	Covers: statement.X5("T2.4-UNSUBSCRIBE", "2.2.2.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, p := range foreign() {
			refused(t, p.ID.String()+" does not belong in UNSUBSCRIBE", []byte{0x81, 0x82}, off(t, p))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ForeignInConnect",
	Title:  "closes the Network Connection on a CONNECT with a property of other packets",
	Covers: statement.X5("T2.4-CONNECT", "2.2.2.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, p := range foreign(octets.SessionExpiryInterval, octets.AuthenticationMethod, octets.AuthenticationData,
			octets.RequestProblemInformation, octets.RequestResponseInformation, octets.ReceiveMaximum, octets.TopicAliasMaximum, octets.MaximumPacketSize) {
			c := t.NewConnect()
			c.Properties = octets.Properties{p}
			refusedConnect(t, p.ID.String()+" does not belong in CONNECT", []byte{0x81, 0x82}, c)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ForeignInWill",
	Title:  "closes the Network Connection on Will Properties with a property of other packets",
	Covers: statement.X5("T2.4-WILL", "2.2.2.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, p := range foreign(octets.PayloadFormatIndicator, octets.MessageExpiryInterval, octets.ContentType, octets.ResponseTopic,
			octets.CorrelationData, octets.WillDelayInterval) {
			c := t.NewConnect()
			c.Will = &octets.Will{Topic: t.Topic("a"), Payload: "x", Properties: octets.Properties{p}}
			refusedConnect(t, p.ID.String()+" does not belong in Will Properties", []byte{0x81, 0x82}, c)
		}
	},
})

// A server closes on any DISCONNECT; whether it has taken it for a valid one shows in the
// Will Message, which a valid one deletes.
var _ = conformance.Register(conformance.Check{
	Name:   "ForeignInDisconnect",
	Title:  "does not take a DISCONNECT with a property of other packets for a normal one",
	Covers: statement.X5("T2.4-DISCONNECT", "2.2.2.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		s, topic := t.Connect(), t.Topic("will")
		s.Subscribe(octets.Subscription{Filter: topic})
		for _, p := range []octets.Property{octets.ContentType.Text("x"), octets.TopicAlias.Prop(1), octets.SubscriptionIdentifier.Prop(1), octets.AssignedClientIdentifier.Text("x")} {
			c := t.NewConnect()
			c.Will = &octets.Will{Topic: topic, Payload: p.ID.String()}
			client := t.ConnectWith(c)
			client.Send(octets.Disconnect{Properties: octets.Properties{p}})
			t.OneOf(client, "the DISCONNECT is malformed", conformance.ClosedWith(0x81, 0x82), conformance.Closed())
			s.WantMessage(topic, p.ID.String(), "a malformed DISCONNECT is no normal one: the Will Message is published")
		}
	},
})
