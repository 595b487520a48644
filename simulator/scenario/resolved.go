package scenario

import (
	"fmt"

	"github.com/goccy/go-yaml"

	"mqttlab/netem/link"
)

// YAML returns the scenario with every default written out. Parse of it gives the same scenario.
func (s *Scenario) YAML() (string, error) {
	groups := make([]yaml.MapSlice, len(s.Groups))
	for i := range s.Groups {
		groups[i] = s.Groups[i].yaml()
	}
	out, err := yaml.Marshal(yaml.MapSlice{
		{Key: "name", Value: s.Name},
		{Key: "description", Value: s.Description},
		{Key: "seed", Value: s.Seed},
		{Key: "duration", Value: short(s.Duration)},
		{Key: "ramp", Value: short(s.Ramp)},
		{Key: "settle", Value: short(s.Settle)},
		{Key: "drain", Value: short(s.Drain)},
		{Key: "interval", Value: short(s.Interval)},
		{Key: "groups", Value: groups},
	})
	if err != nil {
		return "", fmt.Errorf("print scenario %q: %w", s.Name, err)
	}
	return string(out), nil
}

func (g *Group) yaml() yaml.MapSlice {
	policy := "backoff"
	if g.Reconnect.Never {
		policy = "never"
	}
	m := yaml.MapSlice{
		{Key: "name", Value: g.Name},
		{Key: "count", Value: g.Count},
		{Key: "client_id", Value: g.ClientID},
		{Key: "version", Value: g.Version.String()},
		{Key: "clean_start", Value: g.CleanStart},
		{Key: "session_expiry", Value: short(g.SessionExpiry)},
		{Key: "keep_alive", Value: short(g.KeepAlive)},
		{Key: "topic", Value: g.Topic},
		{Key: "qos", Value: int(g.QoS)},
		{Key: "retain", Value: g.Retain},
		{Key: "payload_bytes", Value: g.PayloadBytes},
		{Key: "interval", Value: short(g.Pace.Interval)},
		{Key: "arrival", Value: g.Pace.Kind.String()},
		{Key: "phase_spread", Value: g.Pace.Spread},
		{Key: "queue_messages", Value: g.QueueMessages},
		{Key: "queue_qos0", Value: g.QueueQoS0},
		{Key: "late_after", Value: short(g.LateAfter)},
		{Key: "link", Value: g.Link.yaml()},
		{Key: "reconnect", Value: yaml.MapSlice{
			{Key: "policy", Value: policy},
			{Key: "min", Value: short(g.Reconnect.Min)},
			{Key: "max", Value: short(g.Reconnect.Max)},
			{Key: "jitter", Value: g.Reconnect.Jitter},
		}},
		{Key: "sink", Value: yaml.MapSlice{
			{Key: "filter", Value: g.Sink.Filter},
			{Key: "qos", Value: int(g.Sink.QoS)},
			{Key: "version", Value: g.Sink.Version.String()},
		}},
	}
	if g.MessageExpiry > 0 {
		m = append(m, yaml.MapItem{Key: "message_expiry", Value: short(g.MessageExpiry)})
	}
	if w := &g.Will; w.Topic != "" {
		m = append(m, yaml.MapItem{Key: "will", Value: yaml.MapSlice{
			{Key: "topic", Value: w.Topic},
			{Key: "payload", Value: w.Payload},
			{Key: "qos", Value: int(w.QoS)},
			{Key: "retain", Value: w.Retain},
			{Key: "delay", Value: short(w.Delay)},
		}})
	}
	if g.Power != "" {
		m = append(m, yaml.MapItem{Key: "power", Value: g.Power})
	}
	return m
}

func (l *Link) yaml() any {
	if l.Profile != "" {
		return l.Profile
	}
	m := yaml.MapSlice{{Key: "up", Value: directionYAML(&l.Up)}, {Key: "down", Value: directionYAML(&l.Down)}}
	if l.MTUBytes > 0 {
		m = append(m, yaml.MapItem{Key: "mtu_bytes", Value: l.MTUBytes})
	}
	return m
}

func directionYAML(c *link.Config) yaml.MapSlice {
	m := yaml.MapSlice{
		{Key: "delay", Value: short(c.Delay)},
		{Key: "jitter", Value: short(c.Jitter)},
		{Key: "jitter_distribution", Value: c.JitterDistribution.String()},
		{Key: "jitter_correlation", Value: short(c.JitterCorrelation)},
		{Key: "unordered", Value: c.Unordered},
		{Key: "loss_ratio", Value: c.LossRatio},
		{Key: "rate_bits_per_second", Value: c.RateBitsPerSecond},
		{Key: "overhead_bytes", Value: c.OverheadBytes},
		{Key: "queue_bytes", Value: c.QueueBytes},
		{Key: "reorder_ratio", Value: c.ReorderRatio},
		{Key: "reorder_delay", Value: short(c.ReorderDelay)},
		{Key: "duplicate_ratio", Value: c.DuplicateRatio},
	}
	if g := c.GilbertElliott; g != (link.GilbertElliott{}) {
		m = append(m, yaml.MapItem{Key: "gilbert_elliott", Value: yaml.MapSlice{
			{Key: "good_to_bad", Value: g.GoodToBad},
			{Key: "bad_to_good", Value: g.BadToGood},
			{Key: "loss_good", Value: g.LossGood},
			{Key: "loss_bad", Value: g.LossBad},
		}})
	}
	var outages []yaml.MapSlice
	for _, o := range c.Outages {
		outages = append(outages, yaml.MapSlice{
			{Key: "start", Value: short(o.Start)},
			{Key: "duration", Value: short(o.Duration)},
			{Key: "every", Value: short(o.Every)},
			{Key: "hold", Value: o.Hold},
		})
	}
	if outages != nil {
		m = append(m, yaml.MapItem{Key: "outages", Value: outages})
	}
	return m
}
