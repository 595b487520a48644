package fault

import (
	"slices"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

var _ = register(
	Fault{
		Name: "suback-withheld", Title: "does not answer SUBSCRIBE",
		Breaks: []string{"MQTT5-3.8.4-1", "MQTT311-3.8.4-1"}, Tap: withholding(all[*mqtt.Suback]),
	},
	Fault{
		Name: "suback-wrong-id", Title: "answers SUBSCRIBE under another Packet Identifier",
		Breaks: []string{"MQTT5-3.8.4-2", "MQTT5-2.2.1-6", "MQTT311-3.8.4-2", "MQTT311-2.3.1-7"},
		Tap:    editOut(func(_ *Client, p *mqtt.Suback) { p.PacketID = otherID(p.PacketID) }),
	},
	Fault{
		Name: "suback-short", Title: "leaves out the last code of a SUBACK with several",
		Breaks: []string{"MQTT5-3.8.4-6", "MQTT311-3.8.4-5"}, Configure: deviating(server.SubackShort),
	},
	Fault{
		Name: "suback-codes-reversed", Title: "puts the codes of SUBACK in reverse order",
		Breaks: []string{"MQTT5-3.9.3-1", "MQTT311-3.9.3-1"},
		Tap:    editOut(func(_ *Client, p *mqtt.Suback) { slices.Reverse(p.ReasonCodes) }),
	},
	Fault{
		Name: "suback-unknown-code", Title: "grants QoS 2 with code 3",
		Breaks: []string{"MQTT5-3.9.3-2", "MQTT311-3.9.3-2", "X5-2.4-1"}, Tap: rawOut(mqtt.TypeSuback, lastByte(2, 3)),
	},
	Fault{
		Name: "suback-says-less", Title: "says from a client's second SUBSCRIBE on that it grants QoS 0, and delivers at the QoS that was asked for",
		Breaks: []string{"MQTT5-3.8.4-7", "MQTT311-3.8.4-5", "X5-3.8.4-5"},
		Tap: editOut(func(c *Client, p *mqtt.Suback) {
			again := c.Notes["subscribed"] == true
			c.Notes["subscribed"] = true
			for i, code := range p.ReasonCodes {
				if again && !code.Failed() {
					p.ReasonCodes[i] = mqtt.GrantedQoS0
				}
			}
		}),
	},
	Fault{
		Name: "suback-foreign-property", Title: "puts a Content Type into SUBACK",
		Breaks: []string{"X5-T2.4-SUBACK"}, Tap: rawOut(mqtt.TypeSuback, foreignProperty),
	},
	Fault{
		Name: "suback-reason-string-too-large", Title: "puts a Reason String into every SUBACK, however small the client's Maximum Packet Size",
		Breaks: []string{"MQTT5-3.9.2-1"},
		Tap:    editOut(func(_ *Client, p *mqtt.Suback) { p.ReasonString = tooMuch }),
	},
	Fault{
		Name: "suback-user-property-too-large", Title: "puts a User Property into every SUBACK, however small the client's Maximum Packet Size",
		Breaks: []string{"MQTT5-3.9.2-2"},
		Tap:    editOut(func(_ *Client, p *mqtt.Suback) { p.UserProperties = explained }),
	},
	Fault{
		Name: "suback-per-filter", Title: "sends one SUBACK for each filter of a SUBSCRIBE",
		Breaks: []string{"MQTT5-3.8.4-5", "MQTT311-3.8.4-4"},
		Tap: rawOut(mqtt.TypeSuback, func(c *Client, f Frame) []Frame {
			p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Suback)
			if !ok {
				return []Frame{f}
			}
			var each []Frame
			for _, code := range p.ReasonCodes {
				each = append(each, encode(c.Version, &mqtt.Suback{PacketID: p.PacketID, ReasonCodes: []mqtt.ReasonCode{code}}))
			}
			return each
		}),
	},
	Fault{
		Name: "filters-from-last-to-first", Title: "handles the filters of a SUBSCRIBE from the last to the first",
		Breaks: []string{"MQTT5-3.8.4-5", "MQTT311-3.8.4-4"},
		Tap: script(func() *Script {
			return &Script{
				In: change(func(_ *Client, p *mqtt.Subscribe) { slices.Reverse(p.Subscriptions) }),
				Out: only(mqtt.TypeSuback, func(c *Client, f Frame) []Frame {
					if p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Suback); ok {
						slices.Reverse(p.ReasonCodes)
						f = encode(c.Version, p)
					}
					return []Frame{f}
				}),
			}
		}),
	},
	Fault{
		Name: "qos-not-downgraded", Title: "delivers at the QoS that messages were published with",
		Breaks: []string{"MQTT5-3.8.4-8", "MQTT311-3.8.4-6", "MQTT5-4.8.2-3"}, Configure: deviating(server.QoSNotDowngraded),
	},
	Fault{
		Name: "retained-qos-not-capped", Title: "delivers retained messages at the QoS that they were published with",
		Breaks: []string{"MQTT5-3.8.4-8", "MQTT311-3.8.4-6"}, Configure: deviating(server.RetainedQoSNotCapped),
	},
	Fault{
		Name: "subscription-not-replaced", Title: "makes a second subscription of a repeated SUBSCRIBE",
		Breaks: []string{"MQTT5-3.8.4-3", "MQTT311-3.8.4-3"}, Configure: deviating(server.SubscriptionNotReplaced),
	},
	Fault{
		Name: "subscription-options-not-replaced", Title: "keeps the Subscription Options of the first SUBSCRIBE to a filter",
		Breaks: []string{"MQTT5-3.8.4-3"},
		Tap: editIn(func(c *Client, p *mqtt.Subscribe) {
			for i, s := range p.Subscriptions {
				if first, had := c.Notes["options of "+s.TopicFilter].(mqtt.Subscription); had {
					p.Subscriptions[i] = first
				}
				c.Notes["options of "+s.TopicFilter] = p.Subscriptions[i]
			}
		}),
	},
	Fault{
		Name: "message-lost-while-replacing", Title: "loses a message when a subscription is repeated",
		Breaks: []string{"MQTT5-3.8.4-4", "MQTT311-3.8.4-3"}, Tap: script(lossyReplacement),
	},
	Fault{
		Name: "subscription-identifier-not-replaced", Title: "keeps the Subscription Identifier of the first SUBSCRIBE to a filter",
		Breaks: []string{"MQTT5-3.8.4-3", "X5-3.8.4-4"}, Configure: deviating(server.SubscriptionIdentifierNotReplaced),
	},
	Fault{
		Name: "subscription-identifier-lost-on-resume", Title: "forgets the Subscription Identifiers of a Session that is resumed",
		Breaks: []string{"X5-3.8.4-4"},
		Tap: editOut(func(c *Client, p *mqtt.Publish) {
			if !c.Connect.CleanStart {
				p.SubscriptionIdentifiers = nil
			}
		}),
	},
	Fault{
		Name: "subscription-identifier-cut", Title: "keeps 16 bits of a Subscription Identifier",
		Breaks: []string{"X5-3.8.2.1.2-3"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			for i, id := range p.SubscriptionIdentifiers {
				p.SubscriptionIdentifiers[i] = id & 0xFFFF
			}
		}),
	},
	Fault{
		Name: "no-local-ignored", Title: "sends clients their own messages in spite of No Local",
		Breaks: []string{"MQTT5-3.8.3-3"}, Configure: deviating(server.NoLocalIgnored),
	},
	Fault{
		Name: "subscribe-options-accepted", Title: "takes no notice of a SUBSCRIBE whose options are not valid",
		Breaks: []string{"MQTT5-3.8.3-5", "MQTT311-3.8.3-4", "X5-3.8.3.1-1", "X5-3.8.3.1-2"},
		Tap:    forgiving(mqtt.TypeSubscribe, "Subscription Options"),
	},
	Fault{
		Name: "subscribe-without-filter-accepted", Title: "takes no notice of a SUBSCRIBE without a whole filter and its options",
		Breaks: []string{"MQTT5-3.8.3-2", "MQTT311-3.8.3-3", "X5-3.8.3-1"}, Tap: forgiving(mqtt.TypeSubscribe),
	},
	Fault{
		Name: "subscribe-flags-accepted", Title: "takes no notice of a SUBSCRIBE with wrong header flags",
		Breaks: []string{"MQTT5-3.8.1-1", "MQTT311-3.8.1-1"}, Tap: forgiving(mqtt.TypeSubscribe),
	},
	Fault{
		Name: "subscribe-not-utf8-accepted", Title: "takes no notice of a SUBSCRIBE to an ill-formed filter",
		Breaks: []string{"MQTT5-3.8.3-1", "MQTT311-3.8.3-1", "MQTT5-1.5.4-1", "MQTT311-1.5.3-1"},
		Tap:    forgiving(mqtt.TypeSubscribe, "Topic Filter"),
	},
	Fault{
		Name: "subscribe-null-accepted", Title: "takes no notice of a SUBSCRIBE to a filter with U+0000",
		Breaks: []string{"MQTT5-4.7.3-2", "MQTT311-4.7.3-2", "MQTT5-1.5.4-2", "MQTT311-1.5.3-2"},
		Tap:    forgiving(mqtt.TypeSubscribe, "Topic Filter"),
	},
	Fault{
		Name: "subscribe-empty-filter-accepted", Title: "grants a subscription to an empty filter",
		Breaks: []string{"MQTT5-4.7.3-1", "MQTT311-4.7.3-1"},
		Tap: editIn(func(_ *Client, p *mqtt.Subscribe) {
			for i := range p.Subscriptions {
				if p.Subscriptions[i].TopicFilter == "" {
					p.Subscriptions[i].TopicFilter = "empty"
				}
			}
		}),
	},
	Fault{
		Name: "subscribe-identifier-accepted", Title: "takes no notice of a SUBSCRIBE with Subscription Identifier 0, or with two",
		Breaks: []string{"X5-3.8.2.1.2-1", "X5-3.8.2.1.2-2"}, Tap: forgiving(mqtt.TypeSubscribe, "Subscription Identifier"),
	},
	Fault{
		Name: "subscribe-packet-id-zero-accepted", Title: "grants a SUBSCRIBE with Packet Identifier 0",
		Breaks: []string{"X5-2.2.1-1", "MQTT311-2.3.1-1"}, Tap: rawIn(mqtt.TypeSubscribe, zeroIDAsOne),
	},
	Fault{
		Name: "subscribe-authorisation-ignored", Title: "lets clients subscribe where they may not",
		Breaks:    []string{"X5-3.9.3-1"},
		Configure: func(cfg *broker.Config) { cfg.Server.Authorize = nil },
	},
	Fault{
		Name: "suback-new-code-to-old-client", Title: "refuses a subscription of a 3.1.1 client with code 0x87",
		Breaks: []string{"MQTT311-3.9.3-2"},
		Tap: rawOut(mqtt.TypeSuback, func(c *Client, f Frame) []Frame {
			if c.Version == mqtt.V311 {
				for i := 4; i < len(f); i++ {
					if f[i] == 0x80 {
						f[i] = 0x87
					}
				}
			}
			return []Frame{f}
		}),
	},
	Fault{
		Name: "refused-subscription-is-the-end", Title: "serves a client no more after it has refused it a subscription",
		Breaks: []string{"X5-4.13.2-1"},
		Tap: script(func() *Script {
			return &Script{Out: func(c *Client, f Frame) []Frame {
				if p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Suback); ok && slices.ContainsFunc(p.ReasonCodes, mqtt.ReasonCode.Failed) {
					c.Notes["refused"] = true
				} else if c.Notes["refused"] == true {
					return nil
				}
				return []Frame{f}
			}}
		}),
	},
	Fault{
		Name: "wildcard-granted-where-unsupported", Title: "grants filters that begin with a wildcard though it supports none",
		Breaks: []string{"MQTT311-3.8.3-2"},
		Tap: editIn(func(c *Client, p *mqtt.Subscribe) {
			for i, s := range p.Subscriptions {
				if c.Version == mqtt.V311 && (s.TopicFilter == "#" || s.TopicFilter == "+") {
					p.Subscriptions[i].TopicFilter = "granted"
				}
			}
		}),
	},
)

