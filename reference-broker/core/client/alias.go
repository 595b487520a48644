package client

import "mqttlab/reference-broker/mqtt"

// aliases holds the Topic Aliases of one Network Connection, both directions. Neither outlives it. [MQTT5 3.3.2-7]
type aliases struct {
	out map[string]uint16
	in  []string // index: alias-1; empty: not set
}

// outgoing returns the alias for topic and whether the Server knows it already; 0 if all are taken.
func (a *aliases) outgoing(topic string, maximum uint16) (alias uint16, known bool) {
	if alias, known = a.out[topic]; known {
		return alias, true
	}
	// [MQTT5 3.2.2-17] [MQTT5 3.2.2-18] [MQTT5 3.3.2-9]
	if len(a.out) >= int(maximum) {
		return 0, false
	}
	if a.out == nil {
		a.out = make(map[string]uint16)
	}
	alias = uint16(len(a.out) + 1) // [MQTT5 3.3.2-8]
	a.out[topic] = alias
	return alias, false
}

// incoming sets p.Topic from p.TopicAlias or notes the pair. maximum is the one CONNECT announced.
func (a *aliases) incoming(p *mqtt.Publish, maximum uint16) (code mqtt.ReasonCode, detail string) {
	if p.TopicAlias == 0 {
		if p.Topic == "" {
			return mqtt.ProtocolError, "PUBLISH without a topic name and without a Topic Alias"
		}
		return mqtt.Success, ""
	}
	// [X5 3.3.4-8]
	if p.TopicAlias > maximum {
		return mqtt.TopicAliasInvalid, "PUBLISH with a Topic Alias above the Topic Alias Maximum"
	}
	i := int(p.TopicAlias) - 1
	if p.Topic != "" { // [MQTT5 3.3.2-10]
		for len(a.in) <= i {
			a.in = append(a.in, "")
		}
		a.in[i] = p.Topic
		return mqtt.Success, ""
	}
	if i >= len(a.in) || a.in[i] == "" {
		return mqtt.ProtocolError, "PUBLISH with an unknown Topic Alias and no topic name"
	}
	p.Topic = a.in[i]
	return mqtt.Success, ""
}
