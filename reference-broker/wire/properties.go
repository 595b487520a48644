package wire

import "mqttlab/reference-broker/mqtt"

// property is a property identifier (MQTT 5.0 table 2-4).
type property byte

const (
	payloadFormatIndicator          property = 0x01
	messageExpiryInterval           property = 0x02
	contentType                     property = 0x03
	responseTopic                   property = 0x08
	correlationData                 property = 0x09
	subscriptionIdentifier          property = 0x0B
	sessionExpiryInterval           property = 0x11
	assignedClientIdentifier        property = 0x12
	serverKeepAlive                 property = 0x13
	authenticationMethod            property = 0x15
	authenticationData              property = 0x16
	requestProblemInformation       property = 0x17
	willDelayInterval               property = 0x18
	requestResponseInformation      property = 0x19
	responseInformation             property = 0x1A
	serverReference                 property = 0x1C
	reasonString                    property = 0x1F
	receiveMaximum                  property = 0x21
	topicAliasMaximum               property = 0x22
	topicAlias                      property = 0x23
	maximumQoS                      property = 0x24
	retainAvailable                 property = 0x25
	userProperty                    property = 0x26
	maximumPacketSize               property = 0x27
	wildcardSubscriptionAvailable   property = 0x28
	subscriptionIdentifierAvailable property = 0x29
	sharedSubscriptionAvailable     property = 0x2A
)

// place is a set of the places where properties stand: bit t for Control Packet type t, and one more for the Will Properties.
type place uint32

const inWill place = 1

func in(types ...mqtt.Type) (p place) {
	for _, t := range types {
		p |= 1 << t
	}
	return p
}

const everyPlace place = 1<<16 - 1

// propertyTable is table 2-4: the name of each property and where it may stand. An unknown identifier has no name.
var propertyTable = [...]struct {
	name string
	in   place
}{
	payloadFormatIndicator:     {"Payload Format Indicator", in(mqtt.TypePublish) | inWill},
	messageExpiryInterval:      {"Message Expiry Interval", in(mqtt.TypePublish) | inWill},
	contentType:                {"Content Type", in(mqtt.TypePublish) | inWill},
	responseTopic:              {"Response Topic", in(mqtt.TypePublish) | inWill},
	correlationData:            {"Correlation Data", in(mqtt.TypePublish) | inWill},
	subscriptionIdentifier:     {"Subscription Identifier", in(mqtt.TypePublish, mqtt.TypeSubscribe)},
	sessionExpiryInterval:      {"Session Expiry Interval", in(mqtt.TypeConnect, mqtt.TypeConnack, mqtt.TypeDisconnect)},
	assignedClientIdentifier:   {"Assigned Client Identifier", in(mqtt.TypeConnack)},
	serverKeepAlive:            {"Server Keep Alive", in(mqtt.TypeConnack)},
	authenticationMethod:       {"Authentication Method", in(mqtt.TypeConnect, mqtt.TypeConnack, mqtt.TypeAuth)},
	authenticationData:         {"Authentication Data", in(mqtt.TypeConnect, mqtt.TypeConnack, mqtt.TypeAuth)},
	requestProblemInformation:  {"Request Problem Information", in(mqtt.TypeConnect)},
	willDelayInterval:          {"Will Delay Interval", inWill},
	requestResponseInformation: {"Request Response Information", in(mqtt.TypeConnect)},
	responseInformation:        {"Response Information", in(mqtt.TypeConnack)},
	serverReference:            {"Server Reference", in(mqtt.TypeConnack, mqtt.TypeDisconnect)},
	reasonString: {"Reason String", in(mqtt.TypeConnack, mqtt.TypePuback, mqtt.TypePubrec, mqtt.TypePubrel, mqtt.TypePubcomp,
		mqtt.TypeSuback, mqtt.TypeUnsuback, mqtt.TypeDisconnect, mqtt.TypeAuth)},
	receiveMaximum:                  {"Receive Maximum", in(mqtt.TypeConnect, mqtt.TypeConnack)},
	topicAliasMaximum:               {"Topic Alias Maximum", in(mqtt.TypeConnect, mqtt.TypeConnack)},
	topicAlias:                      {"Topic Alias", in(mqtt.TypePublish)},
	maximumQoS:                      {"Maximum QoS", in(mqtt.TypeConnack)},
	retainAvailable:                 {"Retain Available", in(mqtt.TypeConnack)},
	userProperty:                    {"User Property", everyPlace},
	maximumPacketSize:               {"Maximum Packet Size", in(mqtt.TypeConnect, mqtt.TypeConnack)},
	wildcardSubscriptionAvailable:   {"Wildcard Subscription Available", in(mqtt.TypeConnack)},
	subscriptionIdentifierAvailable: {"Subscription Identifier Available", in(mqtt.TypeConnack)},
	sharedSubscriptionAvailable:     {"Shared Subscription Available", in(mqtt.TypeConnack)},
}

