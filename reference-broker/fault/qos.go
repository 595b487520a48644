package fault

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

var _ = register(
	Fault{
		Name: "qos2-repeats-delivered", Title: "delivers each repeat of a QoS 2 PUBLISH",
		Breaks: []string{"MQTT5-4.3.3-10", "MQTT311-4.3.3-2"}, Configure: deviating(server.QoS2Duplicated),
	},
	Fault{
		Name: "qos2-first-with-dup-lost", Title: "acknowledges a QoS 2 PUBLISH with DUP and delivers nothing, though it is the first",
		Breaks:    []string{"MQTT5-4.3.3-8", "MQTT5-4.3.3-12", "MQTT5-4.5.0-1", "MQTT311-4.3.3-2", "MQTT311-4.5.0-1"},
		Configure: deviating(server.QoS2DupDiscarded),
	},
	Fault{
		Name: "pubrec-withheld", Title: "does not answer a QoS 2 PUBLISH",
		Breaks: []string{"MQTT5-3.3.4-1", "MQTT5-4.3.3-8", "MQTT5-4.3.3-10", "MQTT311-3.3.4-1", "MQTT311-4.3.3-2"},
		Tap:    withholding(all[*mqtt.Pubrec]),
	},
	Fault{
		Name: "pubrec-wrong-id", Title: "puts the next Packet Identifier into PUBREC",
		Breaks: []string{"MQTT5-2.2.1-5", "MQTT5-4.3.3-8", "MQTT311-2.3.1-6", "MQTT311-4.3.3-2"},
		Tap:    editAckOut(mqtt.TypePubrec, func(_ *Client, a *mqtt.Ack) { a.PacketID++ }),
	},
	Fault{
		Name: "pubcomp-withheld", Title: "does not answer PUBREL",
		Breaks: []string{"MQTT5-4.3.3-11", "MQTT311-4.3.3-2", "X5-3.7.2.1-1"}, Tap: withholding(all[*mqtt.Pubcomp]),
	},
	Fault{
		Name: "pubrel-withheld", Title: "does not answer PUBREC",
		Breaks: []string{"MQTT5-4.3.3-4", "MQTT311-4.3.3-1", "X5-3.6.2.1-1"}, Tap: withholding(all[*mqtt.Pubrel]),
	},
	Fault{
		Name: "pubrel-wrong-id", Title: "puts the next Packet Identifier into PUBREL",
		Breaks: []string{"MQTT5-2.2.1-5", "MQTT5-4.3.3-4", "MQTT311-2.3.1-6", "MQTT311-4.3.3-1"},
		Tap:    editAckOut(mqtt.TypePubrel, func(_ *Client, a *mqtt.Ack) { a.PacketID++ }),
	},
	Fault{
		Name: "packet-id-never-free", Title: "takes each Packet Identifier of a PUBLISH once, and drops what uses it again",
		Breaks: []string{"MQTT5-4.3.2-5", "MQTT5-4.3.3-12", "X5-2.2.1-4", "MQTT311-4.3.2-2", "MQTT311-4.3.3-2"},
		Tap: ignoring(func(c *Client, p *mqtt.Publish) bool {
			key := fmt.Sprint("used ", p.PacketID)
			used := c.Notes[key] == true
			c.Notes[key] = true
			return p.QoS > 0 && used
		}),
	},
	Fault{
		Name: "packet-id-not-free-after-refusal", Title: "drops a QoS 2 PUBLISH with the Packet Identifier of one that was refused",
		Breaks: []string{"MQTT5-4.3.3-9"}, Tap: script(refusedIDs),
	},
	Fault{
		Name: "packet-id-in-use-unanswered", Title: "does not answer a PUBLISH with a Packet Identifier in use",
		Breaks: []string{"X5-2.2.1-2"},
		Tap:    withholding(func(_ *Client, p *mqtt.Puback) bool { return p.ReasonCode == mqtt.PacketIdentifierInUse }),
	},
	Fault{
		Name: "qos2-delivered-as-qos0", Title: "delivers QoS 2 messages with QoS 0",
		Breaks: []string{"MQTT5-4.3.3-8", "MQTT311-4.3.3-2"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			if p.QoS == mqtt.ExactlyOnce {
				p.QoS, p.PacketID, p.Dup = mqtt.AtMostOnce, 0, false
			}
		}),
	},
	Fault{
		Name: "packet-id-one-space", Title: "drops a PUBLISH with a Packet Identifier that it uses itself",
		Breaks: []string{"X5-2.2.1-3"}, Tap: script(oneIDSpace),
	},
	Fault{
		Name: "resume-resends-nothing", Title: "sends nothing again when a Session is resumed",
		Breaks: []string{
			"MQTT5-4.3.2-3", "MQTT5-4.3.3-3", "MQTT5-4.3.3-5", "MQTT5-4.4.0-1",
			"MQTT311-4.3.2-1", "MQTT311-4.3.3-1", "MQTT311-4.4.0-1",
		},
		Configure: deviating(server.NoResendOnResume, server.NoPubrelOnResume),
	},
	Fault{
		Name: "resume-resends-no-pubrel", Title: "sends no PUBREL again when a Session is resumed",
		Breaks:    []string{"MQTT5-4.3.3-5", "MQTT5-4.4.0-1", "MQTT311-4.3.3-1", "MQTT311-4.4.0-1"},
		Configure: deviating(server.NoPubrelOnResume),
	},
	Fault{
		Name: "resume-resends-publish-after-pubrel", Title: "sends PUBLISH again together with PUBREL",
		Breaks: []string{"MQTT5-4.3.3-6", "MQTT311-4.3.3-1"}, Tap: script(publishWithPubrel),
	},
	Fault{
		Name: "resume-without-dup", Title: "sends PUBLISH again with DUP 0",
		Breaks: []string{"MQTT5-3.3.1-1", "MQTT311-3.3.1-1"}, Configure: deviating(server.DupNotSetOnResend),
	},
	Fault{
		Name: "resends-while-connected", Title: "sends an unacknowledged PUBLISH again with each PINGRESP",
		Breaks: []string{"MQTT5-4.4.0-1"}, Tap: script(resendsWithPing),
	},
	Fault{
		Name: "sent-message-expires", Title: "does not send a PUBLISH again whose message has expired",
		Breaks: []string{"MQTT5-4.3.3-7"},
		Tap: withholding(func(_ *Client, p *mqtt.Publish) bool {
			return p.Dup && p.MessageExpiryInterval.Set && p.MessageExpiryInterval.Value == 0
		}),
	},
	Fault{
		Name: "expiry-ends-exchange", Title: "does not answer PUBREL once the message has expired",
		Breaks: []string{"MQTT5-4.3.3-13"}, Tap: script(forgetsExpired),
	},
	Fault{
		Name: "refusal-not-final", Title: "takes no notice of PUBACK and PUBREC of 0x80 or above, and sends the message again",
		Breaks: []string{"MQTT5-4.4.0-2"},
		Tap: script(func() *Script {
			return &Script{In: func(c *Client, f Frame) []Frame {
				if a := ack(decode(wire.FromClient, c.Version, f)); a != nil && a.ReasonCode.Failed() {
					return nil
				}
				return []Frame{f}
			}}
		}),
	},
	Fault{
		Name: "refusal-goes-on", Title: "answers PUBREC of 0x80 or above with PUBREL",
		Breaks: []string{"X5-4.3.3-1"},
		Tap:    editIn(func(_ *Client, p *mqtt.Pubrec) { p.ReasonCode = mqtt.Success }),
	},
	Fault{
		Name: "queue-newest-first", Title: "sends the queue of a Session in reverse order",
		Breaks:    []string{"MQTT5-4.6.0-5", "MQTT5-4.6.0-6", "MQTT311-4.6.0-5", "MQTT311-4.6.0-6"},
		Configure: deviating(server.QueueNewestFirst),
	},
	Fault{
		Name: "pairs-swapped", Title: "delivers each second message before the one that came before it",
		Breaks: []string{"MQTT5-4.6.0-5", "MQTT5-4.6.0-6", "MQTT311-4.6.0-5", "MQTT311-4.6.0-6"}, Tap: script(swapsPairs),
	},
	Fault{
		Name: "puback-wrong-reason", Title: "sends PUBACK with Reason Code 0x92",
		Breaks: []string{"MQTT5-3.4.2-1"}, Tap: editAckOut(mqtt.TypePuback, reason(0x92)),
	},
	Fault{
		Name: "pubrec-wrong-reason", Title: "sends PUBREC with Reason Code 0x01",
		Breaks: []string{"MQTT5-3.5.2-1"}, Tap: editAckOut(mqtt.TypePubrec, reason(0x01)),
	},
	Fault{
		Name: "pubrel-wrong-reason", Title: "sends PUBREL with Reason Code 0x10",
		Breaks: []string{"MQTT5-3.6.2-1"}, Tap: editAckOut(mqtt.TypePubrel, reason(0x10)),
	},
	Fault{
		Name: "pubcomp-wrong-reason", Title: "sends PUBCOMP with Reason Code 0x10",
		Breaks: []string{"MQTT5-3.7.2-1"}, Tap: editAckOut(mqtt.TypePubcomp, reason(0x10)),
	},
	Fault{
		Name: "no-matching-subscribers-always", Title: "says that nobody has subscribed when somebody has",
		Breaks: []string{"X5-3.4.2.1-2"}, Tap: editAckOut(mqtt.TypePuback, reason(mqtt.NoMatchingSubscribers)),
	},
	Fault{
		Name: "pubrel-flags-not-checked", Title: "accepts PUBREL with any flags",
		Breaks: []string{"MQTT5-2.1.3-1", "MQTT5-3.6.1-1", "MQTT311-2.2.2-2", "MQTT311-3.6.1-1"},
		Tap: rawIn(mqtt.TypePubrel, func(_ *Client, f Frame) []Frame {
			return []Frame{append(Frame{0x62}, f[1:]...)}
		}),
	},
	Fault{
		Name: "ack-reason-not-checked", Title: "accepts acknowledgements with Reason Codes that they may not have",
		Breaks: []string{"X5-3.4.2.1-4"},
		Tap: script(func() *Script {
			return &Script{In: func(c *Client, f Frame) []Frame {
				if t := f.Type(); c.Version == mqtt.V5 && t >= mqtt.TypePuback && t <= mqtt.TypePubcomp && len(f) > 4 {
					f = slices.Clone(f)
					f[4] = 0
				}
				return []Frame{f}
			}}
		}),
	},
	Fault{
		Name: "ack-three-bytes-dropped", Title: "takes no notice of an acknowledgement with a Reason Code and no Property Length",
		Breaks: []string{"X5-3.4.2.1-1"},
		Tap: script(func() *Script {
			return &Script{In: func(_ *Client, f Frame) []Frame {
				if t := f.Type(); t >= mqtt.TypePuback && t <= mqtt.TypePubcomp && len(f) == 5 {
					return nil
				}
				return []Frame{f}
			}}
		}),
	},
	Fault{
		Name: "puback-properties-not-checked", Title: "takes no notice of PUBACK with wrong properties",
		Breaks: []string{"X5-3.4.2.2-1", "X5-T2.4-PUBACK"}, Tap: forgiving(mqtt.TypePuback),
	},
	Fault{
		Name: "pubrec-properties-not-checked", Title: "takes no notice of PUBREC with wrong properties",
		Breaks: []string{"X5-3.4.2.2-1", "X5-T2.4-PUBREC"}, Tap: forgiving(mqtt.TypePubrec),
	},
	Fault{
		Name: "pubrel-properties-not-checked", Title: "takes no notice of PUBREL with wrong properties",
		Breaks: []string{"X5-3.4.2.2-1", "X5-T2.4-PUBREL"}, Tap: forgiving(mqtt.TypePubrel),
	},
	Fault{
		Name: "pubcomp-properties-not-checked", Title: "takes no notice of PUBCOMP with wrong properties",
		Breaks: []string{"X5-3.4.2.2-1", "X5-T2.4-PUBCOMP"}, Tap: forgiving(mqtt.TypePubcomp),
	},
	chatty(mqtt.TypePuback, "puback", "3.4.2"), talkative(mqtt.TypePuback, "puback", "3.4.2"),
	chatty(mqtt.TypePubrec, "pubrec", "3.5.2"), talkative(mqtt.TypePubrec, "pubrec", "3.5.2"),
	chatty(mqtt.TypePubrel, "pubrel", "3.6.2"), talkative(mqtt.TypePubrel, "pubrel", "3.6.2"),
	chatty(mqtt.TypePubcomp, "pubcomp", "3.7.2"), talkative(mqtt.TypePubcomp, "pubcomp", "3.7.2"),
)

