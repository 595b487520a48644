package wire

import "mqttlab/reference-broker/mqtt"

func (r *reader) connack(version mqtt.Version) *mqtt.Connack {
	c := &mqtt.Connack{}
	at := r.at
	flags := r.byte("Connect Acknowledge Flags")
	if flags&^1 != 0 && version != mqtt.V31 { // [MQTT5 3.2.2-1]
		r.fail(mqtt.MalformedPacket, "Connect Acknowledge Flags", at, "have reserved bits set")
	}
	c.SessionPresent = flags == 1
	// A Server that does not know 5.0 refuses with the two bytes it knows.
	if version != mqtt.V5 || len(r.b) == 4 && r.b[3] != 0 && r.b[3] < 0x80 {
		c.ReasonCode = r.returnCode()
		return c
	}
	c.ReasonCode = r.reason(FromServer)
	r.connackProperties(c)
	return c
}

// returnCode reads the Connect Return code of 3.1 and 3.1.1.
func (r *reader) returnCode() mqtt.ReasonCode {
	at := r.at
	v := r.byte("Connect Return code")
	code, ok := mqtt.FromConnectReturnCode(v)
	if !ok { // [MQTT311 3.2.2-6]
		r.fail(mqtt.MalformedPacket, "Connect Return code", at, "%d is reserved", v)
	}
	return code
}

func (r *reader) connackProperties(c *mqtt.Connack) {
	for p := r.properties(); p.next(); {
		switch p.id {
		case sessionExpiryInterval:
			c.SessionExpiryInterval = mqtt.Some(p.uint32())
		case receiveMaximum:
			c.ReceiveMaximum = p.nonZero16()
		case maximumQoS: // [X5 3.2.2.3.4-1]
			c.MaximumQoS = mqtt.Some(mqtt.QoS(bit(p.bool(), 0)))
		case retainAvailable:
			c.RetainAvailable = mqtt.Some(p.bool())
		case maximumPacketSize:
			c.MaximumPacketSize = p.nonZero32()
		case assignedClientIdentifier:
			c.AssignedClientID = p.text()
		case topicAliasMaximum:
			c.TopicAliasMaximum = p.uint16()
		case reasonString:
			c.ReasonString = p.text()
		case wildcardSubscriptionAvailable:
			c.WildcardSubscriptionAvailable = mqtt.Some(p.bool())
		case subscriptionIdentifierAvailable:
			c.SubscriptionIdentifierAvailable = mqtt.Some(p.bool())
		case sharedSubscriptionAvailable:
			c.SharedSubscriptionAvailable = mqtt.Some(p.bool())
		case serverKeepAlive:
			c.ServerKeepAlive = mqtt.Some(p.uint16())
		case responseInformation:
			c.ResponseInformation = mqtt.Some(p.text())
		case serverReference:
			c.ServerReference = p.text()
		case authenticationMethod:
			c.AuthenticationMethod = mqtt.Some(p.text())
		case authenticationData:
			c.AuthenticationData = p.copied()
		case userProperty:
			c.UserProperties = append(c.UserProperties, p.pair())
		}
	}
}

func appendConnack(dst []byte, v mqtt.Version, c *mqtt.Connack) ([]byte, error) {
	w := begin(dst, mqtt.TypeConnack, 0)
	// [MQTT5 3.2.2-1] 3.1 has no Session Present: the byte is reserved there.
	w.byte(bit(c.SessionPresent && v != mqtt.V31, 0))
	if v != mqtt.V5 {
		w.byte(c.ReasonCode.ConnectReturnCode())
		return w.end(0)
	}
	w.byte(byte(c.ReasonCode))
	at := w.open()
	w.optUint32(sessionExpiryInterval, c.SessionExpiryInterval)
	w.someUint16(receiveMaximum, c.ReceiveMaximum)
	w.optByte(maximumQoS, mqtt.Opt[byte]{Value: byte(c.MaximumQoS.Value), Set: c.MaximumQoS.Set})
	w.optBool(retainAvailable, c.RetainAvailable)
	w.someUint32(maximumPacketSize, c.MaximumPacketSize)
	w.someText(assignedClientIdentifier, c.AssignedClientID)
	w.someUint16(topicAliasMaximum, c.TopicAliasMaximum)
	w.optBool(wildcardSubscriptionAvailable, c.WildcardSubscriptionAvailable)
	w.optBool(subscriptionIdentifierAvailable, c.SubscriptionIdentifierAvailable)
	w.optBool(sharedSubscriptionAvailable, c.SharedSubscriptionAvailable)
	if c.ServerKeepAlive.Set {
		w.byte(byte(serverKeepAlive))
		w.uint16(c.ServerKeepAlive.Value)
	}
	w.optText(responseInformation, c.ResponseInformation)
	w.someText(serverReference, c.ServerReference)
	w.optText(authenticationMethod, c.AuthenticationMethod)
	w.someBinary(authenticationData, c.AuthenticationData)
	w.problem(c.ReasonString, c.UserProperties)
	w.close(at)
	return w.end(0)
}
