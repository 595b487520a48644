package server

import (
	"mqttlab/reference-broker/core/size"
	"mqttlab/reference-broker/mqtt"
)

// aliases are the Topic Aliases of one Network Connection, each direction on its own. They end with it. [MQTT5 3.3.2-7] [X5 3.3.2.3.4-3]
type aliases struct {
	in     []string          // by alias, as the client set them; "": not set
	out    map[string]uint16 // by Topic Name, as the Server set them
	inMax  uint16
	outMax uint16
}

// newAliases returns nil if there can be none in either direction.
func newAliases(in, out int) *aliases {
	if in == 0 && out == 0 {
		return nil
	}
	return &aliases{inMax: uint16(in), outMax: uint16(out)}
}

// resolveAlias puts the Topic Name into a PUBLISH that has a Topic Alias, or returns what is wrong with it.
func (c *conn) resolveAlias(p *mqtt.Publish) (code mqtt.ReasonCode, why string) {
	if p.TopicAlias == 0 {
		if p.Topic == "" { // [X5 3.3.2.1-1]
			return mqtt.ProtocolError, "neither Topic Name nor Topic Alias"
		}
		return mqtt.Success, ""
	}
	a := c.aliases
	// [MQTT5 3.2.2-17] [MQTT5 3.2.2-18] [MQTT5 3.3.2-9] [MQTT5 3.3.2-12] [X5 3.3.4-4]; alias 0 is the codec's to find, it looks like none here.
	if a == nil || p.TopicAlias > a.inMax {
		return mqtt.TopicAliasInvalid, "Topic Alias above Topic Alias Maximum"
	}
	i := int(p.TopicAlias)
	if p.Topic != "" { // [X5 3.3.2.3.4-2]
		for len(a.in) <= i {
			a.in = append(a.in, "")
		}
		a.in[i] = p.Topic
		return mqtt.Success, ""
	}
	if i >= len(a.in) || a.in[i] == "" { // [X5 3.3.4-5]
		return mqtt.ProtocolError, "unknown Topic Alias"
	}
	p.Topic = a.in[i]
	return mqtt.Success, ""
}

// assignAlias gives a delivery the Topic Alias of its Topic Name, a new one while there are any. Topics that come later go without: moving an
// alias to another topic costs more bytes than it saves when topics take turns.
func (c *conn) assignAlias(p *mqtt.Publish, d *Delivery) {
	a := c.aliases
	if a.outMax == 0 { // [MQTT5 3.1.2-27]
		return
	}
	if alias, ok := a.out[p.Topic]; ok {
		d.TopicAlias, d.OmitTopic = alias, true
		return
	}
	// [MQTT5 3.1.2-26] [MQTT5 3.3.2-11]; a packet that just fits must not grow by the property.
	if len(a.out) >= int(a.outMax) || c.maxPacket != 0 && size.Publish(c.version, p, d.QoS, true, d.SubscriptionIdentifiers) > int(c.maxPacket) {
		return
	}
	if a.out == nil {
		a.out = make(map[string]uint16)
	}
	d.TopicAlias = uint16(len(a.out) + 1)
	a.out[p.Topic] = d.TopicAlias
}
