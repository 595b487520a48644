package fault

import (
	"slices"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

var _ = register(
	Fault{
		Name: "retained-not-stored", Title: "keeps no retained messages",
		Breaks: []string{
			"MQTT5-3.3.1-5", "MQTT311-3.3.1-5", "MQTT311-3.3.1-6", "X5-3.8.4-2", "X5-3.3.1.3-3", "MQTT5-3.8.4-4", "MQTT5-3.3.1-9",
		},
		Configure: deviating(server.RetainedNotStored),
	},
	Fault{
		Name: "retained-not-replaced", Title: "keeps the first retained message of a topic for ever",
		Breaks: []string{
			"MQTT5-3.3.1-5", "MQTT5-3.3.1-6", "MQTT311-3.3.1-5", "MQTT311-3.3.1-6", "MQTT311-3.3.1-7", "MQTT311-3.3.1-10",
		},
		Configure: deviating(server.RetainedNotReplaced),
	},
	Fault{
		Name: "retained-at-qos0", Title: "delivers retained messages with QoS 0",
		Breaks: []string{"MQTT311-3.3.1-5"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			if p.Retain {
				p.QoS, p.Dup = mqtt.AtMostOnce, false
			}
		}),
	},
	Fault{
		Name: "retained-to-exact-filters-only", Title: "sends retained messages for filters without wildcards only",
		Breaks: []string{"MQTT311-3.3.1-6", "X5-3.8.4-2", "MQTT5-3.3.1-9"}, Tap: script(retainedToExactFilters),
	},
	Fault{
		Name: "retained-once-per-connection", Title: "sends the retained message of a topic once on each connection",
		Breaks: []string{"MQTT5-3.8.4-4", "MQTT5-3.3.1-9", "MQTT311-3.8.4-3"},
		Tap: withholding(func(c *Client, p *mqtt.Publish) bool {
			had := c.Notes["retained "+p.Topic] == true
			c.Notes["retained "+p.Topic] = had || p.Retain
			return p.Retain && had
		}),
	},
	Fault{
		Name: "retained-sent-without-flag", Title: "sends retained messages with RETAIN 0",
		Breaks: []string{"X5-3.3.1.3-2", "MQTT311-3.3.1-8"}, Configure: deviating(server.RetainedSentWithoutFlag),
	},
	Fault{
		Name: "retain-always-forwarded", Title: "forwards messages with the RETAIN flag of their publisher",
		Breaks: []string{"MQTT5-3.3.1-12", "MQTT311-3.3.1-9"}, Configure: deviating(server.RetainAlwaysForwarded),
	},
	Fault{
		Name: "retain-as-published-ignored", Title: "forwards messages with RETAIN 0 in spite of Retain As Published",
		Breaks: []string{"MQTT5-3.3.1-13"}, Configure: deviating(server.RetainAsPublishedIgnored),
	},
	Fault{
		Name: "retain-as-published-lost-in-queue", Title: "forgets Retain As Published for a client that was away",
		Breaks: []string{"MQTT5-3.3.1-13"},
		Tap: editOut(func(c *Client, p *mqtt.Publish) {
			if !c.Connect.CleanStart {
				p.Retain = false
			}
		}),
	},
	Fault{
		Name: "empty-retained-kept", Title: "keeps an empty message as retained",
		Breaks: []string{"MQTT5-3.3.1-7", "MQTT311-3.3.1-11"}, Configure: deviating(server.EmptyRetainedKept),
	},
	Fault{
		Name: "empty-retained-not-forwarded", Title: "does not forward an empty message that removes a retained one",
		Breaks: []string{"MQTT5-3.3.1-6", "MQTT311-3.3.1-10"},
		Tap:    withholding(func(_ *Client, p *mqtt.Publish) bool { return len(p.Payload) == 0 }),
	},
	Fault{
		Name: "everything-retained", Title: "keeps every message as retained",
		Breaks: []string{"MQTT5-3.3.1-8", "MQTT311-3.3.1-12"},
		Tap:    editIn(func(_ *Client, p *mqtt.Publish) { p.Retain = true }),
	},
	Fault{
		Name: "retain-handling-ignored", Title: "sends retained messages at each SUBSCRIBE, whatever its Retain Handling",
		Breaks: []string{"MQTT5-3.3.1-10", "MQTT5-3.3.1-11", "X5-3.8.3.1-3"}, Configure: deviating(server.RetainHandlingIgnored),
	},
	Fault{
		Name: "retain-handling-0-as-1", Title: "takes Retain Handling 0 for 1",
		Breaks: []string{"MQTT5-3.3.1-9", "MQTT5-3.8.4-4"}, Tap: editIn(handling(mqtt.SendRetained, mqtt.SendRetainedIfNew)),
	},
	Fault{
		Name: "retain-handling-1-as-2", Title: "takes Retain Handling 1 for 2",
		Breaks: []string{"MQTT5-3.3.1-10"}, Tap: editIn(handling(mqtt.SendRetainedIfNew, mqtt.NeverSendRetained)),
	},
	Fault{
		Name: "retained-qos0-not-kept", Title: "does not keep a QoS 0 message as retained, but the one before",
		Breaks: []string{"X5-3.3.1.3-3", "MQTT311-3.3.1-7"},
		Tap: editIn(func(_ *Client, p *mqtt.Publish) {
			if p.QoS == mqtt.AtMostOnce && len(p.Payload) > 0 {
				p.Retain = false
			}
		}),
	},
	Fault{
		Name: "retained-never-expires", Title: "keeps retained messages beyond their Message Expiry Interval",
		Breaks: []string{"X5-3.3.1.3-4"}, Configure: deviating(server.ExpiredDelivered),
	},
	Fault{
		Name: "retain-unavailable-accepted", Title: "takes a message with RETAIN 1 as one without where it keeps none",
		Breaks: []string{"X5-3.3.1.3-1"}, Tap: editIn(func(_ *Client, p *mqtt.Publish) { p.Retain = false }),
	},
)

// handling puts one Retain Handling in place of another.
func handling(from, to mqtt.RetainHandling) func(*Client, *mqtt.Subscribe) {
	return func(_ *Client, p *mqtt.Subscribe) {
		for i := range p.Subscriptions {
			if p.Subscriptions[i].RetainHandling == from {
				p.Subscriptions[i].RetainHandling = to
			}
		}
	}
}

func retainedToExactFilters() *Script {
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			noteFilters(c, decode(wire.FromClient, c.Version, f))
			return []Frame{f}
		},
		Out: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
			p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish)
			if ok && p.Retain && !slices.Contains(filtersOf(c), p.Topic) {
				return nil
			}
			return []Frame{f}
		}),
	}
}
