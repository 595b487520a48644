package wire

import "mqttlab/reference-broker/mqtt"

func (r *reader) subscribe(version mqtt.Version) *mqtt.Subscribe {
	s := &mqtt.Subscribe{PacketID: r.packetID()}
	if version == mqtt.V5 {
		for p := r.properties(); p.next(); {
			switch p.id {
			case subscriptionIdentifier:
				s.SubscriptionIdentifier = p.subscriptionID()
			case userProperty:
				s.UserProperties = append(s.UserProperties, p.pair())
			}
		}
	}
	if !r.more() { // [MQTT5 3.8.3-2] [MQTT311 3.8.3-3]
		r.fail(mqtt.ProtocolError, "Topic Filter", r.at, "is missing: there must be at least one")
	}
	for r.more() {
		s.Subscriptions = append(s.Subscriptions, r.subscription(version))
	}
	return s
}

// subscription reads a Topic Filter and its Subscription Options.
func (r *reader) subscription(version mqtt.Version) mqtt.Subscription {
	s := mqtt.Subscription{TopicFilter: r.text("Topic Filter")} // [MQTT5 3.8.3-1] [MQTT311 3.8.3-1]
	at := r.at
	o := r.byte("Subscription Options") // [X5 3.8.3-1]
	s.QoS = mqtt.QoS(o & 3)
	fail := func(code mqtt.ReasonCode, problem string) { r.fail(code, "Subscription Options", at, "%s", problem) }
	if version != mqtt.V5 {
		// [MQTT311 3.8.3-4] 3.1 does not say what the upper bits are.
		if s.QoS > mqtt.ExactlyOnce || o>>2 != 0 && version == mqtt.V311 {
			fail(mqtt.MalformedPacket, "are not a QoS of 0, 1 or 2")
		}
		return s
	}
	s.NoLocal, s.RetainAsPublished, s.RetainHandling = o&4 != 0, o&8 != 0, mqtt.RetainHandling(o>>4&3)
	switch {
	case o>>6 != 0: // [MQTT5 3.8.3-5]
		fail(mqtt.MalformedPacket, "have reserved bits set")
	case s.QoS > mqtt.ExactlyOnce: // [X5 3.8.3.1-1]
		fail(mqtt.ProtocolError, "have a QoS of 3")
	case s.RetainHandling > mqtt.NeverSendRetained: // [X5 3.8.3.1-2]
		fail(mqtt.ProtocolError, "have a Retain Handling of 3")
	}
	return s
}

func appendSubscribe(dst []byte, v mqtt.Version, s *mqtt.Subscribe) ([]byte, error) {
	w := begin(dst, mqtt.TypeSubscribe, fixedFlags(mqtt.TypeSubscribe))
	w.uint16(s.PacketID)
	if v == mqtt.V5 {
		at := w.open()
		if s.SubscriptionIdentifier != 0 {
			w.subscriptionID(s.SubscriptionIdentifier)
		}
		w.userProperties(s.UserProperties)
		w.close(at)
	}
	for i := range s.Subscriptions {
		f := &s.Subscriptions[i]
		w.text("Topic Filter", f.TopicFilter)
		options := byte(f.QoS & 3)
		if v == mqtt.V5 {
			options |= bit(f.NoLocal, 2) | bit(f.RetainAsPublished, 3) | byte(f.RetainHandling&3)<<4
		}
		w.byte(options)
	}
	return w.end(0)
}
