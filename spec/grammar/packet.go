package grammar

import (
	"fmt"
	"slices"

	"mqttlab/spec/octets"
)

// kind is what a part is.
type kind byte

const (
	number      kind = iota // one or two bytes, in data
	identifier              // a Packet Identifier
	text                    // a UTF-8 Encoded String; data is without its length
	binary                  // Binary Data, the same
	propertyBag             // Property Length and props
	payload                 // the rest of the packet
)

// part is one field of a packet.
type part struct {
	name string
	kind kind
	data []byte
	// props are the properties of a propertyBag, and in is where it stands.
	props []octets.Property
	in    place
	// mayEnd: a well-formed packet may end behind this part.
	mayEnd bool
	// topic says that a text names a Topic, or a Topic Filter.
	topic bool
}

func (p part) bytes(id uint16) []byte {
	switch p.kind {
	case identifier:
		if p.data != nil {
			return p.data
		}
		return []byte{byte(id >> 8), byte(id)}
	case text, binary:
		return append([]byte{byte(len(p.data) >> 8), byte(len(p.data))}, p.data...)
	case propertyBag:
		var list []byte
		for _, prop := range p.props {
			list = append(append(list, byte(prop.ID)), prop.Value...)
		}
		return append(octets.VarInt(uint32(len(list))), list...)
	}
	return p.data
}

// packet is a well-formed Control Packet of a client.
type packet struct {
	name  string
	typ   octets.Type
	flags byte
	stage Stage
	parts []part
	// startEnds: a packet without any part is well-formed.
	startEnds bool
	// answer is what the server sends for it, 0 for nothing.
	answer octets.Type
}

func (p *packet) body(id uint16) []byte {
	var b []byte
	for _, f := range p.parts {
		b = append(b, f.bytes(id)...)
	}
	return b
}

func (p *packet) bytes(id uint16) []byte { return framed(byte(p.typ)<<4|p.flags, p.body(id)) }

// framed puts a fixed header with the right Remaining Length before a body.
func framed(first byte, body []byte) []byte {
	return append(append([]byte{first}, octets.VarInt(uint32(len(body)))...), body...)
}

// with returns the packet with a part replaced.
func (p *packet) with(i int, f part) *packet {
	c := *p
	c.parts = slices.Clone(p.parts)
	c.parts[i] = f
	return &c
}

// withData returns the packet with the bytes of a part replaced.
func (p *packet) withData(i int, data []byte) *packet {
	f := p.parts[i]
	f.data = data
	return p.with(i, f)
}

// withProps returns the packet with the properties of a part replaced.
func (p *packet) withProps(i int, props ...octets.Property) *packet {
	f := p.parts[i]
	f.props = props
	return p.with(i, f)
}

// find returns the place of the first part with a name; there is one.
func (p *packet) find(name string) int {
	return slices.IndexFunc(p.parts, func(f part) bool { return f.name == name })
}

// mutant makes a case of a packet that was changed, to be compared with the one it was.
func (p *packet) mutant(changed *packet, format string, args ...any) Case {
	return p.mutantBytes(changed.bytes, format, args...)
}

func (p *packet) mutantBytes(b func(uint16) []byte, format string, args ...any) Case {
	return Case{Name: p.name + ": " + fmt.Sprintf(format, args...), Stage: p.stage, Bytes: b, Like: p.bytes, Codes: malformed}
}

// malformed are the codes for what cannot be parsed, and for what must not be so.
var malformed = []byte{0x81, 0x82}

func texts(name, s string) part  { return part{name: name, kind: text, data: []byte(s)} }
func topics(name, s string) part { return part{name: name, kind: text, data: []byte(s), topic: true} }

func number8(name string, n byte) part {
	return part{name: name, kind: number, data: []byte{n}}
}

// packets are one or more well-formed examples of every Control Packet that a client sends.
func (s *Site) packets() []*packet {
	all := []*packet{s.connect(), s.fullConnect()}
	for qos := range s.MaximumQoS + 1 {
		all = append(all, s.publish(qos))
	}
	all = append(all, s.subscribe(), s.unsubscribe())
	if s.MaximumQoS == 2 {
		all = append(all, s.acks()...)
	}
	all = append(all, &packet{name: "PINGREQ", typ: octets.PINGREQ, stage: Connected, startEnds: true, answer: octets.PINGRESP}, s.disconnect())
	if s.v5() {
		all = append(all, s.auth())
	}
	return all
}

// bag is the part for properties, nothing in 3.1.1.
func (s *Site) bag(in place, props ...octets.Property) []part {
	if !s.v5() {
		return nil
	}
	return []part{{name: in.String() + " Property Length", kind: propertyBag, in: in, props: props}}
}

const (
	cleanFlag    = 0x02
	willFlag     = 0x04
	passwordFlag = 0x40
	userFlag     = 0x80
)

// connect is a CONNECT with what the server asks for, and no more.
func (s *Site) connect() *packet {
	flags := byte(cleanFlag)
	var credentials []part
	if s.UserName != nil {
		flags |= userFlag
		credentials = append(credentials, texts("User Name", *s.UserName))
	}
	if s.Password != nil {
		flags |= passwordFlag
		credentials = append(credentials, part{name: "Password", kind: binary, data: []byte(*s.Password)})
	}
	return s.connecting("CONNECT", flags, s.bag(inConnect), append([]part{texts("Client Identifier", s.ClientID())}, credentials...))
}

