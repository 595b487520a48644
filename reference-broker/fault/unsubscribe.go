package fault

import (
	"slices"
	"strings"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

var _ = register(
	Fault{
		Name: "unsuback-withheld", Title: "does not answer UNSUBSCRIBE",
		Breaks: []string{"MQTT5-3.10.4-4", "MQTT311-3.10.4-4"}, Tap: withholding(all[*mqtt.Unsuback]),
	},
	Fault{
		Name: "unsuback-wrong-id", Title: "answers UNSUBSCRIBE under another Packet Identifier",
		Breaks: []string{"MQTT5-3.10.4-5", "MQTT5-2.2.1-6", "MQTT311-3.10.4-4", "MQTT311-2.3.1-7"},
		Tap:    editOut(func(_ *Client, p *mqtt.Unsuback) { p.PacketID = otherID(p.PacketID) }),
	},
	Fault{
		Name: "unsuback-for-existing-only", Title: "does not answer an UNSUBSCRIBE for a subscription that does not exist",
		Breaks: []string{"MQTT5-3.10.4-5", "MQTT311-3.10.4-5"}, Tap: script(unknownUnanswered),
	},
	Fault{
		Name: "unsuback-always-success", Title: "says 0x00 in UNSUBACK for a subscription that did not exist",
		Breaks: []string{"X5-3.11.3-1"}, Configure: deviating(server.UnsubackAlwaysSuccess),
	},
	Fault{
		Name: "unsuback-codes-reversed", Title: "puts the codes of UNSUBACK in reverse order",
		Breaks: []string{"MQTT5-3.11.3-1"},
		Tap:    editOut(func(_ *Client, p *mqtt.Unsuback) { slices.Reverse(p.ReasonCodes) }),
	},
	Fault{
		Name: "unsuback-unknown-code", Title: "says 0x12 in UNSUBACK instead of 0x11",
		Breaks: []string{"MQTT5-3.11.3-2", "X5-2.4-1"}, Tap: rawOut(mqtt.TypeUnsuback, lastByte(0x11, 0x12)),
	},
	Fault{
		Name: "unsuback-foreign-property", Title: "puts a Content Type into UNSUBACK",
		Breaks: []string{"X5-T2.4-UNSUBACK"}, Tap: rawOut(mqtt.TypeUnsuback, foreignProperty),
	},
	Fault{
		Name: "unsuback-reason-string-too-large", Title: "puts a Reason String into every UNSUBACK, however small the client's Maximum Packet Size",
		Breaks: []string{"MQTT5-3.11.2-1"},
		Tap:    editOut(func(_ *Client, p *mqtt.Unsuback) { p.ReasonString = tooMuch }),
	},
	Fault{
		Name: "unsuback-user-property-too-large", Title: "puts a User Property into every UNSUBACK, however small the client's Maximum Packet Size",
		Breaks: []string{"MQTT5-3.11.2-2"},
		Tap:    editOut(func(_ *Client, p *mqtt.Unsuback) { p.UserProperties = explained }),
	},
	Fault{
		Name: "unsubscribe-covers", Title: "removes all subscriptions of a client that unsubscribes from a filter with a wildcard",
		Breaks: []string{"MQTT5-3.10.4-1", "MQTT311-3.10.4-1"}, Tap: script(wildcardsRemoveAll),
	},
	Fault{
		Name: "unsubscribe-ignored", Title: "answers UNSUBSCRIBE and removes nothing",
		Breaks: []string{"MQTT5-3.10.4-2", "MQTT311-3.10.4-2", "X5-4.8.2-4"}, Configure: deviating(server.UnsubscribeIgnored),
	},
	Fault{
		Name: "unsubscribe-last-filter-only", Title: "removes the last of several filters of an UNSUBSCRIBE",
		Breaks: []string{"MQTT5-3.10.4-6", "MQTT311-3.10.4-6"},
		Tap: editIn(func(_ *Client, p *mqtt.Unsubscribe) {
			p.TopicFilters = p.TopicFilters[len(p.TopicFilters)-1:]
		}),
	},
	Fault{
		Name: "in-flight-dropped-at-unsubscribe", Title: "gives up what is on its way to a client that unsubscribes",
		Breaks: []string{"MQTT5-3.10.4-3", "MQTT311-3.10.4-3"}, Tap: script(deliveriesGivenUp),
	},
	Fault{
		Name: "unsubscribe-flags-accepted", Title: "takes no notice of an UNSUBSCRIBE with wrong header flags",
		Breaks: []string{"MQTT5-3.10.1-1", "MQTT311-3.10.1-1"}, Tap: forgiving(mqtt.TypeUnsubscribe),
	},
	Fault{
		Name: "unsubscribe-malformed-accepted", Title: "takes no notice of an UNSUBSCRIBE without a filter, or with an ill-formed one",
		Breaks: []string{
			"MQTT5-3.10.3-1", "MQTT5-3.10.3-2", "MQTT311-3.10.3-1", "MQTT311-3.10.3-2", "MQTT5-4.7.3-2", "MQTT311-4.7.3-2", "X5-2.1.4-1",
		},
		Tap: forgiving(mqtt.TypeUnsubscribe),
	},
	Fault{
		Name: "unsubscribe-empty-filter-accepted", Title: "says that a subscription to the empty filter is removed",
		Breaks: []string{"MQTT5-4.7.3-1", "MQTT311-4.7.3-1"},
		Tap: editIn(func(_ *Client, p *mqtt.Unsubscribe) {
			for i, f := range p.TopicFilters {
				if f == "" {
					p.TopicFilters[i] = "empty"
				}
			}
		}),
		Configure: deviating(server.UnsubackAlwaysSuccess),
	},
	Fault{
		Name: "unsubscribe-packet-id-zero-accepted", Title: "answers an UNSUBSCRIBE with Packet Identifier 0",
		Breaks: []string{"X5-2.2.1-1", "MQTT311-2.3.1-1"}, Tap: rawIn(mqtt.TypeUnsubscribe, zeroIDAsOne),
	},
	Fault{
		Name: "subscribe-id-in-use-unanswered", Title: "takes no notice of SUBSCRIBE and UNSUBSCRIBE under the identifier of an open QoS 2 PUBLISH",
		Breaks: []string{"X5-2.2.1-2"}, Tap: script(unansweredInUse),
	},
	Fault{
		Name: "packet-id-not-freed", Title: "takes an identifier of a SUBSCRIBE as in use for ever",
		Breaks: []string{"X5-2.2.1-4"},
		Tap: script(func() *Script {
			return &Script{Out: func(c *Client, f Frame) []Frame {
				switch p := decode(wire.FromServer, c.Version, f).(type) {
				case *mqtt.Suback:
					c.Notes["id"] = p.PacketID
				case *mqtt.Unsuback:
					if c.Notes["id"] == p.PacketID && c.Version == mqtt.V5 {
						p.ReasonCodes[0] = mqtt.PacketIdentifierInUse
						f = encode(c.Version, p)
					}
				}
				return []Frame{f}
			}}
		}),
	},
)

// filtersOf are the filters that a connection has subscribed to, from the notes that noteFilters makes.
func filtersOf(c *Client) []string {
	all, _ := c.Notes["filters"].([]string)
	return all
}

// noteFilters remembers the filters of a SUBSCRIBE.
func noteFilters(c *Client, p mqtt.Packet) {
	if s, ok := p.(*mqtt.Subscribe); ok {
		all := filtersOf(c)
		for _, x := range s.Subscriptions {
			all = append(all, x.TopicFilter)
		}
		c.Notes["filters"] = all
	}
}

func unknownUnanswered() *Script {
	return &Script{In: func(c *Client, f Frame) []Frame {
		p := decode(wire.FromClient, c.Version, f)
		noteFilters(c, p)
		u, ok := p.(*mqtt.Unsubscribe)
		if ok && !slices.ContainsFunc(u.TopicFilters, func(f string) bool { return slices.Contains(filtersOf(c), f) }) {
			return nil
		}
		return []Frame{f}
	}}
}

func wildcardsRemoveAll() *Script {
	return &Script{In: func(c *Client, f Frame) []Frame {
		p := decode(wire.FromClient, c.Version, f)
		noteFilters(c, p)
		u, ok := p.(*mqtt.Unsubscribe)
		if ok && slices.ContainsFunc(u.TopicFilters, func(f string) bool { return strings.ContainsAny(f, "+#") }) {
			u.TopicFilters = append(u.TopicFilters, filtersOf(c)...)
			f = encode(c.Version, u)
		}
		return []Frame{f}
	}}
}

// deliveriesGivenUp takes no PUBREC from a client that has unsubscribed, and sends nothing again to it.
func deliveriesGivenUp() *Script {
	ended := map[string]bool{} // by Client Identifier
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			switch f.Type() {
			case mqtt.TypeUnsubscribe:
				ended[c.Connect.ClientID] = true
			case mqtt.TypePubrec:
				if ended[c.Connect.ClientID] {
					return nil
				}
			}
			return []Frame{f}
		},
		Out: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
			if ended[c.Connect.ClientID] && f[0]&0x08 != 0 {
				return nil
			}
			return []Frame{f}
		}),
	}
}

func unansweredInUse() *Script {
	return &Script{In: func(c *Client, f Frame) []Frame {
		var id uint16
		switch p := decode(wire.FromClient, c.Version, f).(type) {
		case *mqtt.Publish:
			if p.QoS == mqtt.ExactlyOnce {
				c.Notes["open id"] = p.PacketID
			}
		case *mqtt.Subscribe:
			id = p.PacketID
		case *mqtt.Unsubscribe:
			id = p.PacketID
		}
		if id != 0 && c.Notes["open id"] == id {
			return nil
		}
		return []Frame{f}
	}}
}
