package fault

import (
	"encoding/binary"
	"strings"
	"unicode"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

var _ = register(
	Fault{
		Name: "puback-wrong-id", Title: "puts the next Packet Identifier into PUBACK",
		Breaks: []string{"MQTT5-2.2.1-5", "MQTT5-4.3.2-4", "MQTT311-2.3.1-6", "MQTT311-4.3.2-2"},
		Tap:    editAckOut(mqtt.TypePuback, func(_ *Client, a *mqtt.Ack) { a.PacketID++ }),
	},
	Fault{
		Name: "puback-withheld", Title: "does not answer a QoS 1 PUBLISH",
		Breaks: []string{"MQTT5-3.3.4-1", "MQTT5-4.3.2-4", "MQTT311-3.3.4-1", "MQTT311-3.3.5-2", "MQTT311-4.3.2-2"},
		Tap:    withholding(all[*mqtt.Puback]),
	},
	Fault{
		Name: "qos0-with-packet-id", Title: "sends a Packet Identifier in a QoS 0 PUBLISH",
		Breaks: []string{"MQTT5-2.2.1-2", "MQTT311-2.3.1-5"},
		Tap:    rawOut(mqtt.TypePublish, withPacketID),
	},
	Fault{
		Name: "qos0-with-dup", Title: "sets DUP in a QoS 0 PUBLISH",
		Breaks: []string{"MQTT5-3.3.1-2", "MQTT311-3.3.1-2"},
		Tap: rawOut(mqtt.TypePublish, func(_ *Client, f Frame) []Frame {
			if f[0]&0x06 == 0 {
				f[0] |= 0x08
			}
			return []Frame{f}
		}),
	},
	Fault{
		Name: "qos0-raised", Title: "delivers a QoS 0 message with QoS 1",
		Breaks: []string{"MQTT5-4.3.1-1", "MQTT311-4.3.1-1"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			if p.QoS == mqtt.AtMostOnce {
				p.QoS, p.PacketID = mqtt.AtLeastOnce, 999
			}
		}),
	},
	Fault{
		Name: "dup-always", Title: "sets DUP in every PUBLISH with QoS 1 or 2",
		Breaks: []string{"MQTT5-3.3.1-3", "MQTT5-4.3.2-2", "MQTT5-4.3.3-2", "MQTT311-3.3.1-3", "MQTT311-4.3.2-1", "MQTT311-4.3.3-1"},
		Tap:    editOut(func(_ *Client, p *mqtt.Publish) { p.Dup = p.QoS > mqtt.AtMostOnce }),
	},
	Fault{
		Name: "dup-at-qos0-passed-on", Title: "accepts DUP in a QoS 0 PUBLISH and passes it on",
		Breaks: []string{"MQTT5-3.3.1-2", "MQTT311-3.3.1-2"},
		Tap:    script(dupAtQoS0),
	},
	Fault{
		Name: "qos3-accepted", Title: "takes no notice of a PUBLISH with QoS 3",
		Breaks: []string{"MQTT5-3.3.1-4", "MQTT311-3.3.1-4"},
		Tap:    forgiving(mqtt.TypePublish, "QoS"),
	},
	Fault{
		Name: "topic-not-utf8-accepted", Title: "takes no notice of a PUBLISH whose Topic Name is ill-formed or cut",
		Breaks: []string{"MQTT5-1.5.4-1", "MQTT5-3.3.2-1", "MQTT311-1.5.3-1", "MQTT311-3.3.2-1"},
		Tap:    forgiving(mqtt.TypePublish, "Topic Name"),
	},
	Fault{
		Name: "topic-empty-accepted", Title: "takes no notice of a PUBLISH with an empty Topic Name",
		Breaks: []string{"X5-3.3.2.1-1", "MQTT5-4.7.3-1", "MQTT311-4.7.3-1"},
		Tap:    forgiving(mqtt.TypePublish, "Topic Name"),
	},
	Fault{
		Name: "topic-wildcard-accepted", Title: "takes no notice of a PUBLISH with a wildcard in its Topic Name",
		Breaks: []string{"MQTT5-3.3.2-2", "MQTT311-3.3.2-2"},
		Tap:    ignoring(func(_ *Client, p *mqtt.Publish) bool { return strings.ContainsAny(p.Topic, "+#") }),
	},
	Fault{
		Name: "topic-plus-matches-many", Title: "delivers messages of deeper levels to a filter that ends with +",
		Breaks: []string{"MQTT5-3.3.2-3", "MQTT311-3.3.2-3"}, Configure: deviating(server.PlusMatchesMany),
	},
	Fault{
		Name: "packet-id-zero-accepted", Title: "takes no notice of a PUBLISH with Packet Identifier 0",
		Breaks: []string{"X5-2.2.1-1", "MQTT311-2.3.1-1"},
		Tap:    forgiving(mqtt.TypePublish, "Packet Identifier"),
	},
	Fault{
		Name: "packet-id-same-for-all", Title: "sends every PUBLISH with QoS 1 or 2 under the same Packet Identifier",
		Breaks: []string{"MQTT5-2.2.1-4", "MQTT5-4.3.2-1", "MQTT5-4.3.3-1", "MQTT311-2.3.1-4", "MQTT311-4.3.2-1", "MQTT311-4.3.3-1"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			if p.QoS > mqtt.AtMostOnce {
				p.PacketID = 1
			}
		}),
	},
	Fault{
		Name: "packet-id-zero-sent", Title: "sends every PUBLISH with QoS 1 or 2 under Packet Identifier 0",
		Breaks: []string{"MQTT5-2.2.1-4", "MQTT311-2.3.1-1"},
		Tap:    editOut(func(_ *Client, p *mqtt.Publish) { p.PacketID = 0 }),
	},
	Fault{
		Name: "overlap-lowest-qos", Title: "delivers at QoS 0 where several subscriptions match",
		Breaks: []string{"MQTT5-3.3.4-2", "MQTT311-3.3.5-1"}, Configure: deviating(server.OverlapLowestQoS),
	},
	Fault{
		Name: "first-subscriber-only", Title: "delivers each message to one of the clients with a matching subscription",
		Breaks: []string{"MQTT5-4.5.0-1", "MQTT311-4.5.0-1"}, Tap: script(firstSubscriberOnly),
	},
	Fault{
		Name: "own-messages-lost", Title: "does not deliver a message to the client that published it",
		Breaks: []string{"MQTT5-4.5.0-1", "MQTT311-4.5.0-1"}, Tap: script(ownMessagesLost),
	},
	Fault{
		Name: "payload-cut", Title: "delivers the first 1,000 bytes of a payload",
		Breaks: []string{"MQTT5-4.5.0-1", "MQTT311-4.5.0-1"},
		Tap:    editOut(func(_ *Client, p *mqtt.Publish) { p.Payload = p.Payload[:min(len(p.Payload), 1000)] }),
	},
	Fault{
		Name: "topic-not-ascii-dropped", Title: "drops messages whose Topic Name has characters beyond ASCII",
		Breaks: []string{"X5-3.3.2.1-2"},
		Tap: ignoring(func(_ *Client, p *mqtt.Publish) bool {
			return strings.ContainsFunc(p.Topic, func(r rune) bool { return r > unicode.MaxASCII })
		}),
	},
	Fault{
		Name: "empty-payload-dropped", Title: "does not deliver messages without payload",
		Breaks: []string{"X5-3.3.3-1", "MQTT311-4.5.0-1"},
		Tap: ignoring(func(_ *Client, p *mqtt.Publish) bool {
			return len(p.Payload) == 0 && !p.Retain && p.QoS == mqtt.AtMostOnce
		}),
	},
	Fault{
		Name: "authorisation-ignored", Title: "lets clients publish where they may not",
		Breaks:    []string{"X5-3.4.2.1-3"},
		Configure: func(cfg *broker.Config) { cfg.Server.Authorize = nil },
	},
	Fault{
		Name: "maximum-qos-not-enforced", Title: "takes no notice of a PUBLISH above the Maximum QoS that it announces",
		Breaks: []string{"X5-3.3.1.2-1"},
		Configure: func(cfg *broker.Config) {
			cfg.Server.MaximumQoS = mqtt.Some(mqtt.AtLeastOnce)
		},
		Tap: ignoring(func(_ *Client, p *mqtt.Publish) bool { return p.QoS == mqtt.ExactlyOnce }),
	},
)

