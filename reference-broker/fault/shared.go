package fault

import (
	"strings"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

var _ = register(
	Fault{
		Name: "shared-to-all", Title: "sends each message to all members of a Shared Subscription",
		Breaks: []string{"X5-4.8.2-1"}, Configure: deviating(server.SharedToAll),
	},
	Fault{
		Name: "shared-path-trimmed", Title: "drops a / at the start of what follows the Share Name",
		Breaks: []string{"X5-4.8.2-2"},
		Tap: editSharedIn(func(name, path string) (string, string) {
			return name, "/" + strings.TrimLeft(path, "/") // path begins with the / behind the Share Name
		}),
	},
	Fault{
		Name: "shared-name-ignored", Title: "takes Shared Subscriptions to the same filter for one, whatever their Share Names",
		Breaks: []string{"X5-4.8.2-3"}, Configure: deviating(server.SharedNameIgnored),
	},
	Fault{
		Name: "shared-filter-ignored", Title: "takes one of several members under the same Share Name, whatever their filters",
		Breaks: []string{"X5-4.8.2-3"}, Tap: script(firstSubscriberOnly),
	},
	Fault{
		Name: "shared-copy-left-out", Title: "sends one copy to a client that is a member of a Shared Subscription and has a subscription of its own",
		Breaks: []string{"X5-4.8.2-3"}, Tap: script(oneCopy),
	},
	Fault{
		Name: "copies-shared-by-all", Title: "sends each message to one of the clients with a subscription that is not shared",
		Breaks: []string{"X5-4.8.1-1"}, Tap: script(firstSubscriberOnly),
	},
	Fault{
		Name: "share-name-empty-accepted", Title: "grants a Shared Subscription without a Share Name",
		Breaks: []string{"MQTT5-4.8.2-1"},
		Tap: editSharedIn(func(name, path string) (string, string) {
			if name == "" {
				return "empty", path + "x"
			}
			return name, path
		}),
	},
	Fault{
		Name: "share-name-wildcard-accepted", Title: "grants a Shared Subscription with a wildcard in its Share Name, or an invalid filter behind it",
		Breaks: []string{"MQTT5-4.8.2-2"},
		Tap: editSharedIn(func(name, path string) (string, string) {
			if path == "" || path == "/" {
				path = "/x"
			}
			return literal.Replace(name), path
		}),
	},
	Fault{
		Name: "shared-filter-wildcards-anywhere", Title: "grants a Shared Subscription to a filter whose wildcards do not fill a level",
		Breaks: []string{"MQTT5-4.8.2-2", "MQTT5-4.7.1-1", "MQTT5-4.7.1-2"},
		Tap:    editSharedIn(func(name, path string) (string, string) { return name, literal.Replace(path) }),
	},
	Fault{
		Name: "shared-no-local-accepted", Title: "grants a Shared Subscription with No Local",
		Breaks: []string{"MQTT5-3.8.3-4"}, Configure: deviating(server.SharedNoLocalAccepted),
	},
	Fault{
		Name: "retained-to-shared", Title: "sends retained messages for Shared Subscriptions",
		Breaks: []string{"X5-3.8.4-3"}, Configure: deviating(server.RetainedToShared),
	},
	Fault{
		Name: "shared-qos2-not-completed", Title: "does not complete a QoS 2 delivery to a member that comes back",
		Breaks: []string{"MQTT5-4.8.2-4"}, Configure: deviating(server.NoResendOnResume),
	},
	Fault{
		Name: "shared-qos2-passed-on", Title: "gives a QoS 2 message that a member left unfinished to another",
		Breaks: []string{"MQTT5-4.8.2-5"}, Tap: script(func() *Script {
			return passedOn(func(c *Client, f Frame) bool { return f.Type() == mqtt.TypeConnect && c.Connect.CleanStart })
		}),
	},
	Fault{
		Name: "shared-refused-passed-on", Title: "gives a message that a member has refused to another",
		Breaks: []string{"MQTT5-4.8.2-6"}, Tap: script(func() *Script {
			return passedOn(func(c *Client, f Frame) bool {
				a := ack(decode(wire.FromClient, c.Version, f))
				return a != nil && a.ReasonCode.Failed()
			})
		}),
	},
	Fault{
		Name: "shared-not-redelivered", Title: "drops a QoS 1 message that a member had not acknowledged when its Session ended",
		Breaks: []string{"X5-4.8.2-5"}, Configure: deviating(server.SharedNotRedelivered),
	},
)

// editSharedIn changes the Share Name and what follows it, with its /, in the SUBSCRIBE packets of clients.
func editSharedIn(change func(name, path string) (string, string)) func() broker.Tap {
	return editIn(func(_ *Client, p *mqtt.Subscribe) {
		for i := range p.Subscriptions {
			s := &p.Subscriptions[i]
			rest, shared := strings.CutPrefix(s.TopicFilter, "$share/")
			if !shared {
				continue
			}
			name, path, found := strings.Cut(rest, "/")
			if found {
				path = "/" + path
			}
			name, path = change(name, path)
			s.TopicFilter = "$share/" + name + path
		}
	})
}

// passedOn keeps the last message sent to each client, and slips it in before the next packet for another client once gives says that
// this is the time to give it away.
func passedOn(gives func(c *Client, f Frame) bool) *Script {
	last := map[string]Frame{} // by Client Identifier
	var given Frame
	var from string
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			if c.Connect != nil && gives(c, f) && last[c.Connect.ClientID] != nil {
				from, given = c.Connect.ClientID, last[c.Connect.ClientID]
			}
			return []Frame{f}
		},
		Out: func(c *Client, f Frame) []Frame {
			if c.Connect == nil {
				return []Frame{f}
			}
			if p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish); ok && p.QoS > mqtt.AtMostOnce {
				last[c.Connect.ClientID] = append(Frame(nil), f...)
			}
			if given != nil && from != c.Connect.ClientID && f.Type() == mqtt.TypePingresp {
				wanted := given
				given = nil
				return []Frame{wanted, f}
			}
			return []Frame{f}
		},
	}
}

// oneCopy sends each message once to a client, with one Subscription Identifier.
func oneCopy() *Script {
	return &Script{Out: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
		p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish)
		if !ok {
			return []Frame{f}
		}
		name := "sent " + p.Topic + string(p.Payload)
		if c.Notes[name] == true {
			return nil
		}
		c.Notes[name] = true
		if len(p.SubscriptionIdentifiers) > 1 {
			p.SubscriptionIdentifiers = p.SubscriptionIdentifiers[:1]
			f = encode(c.Version, p)
		}
		return []Frame{f}
	})}
}
