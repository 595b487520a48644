package octets

// PropertyID is the identifier of a property of MQTT 5.0.
type PropertyID byte

// The properties of Table 2-4.
const (
	PayloadFormatIndicator          PropertyID = 0x01
	MessageExpiryInterval           PropertyID = 0x02
	ContentType                     PropertyID = 0x03
	ResponseTopic                   PropertyID = 0x08
	CorrelationData                 PropertyID = 0x09
	SubscriptionIdentifier          PropertyID = 0x0B
	SessionExpiryInterval           PropertyID = 0x11
	AssignedClientIdentifier        PropertyID = 0x12
	ServerKeepAlive                 PropertyID = 0x13
	AuthenticationMethod            PropertyID = 0x15
	AuthenticationData              PropertyID = 0x16
	RequestProblemInformation       PropertyID = 0x17
	WillDelayInterval               PropertyID = 0x18
	RequestResponseInformation      PropertyID = 0x19
	ResponseInformation             PropertyID = 0x1A
	ServerReference                 PropertyID = 0x1C
	ReasonString                    PropertyID = 0x1F
	ReceiveMaximum                  PropertyID = 0x21
	TopicAliasMaximum               PropertyID = 0x22
	TopicAlias                      PropertyID = 0x23
	MaximumQoS                      PropertyID = 0x24
	RetainAvailable                 PropertyID = 0x25
	UserProperty                    PropertyID = 0x26
	MaximumPacketSize               PropertyID = 0x27
	WildcardSubscriptionAvailable   PropertyID = 0x28
	SubscriptionIdentifierAvailable PropertyID = 0x29
	SharedSubscriptionAvailable     PropertyID = 0x2A
)

// Property is one property to send: an identifier and the value as it goes on the
// wire. Nothing is checked. [Prop] makes well-formed values.
type Property struct {
	ID    PropertyID
	Value []byte
}

// Properties are the properties of one packet, in order.
type Properties []Property

// rawProperties marks a Property whose Value replaces Property Length and list.
const rawProperties PropertyID = 0xFF

// RawProperties replaces the whole field, Property Length included, by these bytes.
func RawProperties(b ...byte) Properties { return Properties{{rawProperties, b}} }

// append writes Property Length and properties in 5.0 and nothing in other versions.
func (p Properties) append(b []byte, v Version) []byte {
	if v != V5 {
		return b
	}
	if len(p) == 1 && p[0].ID == rawProperties {
		return append(b, p[0].Value...)
	}
	var list []byte
	for _, prop := range p {
		list = append(append(list, byte(prop.ID)), prop.Value...)
	}
	return append(append(b, VarInt(uint32(len(list)))...), list...)
}

// Prop makes a well-formed property of a numeric type. The width follows from the
// identifier; an unknown identifier gets one byte.
func (id PropertyID) Prop(n uint32) Property {
	switch propertyTable[id].kind {
	case kindTwoByte:
		return Property{id, u16(nil, uint16(n))}
	case kindFourByte:
		return Property{id, []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}}
	case kindVarInt:
		return Property{id, VarInt(n)}
	}
	return Property{id, []byte{byte(n)}}
}

// Text makes a property of a string or binary type.
func (id PropertyID) Text(s string) Property { return Property{id, str(nil, s)} }

// User makes a User Property.
func User(name, value string) Property { return Property{UserProperty, str(str(nil, name), value)} }

// String is the name of the property as the standard spells it.
func (id PropertyID) String() string {
	if info, ok := propertyTable[id]; ok {
		return info.name
	}
	return hexByte(byte(id))
}

// kind is a data type of section 1.5 of MQTT 5.0.
type kind byte

const (
	kindByte kind = iota
	kindTwoByte
	kindFourByte
	kindVarInt
	kindString
	kindBinary
	kindPair
)

