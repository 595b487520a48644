package fault

import (
	"slices"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

var _ = register(
	Fault{
		Name: "session-present-always", Title: "says Session Present to everybody",
		Breaks: []string{
			"MQTT5-3.2.2-2", "MQTT5-3.2.2-3", "MQTT5-3.1.2-6", "MQTT311-3.2.2-1", "MQTT311-3.2.2-3", "MQTT311-3.1.2-4",
		},
		Configure: deviating(server.SessionPresentAlways),
	},
	Fault{
		Name: "session-present-never", Title: "never says Session Present",
		Breaks: []string{"MQTT5-3.2.2-3", "MQTT311-3.2.2-2"}, Configure: deviating(server.SessionPresentNever),
	},
	Fault{
		Name: "clean-start-ignored", Title: "resumes the Session although the client starts clean",
		Breaks:    []string{"MQTT5-3.1.2-4", "MQTT5-3.2.2-2", "MQTT5-3.1.4-4", "MQTT311-3.1.2-6", "MQTT311-3.2.2-1", "MQTT311-3.1.4-3"},
		Configure: deviating(server.CleanStartIgnored),
	},
	Fault{
		Name: "session-not-kept", Title: "ends each Session with its connection",
		Breaks: []string{
			"MQTT5-3.1.2-5", "MQTT5-3.1.2-23", "X5-4.1-2", "X5-3.1.2.4-1", "X5-3.1.2.11.2-3", "X5-3.2.2.3.2-1", "X5-3.14.2.2.2-2",
			"MQTT311-3.1.2-4", "MQTT311-3.1.2-5", "MQTT311-4.1.0-1",
		},
		Configure: deviating(server.SessionNotKept),
	},
	Fault{
		Name: "session-expiry-ignored", Title: "never ends a Session that is kept",
		Breaks: []string{"MQTT5-4.1.0-2"}, Configure: deviating(server.SessionExpiryIgnored),
	},
	Fault{
		Name: "session-kept-unasked", Title: "keeps Sessions that are to end with their connection",
		Breaks: []string{"X5-3.1.2.11.2-2", "MQTT311-3.1.2-6"},
		Tap: editIn(func(c *Client, p *mqtt.Connect) {
			if c.Version == mqtt.V5 {
				p.SessionExpiryInterval = max(60, p.SessionExpiryInterval)
			} else {
				p.CleanStart = false
			}
		}),
	},
	Fault{
		Name: "session-never-expiring-dropped", Title: "takes a Session Expiry Interval of 0xFFFFFFFF for 1 s",
		Breaks: []string{"X5-3.1.2.11.2-3"},
		Tap: editIn(func(_ *Client, p *mqtt.Connect) {
			if p.SessionExpiryInterval == mqtt.SessionNeverExpires {
				p.SessionExpiryInterval = 1
			}
		}),
	},
	Fault{
		Name: "session-unknown-unusable", Title: "takes no notice of SUBSCRIBE from a client that wanted to resume a Session and had none",
		Breaks: []string{"MQTT5-3.1.2-6", "MQTT311-3.1.2-4"},
		Tap:    ignoring(func(c *Client, _ *mqtt.Subscribe) bool { return !c.Connect.CleanStart }),
	},
	Fault{
		Name: "subscriptions-lost-on-resume", Title: "resumes a Session without its Subscriptions",
		Breaks:    []string{"MQTT5-3.1.2-5", "MQTT5-3.1.2-23", "X5-4.1-2", "MQTT311-3.1.2-4", "MQTT311-4.1.0-1"},
		Configure: deviating(server.SubscriptionsLostOnResume),
	},
	Fault{
		Name: "queue-lost-on-resume", Title: "drops what was queued for a Session when it is resumed",
		Breaks: []string{"MQTT5-4.5.0-1", "MQTT5-3.1.2-5", "MQTT311-3.1.2-5", "MQTT311-4.5.0-1"}, Configure: deviating(server.QueueLostOnResume),
	},
	Fault{
		Name: "subscription-id-lost-on-resume", Title: "forgets Subscription Identifiers when a Session is resumed",
		Breaks: []string{"X5-4.1-2"},
		Tap: editOut(func(c *Client, p *mqtt.Publish) {
			if !c.Connect.CleanStart || c.Connect.SessionExpiryInterval > 0 {
				p.SubscriptionIdentifiers = nil
			}
		}),
	},
	Fault{
		Name: "session-lost-while-connected", Title: "delivers nothing to clients that are connected for two seconds",
		Breaks: []string{"MQTT5-4.1.0-1", "MQTT311-4.1.0-1", "MQTT311-4.1.0-2"},
		Tap: script(func() *Script {
			return &Script{
				In: only(mqtt.TypeConnect, func(c *Client, f Frame) []Frame {
					c.Notes["start"] = time.Now()
					return []Frame{f}
				}),
				Out: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
					if start, ok := c.Notes["start"].(time.Time); ok && time.Since(start) > 2*time.Second {
						return nil
					}
					return []Frame{f}
				}),
			}
		}),
	},
	Fault{
		Name: "session-expiry-not-cancelled", Title: "loses a resumed Session once the expiry interval of an earlier connection is over",
		Breaks: []string{"MQTT5-4.1.0-1"}, Tap: script(expiryGoesOn),
	},
	Fault{
		Name: "session-expired-in-name", Title: "says that an expired Session is gone, and delivers its queue",
		Breaks:    []string{"MQTT5-4.1.0-2"},
		Configure: deviating(server.SessionExpiryIgnored), Tap: script(goneInName),
	},
	Fault{
		Name: "session-expiry-announced-as-asked", Title: "answers a Session Expiry Interval of 0xFFFFFFFF with the same",
		Breaks: []string{"X5-3.2.2.3.2-1"},
		Tap: editOut(func(c *Client, p *mqtt.Connack) {
			if c.Connect.SessionExpiryInterval == mqtt.SessionNeverExpires {
				p.SessionExpiryInterval = mqtt.Some(c.Connect.SessionExpiryInterval)
			}
		}),
	},
	Fault{
		Name: "retained-ends-with-session", Title: "deletes the retained messages of a client that disconnects",
		Breaks: []string{"MQTT311-3.1.2-7", "X5-4.1-1"}, Tap: script(retainedByClient),
	},
	Fault{
		Name: "nothing-resent-on-resume", Title: "sends nothing again on a resumed Session",
		Breaks: []string{"MQTT5-4.4.0-1", "MQTT311-4.4.0-1", "X5-4.1-2"}, Configure: deviating(server.NoResendOnResume),
	},
	Fault{
		Name: "pubrel-not-resent-on-resume", Title: "does not send PUBREL again on a resumed Session",
		Breaks: []string{"MQTT5-4.4.0-1", "MQTT311-4.4.0-1"}, Configure: deviating(server.NoPubrelOnResume),
	},
	Fault{
		Name: "resent-with-new-id", Title: "sends messages again with other Packet Identifiers",
		Breaks: []string{"MQTT5-4.4.0-1", "MQTT311-4.4.0-1"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			if p.Dup {
				p.PacketID += 100
			}
		}),
	},
	Fault{
		Name: "resent-while-connected", Title: "sends unacknowledged messages again with the next PINGRESP",
		Breaks: []string{"MQTT5-4.4.0-1"}, Tap: script(resendsWithPing),
	},
	Fault{
		Name: "refused-message-resent", Title: "sends messages again that the client refused",
		Breaks: []string{"MQTT5-4.4.0-2"},
		Tap: script(func() *Script {
			return &Script{In: func(c *Client, f Frame) []Frame {
				if a := ack(decodeIn(c, f)); a != nil && a.ReasonCode.Failed() {
					return nil
				}
				return []Frame{f}
			}}
		}),
	},
	Fault{
		Name: "received-ids-forgotten", Title: "forgets on a lost connection which QoS 2 messages it has received",
		Breaks: []string{"X5-4.1-2"}, Configure: deviating(server.QoS2Duplicated),
	},
)

