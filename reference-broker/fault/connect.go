package fault

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

func decodeIn(c *Client, f Frame) mqtt.Packet  { return decode(wire.FromClient, c.Version, f) }
func decodeOut(c *Client, f Frame) mqtt.Packet { return decode(wire.FromServer, c.Version, f) }

var _ = register(
	Fault{
		Name: "connect-second-ignored", Title: "takes no notice of a second CONNECT",
		Breaks: []string{"MQTT5-3.1.0-2", "MQTT311-3.1.0-2"},
		Tap: ignoring(func(c *Client, _ *mqtt.Connect) bool {
			second := c.Notes["connected"] == true
			c.Notes["connected"] = true
			return second
		}),
	},
	Fault{
		Name: "connect-not-needed", Title: "stays connected when something else than CONNECT comes first",
		Breaks: []string{"MQTT5-3.1.0-1", "MQTT311-3.1.0-1"},
		Tap: script(func() *Script {
			return &Script{In: func(c *Client, f Frame) []Frame {
				if c.Connect == nil && f.Type() != mqtt.TypeConnect {
					return nil
				}
				return []Frame{f}
			}}
		}),
	},
	Fault{
		Name: "connect-refused-with-disconnect", Title: "answers a wrong CONNECT with DISCONNECT",
		Breaks: []string{"X5-3.1.0-1", "MQTT5-3.14.0-1"},
		Tap: rawOut(mqtt.TypeConnack, func(_ *Client, f Frame) []Frame {
			if code := f.Body()[1]; code >= 0x80 {
				f = Frame{0xE0, 0x02, code, 0x00}
			}
			return []Frame{f}
		}),
	},
	Fault{
		Name: "protocol-name-ignored", Title: "takes any Protocol Name for MQTT",
		Breaks: []string{"MQTT5-3.1.2-1", "MQTT311-3.1.2-1"},
		Tap:    mending(func(c *rawConnect) { c.name = []byte("MQTT") }),
	},
	Fault{
		Name: "protocol-level-unanswered", Title: "takes no notice of a CONNECT of an unknown protocol version",
		Breaks: []string{"MQTT5-3.1.2-2", "MQTT311-3.1.2-2"}, Tap: forgiving(mqtt.TypeConnect, "Protocol Version"),
	},
	Fault{
		Name: "protocol-level-closed-silently", Title: "closes without a word on an unknown protocol level",
		Breaks: []string{"MQTT311-3.1.2-2"},
		Tap: rawOut(mqtt.TypeConnack, func(_ *Client, f Frame) []Frame {
			if f.Body()[1] == 0x01 {
				return nil
			}
			return []Frame{f}
		}),
	},
	Fault{
		Name: "take-over-missing", Title: "leaves a connection open when its client connects again",
		Breaks: []string{"MQTT5-3.1.4-3", "MQTT311-3.1.4-2"}, Configure: deviating(server.NoTakeOver),
	},
	Fault{
		Name: "connect-behind-refusal-acted-on", Title: "publishes what a client sends behind a CONNECT that it refuses",
		Breaks: []string{"MQTT5-3.1.4-6", "MQTT311-3.1.4-5"}, Tap: script(actsOnRefused),
	},
	Fault{
		Name: "connect-first-packet-lost", Title: "loses the first packet behind CONNECT",
		Breaks: []string{"X5-3.1.4-2"},
		Tap: script(func() *Script {
			return &Script{In: func(c *Client, f Frame) []Frame {
				// Discovery, which uses a Client Identifier of another form, shall succeed.
				if c.Connect == nil || f.Type() == mqtt.TypeConnect || !strings.HasPrefix(c.Connect.ClientID, "mqttlab") || c.Notes["lost"] == true {
					return []Frame{f}
				}
				c.Notes["lost"] = true
				return nil
			}}
		}),
	},
	Fault{
		Name: "connect-awaited-for-ever", Title: "leaves a connection open on which no CONNECT comes",
		Breaks:    []string{"X5-3.1.4-1"},
		Configure: func(cfg *broker.Config) { cfg.Server.ConnectTimeout = time.Hour },
	},
	Fault{
		Name: "maximum-packet-size-ignored", Title: "sends packets larger than the client's Maximum Packet Size",
		Breaks: []string{"MQTT5-3.1.2-24", "MQTT5-3.1.2-25"}, Configure: deviating(server.MaximumPacketSizeIgnored),
	},
	Fault{
		Name: "too-large-message-blocks", Title: "counts a message that is too large for the client as sent and unacknowledged",
		Breaks: []string{"MQTT5-3.1.2-25"}, Configure: deviating(server.MaximumPacketSizeIgnored),
		Tap: script(func() *Script {
			return &Script{Out: func(c *Client, f Frame) []Frame {
				if c.Connect != nil && c.Connect.MaximumPacketSize > 0 && len(f) > int(c.Connect.MaximumPacketSize) {
					return nil
				}
				return []Frame{f}
			}}
		}),
	},
	Fault{
		Name: "receive-maximum-remembered", Title: "uses the Receive Maximum of a client's last connection when there is none",
		Breaks: []string{"X5-3.1.2.11.3-3"},
		Tap: script(func() *Script {
			last := map[string]uint16{}
			return &Script{In: only(mqtt.TypeConnect, func(c *Client, f Frame) []Frame {
				p, ok := decodeIn(c, f).(*mqtt.Connect)
				if !ok {
					return []Frame{f}
				}
				if p.ReceiveMaximum == 0 {
					p.ReceiveMaximum = last[p.ClientID]
				}
				last[p.ClientID] = p.ReceiveMaximum
				return []Frame{encode(c.Version, p)}
			})}
		}),
	},
	Fault{
		Name: "stream-lossy", Title: "loses one message in twenty",
		Breaks: []string{"MQTT5-4.2.0-1", "MQTT311-7.1.1-1"},
		Tap: rawOut(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
			n, _ := c.Notes["messages"].(int)
			if c.Notes["messages"] = n + 1; n%20 == 19 {
				return nil
			}
			return []Frame{f}
		}),
	},
	Fault{
		Name: "shared-too-large-sent", Title: "sends a message that is too large to a member of a Shared Subscription",
		Breaks: []string{"X5-3.1.2.11.4-4"}, Configure: deviating(server.MaximumPacketSizeIgnored),
	},
	Fault{
		Name: "problem-information-unwanted", Title: "sends Reason Strings to clients that want none",
		Breaks: []string{"MQTT5-3.1.2-29"},
		Configure: func(cfg *broker.Config) {
			cfg.Server.ReasonStrings = true
			deviating(server.ReasonStringsUnasked)(cfg)
		},
	},
	Fault{
		Name: "response-information-unwanted", Title: "sends Response Information to clients that did not ask for it",
		Breaks: []string{"MQTT5-3.1.2-28"},
		Configure: func(cfg *broker.Config) {
			cfg.Server.ResponseInformation = "answers/"
			deviating(server.ResponseInformationUnasked)(cfg)
		},
	},
	Fault{
		Name: "connect-with-much-refused", Title: "refuses a CONNECT with a Will that has a Correlation Data property",
		Breaks: []string{"MQTT5-3.1.4-5"},
		Tap:    refusing(func(_ *Client, p *mqtt.Connect) bool { return p.Will != nil && p.Will.CorrelationData != nil }),
	},
	Fault{
		Name: "user-property-once", Title: "refuses CONNECT with more than one User Property",
		Breaks: []string{"X5-3.1.2.11.8-1"},
		Tap:    refusing(func(_ *Client, p *mqtt.Connect) bool { return len(p.UserProperties) > 1 }),
	},
)

