package scenario

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"

	"mqttlab/netem/link"
	"mqttlab/netem/profile"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/arrival"
	"mqttlab/simulator/energy"
	"mqttlab/simulator/ledger"
)

// Limits of the values in a file: beyond them a mistake in the unit is likelier than a fleet.
const (
	longest     = 366 * 24 * time.Hour
	mostDevices = 1_000_000
	mostPayload = 1 << 20
)

// Parse reads a scenario. The error holds all mistakes, each of type *Mistake on a line of its own; file is the name they begin with.
func Parse(file string, text []byte) (*Scenario, error) {
	r := &reader{file: file, lines: map[string]int{}}
	s := &Scenario{Settle: 5 * time.Second, Drain: 30 * time.Second}
	if body := r.document(text); body != nil {
		r.mapping(body, "", s.fields())
		s.resolve(r)
		s.check(r)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Scenario) fields() fields {
	return fields{
		"name":        text(&s.Name),
		"description": text(&s.Description),
		"seed":        integer(&s.Seed, 0, math.MaxUint64),
		"duration":    duration(&s.Duration, time.Second, longest),
		"ramp":        duration(&s.Ramp, 0, longest),
		"settle":      duration(&s.Settle, 0, longest),
		"drain":       duration(&s.Drain, 0, longest),
		"interval":    duration(&s.Interval, 100*time.Millisecond, longest),
		"groups":      s.readGroups,
	}
}

func (s *Scenario) readGroups(r *reader, n ast.Node, path string) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrong(n, path, `must be a list: begin each group with "- name: ..."`)
		return
	}
	for i, v := range list.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		r.lines[at] = v.GetToken().Position.Line
		g := defaults()
		r.mapping(v, at, g.fields())
		s.Groups = append(s.Groups, g)
	}
}

func (g *Group) fields() fields {
	return fields{
		"name":           text(&g.Name),
		"count":          integer(&g.Count, 1, mostDevices),
		"client_id":      text(&g.ClientID),
		"version":        version(&g.Version),
		"clean_start":    boolean(&g.CleanStart),
		"session_expiry": duration(&g.SessionExpiry, 0, math.MaxUint32*time.Second),
		"keep_alive":     duration(&g.KeepAlive, 0, math.MaxUint16*time.Second),
		"topic":          text(&g.Topic),
		"qos":            integer(&g.QoS, 0, 2),
		"retain":         boolean(&g.Retain),
		"payload_bytes":  integer(&g.PayloadBytes, ledger.HeaderBytes, mostPayload),
		"interval":       duration(&g.Pace.Interval, time.Millisecond, longest),
		"arrival":        choice(&g.Pace.Kind, arrival.Kinds(), arrival.Constant, arrival.Poisson),
		"phase_spread":   number(&g.Pace.Spread, 0, 1),
		"queue_messages": integer(&g.QueueMessages, 1, 1_000_000),
		"queue_qos0":     boolean(&g.QueueQoS0),
		"late_after":     duration(&g.LateAfter, 0, longest),
		"message_expiry": duration(&g.MessageExpiry, 0, math.MaxUint32*time.Second),
		"will":           g.Will.read,
		"power":          named(&g.Power, energy.Names()),
		"link":           g.Link.read,
		"reconnect":      g.Reconnect.read,
		"sink": func(r *reader, n ast.Node, path string) {
			r.mapping(n, path, fields{
				"filter":  text(&g.Sink.Filter),
				"qos":     integer(&g.Sink.QoS, 0, 2),
				"version": version(&g.Sink.Version),
			})
		},
	}
}

func version(dst *mqtt.Version) field {
	all := []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}
	var names []string
	for _, v := range all {
		names = append(names, v.String())
	}
	return choice(dst, names, all...)
}

func (c *Reconnect) read(r *reader, n ast.Node, path string) {
	r.mapping(n, path, fields{
		"policy": func(r *reader, n ast.Node, path string) {
			var never uint8
			choice(&never, []string{"backoff", "never"}, 0, 1)(r, n, path)
			c.Never = never == 1
		},
		"min":    duration(&c.Min, time.Millisecond, longest),
		"max":    duration(&c.Max, time.Millisecond, longest),
		"jitter": number(&c.Jitter, 0, 1),
	})
}