func (p property) String() string { return propertyTable[p].name }

// properties walks over one property section:
//
//	for p := r.properties(); p.next(); {
//		switch p.id {
//		case reasonString:
//			a.ReasonString = p.text()
//		...
//
// next moves to the following property and checks that it may stand here and was not here before; one of the value methods must be called for each.
type properties struct {
	r     *reader
	in    place
	id    property
	at    int    // offset of the identifier
	had   uint64 // bit id set: seen before
	outer int    // end of the section around the properties
}

// properties begins the property section of the packet, willProperties that of the Will Message.
func (r *reader) properties() properties     { return r.section(in(r.typ)) }
func (r *reader) willProperties() properties { return r.section(inWill) }

func (r *reader) section(where place) properties {
	p := properties{r: r, in: where, outer: r.end}
	at := r.at
	n := int(r.varint("Property Length"))
	if r.err == nil && n > r.end-r.at { // [X5 2.2.2.1-1]
		r.fail(mqtt.MalformedPacket, "Property Length", at, "is %d, but %d bytes are left", n, r.end-r.at)
	}
	if r.err == nil {
		r.end = r.at + n
	}
	return p
}

func (p *properties) next() bool {
	r := p.r
	if r.err != nil {
		return false
	}
	if !r.more() {
		r.end = p.outer
		return false
	}
	p.at = r.at
	id := r.varint("Property Identifier")
	switch {
	case r.err != nil:
		return false
	case id >= uint32(len(propertyTable)) || propertyTable[id].name == "": // [X5 2.2.2.2-1]
		r.fail(mqtt.MalformedPacket, "Property Identifier", p.at, "0x%02X is unknown", id)
		return false
	case propertyTable[id].in&p.in == 0: // [X5 2.2.2.2-2] [X5 T2.4-CONNECT] and its siblings
		r.fail(mqtt.MalformedPacket, property(id).String(), p.at, "is not allowed in this place")
		return false
	}
	p.id = property(id)
	if p.had&(1<<id) != 0 && !p.repeatable() {
		// Each property's section calls its repetition a Protocol Error.
		r.fail(mqtt.ProtocolError, p.id.String(), p.at, "stands here twice")
		return false
	}
	p.had |= 1 << id
	return true
}

// repeatable: a User Property may stand anywhere any number of times, and a Server names all Subscription Identifiers of a PUBLISH.
func (p *properties) repeatable() bool {
	return p.id == userProperty || p.id == subscriptionIdentifier && p.r.typ == mqtt.TypePublish
}

func (p *properties) has(id property) bool { return p.had&(1<<id) != 0 }
func (p *properties) byte() byte           { return p.r.byte(p.id.String()) }
func (p *properties) bool() bool           { return p.r.bool(p.id.String()) }
func (p *properties) uint16() uint16       { return p.r.uint16(p.id.String()) }
func (p *properties) uint32() uint32       { return p.r.uint32(p.id.String()) }
func (p *properties) text() string         { return p.r.text(p.id.String()) }
func (p *properties) binary() []byte       { return p.r.binary(p.id.String()) }
func (p *properties) copied() []byte       { return p.r.copied(p.id.String()) }

func (p *properties) pair() mqtt.UserProperty {
	name := p.text()
	return mqtt.UserProperty{Name: name, Value: p.text()}
}

// format reads a Payload Format Indicator.
func (p *properties) format() mqtt.Opt[byte] {
	v := p.byte()
	if v > 1 { // [X5 3.3.2.3.2-1]
		p.invalid("is %d, may be 0 or 1", v)
	}
	return mqtt.Some(v)
}

// nonZero16 and nonZero32 read values of which 0 is a Protocol Error.
// [X5 3.1.2.11.3-1] [X5 3.1.2.11.4-1] [X5 3.2.2.3.3-1] [X5 3.2.2.3.6-1]
func (p *properties) nonZero16() uint16 {
	v := p.uint16()
	if v == 0 {
		p.invalid("is 0")
	}
	return v
}

func (p *properties) nonZero32() uint32 {
	v := p.uint32()
	if v == 0 {
		p.invalid("is 0")
	}
	return v
}

// subscriptionID reads a Subscription Identifier.
func (p *properties) subscriptionID() uint32 {
	v := p.r.varint(p.id.String())
	if v == 0 { // [X5 3.8.2.1.2-1] [X5 3.3.2.3.8-1]
		p.invalid("is 0")
	}
	return v
}

func (p *properties) invalid(format string, args ...any) {
	p.r.fail(mqtt.ProtocolError, p.id.String(), p.at, format, args...)
}
