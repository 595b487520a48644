package scenario

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
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

// Limits of values that MQTT carries in whole seconds.
const (
	longestUint16 = math.MaxUint16 * time.Second
	longestUint32 = math.MaxUint32 * time.Second
)

// Parse reads a scenario. The error holds all mistakes, each of type *Mistake on a line of its own; file is the name they begin with.
func Parse(file string, text []byte) (*Scenario, error) {
	r := &reader{file: file, lines: map[string]int{}}
	s := begin()
	if body := r.document(text); body != nil {
		s.fields().read(r, body, "")
		s.resolve(r)
		s.check(r)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// begin returns a scenario with its defaults and no groups.
func begin() *Scenario { return &Scenario{Settle: 5 * time.Second, Drain: 30 * time.Second} }

func (s *Scenario) fields() fields {
	return fields{
		{"name", "What reports call this fleet.", text(&s.Name).required("what shall reports call this fleet?")},
		{"description", "What it is for.", text(&s.Description)},
		{"seed", "Of all randomness: one seed gives one run in virtual mode.", integer(&s.Seed, 0, math.MaxUint64)},
		{"duration", "How long messages are due.", duration(&s.Duration, time.Second, longest).required("how long shall messages be due?")},
		{"ramp", "Over which the devices connect, evenly. Default: a second per 200 devices.", duration(&s.Ramp, 0, longest).follows()},
		{"settle", "Between the end of the ramp and the first message.", duration(&s.Settle, 0, longest)},
		{"drain", "The longest that what is under way may still take at the end.", duration(&s.Drain, 0, longest)},
		{"interval", "The width of a step in the series over time. Default: a 120th of the run.", duration(&s.Interval, 100*time.Millisecond, longest).follows()},
		{"groups", "Like devices.", list(&s.Groups, defaults, (*Group).fields, nil).required("a fleet needs at least one group of devices")},
		{"faults", "What goes wrong, and when.", list(&s.Faults, defaultFault, (*Fault).fields, nil)},
	}
}

func (g *Group) fields() fields {
	const pattern = " {group}, {index} (in the group) and {number} (in the fleet) are filled in."
	return fields{
		{"name", "Of letters, digits, - and _.", text(&g.Name).required("what shall reports call this group?")},
		{"count", "How many devices.", integer(&g.Count, 1, mostDevices).required("how many devices?")},
		{"client_id", "Pattern of Client Identifiers." + pattern, text(&g.ClientID)},
		{"version", "Of MQTT.", version(&g.Version)},
		{"clean_start", "Clean Session before 5.0.", boolean(&g.CleanStart)},
		{"session_expiry", "Session Expiry Interval of 5.0, in whole seconds.", duration(&g.SessionExpiry, 0, longestUint32)},
		{"keep_alive", "In whole seconds; 0s turns it off.", duration(&g.KeepAlive, 0, longestUint16)},
		{"topic", "Pattern of Topic Names." + pattern, text(&g.Topic)},
		{"qos", "Of the messages.", integer(&g.QoS, 0, 2)},
		{"retain", "Whether messages are retained.", boolean(&g.Retain)},
		{"payload_bytes", "Size of a payload, with the 32 bytes that the ledger needs.", integer(&g.PayloadBytes, ledger.HeaderBytes, mostPayload)},
		{"interval", "Between two messages of a device.", duration(&g.Pace.Interval, time.Millisecond, longest).required("how much time between two messages of a device?")},
		{"arrival", "The process by which messages become due.", choice(&g.Pace.Kind, arrival.Kinds(), arrival.Constant, arrival.Poisson)},
		{"phase_spread", "The part of the interval over which devices are out of step.", number(&g.Pace.Spread, 0, 1)},
		{"queue_messages", "How many messages a device holds while it can't send.", integer(&g.QueueMessages, 1, 1_000_000)},
		{"queue_qos0", "Whether QoS 0 messages wait for a connection like the others.", boolean(&g.QueueQoS0)},
		{"late_after", "How long after its intended time a message counts as late; 0s: never.", duration(&g.LateAfter, 0, longest)},
		{"message_expiry", "Message Expiry Interval of 5.0, in whole seconds; 0s: messages keep.", duration(&g.MessageExpiry, 0, longestUint32).unless(func() bool { return g.MessageExpiry == 0 })},
		{"will", "The Will Message.", mapping(g.Will.fields(), nil).unless(func() bool { return g.Will.Topic == "" })},
		{"power", "Profile of what the radio costs the battery.", named(&g.Power, energy.Names()).unless(func() bool { return g.Power == "" })},
		{"link", "What lies between device and target in modes emulated and virtual: a profile, or its figures.", g.Link.kind()},
		{"reconnect", "What a device does without a connection.", mapping(g.Reconnect.fields(), nil)},
		{"sink", "The subscriber that takes the group's messages in.", mapping(g.Sink.fields(), nil)},
	}
}

func (s *Sink) fields() fields {
	return fields{
		{"filter", "Topic Filter. Default: the group's topic with + where devices differ.", text(&s.Filter).follows()},
		{"qos", "Of the subscription.", integer(&s.QoS, 0, 2)},
		{"version", "Of MQTT.", version(&s.Version)},
	}
}

func version(dst *mqtt.Version) kind {
	all := []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}
	var names []string
	for _, v := range all {
		names = append(names, v.String())
	}
	return choice(dst, names, all...)
}

func (c *Reconnect) fields() fields {
	return fields{
		{"policy", "backoff: try again; never: a lost connection is the end.", choice(&c.Policy, []string{"backoff", "never"}, Backoff, Never)},
		{"min", "Wait after the first failure, doubled with each further one.", duration(&c.Min, time.Millisecond, longest)},
		{"max", "The longest wait.", duration(&c.Max, time.Millisecond, longest)},
		{"jitter", "The part of each wait that is random.", number(&c.Jitter, 0, 1)},
	}
}

func (w *Will) fields() fields {
	return fields{
		{"topic", "Pattern of the Topic Name, as the group's.", text(&w.Topic).required("where shall the target publish it?")},
		{"payload", "As text.", text(&w.Payload)},
		{"qos", "Of the Will Message.", integer(&w.QoS, 0, 2)},
		{"retain", "Whether it is retained.", boolean(&w.Retain)},
		{"delay", "Will Delay Interval of 5.0, in whole seconds.", duration(&w.Delay, 0, longestUint32)},
	}
}

// kind takes the name of a profile, or a link figure by figure.
func (l *Link) kind() kind {
	figures := mapping(l.fields(), nil)
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			if _, scalar := n.(ast.ScalarNode); scalar {
				l.Profile = n.GetToken().Value
				if _, err := profile.Lookup(l.Profile); err != nil {
					r.wrong(n, path, "%v", err)
				}
				return
			}
			*l = Link{}
			figures.read(r, n, path)
		},
		value: func() any {
			if l.Profile != "" {
				return l.Profile
			}
			return l.fields().yaml()
		},
		schema: func() *Schema {
			var names []string
			for _, p := range profile.All() {
				names = append(names, p.Name)
				for _, q := range profile.Qualities() {
					names = append(names, p.Name+":"+q)
				}
			}
			return &Schema{AnyOf: []*Schema{oneOf(names), (&Link{}).fields().schema()}}
		},
	}
}

