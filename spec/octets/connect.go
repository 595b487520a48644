package octets

// Connect is a CONNECT packet. Its zero value is not what a client would send: Clean
// is false and the Client Identifier is empty.
type Connect struct {
	// ClientID is the Client Identifier; empty is sent as empty.
	ClientID string
	// Clean is Clean Session (3.1.1) or Clean Start (5.0).
	Clean bool
	// KeepAlive is in seconds; 0 turns it off.
	KeepAlive uint16
	// Will is the Will Message, nil for none.
	Will *Will
	// UserName and Password are absent when nil.
	UserName *string
	Password *string
	// Properties are sent in 5.0 only.
	Properties Properties

	// ProtocolName replaces "MQTT" when not nil.
	ProtocolName *string
	// Level replaces the Protocol Level when not nil. It does not change the layout.
	Level *byte
	// Flags replaces the Connect Flags when not nil. The payload stays as the other
	// fields say.
	Flags *byte
}

// Will is the Will Message of a CONNECT.
type Will struct {
	// Topic and Payload are the message.
	Topic, Payload string
	// QoS is written in two bits; 3 is malformed.
	QoS byte
	// Retain is the Will Retain flag.
	Retain bool
	// Properties are the Will Properties, sent in 5.0 only.
	Properties Properties
}

// Frame lays the packet out.
func (c Connect) Frame(v Version) Frame {
	name, level, flags := "MQTT", byte(v), c.flags()
	if c.ProtocolName != nil {
		name = *c.ProtocolName
	}
	if c.Level != nil {
		level = *c.Level
	}
	if c.Flags != nil {
		flags = *c.Flags
	}
	b := str(nil, name)
	b = append(b, level, flags)
	b = u16(b, c.KeepAlive)
	b = c.Properties.append(b, v)
	b = str(b, c.ClientID)
	if c.Will != nil {
		b = c.Will.Properties.append(b, v)
		b = str(b, c.Will.Topic)
		b = str(b, c.Will.Payload)
	}
	if c.UserName != nil {
		b = str(b, *c.UserName)
	}
	if c.Password != nil {
		b = str(b, *c.Password)
	}
	return frame(CONNECT, 0, b)
}

func (c Connect) flags() byte {
	var f byte
	if c.Clean {
		f |= 0x02
	}
	if w := c.Will; w != nil {
		f |= 0x04 | w.QoS&3<<3
		if w.Retain {
			f |= 0x20
		}
	}
	if c.Password != nil {
		f |= 0x40
	}
	if c.UserName != nil {
		f |= 0x80
	}
	return f
}

// Disconnect is a DISCONNECT packet. In 5.0 a zero code without properties takes the
// short form without a body.
type Disconnect struct {
	// Code is the Disconnect Reason Code, 5.0 only.
	Code byte
	// Properties are sent in 5.0 only; an empty non-nil list is sent as length 0.
	Properties Properties
}

// Frame lays the packet out.
func (d Disconnect) Frame(v Version) Frame {
	return frame(DISCONNECT, 0, coded(nil, v, d.Code, d.Properties))
}

// Auth is an AUTH packet of 5.0. A zero code without properties takes the short form.
type Auth struct {
	// Code is the Authenticate Reason Code.
	Code byte
	// Properties should hold at least the Authentication Method.
	Properties Properties
}

// Frame lays the packet out, in the 5.0 way whatever the version.
func (a Auth) Frame(Version) Frame { return frame(AUTH, 0, coded(nil, V5, a.Code, a.Properties)) }

// coded appends a Reason Code and properties in the shortest form 5.0 has for them;
// other versions have neither.
func coded(b []byte, v Version, code byte, props Properties) []byte {
	if v != V5 || code == 0 && props == nil {
		return b
	}
	b = append(b, code)
	if props == nil {
		return b
	}
	return props.append(b, v)
}

// Pingreq is a PINGREQ packet.
type Pingreq struct{}

// Frame lays the packet out.
func (Pingreq) Frame(Version) Frame { return frame(PINGREQ, 0, nil) }
