package server

import "mqttlab/reference-broker/mqtt"

// The sizes here are those of the wire format: the machine has to know them to keep to the client's Maximum Packet Size, and must not import the
// codec. A test holds them against it.

// aliasBytes is the size of the property Topic Alias.
const aliasBytes = 3

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

// packetSize returns the size of a packet with so many bytes after the fixed header.
func packetSize(remaining int) int { return 1 + varint(remaining) + remaining }

// textProperty returns the size of a property that holds a string or binary data of n bytes.
func textProperty(n int) int { return 1 + 2 + n }

// optional returns the size of a string property that is absent when empty.
func optional(s string) int {
	if s == "" {
		return 0
	}
	return textProperty(len(s))
}

func optionalOpt(o mqtt.Opt[string]) int {
	if !o.Set {
		return 0
	}
	return textProperty(len(o.Value))
}

func optionalBytes(b []byte) int {
	if b == nil {
		return 0
	}
	return textProperty(len(b))
}

func userProperties(list []mqtt.UserProperty) (n int) {
	for _, u := range list {
		n += 1 + 2 + len(u.Name) + 2 + len(u.Value)
	}
	return n
}

// when returns n if the property is there.
func when(present bool, n int) int {
	if present {
		return n
	}
	return 0
}

// publishSize returns the size of a PUBLISH as delivered.
func publishSize(v mqtt.Version, p *mqtt.Publish, d *Delivery) int {
	n := 2 + len(p.Topic) + len(p.Payload) + when(d.QoS > 0, 2)
	if v != mqtt.V5 {
		return packetSize(n)
	}
	props := when(p.PayloadFormat.Set, 2) + when(p.MessageExpiryInterval.Set, 5) + when(d.TopicAlias > 0, aliasBytes) +
		optionalOpt(p.ContentType) + optional(p.ResponseTopic) + optionalBytes(p.CorrelationData) + userProperties(p.UserProperties)
	for _, id := range d.SubscriptionIdentifiers {
		props += 1 + varint(int(id))
	}
	return packetSize(n + varint(props) + props)
}

// ackSize returns the size of PUBACK, PUBREC, PUBREL or PUBCOMP with a Reason String.
func ackSize(reason string) int {
	props := optional(reason)
	return packetSize(2 + 1 + varint(props) + props)
}

// subackSize returns the size of SUBACK or UNSUBACK with so many Reason Codes.
func subackSize(codes int, reason string) int {
	props := optional(reason)
	return packetSize(2 + varint(props) + props + codes)
}

func disconnectSize(p *mqtt.Disconnect) int {
	props := optional(p.ReasonString) + optional(p.ServerReference) + userProperties(p.UserProperties)
	return packetSize(1 + varint(props) + props)
}

func connackSize(k *mqtt.Connack) int {
	props := when(k.SessionExpiryInterval.Set, 5) + when(k.ReceiveMaximum > 0, 3) + when(k.MaximumQoS.Set, 2) + when(k.RetainAvailable.Set, 2) +
		when(k.MaximumPacketSize > 0, 5) + optional(k.AssignedClientID) + when(k.TopicAliasMaximum > 0, 3) + optional(k.ReasonString) +
		when(k.WildcardSubscriptionAvailable.Set, 2) + when(k.SubscriptionIdentifierAvailable.Set, 2) +
		when(k.SharedSubscriptionAvailable.Set, 2) + when(k.ServerKeepAlive.Set, 3) + optionalOpt(k.ResponseInformation) +
		optional(k.ServerReference) + optionalOpt(k.AuthenticationMethod) + optionalBytes(k.AuthenticationData) + userProperties(k.UserProperties)
	return packetSize(2 + varint(props) + props)
}

// fits reports whether the client takes a packet of that size. [MQTT5 3.1.2-24]
func (m *Machine) fits(c *conn, size int) bool {
	return c.maxPacket == 0 || size <= int(c.maxPacket) || m.cfg.Deviations.Has(MaximumPacketSizeIgnored)
}

// explains reports whether an acknowledgement or SUBACK of that size may have the Reason String why.
func (m *Machine) explains(c *conn, size int, why string) bool {
	if !m.cfg.ReasonStrings || why == "" || c.version != mqtt.V5 {
		return false
	}
	// [MQTT5 3.1.2-29] [MQTT5 3.4.2-2] [MQTT5 3.5.2-2] [MQTT5 3.7.2-2]
	return (!c.noProblemInfo || m.cfg.Deviations.Has(ReasonStringsUnasked)) && m.fits(c, size)
}

// roomy reports whether a message is small enough for the client of a Subscription.
func (m *Machine) roomy(c *conn, p *mqtt.Publish, sub *subscription) bool {
	if c.maxPacket == 0 {
		return true
	}
	return m.fits(c, publishSize(c.version, p, &Delivery{QoS: min(p.QoS, sub.qos), SubscriptionIdentifiers: sub.ids}))
}

// fitsPublish reports whether a message is small enough for a client, and counts it as dropped if not. [MQTT5 3.1.2-25]
func (m *Machine) fitsPublish(c *conn, p *mqtt.Publish, x *pending) bool {
	if c.maxPacket == 0 || m.fits(c, publishSize(c.version, p, &Delivery{QoS: x.qos, SubscriptionIdentifiers: x.ids})) {
		return true
	}
	m.counters.Dropped++
	m.note(Event{Kind: MessageDropped, Conn: c.id, Client: c.clientID(), Code: mqtt.PacketTooLarge, Topic: p.Topic})
	return false
}

// fitDisconnect takes out what makes a DISCONNECT too large for the client, and reports whether the rest fits. [MQTT5 3.14.2-3] [MQTT5 3.14.2-4]
func (m *Machine) fitDisconnect(c *conn, p *mqtt.Disconnect) bool {
	if !m.fits(c, disconnectSize(p)) {
		p.ReasonString = ""
	}
	if !m.fits(c, disconnectSize(p)) {
		p.UserProperties = nil
	}
	return m.fits(c, disconnectSize(p))
}

// fitConnack takes out what makes a CONNACK too large for the client, and reports whether the rest fits. [MQTT5 3.2.2-19] [MQTT5 3.2.2-20]
func (m *Machine) fitConnack(c *conn, k *mqtt.Connack) bool {
	if c.version != mqtt.V5 {
		return true
	}
	if !m.fits(c, connackSize(k)) {
		k.ReasonString = ""
	}
	if !m.fits(c, connackSize(k)) {
		k.UserProperties = nil
	}
	return m.fits(c, connackSize(k))
}
