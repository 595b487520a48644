package fault

import (
	"bytes"
	"slices"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

// editWill changes the will of each CONNECT that has one.
func editWill(change func(w *mqtt.Will)) func() broker.Tap {
	return editIn(func(_ *Client, p *mqtt.Connect) {
		if p.Will != nil {
			change(p.Will)
		}
	})
}

var _ = register(
	Fault{
		Name: "will-not-published", Title: "publishes no wills",
		Breaks: []string{
			"MQTT5-3.1.2-7", "MQTT5-3.1.2-8", "X5-3.1.2.5-1", "X5-3.14-1", "X5-3.1.3.2.2-2", "X5-3.1.3.2.2-3", "X5-3.14.2.1-2",
			"MQTT311-3.1.2-8", "MQTT311-3.1.2-9",
		},
		Configure: deviating(server.WillNotPublished),
	},
	Fault{
		Name: "will-qos-ignored", Title: "publishes all wills at QoS 0",
		Breaks: []string{"MQTT5-3.1.2-7", "MQTT311-3.1.2-9"}, Tap: editWill(func(w *mqtt.Will) { w.QoS = mqtt.AtMostOnce }),
	},
	Fault{
		Name: "will-published-after-disconnect", Title: "publishes the will although the client disconnected",
		Breaks:    []string{"MQTT5-3.1.2-10", "MQTT5-3.14.4-3", "X5-3.14.2.1-1", "MQTT311-3.1.2-10", "MQTT311-3.14.4-3"},
		Configure: deviating(server.WillOnNormalDisconnect),
	},
	Fault{
		Name: "will-remembered", Title: "gives a client that leaves no will the one that it left before",
		Breaks: []string{"MQTT5-3.1.2-10", "MQTT311-3.1.2-10", "MQTT311-3.1.2-12"},
		Tap: script(func() *Script {
			wills := map[string]*mqtt.Will{}
			return &Script{In: only(mqtt.TypeConnect, func(c *Client, f Frame) []Frame {
				p, ok := decodeIn(c, f).(*mqtt.Connect)
				if !ok {
					return []Frame{f}
				}
				if p.Will == nil {
					p.Will = wills[p.ClientID]
				} else {
					wills[p.ClientID] = &mqtt.Will{Topic: p.Will.Topic, Payload: bytes.Clone(p.Will.Payload)}
				}
				return []Frame{encode(c.Version, p)}
			})}
		}),
	},
	Fault{
		Name: "will-fields-swapped", Title: "reads the payload of the will before its topic",
		Breaks: []string{"MQTT5-3.1.3-1", "MQTT311-3.1.3-1"},
		Tap:    editWill(func(w *mqtt.Will) { w.Topic, w.Payload = string(w.Payload), []byte(w.Topic) }),
	},
	Fault{
		Name: "will-retain-ignored", Title: "retains no wills",
		Breaks: []string{"MQTT5-3.1.2-15", "MQTT311-3.1.2-17"}, Configure: deviating(server.WillRetainIgnored),
	},
	Fault{
		Name: "will-always-retained", Title: "retains all wills",
		Breaks: []string{"MQTT5-3.1.2-14", "MQTT311-3.1.2-16"}, Tap: editWill(func(w *mqtt.Will) { w.Retain = true }),
	},
	Fault{
		Name: "will-delay-ignored", Title: "publishes wills without their delay",
		Breaks: []string{"MQTT5-3.1.2-8", "X5-3.1.2.5-2"}, Configure: deviating(server.WillDelayIgnored),
	},
	Fault{
		Name: "will-not-cancelled", Title: "publishes a will that waits although the client came back",
		Breaks: []string{"MQTT5-3.1.3-9", "X5-3.1.3.2.2-3"}, Configure: deviating(server.WillNotCancelled),
	},
	Fault{
		Name: "will-lost-on-take-over", Title: "publishes no will when the connection is taken over",
		Breaks: []string{"MQTT311-3.1.2-8", "X5-3.1.3.2.2-3"}, Configure: deviating(server.WillLostOnTakeOver),
	},
	Fault{
		Name: "will-lost-with-session", Title: "drops a will that waits when its Session ends",
		Breaks: []string{"X5-3.1.3.2.2-2"}, Configure: deviating(server.WillLostWithSession),
	},
	Fault{
		Name: "will-properties-dropped", Title: "publishes the will without its Content Type",
		Breaks: []string{"X5-3.1.3.2-1"}, Tap: editWill(func(w *mqtt.Will) { w.ContentType = mqtt.Opt[string]{} }),
	},
	Fault{
		Name: "will-user-properties-reordered", Title: "publishes the User Properties of a will in reverse order",
		Breaks: []string{"MQTT5-3.1.3-10"},
		Tap: editWill(func(w *mqtt.Will) {
			w.UserProperties = slices.Clone(w.UserProperties)
			slices.Reverse(w.UserProperties)
			slices.SortStableFunc(w.UserProperties, func(a, b mqtt.UserProperty) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
		}),
	},
	Fault{
		Name: "will-expiry-dropped", Title: "publishes the will without its Message Expiry Interval",
		Breaks: []string{"X5-3.1.3.2.4-2"}, Tap: editWill(func(w *mqtt.Will) { w.MessageExpiryInterval = mqtt.Opt[uint32]{} }),
	},
	Fault{
		Name: "will-payload-repaired", Title: "changes the payload of a will that is announced as text and is none",
		Breaks: []string{"X5-3.1.3.2.3-2"},
		Tap: editWill(func(w *mqtt.Will) {
			if w.PayloadFormat.Set {
				w.Payload = bytes.ToValidUTF8(w.Payload, []byte("?"))
			}
		}),
	},
	mended("will-topic-unchecked", "accepts a Will Topic that is empty or has wildcards",
		func(c *rawConnect) {
			if c.willTopic != nil {
				c.willTopic = append([]byte("will/"), bytes.Map(func(r rune) rune {
					if r == '+' || r == '#' {
						return -1
					}
					return r
				}, c.willTopic)...)
			}
		}, "MQTT5-4.7.0-1", "MQTT5-4.7.3-1", "MQTT311-4.7.1-1", "MQTT311-4.7.3-1"),
	mended("will-property-twice-accepted", "takes the first of several equal Will Properties",
		func(c *rawConnect) { c.willList = onlyFirst(c.willList) },
		"X5-3.1.3.2.2-1", "X5-3.1.3.2.3-1", "X5-3.1.3.2.4-1", "X5-3.1.3.2.5-1", "X5-3.1.3.2.6-1", "X5-3.1.3.2.7-1"),
)