func (w *Will) read(r *reader, n ast.Node, path string) {
	r.mapping(n, path, fields{
		"topic":   text(&w.Topic),
		"payload": text(&w.Payload),
		"qos":     integer(&w.QoS, 0, 2),
		"retain":  boolean(&w.Retain),
		"delay":   duration(&w.Delay, 0, math.MaxUint32*time.Second),
	})
	if w.Topic == "" {
		r.wrong(n, path, "has no topic: where shall the target publish it?")
	}
}

// read takes the name of a profile, or a link figure by figure.
func (l *Link) read(r *reader, n ast.Node, path string) {
	if _, scalar := n.(ast.ScalarNode); scalar {
		l.Profile = n.GetToken().Value
		if _, err := profile.Lookup(l.Profile); err != nil {
			r.wrong(n, path, "%v", err)
		}
		return
	}
	*l = Link{}
	r.mapping(n, path, fields{
		"up":        direction(&l.Up),
		"down":      direction(&l.Down),
		"mtu_bytes": integer(&l.MTUBytes, 576, 65535),
	})
}

func direction(c *link.Config) field {
	shapes := []link.Distribution{link.Normal, link.Uniform, link.Pareto}
	var names []string
	for _, d := range shapes {
		names = append(names, d.String())
	}
	g := &c.GilbertElliott
	return func(r *reader, n ast.Node, path string) {
		r.mapping(n, path, fields{
			"delay":                duration(&c.Delay, 0, link.MaxDelay),
			"jitter":               duration(&c.Jitter, 0, link.MaxDelay),
			"jitter_distribution":  choice(&c.JitterDistribution, names, shapes...),
			"jitter_correlation":   duration(&c.JitterCorrelation, 0, link.MaxDelay),
			"unordered":            boolean(&c.Unordered),
			"loss_ratio":           number(&c.LossRatio, 0, 1),
			"rate_bits_per_second": number(&c.RateBitsPerSecond, 0, 1e12),
			"overhead_bytes":       integer(&c.OverheadBytes, 0, 1<<16),
			"queue_bytes":          integer(&c.QueueBytes, 0, 1<<30),
			"reorder_ratio":        number(&c.ReorderRatio, 0, 1),
			"reorder_delay":        duration(&c.ReorderDelay, 0, link.MaxDelay),
			"duplicate_ratio":      number(&c.DuplicateRatio, 0, 1),
			"gilbert_elliott": func(r *reader, n ast.Node, path string) {
				r.mapping(n, path, fields{
					"good_to_bad": number(&g.GoodToBad, 0, 1), "bad_to_good": number(&g.BadToGood, 0, 1),
					"loss_good": number(&g.LossGood, 0, 1), "loss_bad": number(&g.LossBad, 0, 1),
				})
			},
			"outages": outages(&c.Outages),
		})
		if err := c.Validate(); err != nil {
			r.wrong(n, path, "%v", err)
		}
	}
}

func outages(dst *[]link.Outage) field {
	return func(r *reader, n ast.Node, path string) {
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			r.wrong(n, path, `must be a list: begin each outage with "- start: ..."`)
			return
		}
		for i, v := range list.Values {
			var o link.Outage
			r.mapping(v, fmt.Sprintf("%s[%d]", path, i), fields{
				"start":    duration(&o.Start, 0, longest),
				"duration": duration(&o.Duration, time.Millisecond, longest),
				"every":    duration(&o.Every, 0, longest),
				"hold":     boolean(&o.Hold),
			})
			*dst = append(*dst, o)
		}
	}
}

// resolve fills in the defaults that follow from other values.
func (s *Scenario) resolve(r *reader) {
	given := func(path string) bool { _, ok := r.lines[path]; return ok }
	if !given("ramp") {
		s.Ramp = max(time.Second, time.Duration(s.Devices()/200)*time.Second)
	}
	if !given("interval") {
		s.Interval = max(time.Second, ((s.End() + s.Drain) / 120).Truncate(time.Second))
	}
	for i := range s.Groups {
		g := &s.Groups[i]
		if g.Sink.Filter == "" {
			g.Sink.Filter = g.filterOf(g.Topic)
		}
		if p, err := profile.Lookup(g.Link.Profile); err == nil && g.Link.Profile != "" {
			g.Link.Up, g.Link.Down, g.Link.MTUBytes = p.Up, p.Down, p.MTUBytes
			g.Link.Up.Outages, g.Link.Down.Outages = slices.Clone(p.Up.Outages), slices.Clone(p.Down.Outages)
		}
	}
}
