package fault

import (
	"slices"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/mqtt"
)

// Faults of CONNACK spare the clients of discovery where a run would otherwise end before it begins: they are for clients with a Keep Alive of
// a minute, or with a certain Receive Maximum.

func patient(c *Client) bool { return c.Connect != nil && c.Connect.KeepAlive == 60 }

var _ = register(
	Fault{
		Name: "connect-valid-refused", Title: "refuses clients with a long Keep Alive",
		Breaks: []string{"MQTT5-3.1.4-5", "MQTT311-3.1.4-4"},
		Tap:    refusing(func(_ *Client, p *mqtt.Connect) bool { return p.KeepAlive == 65535 }),
	},
	Fault{
		Name: "connack-not-first", Title: "sends a packet before CONNACK",
		Breaks: []string{"MQTT5-3.2.0-1", "MQTT311-3.2.0-1"},
		Tap: rawOut(mqtt.TypeConnack, func(c *Client, f Frame) []Frame {
			if patient(c) {
				return []Frame{{0xD0, 0x00}, f}
			}
			return []Frame{f}
		}),
	},
	Fault{
		Name: "connack-behind-queue", Title: "sends the first message of a resumed Session before CONNACK",
		Breaks: []string{"MQTT5-3.2.0-1", "MQTT311-3.2.0-1"}, Tap: script(queueFirst),
	},
	Fault{
		Name: "connack-twice", Title: "sends CONNACK once more with SUBACK",
		Breaks: []string{"MQTT5-3.2.0-2"},
		Tap: rawOut(mqtt.TypeSuback, func(c *Client, f Frame) []Frame {
			if patient(c) {
				return []Frame{f, {0x20, 0x03, 0x00, 0x00, 0x00}}
			}
			return []Frame{f}
		}),
	},
	Fault{
		Name: "connack-reserved-flags", Title: "sets a reserved flag of CONNACK",
		Breaks: []string{"MQTT5-3.2.2-1"},
		Tap: rawOut(mqtt.TypeConnack, func(c *Client, f Frame) []Frame {
			if patient(c) {
				f.Body()[0] |= 0x80
			}
			return []Frame{f}
		}),
	},
	Fault{
		Name: "refusal-with-session-present", Title: "says Session Present in a CONNACK that refuses",
		Breaks: []string{"MQTT5-3.2.2-6", "MQTT311-3.2.2-4"},
		Tap:    refusalOut(func(body []byte) { body[0] = 0x01 }),
	},
	Fault{
		Name: "refusal-with-illegal-code", Title: "refuses with a code that CONNACK does not have",
		Breaks: []string{"MQTT5-3.2.2-8", "MQTT311-3.2.2-6"},
		Tap: refusalOut(func(body []byte) {
			if body[1] < 0x80 {
				body[1] = 0x06
			} else {
				body[1] = 0x8E
			}
		}),
	},
	Fault{
		Name: "refusal-without-close", Title: "stays connected after a CONNACK that refuses",
		Breaks: []string{"MQTT5-3.2.2-7", "MQTT311-3.2.2-5"},
		Tap: script(func() *Script {
			return &Script{
				Out: only(mqtt.TypeConnack, func(c *Client, f Frame) []Frame {
					c.Notes["refused"] = f.Body()[1] != 0
					return []Frame{f}
				}),
				KeepOpen: func(c *Client) bool { return c.Notes["refused"] == true },
			}
		}),
	},
	Fault{
		Name: "server-reference-in-connack", Title: "names another server in a CONNACK that is no redirection",
		Breaks: []string{"X5-3.2.2.3.16-1"},
		Tap: editOut(func(_ *Client, p *mqtt.Connack) {
			if p.ReasonCode.Failed() {
				p.ServerReference = "elsewhere.example"
			}
		}),
	},
	Fault{
		Name: "reason-string-too-long", Title: "puts a Reason String into CONNACK and DISCONNECT, however little the client takes",
		Breaks: []string{"MQTT5-3.2.2-19", "MQTT5-3.14.2-3", "MQTT5-3.1.2-24"}, Tap: script(func() *Script { return wordy(true) }),
	},
	Fault{
		Name: "user-property-too-long", Title: "puts a User Property into CONNACK and DISCONNECT, however little the client takes",
		Breaks: []string{"MQTT5-3.2.2-20", "MQTT5-3.14.2-4", "MQTT5-3.1.2-24"}, Tap: script(func() *Script { return wordy(false) }),
	},
	Fault{
		Name: "response-information-garbled", Title: "garbles CONNACK for clients that ask for Response Information",
		Breaks: []string{"X5-3.2.2.3.15-1"},
		Tap: rawOut(mqtt.TypeConnack, func(c *Client, f Frame) []Frame {
			if c.Connect != nil && c.Connect.RequestResponseInformation && c.Connect.ReceiveMaximum == 0 {
				f.Body()[0] |= 0x80
			}
			return []Frame{f}
		}),
	},
	illegalConnack("receive-maximum-zero", "X5-3.2.2.3.3-1", 0x21, 0, 0),
	illegalConnack("maximum-qos-2", "X5-3.2.2.3.4-1", 0x24, 2),
	illegalConnack("retain-available-2", "X5-3.2.2.3.5-1", 0x25, 2),
	illegalConnack("maximum-packet-size-zero", "X5-3.2.2.3.6-1", 0x27, 0, 0, 0, 0),
	illegalConnack("wildcard-available-2", "X5-3.2.2.3.11-1", 0x28, 2),
	illegalConnack("subscription-id-available-2", "X5-3.2.2.3.12-1", 0x29, 2),
	illegalConnack("shared-available-2", "X5-3.2.2.3.13-1", 0x2A, 2),
	illegalConnack("property-twice", "X5-3.2.2.3-1", 0x25, 1, 0x25, 1),
	illegalConnack("foreign-property", "X5-T2.4-CONNACK", 0x0B, 1),
)