// reason sets the Reason Code for clients of 5.0.
func reason(code mqtt.ReasonCode) func(*Client, *mqtt.Ack) {
	return func(_ *Client, a *mqtt.Ack) { a.ReasonCode = code }
}

// chatty adds a Reason String to an acknowledgement whatever its size may be.
func chatty(t mqtt.Type, name, section string) Fault {
	return Fault{
		Name: name + "-reason-string-too-long", Title: "adds a Reason String to " + strings.ToUpper(name) + " beyond the client's Maximum Packet Size",
		Breaks: []string{"MQTT5-" + section + "-2"},
		Tap:    editAckOut(t, func(_ *Client, a *mqtt.Ack) { a.ReasonString = strings.Repeat("because ", 50) }),
	}
}

// talkative adds a User Property to an acknowledgement whatever its size may be.
func talkative(t mqtt.Type, name, section string) Fault {
	return Fault{
		Name: name + "-user-property-too-long", Title: "adds a User Property to " + strings.ToUpper(name) + " beyond the client's Maximum Packet Size",
		Breaks: []string{"MQTT5-" + section + "-3"},
		Tap: editAckOut(t, func(_ *Client, a *mqtt.Ack) {
			a.UserProperties = []mqtt.UserProperty{{Name: "why", Value: strings.Repeat("because ", 50)}}
		}),
	}
}

