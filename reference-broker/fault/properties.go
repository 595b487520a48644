package fault

import (
	"slices"
	"strings"
	"unicode/utf8"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

var _ = register(
	Fault{
		Name: "payload-format-lost", Title: "delivers messages with Payload Format Indicator 0",
		Breaks: []string{"MQTT5-3.3.2-4"},
		Tap:    editOut(func(_ *Client, p *mqtt.Publish) { p.PayloadFormat = mqtt.Some(byte(0)) }),
	},
	Fault{
		Name: "response-topic-lost", Title: "delivers messages without Response Topic",
		Breaks: []string{"MQTT5-3.3.2-15"}, Tap: editOut(func(_ *Client, p *mqtt.Publish) { p.ResponseTopic = "" }),
	},
	Fault{
		Name: "correlation-data-empty-lost", Title: "delivers messages without Correlation Data that is empty",
		Breaks: []string{"MQTT5-3.3.2-16"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			if len(p.CorrelationData) == 0 {
				p.CorrelationData = nil
			}
		}),
	},
	Fault{
		Name: "user-properties-unique", Title: "delivers one User Property of each name",
		Breaks: []string{"MQTT5-3.3.2-17"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			p.UserProperties = slices.CompactFunc(p.UserProperties, func(a, b mqtt.UserProperty) bool { return a.Name == b.Name })
		}),
	},
	Fault{
		Name: "user-properties-sorted", Title: "delivers User Properties in the order of their names",
		Breaks: []string{"MQTT5-3.3.2-18"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			slices.SortStableFunc(p.UserProperties, func(a, b mqtt.UserProperty) int { return strings.Compare(a.Name, b.Name) })
		}),
	},
	Fault{
		Name: "content-type-lost", Title: "delivers messages without Content Type",
		Breaks: []string{"MQTT5-3.3.2-20"}, Tap: editOut(func(_ *Client, p *mqtt.Publish) { p.ContentType = mqtt.Opt[string]{} }),
	},
	Fault{
		Name: "payload-not-utf8-unanswered", Title: "drops, without an answer, a message whose payload is not the UTF-8 that it says",
		Breaks: []string{"X5-3.3.2.3.2-2"},
		Tap:    ignoring(func(_ *Client, p *mqtt.Publish) bool { return p.PayloadFormat.Value == 1 && !utf8.Valid(p.Payload) }),
	},
	Fault{
		Name: "expiry-not-counted-down", Title: "delivers messages with the Message Expiry Interval they came with",
		Breaks: []string{"MQTT5-3.3.2-6"}, Configure: deviating(server.ExpiryNotCountedDown),
	},
	Fault{
		Name: "expired-delivered", Title: "delivers messages that have expired",
		Breaks: []string{"MQTT5-3.3.2-5"}, Configure: deviating(server.ExpiredDelivered),
	},
	Fault{
		Name: "expired-behind-window-delivered", Title: "delivers messages that have expired to clients with a Receive Maximum",
		Breaks: []string{"MQTT5-3.3.2-5"}, Configure: deviating(server.ExpiredDelivered),
		Tap: withholding(func(c *Client, p *mqtt.Publish) bool {
			return c.Connect.ReceiveMaximum == 0 && !p.Dup && p.MessageExpiryInterval.Set && p.MessageExpiryInterval.Value == 0
		}),
	},
	Fault{
		Name: "expiry-added", Title: "gives a Message Expiry Interval to messages that came without",
		Breaks: []string{"X5-3.3.2.3.3-1"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			p.MessageExpiryInterval = mqtt.Some(p.MessageExpiryInterval.Or(86400))
		}),
	},
	Fault{
		Name: "response-topic-not-utf8-accepted", Title: "takes no notice of a PUBLISH with an ill-formed Response Topic",
		Breaks: []string{"MQTT5-3.3.2-13"}, Tap: forgiving(mqtt.TypePublish, "Response Topic"),
	},
	Fault{
		Name: "content-type-not-utf8-accepted", Title: "takes no notice of a PUBLISH with an ill-formed Content Type",
		Breaks: []string{"MQTT5-3.3.2-19"}, Tap: forgiving(mqtt.TypePublish, "Content Type"),
	},
	Fault{
		Name: "response-topic-wildcard-delivered", Title: "passes on a Response Topic with a wildcard",
		Breaks: []string{"MQTT5-3.3.2-14"}, Tap: script(wildAnswers),
	},
	Fault{
		Name: "response-topic-twice-accepted", Title: "takes no notice of a PUBLISH with two Response Topics",
		Breaks: []string{"X5-3.3.2.3.5-1"}, Tap: forgiving(mqtt.TypePublish, "Response Topic"),
	},
	Fault{
		Name: "correlation-data-twice-accepted", Title: "takes no notice of a PUBLISH with Correlation Data twice",
		Breaks: []string{"X5-3.3.2.3.6-1"}, Tap: forgiving(mqtt.TypePublish, "Correlation Data"),
	},
	Fault{
		Name: "content-type-twice-accepted", Title: "takes no notice of a PUBLISH with two Content Types",
		Breaks: []string{"X5-3.3.2.3.9-1"}, Tap: forgiving(mqtt.TypePublish, "Content Type"),
	},
	Fault{
		Name: "payload-format-twice-sent", Title: "sends Payload Format Indicator twice",
		Breaks: []string{"X5-3.3.2.3.2-3"}, Tap: rawOut(mqtt.TypePublish, repeatProperty(0x01, 2)),
	},
	Fault{
		Name: "expiry-twice-sent", Title: "sends Message Expiry Interval twice",
		Breaks: []string{"X5-3.3.2.3.3-2"}, Tap: rawOut(mqtt.TypePublish, repeatProperty(0x02, 5)),
	},
	Fault{
		Name: "payload-format-two-sent", Title: "sends Payload Format Indicator 2",
		Breaks: []string{"X5-3.3.2.3.2-1"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			if p.PayloadFormat.Set {
				p.PayloadFormat.Value = 2
			}
		}),
	},
	Fault{
		Name: "publish-foreign-property-accepted", Title: "takes no notice of a PUBLISH with a property that a client may not put there",
		Breaks: []string{"MQTT5-3.3.4-6", "X5-T2.4-PUBLISH"}, Tap: forgiving(mqtt.TypePublish),
	},
	Fault{
		Name: "properties-in-order-only", Title: "drops a PUBLISH whose properties do not begin with the smallest identifier",
		Breaks: []string{"X5-2.2.2.2-4"},
		Tap: ignoring(func(_ *Client, p *mqtt.Publish) bool {
			return p.PayloadFormat.Set && p.MessageExpiryInterval.Set && !p.Retain && len(p.UserProperties) > 0
		}),
	},
	Fault{
		Name: "subscription-identifiers-lost", Title: "delivers messages without Subscription Identifiers",
		Breaks: []string{"MQTT5-3.3.4-3", "X5-3.3.4-1"}, Configure: deviating(server.SubscriptionIdentifiersDropped),
	},
	Fault{
		Name: "subscription-identifiers-unique", Title: "sends a Subscription Identifier once that several matching subscriptions have",
		Breaks: []string{"MQTT5-3.3.4-4"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			slices.Sort(p.SubscriptionIdentifiers)
			p.SubscriptionIdentifiers = slices.Compact(p.SubscriptionIdentifiers)
		}),
	},
	Fault{
		Name: "subscription-identifier-in-first-copy", Title: "sends copies for overlapping subscriptions, each Subscription Identifier in one of them",
		Breaks:    []string{"MQTT5-3.3.4-5"},
		Configure: func(cfg *broker.Config) { cfg.Server.SeparateCopies = true },
		Tap: editOut(func(c *Client, p *mqtt.Publish) {
			last, _ := c.Notes["last"].([]uint32)
			c.Notes["last"] = slices.Clone(p.SubscriptionIdentifiers)
			if slices.Equal(last, p.SubscriptionIdentifiers) {
				p.SubscriptionIdentifiers = nil
			}
		}),
	},
	Fault{
		Name: "subscription-identifier-of-others", Title: "sends a Subscription Identifier with messages for subscriptions that have none",
		Breaks: []string{"X5-3.3.4-2"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			if len(p.SubscriptionIdentifiers) == 0 {
				p.SubscriptionIdentifiers = []uint32{5}
			}
		}),
	},
	Fault{
		Name: "subscription-identifier-zero-sent", Title: "sends Subscription Identifier 0",
		Breaks: []string{"X5-3.3.2.3.8-1"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			if len(p.SubscriptionIdentifiers) > 0 {
				p.SubscriptionIdentifiers = []uint32{0}
			}
		}),
	},
	Fault{
		Name: "shared-identifier-of-another-member", Title: "sends to all members of a Shared Subscription the Subscription Identifier of one",
		Breaks: []string{"X5-3.3.4-3"}, Tap: script(oneIdentifierForAll),
	},
)