// queueFirst holds back a CONNACK that resumes a Session until another packet is on its way.
func queueFirst() *Script {
	return &Script{Out: func(c *Client, f Frame) []Frame {
		if f.Type() == mqtt.TypeConnack && f.Body()[0] == 1 {
			c.Notes["connack"] = slices.Clone(f)
			return nil
		}
		held, ok := c.Notes["connack"].(Frame)
		delete(c.Notes, "connack")
		if ok {
			return []Frame{f, held}
		}
		return []Frame{f}
	}}
}

// refusalOut changes the body of each CONNACK that refuses.
func refusalOut(change func(body []byte)) func() broker.Tap {
	return rawOut(mqtt.TypeConnack, func(_ *Client, f Frame) []Frame {
		if body := f.Body(); body[1] != 0 {
			change(body)
		}
		return []Frame{f}
	})
}

// wordy adds a reason, or a User Property, to what refuses or disconnects.
func wordy(reason bool) *Script {
	text, user := "a reason that does not fit", []mqtt.UserProperty(nil)
	if !reason {
		text, user = "", []mqtt.UserProperty{{Name: "reason", Value: text}}
	}
	return &Script{Out: func(c *Client, f Frame) []Frame {
		if c.Version == mqtt.V5 && f.Type() == mqtt.TypeConnack || f.Type() == mqtt.TypeDisconnect {
			switch p := decodeOut(c, f).(type) {
			case *mqtt.Connack:
				if !p.ReasonCode.Failed() {
					break
				}
				p.ReasonString, p.UserProperties = text, user
				f = encode(c.Version, p)
			case *mqtt.Disconnect:
				p.ReasonString, p.UserProperties = text, user
				f = encode(c.Version, p)
			}
		}
		return []Frame{f}
	}}
}

// illegalConnack adds a property as bytes to the CONNACK of clients that have Receive Maximum 7, in place of what the broker says itself.
func illegalConnack(name, breaks string, property ...byte) Fault {
	return Fault{
		Name: "connack-" + name, Title: "announces what it may not announce in CONNACK: " + name, Breaks: []string{breaks},
		Tap: rawOut(mqtt.TypeConnack, func(c *Client, f Frame) []Frame {
			if c.Connect == nil || c.Connect.ReceiveMaximum != 7 || f.Body()[1] != 0 {
				return []Frame{f}
			}
			return []Frame{shortest(0x20, append([]byte{0, 0, byte(len(property))}, property...))}
		}),
	}
}