// tooMuch and explained are what the faults put where no room is.
const tooMuch = "because of something that takes many words to say"

var explained = []mqtt.UserProperty{{Name: "because", Value: "of something that takes many words to say"}}

// otherID is a Packet Identifier that is not this one.
func otherID(id uint16) uint16 {
	if id > 1 {
		return id - 1
	}
	return 2
}

// change is the Script.In that changes packets of type P.
func change[P mqtt.Packet](how func(*Client, P)) func(*Client, Frame) []Frame {
	return func(c *Client, f Frame) []Frame {
		if p, ok := decode(wire.FromClient, c.Version, f).(P); ok {
			how(c, p)
			f = encode(c.Version, p)
		}
		return []Frame{f}
	}
}

// lastByte changes the last byte of a frame from one value to another.
func lastByte(from, to byte) func(*Client, Frame) []Frame {
	return func(_ *Client, f Frame) []Frame {
		if f[len(f)-1] == from {
			f[len(f)-1] = to
		}
		return []Frame{f}
	}
}

// foreignProperty puts a Content Type into a SUBACK or UNSUBACK without properties.
func foreignProperty(c *Client, f Frame) []Frame {
	body := f.Body()
	if c.Version != mqtt.V5 || len(body) < 3 || body[2] != 0 {
		return []Frame{f}
	}
	return []Frame{framed(f[0], slices.Concat(body[:2], []byte{4, 0x03, 0, 1, 'x'}, body[3:]))}
}

// zeroIDAsOne gives a SUBSCRIBE or UNSUBSCRIBE with Packet Identifier 0 the identifier 1.
func zeroIDAsOne(_ *Client, f Frame) []Frame {
	f = slices.Clone(f)
	if body := f.Body(); len(body) > 1 && body[0] == 0 && body[1] == 0 {
		body[1] = 1
	}
	return []Frame{f}
}

// lossyReplacement drops the next message for a client that has repeated a subscription.
func lossyReplacement() *Script {
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromClient, c.Version, f).(*mqtt.Subscribe); ok {
				name := "subscribed " + p.Subscriptions[0].TopicFilter
				c.Notes["lose"] = c.Notes[name] == true
				c.Notes[name] = true
			}
			return []Frame{f}
		},
		Out: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
			if c.Notes["lose"] == true {
				c.Notes["lose"] = false
				return nil
			}
			return []Frame{f}
		}),
	}
}
