package fault

import (
	"fmt"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// aliasMaximum is the Topic Alias Maximum that the broker has by default.
const aliasMaximum = 64

var _ = register(
	Fault{
		Name: "alias-zero-accepted", Title: "takes no notice of a PUBLISH with Topic Alias 0",
		Breaks: []string{"MQTT5-3.3.2-8", "X5-3.3.4-4"}, Tap: forgiving(mqtt.TypePublish, "Topic Alias"),
	},
	Fault{
		Name: "alias-above-maximum-accepted", Title: "takes no notice of a PUBLISH with a Topic Alias above its maximum",
		Breaks: []string{"MQTT5-3.3.2-9", "X5-3.3.4-4"},
		Tap:    ignoring(func(_ *Client, p *mqtt.Publish) bool { return p.TopicAlias > aliasMaximum }),
	},
	Fault{
		Name: "alias-maximum-not-usable", Title: "drops messages with the highest Topic Alias that it announced",
		Breaks: []string{"MQTT5-3.3.2-12"},
		Tap:    ignoring(func(_ *Client, p *mqtt.Publish) bool { return p.TopicAlias == aliasMaximum }),
	},
	Fault{
		Name: "alias-kept-over-reconnect", Title: "remembers the Topic Aliases of a client that comes back",
		Breaks: []string{"MQTT5-3.3.2-7"}, Configure: deviating(server.AliasesNotReset),
	},
	Fault{
		Name: "alias-unknown-accepted", Title: "takes no notice of a PUBLISH with an unknown Topic Alias",
		Breaks: []string{"X5-3.3.4-5"},
		Tap: ignoring(func(c *Client, p *mqtt.Publish) bool {
			set := c.Notes["alias set"] == true
			c.Notes["alias set"] = set || p.TopicAlias != 0
			return p.Topic == "" && !set
		}),
	},
	Fault{
		Name: "alias-twice-accepted", Title: "takes no notice of a PUBLISH with two Topic Aliases",
		Breaks: []string{"X5-3.3.2.3.4-1"}, Tap: forgiving(mqtt.TypePublish, "Topic Alias"),
	},
	Fault{
		Name: "alias-not-changed", Title: "lets a Topic Alias stand for the first topic it was set to",
		Breaks: []string{"X5-3.3.2.3.4-2"},
		Tap: editIn(func(c *Client, p *mqtt.Publish) {
			if p.Topic != "" && p.TopicAlias != 0 && c.Notes["alias set"] == true {
				p.TopicAlias = 0
			}
			c.Notes["alias set"] = true
		}),
	},
	Fault{
		Name: "alias-shared-by-clients", Title: "uses one table of Topic Aliases for all clients",
		Breaks: []string{"X5-3.3.2.3.4-3"}, Tap: script(sharedAliases),
	},
	Fault{
		Name: "alias-shared-by-directions", Title: "takes a client's Topic Alias for its own",
		Breaks: []string{"X5-3.3.2.3.4-3"}, Tap: script(aliasesOfBothDirections),
	},
	Fault{
		Name: "alias-sent-unasked", Title: "sends a Topic Alias to a client that announced no maximum, and one above it to others",
		Breaks: []string{"MQTT5-3.1.2-26", "MQTT5-3.1.2-27", "MQTT5-3.3.2-11"},
		Tap: editOut(func(c *Client, p *mqtt.Publish) {
			if p.Topic != "" {
				p.TopicAlias = c.Connect.TopicAliasMaximum + 1
			}
		}),
	},
	Fault{
		Name: "alias-zero-sent", Title: "sends Topic Alias 0",
		Breaks: []string{"MQTT5-3.3.2-8"}, Tap: rawOut(mqtt.TypePublish, zeroAlias),
	},
	Fault{
		Name: "alias-never-set", Title: "sends a Topic Alias without the Topic Name that sets it",
		Breaks: []string{"X5-3.3.4-5"},
		Tap: editOut(func(_ *Client, p *mqtt.Publish) {
			if p.TopicAlias != 0 {
				p.Topic = ""
			}
		}),
	},
	Fault{
		Name: "alias-outlives-connection", Title: "uses a Topic Alias on a new connection that it set on the one before",
		Breaks: []string{"MQTT5-3.3.2-7"}, Tap: script(outlivingAliases),
	},
)

// sharedAliases resolves a Topic Alias to what any client set it to last.
func sharedAliases() *Script {
	names := map[uint16]string{}
	return &Script{In: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
		p, ok := decode(wire.FromClient, c.Version, f).(*mqtt.Publish)
		if !ok || p.TopicAlias == 0 {
			return []Frame{f}
		}
		if p.Topic != "" {
			names[p.TopicAlias] = p.Topic
		}
		p.Topic = names[p.TopicAlias]
		return []Frame{encode(c.Version, p)}
	})}
}

// aliasesOfBothDirections resolves a client's Topic Alias to what the broker has set it to, if it has.
func aliasesOfBothDirections() *Script {
	return &Script{
		In: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
			p, ok := decode(wire.FromClient, c.Version, f).(*mqtt.Publish)
			if !ok || p.TopicAlias == 0 || p.Topic != "" {
				return []Frame{f}
			}
			if name, set := c.Notes[fmt.Sprint("alias ", p.TopicAlias)].(string); set {
				p.Topic = name
			}
			return []Frame{encode(c.Version, p)}
		}),
		Out: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish); ok && p.TopicAlias != 0 && p.Topic != "" {
				c.Notes[fmt.Sprint("alias ", p.TopicAlias)] = p.Topic
			}
			return []Frame{f}
		}),
	}
}

// zeroAlias writes Topic Alias 0 where the broker has set an alias: the property is found by its encoding, which no other property has
// in a message that carries nothing else.
func zeroAlias(c *Client, f Frame) []Frame {
	p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish)
	if !ok || p.TopicAlias == 0 {
		return []Frame{f}
	}
	at := len(f) - len(p.Payload) - 3
	if f[at] == 0x23 {
		f[at+1], f[at+2] = 0, 0
	}
	return []Frame{f}
}

// outlivingAliases leaves the Topic Name out if the client's last connection had an alias for it.
func outlivingAliases() *Script {
	known := map[string]uint16{} // by Client Identifier and topic
	return &Script{Out: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
		p, ok := decode(wire.FromServer, c.Version, f).(*mqtt.Publish)
		if !ok || p.TopicAlias == 0 || p.Topic == "" {
			return []Frame{f}
		}
		name := c.Connect.ClientID + " " + p.Topic
		if known[name] == p.TopicAlias {
			p.Topic = ""
		}
		known[name] = p.TopicAlias
		return []Frame{encode(c.Version, p)}
	})}
}