// Where a broker announces that it lacks something, it has to refuse who uses it nevertheless.
var _ = register(
	Fault{
		Name: "maximum-qos-not-announced", Title: "does not say in CONNACK that it takes no QoS 2",
		Breaks: []string{"MQTT5-3.2.2-9"},
		Configure: func(cfg *broker.Config) {
			cfg.Server.MaximumQoS = mqtt.Some(mqtt.AtLeastOnce)
		},
		Tap: editOut(func(_ *Client, p *mqtt.Connack) { p.MaximumQoS = mqtt.Opt[mqtt.QoS]{} }),
	},
	Fault{
		Name: "maximum-qos-limits-subscribe", Title: "refuses Subscriptions above its Maximum QoS",
		Breaks: []string{"MQTT5-3.2.2-10"},
		Tap: script(func() *Script {
			return &Script{
				In: only(mqtt.TypeSubscribe, func(c *Client, f Frame) []Frame {
					if p, ok := decodeIn(c, f).(*mqtt.Subscribe); ok {
						c.Notes["refuse"] = slices.ContainsFunc(p.Subscriptions, func(s mqtt.Subscription) bool { return s.QoS == mqtt.ExactlyOnce })
					}
					return []Frame{f}
				}),
				Out: only(mqtt.TypeSuback, func(c *Client, f Frame) []Frame {
					if c.Notes["refuse"] == true {
						f[len(f)-1] = 0x80
					}
					return []Frame{f}
				}),
			}
		}),
	},
	Fault{
		Name: "own-maximum-qos-not-enforced", Title: "takes no notice of a PUBLISH with QoS 2, and QoS 1 for a will that has 2",
		Breaks: []string{"MQTT5-3.2.2-11", "MQTT5-3.2.2-12"},
		Tap: script(func() *Script {
			return &Script{In: func(c *Client, f Frame) []Frame {
				switch p := decodeIn(c, f).(type) {
				case *mqtt.Publish:
					if p.QoS == mqtt.ExactlyOnce {
						return nil
					}
				case *mqtt.Connect:
					if p.Will != nil && p.Will.QoS == mqtt.ExactlyOnce {
						p.Will.QoS = mqtt.AtLeastOnce
						return []Frame{encode(c.Version, p)}
					}
				}
				return []Frame{f}
			}}
		}),
	},
	Fault{
		Name: "retain-unavailable-not-enforced", Title: "takes no notice of RETAIN, in messages and wills",
		Breaks: []string{"MQTT5-3.2.2-14"}, Tap: editIn(func(_ *Client, p *mqtt.Publish) { p.Retain = false }),
	},
	Fault{
		Name: "will-retain-unavailable-not-enforced", Title: "takes no notice of Will Retain",
		Breaks: []string{"MQTT5-3.2.2-13"},
		Tap: editIn(func(_ *Client, p *mqtt.Connect) {
			if p.Will != nil {
				p.Will.Retain = false
			}
		}),
	},
	Fault{
		Name: "own-maximum-packet-size-not-enforced", Title: "takes no notice of packets above its Maximum Packet Size",
		Breaks: []string{"MQTT5-3.2.2-15", "X5-3.2.2.3.6-2"},
		Tap: rawIn(mqtt.TypePublish, func(_ *Client, f Frame) []Frame {
			if len(f) > 4096 {
				return nil
			}
			return []Frame{f}
		}),
	},
	Fault{
		Name: "own-alias-maximum-not-enforced", Title: "takes no notice of a PUBLISH with a Topic Alias above its maximum",
		Breaks: []string{"MQTT5-3.2.2-17"},
		Tap:    ignoring(func(_ *Client, p *mqtt.Publish) bool { return p.TopicAlias > aliasMaximum }),
	},
	Fault{
		Name: "alias-without-maximum-accepted", Title: "announces no Topic Alias Maximum and takes no notice of a PUBLISH with an alias",
		Breaks:    []string{"MQTT5-3.2.2-18"},
		Configure: func(cfg *broker.Config) { cfg.Server.NoTopicAliases = true },
		Tap:       ignoring(func(_ *Client, p *mqtt.Publish) bool { return p.TopicAlias > 0 }),
	},
	Fault{
		Name: "unavailable-subscriptions-ignored", Title: "takes no notice of a SUBSCRIBE that uses what it lacks",
		Breaks: []string{"X5-3.2.2.3.11-2", "X5-3.2.2.3.12-2", "X5-3.2.2.3.13-2"},
		Tap: ignoring(func(_ *Client, p *mqtt.Subscribe) bool {
			return p.SubscriptionIdentifier > 0 || slices.ContainsFunc(p.Subscriptions, func(s mqtt.Subscription) bool {
				return len(s.TopicFilter) > 6 && s.TopicFilter[:6] == "$share" || s.TopicFilter[len(s.TopicFilter)-1] == '+'
			})
		}),
	},
)