// repeatProperty sends a property of so many bytes twice where it stands alone, in a packet of less than 127 bytes.
func repeatProperty(id byte, size int) func(*Client, Frame) []Frame {
	return func(c *Client, f Frame) []Frame {
		p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish)
		if !ok || c.Version != mqtt.V5 || len(f) > 120 || p.QoS > mqtt.AtMostOnce {
			return []Frame{f}
		}
		body := f.Body()
		at := 2 + len(p.Topic)
		if int(body[at]) != size || body[at+1] != id {
			return []Frame{f}
		}
		wrong := append([]byte(nil), body[:at]...)
		wrong = append(wrong, byte(2*size))
		wrong = append(wrong, body[at+1:at+1+size]...)
		return []Frame{framed(f[0], append(wrong, body[at+1:]...))}
	}
}

// wildAnswers hides wildcards of a Response Topic from the server machine.
func wildAnswers() *Script {
	hide := strings.NewReplacer("+", "\u4e00", "#", "\u4e8c")
	show := strings.NewReplacer("\u4e00", "+", "\u4e8c", "#")
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromClient, c.Version, f).(*mqtt.Publish); ok && p.ResponseTopic != "" {
				p.ResponseTopic = hide.Replace(p.ResponseTopic)
				f = encode(c.Version, p)
			}
			return []Frame{f}
		},
		Out: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish); ok && p.ResponseTopic != "" {
				p.ResponseTopic = show.Replace(p.ResponseTopic)
				f = encode(c.Version, p)
			}
			return []Frame{f}
		},
	}
}

// oneIdentifierForAll sends the identifier that was first sent with a topic.
func oneIdentifierForAll() *Script {
	first := map[string][]uint32{}
	return &Script{Out: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
		p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish)
		if !ok || len(p.SubscriptionIdentifiers) == 0 {
			return []Frame{f}
		}
		if first[p.Topic] == nil {
			first[p.Topic] = slices.Clone(p.SubscriptionIdentifiers)
		}
		p.SubscriptionIdentifiers = first[p.Topic]
		return []Frame{encode(c.Version, p)}
	})}
}
