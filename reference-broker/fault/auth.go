package fault

import (
	"slices"

	"mqttlab/reference-broker/mqtt"
)

var _ = register(
	Fault{
		Name: "auth-method-ignored", Title: "takes no notice of the Authentication Method of CONNECT",
		Breaks: []string{"MQTT5-4.12.0-1"},
		Tap: editIn(func(_ *Client, p *mqtt.Connect) {
			p.AuthenticationMethod, p.AuthenticationData = mqtt.Opt[string]{}, nil
		}),
	},
	Fault{
		Name: "auth-method-unasked", Title: "names an Authentication Method to clients that named none",
		Breaks: []string{"MQTT5-4.12.0-6"},
		Tap: editOut(func(c *Client, p *mqtt.Connack) {
			if !p.ReasonCode.Failed() && !c.Connect.AuthenticationMethod.Set {
				p.AuthenticationMethod = mqtt.Some("PLAIN")
			}
		}),
	},
	Fault{
		Name: "auth-ignored", Title: "takes no notice of AUTH",
		Breaks: []string{"MQTT5-4.12.0-7", "X5-3.15-1", "MQTT5-3.15.1-1"},
		Tap:    rawIn(mqtt.TypeAuth, func(_ *Client, _ Frame) []Frame { return nil }),
	},
	Fault{
		Name: "auth-code-wrong", Title: "goes on with AUTH 0x00 instead of 0x18",
		Breaks: []string{"MQTT5-4.12.0-2", "MQTT5-3.15.2-1"},
		Tap:    editOut(func(_ *Client, p *mqtt.Auth) { p.ReasonCode = mqtt.Success }),
	},
	Fault{
		Name: "auth-method-changed", Title: "names another Authentication Method in AUTH",
		Breaks: []string{"MQTT5-4.12.0-5"},
		Tap:    editOut(func(_ *Client, p *mqtt.Auth) { p.AuthenticationMethod = mqtt.Some("PLAIN") }),
	},
	Fault{
		Name: "auth-data-lost", Title: "ends an exchange without the data that proves the server",
		Breaks: []string{"X5-4.12-1"}, Tap: editOut(func(_ *Client, p *mqtt.Connack) { p.AuthenticationData = nil }),
	},
	Fault{
		Name: "auth-failure-kept-open", Title: "stays connected when an exchange fails, and says nothing",
		Breaks: []string{"MQTT5-4.12.0-4", "MQTT5-4.12.1-2"},
		Tap: script(func() *Script {
			failed := func(c *Client) bool { return c.Notes["failed"] == true }
			return &Script{
				Out: func(c *Client, f Frame) []Frame {
					switch p := decodeOut(c, f).(type) {
					case *mqtt.Connack:
						c.Notes["failed"] = p.ReasonCode == mqtt.NotAuthorized
					case *mqtt.Disconnect:
						c.Notes["failed"] = p.ReasonCode == mqtt.NotAuthorized
					}
					if failed(c) {
						return nil
					}
					return []Frame{f}
				},
				KeepOpen: failed,
			}
		}),
	},
	Fault{
		Name: "auth-other-method-accepted", Title: "takes the method of AUTH for that of CONNECT",
		Breaks: []string{"X5-3.15-1", "MQTT5-4.12.1-1"},
		Tap:    editIn(func(c *Client, p *mqtt.Auth) { p.AuthenticationMethod = c.Connect.AuthenticationMethod }),
	},
	Fault{
		Name: "auth-again-ignored", Title: "takes no notice of a re-authentication",
		Breaks: []string{"X5-4.12.1-1"},
		Tap:    ignoring(func(_ *Client, p *mqtt.Auth) bool { return p.ReasonCode == mqtt.ReAuthenticate }),
	},
	Fault{
		Name: "auth-success-from-client-ignored", Title: "takes no notice of AUTH 0x00 from a client",
		Breaks: []string{"X5-3.15.2.1-1"},
		Tap: rawIn(mqtt.TypeAuth, func(_ *Client, f Frame) []Frame {
			if body := f.Body(); len(body) == 0 || body[0] == 0 {
				return nil
			}
			return []Frame{f}
		}),
	},
	Fault{
		Name: "auth-properties-not-checked", Title: "takes the first of several equal properties of AUTH, and does without a method",
		Breaks: []string{"X5-3.15.2.2.2-1", "X5-3.15.2.2.3-1", "X5-3.15.2.2.4-1"},
		Tap: rawIn(mqtt.TypeAuth, func(c *Client, f Frame) []Frame {
			body := f.Body()
			if len(body) < 2 || c.Connect == nil || !c.Connect.AuthenticationMethod.Set {
				return []Frame{f}
			}
			list := onlyFirst((&rawReader{body[1:]}).list())
			if !slices.ContainsFunc(list, func(p rawProperty) bool { return p.id() == 0x15 }) {
				list = append(list, rawText(rawProperty{0x15}, []byte(c.Connect.AuthenticationMethod.Value)))
			}
			return []Frame{shortest(f[0], rawList(body[:1:1], list))}
		}),
	},
	talkativeAuth("reason-string", "MQTT5-3.15.2-2", func(p *mqtt.Auth) { p.ReasonString = "a reason that does not fit" }),
	talkativeAuth("user-property", "MQTT5-3.15.2-3", func(p *mqtt.Auth) {
		p.UserProperties = []mqtt.UserProperty{{Name: "reason", Value: "does not fit"}}
	}),
)

// talkativeAuth adds to AUTH however little the client takes.
func talkativeAuth(what, breaks string, add func(*mqtt.Auth)) Fault {
	return Fault{
		Name: "auth-" + what + "-too-long", Title: "puts a " + what + " into AUTH, however little the client takes", Breaks: []string{breaks},
		Tap: editOut(func(_ *Client, p *mqtt.Auth) { add(p) }),
	}
}