// actsOnRefused mends a reserved flag, tells the client that it is refused, and closes only when one more packet was acted on.
func actsOnRefused() *Script {
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			if f.Type() == mqtt.TypeConnect {
				if p := parseRawConnect(f); p.flags&0x01 != 0 {
					p.flags &^= 0x01
					c.Notes["refused"] = true
					c.Version = mqtt.Version(p.level)
					return []Frame{p.frame()}
				}
				return []Frame{f}
			}
			if c.Notes["refused"] == true {
				return []Frame{f, wrong}
			}
			return []Frame{f}
		},
		Out: func(c *Client, f Frame) []Frame {
			switch {
			case c.Notes["refused"] != true:
			case f.Type() == mqtt.TypeDisconnect:
				return nil
			case f.Type() == mqtt.TypeConnack && c.Version == mqtt.V5:
				return []Frame{{0x20, 0x03, 0x00, 0x81, 0x00}}
			case f.Type() == mqtt.TypeConnack:
				return []Frame{{0x20, 0x02, 0x00, 0x05}}
			}
			return []Frame{f}
		},
	}
}

// mended is a part of the format of CONNECT that a broker does not insist on.
func mended(name, title string, mend func(c *rawConnect), breaks ...string) Fault {
	return Fault{Name: name, Title: title, Breaks: breaks, Tap: mending(mend)}
}