// fullConnect is a CONNECT with every field.
func (s *Site) fullConnect() *packet {
	name, password := "user", "password"
	if s.UserName != nil && s.Password != nil {
		name, password = *s.UserName, *s.Password
	}
	fields := []part{texts("Client Identifier", s.ClientID())}
	fields = append(fields, s.bag(inWill, octets.WillDelayInterval.Prop(0), octets.ContentType.Text("t"))...)
	fields = append(fields, topics("Will Topic", s.Topic("w")), part{name: "Will Payload", kind: binary, data: []byte("w")},
		texts("User Name", name), part{name: "Password", kind: binary, data: []byte(password)})
	return s.connecting("CONNECT with Will, User Name and Password", cleanFlag|willFlag|userFlag|passwordFlag,
		s.bag(inConnect, octets.ReceiveMaximum.Prop(10), octets.User("n", "v")), fields)
}

func (s *Site) connecting(name string, flags byte, props, fields []part) *packet {
	parts := slices.Concat([]part{
		texts("Protocol Name", "MQTT"), number8("Protocol Version", byte(s.Version)), number8("Connect Flags", flags),
		{name: "Keep Alive", kind: number, data: []byte{0, 0}},
	}, props, fields)
	return &packet{name: name, typ: octets.CONNECT, stage: Opening, parts: parts, answer: octets.CONNACK}
}

func (s *Site) publish(qos byte) *packet {
	p := &packet{
		name: fmt.Sprintf("PUBLISH QoS %d", qos), typ: octets.PUBLISH, flags: qos << 1, stage: Connected,
		parts: []part{topics("Topic Name", s.Topic("a"))},
	}
	if qos > 0 {
		p.parts = append(p.parts, part{name: "Packet Identifier", kind: identifier})
		p.answer = []octets.Type{0, octets.PUBACK, octets.PUBREC}[qos]
	}
	p.parts = append(p.parts, s.bag(inPublish, octets.MessageExpiryInterval.Prop(9), octets.ContentType.Text("t"))...)
	p.parts[len(p.parts)-1].mayEnd = true
	p.parts = append(p.parts, part{name: "Payload", kind: payload, data: []byte("xyz")})
	return p
}

func (s *Site) subscribe() *packet {
	parts := append([]part{{name: "Packet Identifier", kind: identifier}}, s.bag(inSubscribe, octets.User("n", "v"))...)
	for _, name := range []string{"a", "b"} {
		options := number8("Subscription Options", 0)
		options.mayEnd = true
		parts = append(parts, topics("Topic Filter", s.Topic(name)), options)
	}
	return &packet{name: "SUBSCRIBE", typ: octets.SUBSCRIBE, flags: 2, stage: Connected, parts: parts, answer: octets.SUBACK}
}

func (s *Site) unsubscribe() *packet {
	parts := append([]part{{name: "Packet Identifier", kind: identifier}}, s.bag(inUnsubscribe, octets.User("n", "v"))...)
	for _, name := range []string{"a", "b"} {
		filter := topics("Topic Filter", s.Topic(name))
		filter.mayEnd = true
		parts = append(parts, filter)
	}
	return &packet{name: "UNSUBSCRIBE", typ: octets.UNSUBSCRIBE, flags: 2, stage: Connected, parts: parts, answer: octets.UNSUBACK}
}

// acks are the four acknowledgements, in 5.0 with a Reason Code and properties.
func (s *Site) acks() []*packet {
	var all []*packet
	for i, typ := range []octets.Type{octets.PUBACK, octets.PUBREC, octets.PUBREL, octets.PUBCOMP} {
		p := &packet{name: typ.String(), typ: typ, stage: AwaitsPuback + Stage(i), parts: []part{{name: "Packet Identifier", kind: identifier, mayEnd: true}}}
		if typ == octets.PUBREL {
			p.flags, p.answer = 2, octets.PUBCOMP
		}
		if s.v5() {
			code := number8("Reason Code", 0)
			code.mayEnd = true
			p.parts = append(p.parts, code)
			p.parts = append(p.parts, s.bag(inPuback+place(i), octets.User("n", "v"))...)
		}
		all = append(all, p)
	}
	return all
}

func (s *Site) disconnect() *packet {
	p := &packet{name: "DISCONNECT", typ: octets.DISCONNECT, stage: Connected, startEnds: true}
	if s.v5() {
		code := number8("Reason Code", 0)
		code.mayEnd = true
		p.parts = append([]part{code}, s.bag(inDisconnect, octets.ReasonString.Text("r"))...)
	}
	return p
}

// auth is an AUTH, which without an Authentication Method in CONNECT is a Protocol Error whatever it holds.
func (s *Site) auth() *packet {
	parts := append([]part{number8("Reason Code", 0x18)}, s.bag(inAuth, octets.AuthenticationMethod.Text("mqttlab"))...)
	return &packet{name: "AUTH", typ: octets.AUTH, stage: Connected, parts: parts}
}
