package grammar

import (
	"strings"

	"mqttlab/spec/octets"
)

// place is where properties stand in what a client sends.
type place byte

const (
	inConnect place = iota
	inWill
	inPublish
	inPuback
	inPubrec
	inPubrel
	inPubcomp
	inSubscribe
	inUnsubscribe
	inDisconnect
	inAuth
)

var placeNames = [...]string{
	"CONNECT", "WILL", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "UNSUBSCRIBE", "DISCONNECT", "AUTH",
}

// String is the place as the rows of Table 2-4 name it.
func (p place) String() string { return placeNames[p] }

// places is a set of places.
type places uint16

func in(all ...place) (set places) {
	for _, p := range all {
		set |= 1 << p
	}
	return set
}

func (s places) has(p place) bool { return s&(1<<p) != 0 }

// property is a row of Table 2-4 with values to try.
type property struct {
	id octets.PropertyID
	// in is where a client may send it; grey is where the table and the text of the section leave it open.
	in, grey places
	// size is how many bytes a number takes; 0 for text. texts counts the strings, of which length prefixes make text; blob is Binary Data.
	size  int
	texts int
	blob  bool
	// good are legal values at the edges, bad are not legal. badOpen: no reaction to bad is named.
	good, bad []octets.Property
	badOpen   bool
}

// value is a legal value.
func (p *property) value() octets.Property { return p.good[0] }

func numbers(id octets.PropertyID, all ...uint32) []octets.Property {
	props := make([]octets.Property, len(all))
	for i, n := range all {
		props[i] = id.Prop(n)
	}
	return props
}

func strs(id octets.PropertyID, all ...string) []octets.Property {
	props := make([]octets.Property, len(all))
	for i, s := range all {
		props[i] = id.Text(s)
	}
	return props
}

const (
	most16 = 1<<16 - 1
	most32 = 1<<32 - 1
)

// someTexts are legal strings: of one character, empty, of the size where lengths of lengths change, and of the longest characters.
var someTexts = []string{"t", "", strings.Repeat("x", 127), strings.Repeat("x", 128), strings.Repeat("x", 255), strings.Repeat("x", 256), "\u00e9\u20ac\U0001F600\U0010FFFD"}

// table is Table 2-4 of MQTT 5.0, in its order.
var table = []property{
	{id: octets.PayloadFormatIndicator, in: in(inPublish, inWill), size: 1, good: numbers(0x01, 0, 1), bad: numbers(0x01, 2, 3, 127, 128, 255), badOpen: true},
	{id: octets.MessageExpiryInterval, in: in(inPublish, inWill), size: 4, good: numbers(0x02, 1, 255, 256, most16, 1<<16, 1<<31, most32)},
	{id: octets.ContentType, in: in(inPublish, inWill), texts: 1, good: strs(0x03, someTexts...)},
	{id: octets.ResponseTopic, in: in(inPublish, inWill), texts: 1, good: strs(0x08, "t", "a/b", "/", "\u00e9/\U0001F600")},
	{id: octets.CorrelationData, in: in(inPublish, inWill), blob: true, good: strs(0x09, "t", "", "\x00\xff\xfe", strings.Repeat("\x80", 256))},
	{id: octets.SubscriptionIdentifier, in: in(inSubscribe), grey: in(inPublish), size: 1, good: numbers(0x0B, 1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455), bad: []octets.Property{
		{ID: 0x0B, Value: []byte{0}}, {ID: 0x0B, Value: []byte{0xFF, 0xFF, 0xFF, 0xFF, 0x7F}},
	}},
	{id: octets.SessionExpiryInterval, in: in(inConnect, inDisconnect), size: 4, good: numbers(0x11, 0, 1, 255, 256, 1<<31, most32)},
	{id: octets.AssignedClientIdentifier, texts: 1, good: strs(0x12, "t")},
	{id: octets.ServerKeepAlive, size: 2, good: numbers(0x13, 1)},
	{id: octets.AuthenticationMethod, in: in(inConnect, inAuth), texts: 1, good: strs(0x15, "mqttlab")},
	{id: octets.AuthenticationData, in: in(inConnect, inAuth), blob: true, good: strs(0x16, "t")},
	{id: octets.RequestProblemInformation, in: in(inConnect), size: 1, good: numbers(0x17, 0, 1), bad: numbers(0x17, 2, 3, 127, 128, 255)},
	{id: octets.WillDelayInterval, in: in(inWill), size: 4, good: numbers(0x18, 0, 1, 255, 256)},
	{id: octets.RequestResponseInformation, in: in(inConnect), size: 1, good: numbers(0x19, 0, 1), bad: numbers(0x19, 2, 3, 127, 128, 255)},
	{id: octets.ResponseInformation, texts: 1, good: strs(0x1A, "t")},
	{id: octets.ServerReference, grey: in(inDisconnect), texts: 1, good: strs(0x1C, "t")},
	{
		id: octets.ReasonString, in: in(inPuback, inPubrec, inPubrel, inPubcomp, inDisconnect, inAuth),
		texts: 1, good: strs(0x1F, someTexts...),
	},
	{id: octets.ReceiveMaximum, in: in(inConnect), size: 2, good: numbers(0x21, 1, 2, 255, 256, 32767, 32768, most16), bad: numbers(0x21, 0)},
	{id: octets.TopicAliasMaximum, in: in(inConnect), size: 2, good: numbers(0x22, 0, 1, 255, 256, most16)},
	{id: octets.TopicAlias, in: in(inPublish), size: 2, good: numbers(0x23, 1), bad: numbers(0x23, 0)},
	{id: octets.MaximumQoS, size: 1, good: numbers(0x24, 1)},
	{id: octets.RetainAvailable, size: 1, good: numbers(0x25, 1)},
	{
		id: octets.UserProperty, in: 1<<11 - 1, texts: 2,
		good: []octets.Property{octets.User("n", "v"), octets.User("", ""), octets.User("n", ""), octets.User("", "v"), octets.User(strings.Repeat("n", 128), strings.Repeat("v", 256))},
	},
	{id: octets.MaximumPacketSize, in: in(inConnect), size: 4, good: numbers(0x27, 1<<16, 1<<16-1, 268435455, 268435460, most32), bad: numbers(0x27, 0)},
	{id: octets.WildcardSubscriptionAvailable, size: 1, good: numbers(0x28, 1)},
	{id: octets.SubscriptionIdentifierAvailable, size: 1, good: numbers(0x29, 1)},
	{id: octets.SharedSubscriptionAvailable, size: 1, good: numbers(0x2A, 1)},
}

// unknown are identifiers that no property has: every gap of the table at both ends, and the edges of one and more bytes.
var unknown = []byte{0x00, 0x04, 0x07, 0x0A, 0x0C, 0x10, 0x14, 0x1B, 0x1D, 0x1E, 0x20, 0x2B, 0x40, 0x7E, 0x7F}