// refusedIDs notes the Packet Identifiers of refused messages.
func refusedIDs() *Script {
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromClient, c.Version, f).(*mqtt.Publish); ok && c.Notes[fmt.Sprint("refused ", p.PacketID)] == true {
				return nil
			}
			return []Frame{f}
		},
		Out: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Pubrec); ok && p.ReasonCode.Failed() {
				c.Notes[fmt.Sprint("refused ", p.PacketID)] = true
			}
			return []Frame{f}
		},
	}
}

// oneIDSpace notes the Packet Identifiers of messages that it delivers.
func oneIDSpace() *Script {
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromClient, c.Version, f).(*mqtt.Publish); ok && p.QoS > 0 && c.Notes[fmt.Sprint("sent ", p.PacketID)] == true {
				return nil
			}
			return []Frame{f}
		},
		Out: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish); ok && p.QoS > 0 {
				c.Notes[fmt.Sprint("sent ", p.PacketID)] = true
			}
			return []Frame{f}
		},
	}
}

// publishWithPubrel remembers each QoS 2 PUBLISH and sends it before a PUBREL on another connection.
func publishWithPubrel() *Script {
	type sent struct {
		conn  server.ConnID
		frame Frame
	}
	open := map[string]sent{} // by Client Identifier and Packet Identifier
	return &Script{Out: func(c *Client, f Frame) []Frame {
		switch p := decode(wire.FromServer, c.Version, f).(type) {
		case *mqtt.Publish:
			if p.QoS == mqtt.ExactlyOnce {
				open[fmt.Sprint(c.Connect.ClientID, p.PacketID)] = sent{c.Conn, slices.Clone(f)}
			}
		case *mqtt.Pubrel:
			if s, ok := open[fmt.Sprint(c.Connect.ClientID, p.PacketID)]; ok && s.conn != c.Conn {
				s.frame[0] |= 0x08
				return []Frame{f, s.frame}
			}
		}
		return []Frame{f}
	}}
}