func (l *Link) fields() fields {
	return fields{
		{"up", "From the device.", direction(&l.Up)},
		{"down", "To the device.", direction(&l.Down)},
		{"mtu_bytes", "The largest IP packet. Default 1500.", integer(&l.MTUBytes, 576, 65535).follows().unless(func() bool { return l.MTUBytes == 0 })},
	}
}

func direction(c *link.Config) kind {
	shapes := []link.Distribution{link.Normal, link.Uniform, link.Pareto}
	var names []string
	for _, d := range shapes {
		names = append(names, d.String())
	}
	g := &c.GilbertElliott
	return mapping(fields{
		{"delay", "Propagation.", duration(&c.Delay, 0, link.MaxDelay)},
		{"jitter", "Standard deviation of the delay, or its half width.", duration(&c.Jitter, 0, link.MaxDelay)},
		{"jitter_distribution", "Shape of the jitter.", choice(&c.JitterDistribution, names, shapes...)},
		{"jitter_correlation", "How long the jitter remembers.", duration(&c.JitterCorrelation, 0, link.MaxDelay)},
		{"unordered", "Whether packets may overtake each other.", boolean(&c.Unordered)},
		{"loss_ratio", "Independent loss of packets.", number(&c.LossRatio, 0, 1)},
		{"rate_bits_per_second", "0: unlimited.", number(&c.RateBitsPerSecond, 0, 1e12)},
		{"overhead_bytes", "Per packet, below IP.", integer(&c.OverheadBytes, 0, 1<<16)},
		{"queue_bytes", "Before the link; what does not fit is lost. 0: unlimited.", integer(&c.QueueBytes, 0, 1<<30)},
		{"reorder_ratio", "The part of the packets that is held back.", number(&c.ReorderRatio, 0, 1)},
		{"reorder_delay", "How long it is held back.", duration(&c.ReorderDelay, 0, link.MaxDelay)},
		{"duplicate_ratio", "The part of the packets that comes twice.", number(&c.DuplicateRatio, 0, 1)},
		{"gilbert_elliott", "Loss in bursts: a good and a bad state.", mapping(fields{
			{"good_to_bad", "Probability per packet.", number(&g.GoodToBad, 0, 1)},
			{"bad_to_good", "Probability per packet.", number(&g.BadToGood, 0, 1)},
			{"loss_good", "Loss in the good state.", number(&g.LossGood, 0, 1)},
			{"loss_bad", "Loss in the bad state.", number(&g.LossBad, 0, 1)},
		}, nil).unless(func() bool { return *g == link.GilbertElliott{} })},
		{"outages", "Times without a link.", list(&c.Outages, func() (o link.Outage) { return o }, outage, nil)},
	}, func(r *reader, n ast.Node, path string) {
		if err := c.Validate(); err != nil {
			r.wrong(n, path, "%v", err)
		}
	})
}

func outage(o *link.Outage) fields {
	return fields{
		{"start", "From the start of the run.", duration(&o.Start, 0, longest)},
		{"duration", "How long the link is gone.", duration(&o.Duration, time.Millisecond, longest)},
		{"every", "Period with which it comes again; 0s: once.", duration(&o.Every, 0, longest)},
		{"hold", "Whether packets wait for the end instead of being lost.", boolean(&o.Hold)},
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

// YAML returns the scenario with every default written out. Parse of it gives the same scenario.
func (s *Scenario) YAML() (string, error) {
	out, err := yaml.Marshal(s.fields().yaml())
	if err != nil {
		return "", fmt.Errorf("print scenario %q: %w", s.Name, err)
	}
	return string(out), nil
}