// clear takes fields out of a CONNECT whose flags announce them, and the flags.
func (c *rawConnect) clear(flags byte, fields ...*[]byte) {
	c.flags &^= flags
	for _, f := range fields {
		*f = nil
	}
}

var _ = register(
	mended("connect-reserved-flag-accepted", "accepts a CONNECT whose reserved flag is set",
		func(c *rawConnect) { c.flags &^= 0x01 },
		"MQTT5-3.1.2-3", "MQTT311-3.1.2-3", "MQTT5-3.1.4-1", "MQTT311-3.1.4-1"),
	mended("will-qos-without-will-accepted", "accepts a CONNECT with a Will QoS and no Will",
		func(c *rawConnect) {
			if c.flags&0x04 == 0 {
				c.flags &^= 0x18
			}
		}, "MQTT5-3.1.2-11", "MQTT311-3.1.2-11", "MQTT311-3.1.2-13"),
	mended("will-retain-without-will-accepted", "accepts a CONNECT with Will Retain and no Will",
		func(c *rawConnect) {
			if c.flags&0x04 == 0 {
				c.flags &^= 0x20
			}
		}, "MQTT5-3.1.2-13", "MQTT311-3.1.2-11", "MQTT311-3.1.2-15"),
	mended("will-qos-3-accepted", "takes Will QoS 3 for 1",
		func(c *rawConnect) {
			if c.flags&0x18 == 0x18 {
				c.flags &^= 0x10
			}
		}, "MQTT5-3.1.2-12", "MQTT311-3.1.2-14"),
	mended("will-fields-missing-accepted", "accepts a CONNECT with Will Flag that ends before the will",
		func(c *rawConnect) {
			if c.willPayload == nil {
				c.clear(0x3C, &c.willTopic)
			}
		}, "MQTT5-3.1.2-9", "MQTT311-3.1.2-9"),
	mended("connect-surplus-accepted", "accepts a CONNECT with bytes behind the fields that its flags announce",
		func(c *rawConnect) { c.surplus = nil },
		"MQTT5-3.1.2-16", "MQTT5-3.1.2-18", "MQTT311-3.1.2-11", "MQTT311-3.1.2-18", "MQTT311-3.1.2-20", "MQTT5-3.1.4-1", "MQTT311-3.1.4-1"),
	mended("user-name-missing-accepted", "accepts a CONNECT that ends before the User Name that it announces",
		func(c *rawConnect) {
			if c.userName == nil {
				c.clear(0x80)
			}
		}, "MQTT5-3.1.2-17", "MQTT311-3.1.2-19"),
	mended("password-missing-accepted", "accepts a CONNECT that ends before the Password that it announces",
		func(c *rawConnect) {
			if c.password == nil {
				c.clear(0x40)
			}
		}, "MQTT5-3.1.2-19", "MQTT311-3.1.2-21"),
	mended("password-without-user-name-accepted", "accepts a 3.1.1 CONNECT with a Password and no User Name",
		func(c *rawConnect) {
			if c.flags&0xC0 == 0x40 && c.level == byte(mqtt.V311) {
				c.clear(0x40, &c.password)
			}
		}, "MQTT311-3.1.2-22"),
	Fault{
		Name: "password-alone-refused", Title: "refuses a 5.0 CONNECT with a Password and no User Name",
		Breaks: []string{"X5-3.1.2.9-1"},
		Tap:    refusing(func(_ *Client, p *mqtt.Connect) bool { return p.Password.Set && !p.Username.Set }),
	},
	Fault{
		Name: "malformed-connect-gets-connack", Title: "answers a malformed CONNECT with a CONNACK",
		Breaks: []string{"MQTT311-3.1.4-1"},
		Tap: rawIn(mqtt.TypeConnect, func(c *Client, f Frame) []Frame {
			if p := parseRawConnect(f); c.Connect == nil && p.level == byte(mqtt.V311) {
				p.level = 0x7F // for which the broker has an answer
				return []Frame{p.frame()}
			}
			return []Frame{f}
		}),
	},
	mended("client-id-missing-accepted", "accepts a CONNECT without a payload",
		func(c *rawConnect) {
			if c.clientID == nil {
				c.clientID = []byte{} // for which each gets one of its own
			}
		}, "MQTT5-3.1.3-3", "MQTT311-3.1.3-3"),
	mended("client-id-ill-formed-accepted", "accepts a Client Identifier that is not well-formed UTF-8",
		func(c *rawConnect) { c.clientID = wellFormed(c.clientID) },
		"MQTT5-3.1.3-4", "MQTT311-3.1.3-4", "MQTT5-1.5.4-1", "MQTT5-1.5.4-2", "MQTT311-1.5.3-1", "MQTT311-1.5.3-2"),
	mended("will-topic-ill-formed-accepted", "accepts a Will Topic that is not well-formed UTF-8",
		func(c *rawConnect) { c.willTopic = wellFormed(c.willTopic) }, "MQTT5-3.1.3-11", "MQTT311-3.1.3-10"),
	mended("user-name-ill-formed-accepted", "accepts a User Name that is not well-formed UTF-8",
		func(c *rawConnect) { c.userName = wellFormed(c.userName) }, "MQTT5-3.1.3-12", "MQTT311-3.1.3-11"),
	mended("connect-property-twice-accepted", "takes the first of several equal properties of CONNECT",
		func(c *rawConnect) { c.properties = onlyFirst(c.properties) },
		"X5-3.1.2.11.2-1", "X5-3.1.2.11.3-2", "X5-3.1.2.11.4-2", "X5-3.1.2.11.5-1", "X5-3.1.2.11.6-2", "X5-3.1.2.11.7-2",
		"X5-3.1.2.11.9-1", "X5-3.1.2.11.10-2"),
	mended("connect-property-illegal-accepted", "takes no notice of illegal properties of CONNECT",
		func(c *rawConnect) {
			c.properties = slices.DeleteFunc(c.properties, func(p rawProperty) bool {
				return slices.ContainsFunc([]string{"\x21\x00\x00", "\x27\x00\x00\x00\x00", "\x19\x02", "\x17\x02"}, func(bad string) bool {
					return string(p) == bad
				}) || p.id() == 0x16
			})
		}, "X5-3.1.2.11.3-1", "X5-3.1.2.11.4-1", "X5-3.1.2.11.6-1", "X5-3.1.2.11.7-1", "X5-3.1.2.11.10-1"),
)

// wellFormed replaces what is not allowed in a string; nil stays nil.
func wellFormed(text []byte) []byte {
	if text == nil {
		return nil
	}
	return append([]byte{}, bytes.ReplaceAll(bytes.ToValidUTF8(text, []byte("?")), []byte{0}, []byte("?"))...)
}
