package octets

// Publish is a PUBLISH packet.
type Publish struct {
	// Topic is the Topic Name; empty is sent as empty.
	Topic string
	// Payload is the Application Message.
	Payload string
	// QoS is written in two bits; 3 is malformed.
	QoS byte
	// Retain and Dup are the header flags.
	Retain, Dup bool
	// ID is the Packet Identifier, sent when QoS is above 0 even if it is 0.
	ID uint16
	// Properties are sent in 5.0 only.
	Properties Properties
}

// Frame lays the packet out.
func (p Publish) Frame(v Version) Frame {
	flags := p.QoS & 3 << 1
	if p.Retain {
		flags |= 1
	}
	if p.Dup {
		flags |= 8
	}
	b := str(nil, p.Topic)
	if p.QoS > 0 {
		b = u16(b, p.ID)
	}
	b = p.Properties.append(b, v)
	return frame(PUBLISH, flags, append(b, p.Payload...))
}

// Ack is a PUBACK, PUBREC, PUBREL or PUBCOMP. In 5.0 a zero code without properties
// takes the short form of two bytes.
type Ack struct {
	// Type is PUBACK, PUBREC, PUBREL or PUBCOMP.
	Type Type
	// ID is the Packet Identifier.
	ID uint16
	// Code is the Reason Code, 5.0 only.
	Code byte
	// Properties are sent in 5.0 only; an empty non-nil list is sent as length 0.
	Properties Properties
}

// Frame lays the packet out.
func (a Ack) Frame(v Version) Frame {
	return frame(a.Type, a.Type.fixedFlags(), coded(u16(nil, a.ID), v, a.Code, a.Properties))
}

// Puback answers a QoS 1 PUBLISH.
func Puback(id uint16) Ack { return Ack{Type: PUBACK, ID: id} }

// Pubrec is the first answer to a QoS 2 PUBLISH.
func Pubrec(id uint16) Ack { return Ack{Type: PUBREC, ID: id} }

// Pubrel answers a PUBREC.
func Pubrel(id uint16) Ack { return Ack{Type: PUBREL, ID: id} }

// Pubcomp answers a PUBREL and ends a QoS 2 exchange.
func Pubcomp(id uint16) Ack { return Ack{Type: PUBCOMP, ID: id} }
