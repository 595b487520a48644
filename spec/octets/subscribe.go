package octets

// Subscribe is a SUBSCRIBE packet.
type Subscribe struct {
	// ID is the Packet Identifier; 0 is sent as 0.
	ID uint16
	// Filters are the subscriptions; none is sent as none.
	Filters []Subscription
	// Properties are sent in 5.0 only.
	Properties Properties
}

// Subscription is one Topic Filter of a SUBSCRIBE with its options.
type Subscription struct {
	// Filter is the Topic Filter.
	Filter string
	// QoS is the Maximum QoS, two bits.
	QoS byte
	// NoLocal, RetainAsPublished and RetainHandling exist in 5.0; elsewhere a non-zero
	// value sets a reserved bit.
	NoLocal, RetainAsPublished bool
	RetainHandling             byte
	// Reserved is or-ed into the options byte.
	Reserved byte
}

func (s Subscription) options() byte {
	o := s.QoS&3 | s.RetainHandling&3<<4 | s.Reserved
	if s.NoLocal {
		o |= 0x04
	}
	if s.RetainAsPublished {
		o |= 0x08
	}
	return o
}

// Frame lays the packet out.
func (s Subscribe) Frame(v Version) Frame {
	b := s.Properties.append(u16(nil, s.ID), v)
	for _, f := range s.Filters {
		b = append(str(b, f.Filter), f.options())
	}
	return frame(SUBSCRIBE, 2, b)
}

// Unsubscribe is an UNSUBSCRIBE packet.
type Unsubscribe struct {
	// ID is the Packet Identifier; 0 is sent as 0.
	ID uint16
	// Filters are the Topic Filters; none is sent as none.
	Filters []string
	// Properties are sent in 5.0 only.
	Properties Properties
}

// Frame lays the packet out.
func (u Unsubscribe) Frame(v Version) Frame {
	b := u.Properties.append(u16(nil, u.ID), v)
	for _, f := range u.Filters {
		b = str(b, f)
	}
	return frame(UNSUBSCRIBE, 2, b)
}
