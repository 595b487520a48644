package fault

import (
	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

var _ = register(
	Fault{
		Name: "disconnect-not-closed", Title: "leaves the connection to the client after its DISCONNECT",
		Breaks: []string{"X5-3.14.4-1"},
		Tap: script(func() *Script {
			return &Script{
				In: only(mqtt.TypeDisconnect, func(c *Client, f Frame) []Frame {
					c.Notes["disconnected"] = true
					return []Frame{f}
				}),
				KeepOpen: func(c *Client) bool { return c.Notes["disconnected"] == true },
			}
		}),
	},
	Fault{
		Name: "disconnect-short-form-refused", Title: "refuses a DISCONNECT with a Reason Code and no properties",
		Breaks: []string{"X5-3.14.2.1-1"},
		Tap: rawIn(mqtt.TypeDisconnect, func(_ *Client, f Frame) []Frame {
			if len(f) == 3 {
				return []Frame{wrong}
			}
			return []Frame{f}
		}),
	},
	Fault{
		Name: "disconnect-reason-ignored", Title: "takes each DISCONNECT for a normal one",
		Breaks: []string{"X5-3.14.2.1-2", "X5-3.14.2.1-3", "X5-3.14-1", "MQTT5-3.1.2-8", "MQTT5-3.14.2-1"},
		Tap:    rawDisconnect(func(_ byte, list []rawProperty) (byte, []rawProperty) { return 0, list }),
	},
	Fault{
		Name: "disconnect-flags-ignored", Title: "takes no notice of the flags of DISCONNECT",
		Breaks: []string{"MQTT5-3.14.1-1", "MQTT311-3.14.1-1"},
		Tap: rawIn(mqtt.TypeDisconnect, func(_ *Client, f Frame) []Frame {
			return []Frame{append(Frame{0xE0}, f[1:]...)}
		}),
	},
	Fault{
		Name: "disconnect-property-twice-accepted", Title: "takes no notice of properties that DISCONNECT has twice",
		Breaks: []string{"X5-3.14.2.2.2-1", "X5-3.14.2.2.3-1", "X5-3.14.2.2.5-1"},
		Tap: rawDisconnect(func(code byte, list []rawProperty) (byte, []rawProperty) {
			if len(onlyFirst(list)) < len(list) {
				list = nil
			}
			return code, list
		}),
	},
	Fault{
		Name: "disconnect-expiry-ignored", Title: "takes no notice of the Session Expiry Interval of DISCONNECT",
		Breaks: []string{"X5-3.14.2.2.2-2"},
		Tap:    rawDisconnect(func(code byte, _ []rawProperty) (byte, []rawProperty) { return code, nil }),
	},
	Fault{
		Name: "disconnect-expiry-not-longer", Title: "lets DISCONNECT shorten the Session Expiry Interval only",
		Breaks: []string{"X5-3.14.2.2.2-2"},
		Tap: editIn(func(c *Client, p *mqtt.Disconnect) {
			if p.SessionExpiryInterval.Value > c.Connect.SessionExpiryInterval && c.Connect.SessionExpiryInterval > 0 {
				p.SessionExpiryInterval = mqtt.Opt[uint32]{}
			}
		}),
	},
	Fault{
		Name: "disconnect-raises-expiry", Title: "lets DISCONNECT prolong a Session that ends with its connection",
		Breaks: []string{"X5-3.14.2.2.2-3"}, Configure: deviating(server.DisconnectRaisesExpiry),
	},
	Fault{
		Name: "server-disconnect-without-close", Title: "stays connected after its own DISCONNECT",
		Breaks: []string{"MQTT5-3.14.4-2"},
		Tap: script(func() *Script {
			return &Script{
				Out: only(mqtt.TypeDisconnect, func(c *Client, f Frame) []Frame {
					c.Notes["said"] = true
					return []Frame{f}
				}),
				KeepOpen: func(c *Client) bool { return c.Notes["said"] == true },
			}
		}),
	},
	serverDisconnect("followed", "sends something after its own DISCONNECT", "MQTT5-3.14.4-1",
		func(f Frame) []Frame { return []Frame{f, {0xD0, 0x00}} }),
	serverDisconnect("illegal-code", "uses a Reason Code in DISCONNECT that is not for DISCONNECT", "MQTT5-3.14.2-1",
		func(Frame) []Frame { return []Frame{{0xE0, 0x02, 0x86, 0x00}} }),
	serverDisconnect("with-expiry", "puts a Session Expiry Interval into its DISCONNECT", "MQTT5-3.14.2-2",
		func(f Frame) []Frame { return []Frame{{0xE0, 0x07, f.Body()[0], 0x05, 0x11, 0, 0, 0, 1}} }),
	serverDisconnect("with-reference", "names another server in a DISCONNECT that is no redirection", "X5-3.2.2.3.16-1",
		func(f Frame) []Frame { return []Frame{{0xE0, 0x06, f.Body()[0], 0x04, 0x1C, 0, 1, 'x'}} }),
)

// rawDisconnect changes Reason Code and properties of DISCONNECT packets of 5.0 that have any.
func rawDisconnect(change func(code byte, list []rawProperty) (byte, []rawProperty)) func() broker.Tap {
	return rawIn(mqtt.TypeDisconnect, func(c *Client, f Frame) []Frame {
		body := f.Body()
		if c.Version != mqtt.V5 || len(body) == 0 {
			return []Frame{f}
		}
		var list []rawProperty
		if len(body) > 1 {
			list = (&rawReader{body[1:]}).list()
		}
		code, list := change(body[0], list)
		return []Frame{shortest(f[0], rawList([]byte{code}, list))}
	})
}

// serverDisconnect changes the DISCONNECT packets that the broker sends.
func serverDisconnect(name, title, breaks string, change func(f Frame) []Frame) Fault {
	return Fault{
		Name: "server-disconnect-" + name, Title: title, Breaks: []string{breaks},
		Tap: rawOut(mqtt.TypeDisconnect, func(_ *Client, f Frame) []Frame {
			if len(f.Body()) == 0 {
				return []Frame{f}
			}
			return change(f)
		}),
	}
}