// resendsWithPing sends the last PUBLISH that is not acknowledged before PINGRESP.
func resendsWithPing() *Script {
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			if t := f.Type(); t == mqtt.TypePuback || t == mqtt.TypePubrec {
				delete(c.Notes, "open")
			}
			return []Frame{f}
		},
		Out: func(c *Client, f Frame) []Frame {
			switch open, _ := c.Notes["open"].(Frame); {
			case f.Type() == mqtt.TypePublish && f[0]&0x06 != 0:
				c.Notes["open"] = slices.Clone(f)
			case f.Type() == mqtt.TypePingresp && open != nil:
				again := slices.Clone(open)
				again[0] |= 0x08
				return []Frame{again, f}
			}
			return []Frame{f}
		},
	}
}

// forgetsExpired drops a PUBREL that comes after its message has expired.
func forgetsExpired() *Script {
	return &Script{In: func(c *Client, f Frame) []Frame {
		switch p := decode(wire.FromClient, c.Version, f).(type) {
		case *mqtt.Publish:
			if p.MessageExpiryInterval.Set {
				c.Notes[fmt.Sprint("expires ", p.PacketID)] = time.Now().Add(time.Duration(p.MessageExpiryInterval.Value) * time.Second)
			}
		case *mqtt.Pubrel:
			if at, ok := c.Notes[fmt.Sprint("expires ", p.PacketID)].(time.Time); ok && time.Now().After(at) {
				return nil
			}
		}
		return []Frame{f}
	}}
}

// swapsPairs holds each first PUBLISH of a connection and QoS back until the second has gone.
func swapsPairs() *Script {
	return &Script{Out: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
		key := fmt.Sprint("held ", f[0]&0x06)
		held, _ := c.Notes[key].(Frame)
		if held == nil {
			c.Notes[key] = slices.Clone(f)
			return nil
		}
		delete(c.Notes, key)
		return []Frame{f, held}
	})}
}

var _ = register(Fault{
	Name: "puback-refusal-rejected", Title: "closes on a PUBACK or PUBREC that refuses a message",
	Breaks: []string{"X5-3.4.2.1-1"},
	Tap: script(func() *Script {
		return &Script{In: func(_ *Client, f Frame) []Frame {
			if body := f.Body(); (f.Type() == mqtt.TypePuback || f.Type() == mqtt.TypePubrec) && len(body) > 2 && body[2] >= 0x80 {
				body[2] = 0x01 // which no acknowledgement may have
			}
			return []Frame{f}
		}}
	}),
})
