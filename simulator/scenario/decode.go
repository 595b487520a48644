package scenario

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"mqttlab/netem/profile"
	"mqttlab/netem/stack"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/arrival"
	"mqttlab/simulator/energy"
	"mqttlab/simulator/ledger"
	"mqttlab/simulator/payload"
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
	r := newReader(file)
	s := begin()
	if body := r.document(text); body != nil {
		s.fields().read(r, body, "")
		s.deal(r)
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
		{"drain", "The longest that what is under way may still take at the end. Default: 30s, and the longest upload_interval.", duration(&s.Drain, 0, longest).follows()},
		{"interval", "The width of a step in the series over time. Default: a 120th of the run.", duration(&s.Interval, 100*time.Millisecond, longest).follows()},
		{"devices", "How many there are in all groups. Needed where a group has a share.", total()},
		{"groups", "Like devices.", list(&s.Groups, defaults, (*Group).fields, nil).required("a fleet needs at least one group of devices")},
		{"stages", "How the rate of all messages changes over the run.", list((*[]arrival.Stage)(&s.Stages), func() (v arrival.Stage) { return v }, stage, nil)},
		{"faults", "What goes wrong, and when.", list(&s.Faults, defaultFault, (*Fault).fields, nil)},
	}
}

func (g *Group) fields() fields {
	const pattern = " {group}, {index} (in the group) and {number} (in the fleet) are filled in."
	return fields{
		{"name", "Of letters, digits, - and _.", text(&g.Name).required("what shall reports call this group?")},
		{"count", "How many devices.", integer(&g.Count, 1, mostDevices).required("how many devices, as count or share?").or("share")},
		{"share", "Instead of count: what part the group is of the key devices, or of what groups with a count leave of it. All shares add up to 100%.", share()},
		{"client_id", "Pattern of Client Identifiers." + pattern, text(&g.ClientID)},
		{"version", "Of MQTT.", version(&g.Version)},
		{"username", "Pattern of user names. Default: that of the target's URL." + pattern, text(&g.Username).unless(func() bool { return g.Username == "" })},
		{"password", "Pattern of passwords." + pattern, text(&g.Password).unless(func() bool { return g.Password == "" })},
		{"tls", "Whether to connect by TLS even if the target is mqtt://. Not in virtual mode.", boolean(&g.TLS)},
		{"tls_port", "Of the target, for groups with tls.", integer(&g.TLSPort, 1, 65535).unless(func() bool { return !g.TLS })},
		{"clean_start", "Clean Session before 5.0.", boolean(&g.CleanStart)},
		{"session_expiry", "Session Expiry Interval of 5.0, in whole seconds.", duration(&g.SessionExpiry, 0, longestUint32)},
		{"keep_alive", "In whole seconds; 0s turns it off.", duration(&g.KeepAlive, 0, longestUint16)},
		{"topic", "Pattern of Topic Names." + pattern, text(&g.Topic)},
		{"qos", "Of the messages.", integer(&g.QoS, 0, 2)},
		{"retain", "Whether messages are retained.", boolean(&g.Retain)},
		{"payload_bytes", "Size of a constant payload, with the 32 bytes that the ledger needs.", of(integer(&g.Payload.Bytes, ledger.HeaderBytes, mostPayload), &g.Payload.Kind, payload.Constant)},
		{"payload", "What is said, as JSON. Default: payload_bytes of zeros.", payloadKind(&g.Payload)},
		{"interval", "Between two messages of a device.", duration(&g.Pace.Interval, time.Millisecond, longest).required("how much time between two messages of a device?")},
		{"arrival", "The process by which messages become due.", choice(&g.Pace.Kind, arrival.Kinds(), arrival.Constant, arrival.Poisson, arrival.Burst, arrival.Diurnal, arrival.OnChange)},
		{"burst", "Of arrival burst: messages at a time.", of(integer(&g.Pace.Burst, 1, 10_000), &g.Pace.Kind, arrival.Burst)},
		{"burst_gap", "Of arrival burst: between two of them.", of(duration(&g.Pace.Gap, 0, longest), &g.Pace.Kind, arrival.Burst)},
		{"swing", "Of arrival diurnal: by what part of its mean the rate swings.", of(number(&g.Pace.Swing, 0, 1), &g.Pace.Kind, arrival.Diurnal)},
		{"peak", "Of arrival diurnal: when the rate is highest, from the first message.", of(duration(&g.Pace.Peak, 0, longest), &g.Pace.Kind, arrival.Diurnal)},
		{"min_change", "Of arrival on-change: how far the value must be from what was said last.", of(number(&g.MinChange, 0, 1e9), &g.Pace.Kind, arrival.OnChange)},
		{"phase_spread", "The part of the interval over which devices are out of step.", number(&g.Pace.Spread, 0, 1)},
		{"queue_messages", "How many messages a device holds while it can't send.", integer(&g.QueueMessages, 1, 1_000_000)},
		{"queue_qos0", "Whether QoS 0 messages wait for a connection like the others.", boolean(&g.QueueQoS0)},
		{"queue_drop", "Which message a full queue gives up.", choice(&g.QueueDrop, []string{"newest", "oldest"}, DropNewest, DropOldest)},
		{"behaviour", "When devices have a connection.", choice(&g.Behaviour, Behaviours(), AlwaysOn, WakePublishSleep, StoreAndForward)},
		{"upload_interval", "Of store-and-forward: between two connections.", duration(&g.Upload, time.Second, longest).follows().unless(func() bool { return g.Behaviour != StoreAndForward })},
		{"awake", "How long a device that sleeps stays connected at least.", duration(&g.Awake, 0, longest).unless(func() bool { return g.Behaviour == AlwaysOn })},
		{"commands", "What a controller tells each device, and the device answers.", mapping(g.Commands.fields(), nil).unless(func() bool { return g.Commands.Interval == 0 })},
		{"firmware", "An image that devices fetch from retained messages.", mapping(g.Firmware.fields(), nil).unless(func() bool { return g.Firmware.Bytes == 0 })},
		{"late_after", "How long after its intended time a message counts as late; 0s: never.", duration(&g.LateAfter, 0, longest)},
		{"message_expiry", "Message Expiry Interval of 5.0, in whole seconds; 0s: messages keep.", duration(&g.MessageExpiry, 0, longestUint32).unless(func() bool { return g.MessageExpiry == 0 })},
		{"will", "The Will Message.", mapping(g.Will.fields(), nil).unless(func() bool { return g.Will.Topic == "" })},
		{"power", "Profile of what the radio costs the battery.", named(&g.Power, energy.Names()).unless(func() bool { return g.Power == "" })},
		{"link", "What lies between device and target in modes emulated and virtual: a profile, or its figures.", g.Link.kind()},
		{"tcp", "The TCP of the devices in modes emulated and virtual.", named(&g.TCP, tcpNames())},
		{"reconnect", "What a device does without a connection.", mapping(g.Reconnect.fields(), nil)},
		{"sink", "The subscriber that takes the group's messages in.", mapping(g.Sink.fields(), nil)},
	}
}

// tcpNames are the profiles of TCP that there are.
func tcpNames() []string {
	var names []string
	for _, p := range stack.TCPProfiles() {
		names = append(names, p.Name)
	}
	return names
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

// resolve fills in the defaults that follow from other values.
func (s *Scenario) resolve(r *reader) {
	given := func(path string) bool { _, ok := r.lines[path]; return ok }
	if !given("ramp") {
		s.Ramp = max(time.Second, time.Duration(s.Devices()/200)*time.Second)
	}
	if !given("drain") {
		for i := range s.Groups {
			// What waits for its upload when the run ends is not lost.
			s.Drain = max(s.Drain, s.Groups[i].Upload+30*time.Second)
		}
	}
	if !given("interval") {
		s.Interval = max(time.Second, ((s.End() + s.Drain) / 120).Truncate(time.Second))
	}
	for i := range s.Groups {
		g := &s.Groups[i]
		if g.Sink.Filter == "" {
			g.Sink.Filter = g.Filter(g.Topic)
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
