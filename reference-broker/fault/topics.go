package fault

import (
	"strings"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

var _ = register(
	Fault{
		Name: "filter-wildcards-anywhere", Title: "grants filters whose wildcards do not fill a level",
		Breaks: []string{"MQTT5-4.7.1-1", "MQTT5-4.7.1-2", "MQTT311-4.7.1-2", "MQTT311-4.7.1-3"},
		Tap:    editIn(correctFilters),
	},
	Fault{
		Name: "name-wildcards-accepted", Title: "accepts wildcards in Topic Names",
		Breaks: []string{"MQTT5-4.7.0-1", "MQTT311-4.7.1-1"},
		Tap:    editIn(func(_ *Client, p *mqtt.Publish) { p.Topic = literal.Replace(p.Topic) }),
	},
	Fault{
		Name: "will-topic-wildcards-accepted", Title: "accepts wildcards in the Will Topic",
		Breaks: []string{"MQTT5-4.7.0-1", "MQTT311-4.7.1-1"},
		Tap: editIn(func(_ *Client, p *mqtt.Connect) {
			if p.Will != nil {
				p.Will.Topic = literal.Replace(p.Will.Topic)
			}
		}),
	},
	Fault{
		Name: "name-null-accepted", Title: "takes no notice of a PUBLISH to a Topic Name with U+0000",
		Breaks: []string{"MQTT5-4.7.3-2", "MQTT311-4.7.3-2", "MQTT5-1.5.4-2", "MQTT311-1.5.3-2"},
		Tap:    forgiving(mqtt.TypePublish, "Topic Name"),
	},
	Fault{
		Name: "dollar-matched", Title: "lets filters that begin with a wildcard match names that begin with $",
		Breaks: []string{"MQTT5-4.7.2-1", "MQTT311-4.7.2-1"},
		Configure: func(cfg *broker.Config) {
			cfg.Server.DollarTopics = true
			deviating(server.DollarMatchedByWildcard)(cfg)
		},
	},
	Fault{
		Name: "dollar-exchanged", Title: "lets clients exchange messages on topics that begin with $",
		Breaks:    []string{"X5-4.7.2-1"},
		Configure: func(cfg *broker.Config) { cfg.Server.DollarTopics = true },
	},
	Fault{
		Name: "case-folded", Title: "takes capital letters for small ones",
		Breaks: []string{"MQTT5-4.7.3-4", "MQTT311-4.7.3-4", "X5-4.7.3-1"}, Tap: renaming(strings.ToLower),
	},
	Fault{
		Name: "names-normalised", Title: "normalises characters in names and filters",
		Breaks: []string{"MQTT5-4.7.3-4", "MQTT311-4.7.3-4"},
		Tap:    renaming(strings.NewReplacer("e\u0301", "\u00e9", "\u212b", "\u00c5", "\ufb01", "fi").Replace),
	},
	Fault{
		Name: "empty-levels-merged", Title: "takes // for / and drops / at the end of names and filters",
		Breaks: []string{"MQTT5-4.7.3-4", "MQTT311-4.7.3-4", "X5-4.7.1-3"},
		Tap: renaming(func(s string) string {
			for strings.Contains(s, "//") {
				s = strings.ReplaceAll(s, "//", "/")
			}
			return s[:1] + strings.TrimSuffix(s[1:], "/")
		}),
	},
	Fault{
		Name: "hash-misses-parent", Title: "does not let # match the level above it",
		Breaks: []string{"X5-4.7.1-1"}, Configure: deviating(server.HashMissesParent),
	},
	Fault{
		Name: "plus-matches-many", Title: "lets + at the end of a filter match many levels",
		Breaks: []string{"X5-4.7.1-2"}, Configure: deviating(server.PlusMatchesMany),
	},
	Fault{
		Name: "byte-order-mark-dropped", Title: "drops EF BB BF from names and filters",
		Breaks: []string{"MQTT5-1.5.4-3", "MQTT311-1.5.3-3"},
		Tap:    renaming(func(s string) string { return strings.ReplaceAll(s, "\ufeff", "") }),
	},
	Fault{
		Name: "control-characters-replaced", Title: "replaces control characters and non-characters in names",
		Breaks: []string{"X5-1.5.4-1"},
		Tap: renaming(func(s string) string {
			return strings.Map(func(r rune) rune {
				if r < 0x20 || r >= 0x7F && r < 0xA0 || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF {
					return '?'
				}
				return r
			}, s)
		}),
	},
	Fault{
		Name: "levels-limited", Title: "refuses names and filters of more than 16 levels",
		Breaks:    []string{"X5-4.7.3-1"},
		Configure: func(cfg *broker.Config) { cfg.Server.TopicLevels = 16 },
	},
	Fault{
		Name: "deep-filter-unanswered", Title: "does not answer a SUBSCRIBE to a filter of a thousand levels",
		Breaks: []string{"X5-4.7.3-1"},
		Tap:    ignoring(func(_ *Client, p *mqtt.Subscribe) bool { return topic.Levels(p.Subscriptions[0].TopicFilter) > 1000 }),
	},
)

// literal takes wildcards for what they are not.
var literal = strings.NewReplacer("+", "plus", "#", "hash")

// correctFilters takes the wildcards out of filters that are not valid because of them.
func correctFilters(_ *Client, p *mqtt.Subscribe) {
	for i := range p.Subscriptions {
		s := &p.Subscriptions[i]
		if topic.CheckFilter(s.TopicFilter) != nil && s.TopicFilter != "" {
			s.TopicFilter = literal.Replace(s.TopicFilter)
		}
	}
}

// renaming changes all Topic Names and Topic Filters that clients send.
func renaming(change func(string) string) func() broker.Tap {
	return script(func() *Script {
		return &Script{In: func(c *Client, f Frame) []Frame {
			p := decode(wire.FromClient, c.Version, f)
			switch p := p.(type) {
			case *mqtt.Publish:
				if p.Topic != "" {
					p.Topic = change(p.Topic)
				}
			case *mqtt.Subscribe:
				for i := range p.Subscriptions {
					if name := &p.Subscriptions[i].TopicFilter; *name != "" {
						*name = change(*name)
					}
				}
			default:
				return []Frame{f}
			}
			return []Frame{encode(c.Version, p)}
		}}
	})
}
