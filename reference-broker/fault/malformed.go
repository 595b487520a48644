package fault

import (
	"bytes"
	"errors"
	"slices"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

var _ = register(
	Fault{
		Name: "header-flags-accepted", Title: "takes no notice of packets with wrong header flags",
		Breaks: []string{"MQTT311-2.2.2-2", "MQTT5-2.1.3-1"}, Tap: forgivingAll(),
	},
	Fault{
		Name: "header-flags-sent", Title: "sets a reserved flag in UNSUBACK",
		Breaks: []string{"MQTT311-2.2.2-1", "MQTT5-2.1.3-1"}, Tap: rawOut(mqtt.TypeUnsuback, func(_ *Client, f Frame) []Frame {
			f[0] |= 1
			return []Frame{f}
		}),
	},
	Fault{
		Name: "length-too-long-sent", Title: "sends a Remaining Length that takes more bytes than it needs",
		Breaks: []string{"MQTT5-1.5.5-1"}, Tap: rawOut(mqtt.TypeUnsuback, func(_ *Client, f Frame) []Frame {
			return []Frame{slices.Concat([]byte{f[0], f[1] | 0x80, 0x00}, f.Body())}
		}),
	},
	Fault{
		Name: "length-too-long-unanswered", Title: "takes no notice of packets with a length that takes more bytes than it needs",
		Breaks: []string{"MQTT5-1.5.5-1"}, Tap: forgivingAll(),
	},
	Fault{
		Name: "property-length-not-sent", Title: "leaves out the Property Length of an UNSUBACK without properties",
		Breaks: []string{"MQTT5-2.2.2-1"}, Tap: rawOut(mqtt.TypeUnsuback, func(c *Client, f Frame) []Frame {
			if c.Version != mqtt.V5 {
				return []Frame{f}
			}
			return []Frame{framed(f[0], f.Body()[:2])}
		}),
	},
	Fault{
		Name: "pingreq-sent", Title: "sends PINGREQ to its clients",
		Breaks: []string{"X5-2.1.2-3"}, Tap: rawOut(mqtt.TypeUnsuback, func(_ *Client, f Frame) []Frame {
			return []Frame{{0xC0, 0x00}, f}
		}),
	},
	Fault{
		Name: "packet-type-accepted", Title: "takes no notice of packets that clients do not send",
		Breaks: []string{"X5-2.1.2-1", "X5-2.1.2-2"}, Tap: forgivingAll("Control Packet type"),
	},
	Fault{
		Name: "length-of-five-bytes-accepted", Title: "takes no notice of packets with a length of five bytes",
		Breaks: []string{"X5-1.5.5-1"}, Tap: forgivingAll("Remaining Length", "Property Length"),
	},
	Fault{
		Name: "fields-missing-accepted", Title: "takes no notice of packets whose fields do not fit",
		Breaks: []string{"X5-2.1.4-1", "X5-1.5.6-1", "X5-2.3-1"}, Tap: forgivingAll(),
	},
	Fault{
		Name: "user-property-ill-formed-accepted", Title: "takes no notice of packets with an ill-formed User Property",
		Breaks: []string{"MQTT5-1.5.7-1"}, Tap: forgivingAll("User Property", "User Property name", "User Property value"),
	},
	Fault{
		Name: "property-length-accepted", Title: "takes no notice of packets whose properties do not end with their length",
		Breaks: []string{"X5-2.2.2.1-1", "MQTT5-2.2.2-1"}, Tap: forgivingAll(),
	},
	Fault{
		Name: "unknown-property-accepted", Title: "takes no notice of packets with a property that does not exist",
		Breaks: []string{"X5-2.2.2.2-1"}, Tap: forgivingAll("Property Identifier"),
	},
	Fault{
		Name: "property-value-accepted", Title: "takes no notice of packets with a property value of another type",
		Breaks: []string{"X5-2.2.2.2-3"}, Tap: forgivingAll(),
	},
	Fault{
		Name: "foreign-property-accepted", Title: "takes no notice of packets with a property of other packets",
		Breaks: []string{
			"X5-2.2.2.2-2", "X5-T2.4-SUBSCRIBE", "X5-T2.4-UNSUBSCRIBE", "X5-T2.4-CONNECT", "X5-T2.4-WILL", "X5-T2.4-DISCONNECT", "X5-T2.4-AUTH",
		},
		Tap: forgivingAll(),
	},
	Fault{
		Name: "errors-do-not-close", Title: "keeps the Network Connection open after an error",
		Breaks: []string{"MQTT311-4.8.0-1", "MQTT5-4.13.1-1", "MQTT5-4.13.2-1", "X5-4.13.1-2"},
		Tap: script(func() *Script {
			return &Script{KeepOpen: func(*Client) bool { return true }}
		}),
	},
	Fault{
		Name: "errors-not-explained", Title: "closes the Network Connection after an error without DISCONNECT",
		Breaks: []string{"X5-4.13.1-1"}, Tap: withholding(all[*mqtt.Disconnect]),
	},
	Fault{
		Name: "errors-stop-everything", Title: "sends messages to nobody after an error on one connection",
		Breaks: []string{"X5-4.13.1-3", "MQTT311-4.8.0-1"}, Tap: script(stoppedByErrors),
	},
	Fault{
		Name: "control-characters-stall", Title: "takes no notice any more of a client that has sent a control character",
		Breaks: []string{"X5-1.5.4-1"}, Tap: script(func() *Script {
			return &Script{In: func(c *Client, f Frame) []Frame {
				if bytes.Contains(f, []byte("t\x1f")) {
					c.Notes["stalled"] = true
				}
				if c.Notes["stalled"] == true {
					return nil
				}
				return []Frame{f}
			}}
		}),
	},
	Fault{
		Name: "dup-at-qos0-kept", Title: "passes DUP of a QoS 0 message on",
		Breaks: []string{"X5-3.3.1.1-1"}, Tap: script(dupAtQoS0),
	},
)

// mistake is what is wrong with a frame from a client, nil if nothing is.
func mistake(c *Client, f Frame) *wire.Error {
	d := wire.NewDecoder(wire.FromClient)
	d.Version = c.Version
	var wrong *wire.Error
	if _, _, err := d.Next(f); errors.As(err, &wrong) {
		return wrong
	}
	return nil
}

// forgivingAll is forgiving for packets of every type; without fields, for every mistake.
func forgivingAll(fields ...string) func() broker.Tap {
	return script(func() *Script {
		return &Script{In: func(c *Client, f Frame) []Frame {
			if wrong := mistake(c, f); wrong != nil && (len(fields) == 0 || slices.Contains(fields, wrong.Field)) {
				return nil
			}
			return []Frame{f}
		}}
	})
}

func stoppedByErrors() *Script {
	stopped := false
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			stopped = stopped || mistake(c, f) != nil
			return []Frame{f}
		},
		Out: only(mqtt.TypePublish, func(_ *Client, f Frame) []Frame {
			if stopped {
				return nil
			}
			return []Frame{f}
		}),
	}
}