// propertyInfo is one row of Table 2-4 as far as packets from a server need it; will
// stands for the Will Properties inside CONNECT.
type propertyInfo struct {
	name string
	kind kind
	in   []Type
}

// willProperties is the pseudo type under which Will Properties are listed.
const willProperties Type = 0

// bits01 are the properties that may only be 0 or 1; PropertyIDs with nonZero may not
// be 0.
var (
	bits01 = map[PropertyID]bool{
		PayloadFormatIndicator: true, RequestProblemInformation: true, RequestResponseInformation: true,
		MaximumQoS: true, RetainAvailable: true, WildcardSubscriptionAvailable: true,
		SubscriptionIdentifierAvailable: true, SharedSubscriptionAvailable: true,
	}
	nonZero = map[PropertyID]bool{
		SubscriptionIdentifier: true, ReceiveMaximum: true, TopicAlias: true, MaximumPacketSize: true,
	}
)

var propertyTable = map[PropertyID]propertyInfo{
	PayloadFormatIndicator:          {"Payload Format Indicator", kindByte, []Type{PUBLISH, willProperties}},
	MessageExpiryInterval:           {"Message Expiry Interval", kindFourByte, []Type{PUBLISH, willProperties}},
	ContentType:                     {"Content Type", kindString, []Type{PUBLISH, willProperties}},
	ResponseTopic:                   {"Response Topic", kindString, []Type{PUBLISH, willProperties}},
	CorrelationData:                 {"Correlation Data", kindBinary, []Type{PUBLISH, willProperties}},
	SubscriptionIdentifier:          {"Subscription Identifier", kindVarInt, []Type{PUBLISH, SUBSCRIBE}},
	SessionExpiryInterval:           {"Session Expiry Interval", kindFourByte, []Type{CONNECT, CONNACK, DISCONNECT}},
	AssignedClientIdentifier:        {"Assigned Client Identifier", kindString, []Type{CONNACK}},
	ServerKeepAlive:                 {"Server Keep Alive", kindTwoByte, []Type{CONNACK}},
	AuthenticationMethod:            {"Authentication Method", kindString, []Type{CONNECT, CONNACK, AUTH}},
	AuthenticationData:              {"Authentication Data", kindBinary, []Type{CONNECT, CONNACK, AUTH}},
	RequestProblemInformation:       {"Request Problem Information", kindByte, []Type{CONNECT}},
	WillDelayInterval:               {"Will Delay Interval", kindFourByte, []Type{willProperties}},
	RequestResponseInformation:      {"Request Response Information", kindByte, []Type{CONNECT}},
	ResponseInformation:             {"Response Information", kindString, []Type{CONNACK}},
	ServerReference:                 {"Server Reference", kindString, []Type{CONNACK, DISCONNECT}},
	ReasonString:                    {"Reason String", kindString, []Type{CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH}},
	ReceiveMaximum:                  {"Receive Maximum", kindTwoByte, []Type{CONNECT, CONNACK}},
	TopicAliasMaximum:               {"Topic Alias Maximum", kindTwoByte, []Type{CONNECT, CONNACK}},
	TopicAlias:                      {"Topic Alias", kindTwoByte, []Type{PUBLISH}},
	MaximumQoS:                      {"Maximum QoS", kindByte, []Type{CONNACK}},
	RetainAvailable:                 {"Retain Available", kindByte, []Type{CONNACK}},
	UserProperty:                    {"User Property", kindPair, []Type{CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, DISCONNECT, AUTH, willProperties}},
	MaximumPacketSize:               {"Maximum Packet Size", kindFourByte, []Type{CONNECT, CONNACK}},
	WildcardSubscriptionAvailable:   {"Wildcard Subscription Available", kindByte, []Type{CONNACK}},
	SubscriptionIdentifierAvailable: {"Subscription Identifier Available", kindByte, []Type{CONNACK}},
	SharedSubscriptionAvailable:     {"Shared Subscription Available", kindByte, []Type{CONNACK}},
}