// withPacketID inserts a Packet Identifier behind the Topic Name of a QoS 0 PUBLISH.
func withPacketID(_ *Client, f Frame) []Frame {
	if f[0]&0x06 != 0 {
		return []Frame{f}
	}
	body := f.Body()
	name := 2 + int(body[0])<<8 + int(body[1])
	wrong := append(append(append([]byte(nil), body[:name]...), 0, 1), body[name:]...)
	return []Frame{framed(f[0], wrong)}
}

// framed puts a fixed header before a body.
func framed(first byte, body []byte) Frame {
	return append(binary.AppendUvarint(Frame{first}, uint64(len(body))), body...)
}

// dupAtQoS0 takes DUP away on the way in and sets it on the way out.
func dupAtQoS0() *Script {
	had := map[string]bool{} // payloads
	return &Script{
		In: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
			if f[0]&0x0E == 0x08 {
				f = append(Frame{f[0] &^ 0x08}, f[1:]...)
				if p, ok := decode(wire.FromClient, c.Version, f).(*mqtt.Publish); ok {
					had[string(p.Payload)] = true
				}
			}
			return []Frame{f}
		}),
		Out: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish); ok && p.QoS == mqtt.AtMostOnce && had[string(p.Payload)] {
				f[0] |= 0x08
			}
			return []Frame{f}
		}),
	}
}

// ownMessagesLost keeps a message from the connection that it came from.
func ownMessagesLost() *Script {
	key := func(p *mqtt.Publish) string { return "published " + p.Topic + string(p.Payload) }
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromClient, c.Version, f).(*mqtt.Publish); ok {
				c.Notes[key(p)] = true
			}
			return []Frame{f}
		},
		Out: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish); ok && c.Notes[key(p)] == true {
				return nil
			}
			return []Frame{f}
		},
	}
}

// firstSubscriberOnly keeps a message from all but the connection that got it first.
func firstSubscriberOnly() *Script {
	got := map[string]server.ConnID{} // by payload
	return &Script{Out: func(c *Client, f Frame) []Frame {
		p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish)
		if !ok {
			return []Frame{f}
		}
		first, taken := got[p.Topic+string(p.Payload)]
		if taken && first != c.Conn {
			return nil
		}
		got[p.Topic+string(p.Payload)] = c.Conn
		return []Frame{f}
	}}
}