// expiryGoesOn loses a Session when the expiry interval of an earlier connection is over, whoever came back since.
func expiryGoesOn() *Script {
	asked, ends := map[string]uint32{}, map[string]time.Time{} // by Client Identifier; asked are seconds
	over := func(c *Client) bool {
		end, ok := ends[c.Connect.ClientID]
		return ok && time.Now().After(end)
	}
	return &Script{Out: func(c *Client, f Frame) []Frame {
		switch f.Type() {
		case mqtt.TypeConnack:
			id := c.Connect.ClientID
			if over(c) {
				f.Body()[0] = 0
				delete(ends, id)
			} else if end := time.Now().Add(time.Duration(asked[id]) * time.Second); asked[id] > 0 && (ends[id].IsZero() || end.Before(ends[id])) {
				ends[id] = end
			}
			asked[id] = c.Connect.SessionExpiryInterval
		case mqtt.TypePublish:
			if over(c) {
				return nil
			}
		}
		return []Frame{f}
	}}
}

// goneInName says Session Present 0 when the last CONNECT is longer ago than its Session Expiry Interval.
func goneInName() *Script {
	ends := map[string]time.Time{} // by Client Identifier
	return &Script{Out: only(mqtt.TypeConnack, func(c *Client, f Frame) []Frame {
		end, known := ends[c.Connect.ClientID]
		ends[c.Connect.ClientID] = time.Now().Add(time.Duration(c.Connect.SessionExpiryInterval) * time.Second)
		if known && time.Now().After(end) {
			f.Body()[0] = 0
		}
		return []Frame{f}
	})}
}

// retainedByClient deletes what a client had retained when it says DISCONNECT.
func retainedByClient() *Script {
	return &Script{In: func(c *Client, f Frame) []Frame {
		topics, _ := c.Notes["retained"].([]string)
		switch p := decodeIn(c, f).(type) {
		case *mqtt.Publish:
			if p.Retain {
				c.Notes["retained"] = append(topics, p.Topic)
			}
		case *mqtt.Disconnect:
			var frames []Frame
			for _, topic := range topics {
				frames = append(frames, encode(c.Version, &mqtt.Publish{Topic: topic, Retain: true}))
			}
			return slices.Concat(frames, []Frame{f})
		}
		return []Frame{f}
	}}
}
