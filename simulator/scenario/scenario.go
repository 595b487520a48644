package scenario

import (
	"strconv"
	"strings"
	"time"

	"mqttlab/netem/link"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/arrival"
	"mqttlab/simulator/payload"
)

// Scenario describes a fleet and its timetable. See the package comment.
type Scenario struct {
	Name        string
	Description string
	// Seed of all randomness, unless the run is given another. Zero is a seed like any other.
	Seed uint64
	// Duration is how long messages are due.
	Duration time.Duration
	// Ramp is the time over which devices connect, evenly spread. Default: a second per 200 devices, at least one.
	Ramp time.Duration
	// Settle is the time between the end of the ramp and the first message. Default 5 s.
	Settle time.Duration
	// Drain is the longest time that what is under way may still take at the end. Default 30 s.
	Drain time.Duration
	// Interval is the width of a step in the series over time. Default: a 120th of the run, at least a second.
	Interval time.Duration
	Groups   []Group
	// Stages change the rate of all messages.
	Stages arrival.Stages
	Faults []Fault
}

// Group describes like devices.
type Group struct {
	// Name, of letters, digits, "-" and "_".
	Name string
	// Count is how many there are. A file may give the key share instead, such as 30%, of the key devices at its top; groups with a count take theirs first,
	// and what they leave is shared out to the last device.
	Count int
	// ClientID is the pattern of Client Identifiers. {group} stands for the name, {index} for the device's number in the group, from 0, and {number} for that in the
	// fleet. Default "{group}-{index}".
	ClientID string
	Version  mqtt.Version // "3.1", "3.1.1" (default) or "5.0"
	// Username and Password are patterns as ClientID. Empty (default): those of the target's URL. A record shows no password.
	Username, Password string
	// TLS makes the group connect by TLS to the target's TLSPort, which otherwise only a target mqtts://... does. Default port 8883. Not in virtual mode.
	TLS     bool
	TLSPort uint16
	// CleanStart is Clean Session before 5.0. Default true, which leaves nothing behind on the target.
	CleanStart bool
	// SessionExpiry is the Session Expiry Interval of 5.0, in whole seconds. Default 0.
	SessionExpiry time.Duration
	// KeepAlive in whole seconds. 0 turns it off. Default 60 s.
	KeepAlive time.Duration
	// Topic is the pattern of Topic Names, as ClientID. Default "fleet/{group}/{index}".
	Topic  string
	QoS    mqtt.QoS
	Retain bool
	// Payload is the key payload, and payload_bytes of constant ones: 64 by default, the header of 32 included.
	Payload payload.Config
	// Pace: the keys interval (required), arrival ("constant" by default), phase_spread (0 to 1, default 1), and those of the other arrivals.
	Pace arrival.Pace
	// MinChange is how far the value of arrival "on-change" must be from what was said last. Default 0.5.
	MinChange float64
	// QueueMessages is how many messages a device holds while it can't send. Further ones are given up and count as expired. Default 1000.
	QueueMessages int
	// QueueQoS0 makes QoS 0 messages wait for a connection like the others, instead of being given up. Default false.
	QueueQoS0 bool
	// QueueDrop says which message a full queue gives up. Default: the newest.
	QueueDrop Drop
	// Behaviour says when devices have a connection. Default AlwaysOn.
	Behaviour Behaviour
	// Upload is the time between two connections of StoreAndForward: the key upload_interval.
	Upload time.Duration
	// Awake is how long a device that sleeps stays connected at least. Default 0: until all is acknowledged.
	Awake    time.Duration
	Commands Commands
	Firmware Firmware
	// LateAfter is how long after its intended time a message that arrives counts as late. 0 (default): nothing is late.
	LateAfter time.Duration
	// MessageExpiry is the Message Expiry Interval of 5.0, in whole seconds. A message that a device holds for longer counts as expired, one that the target
	// drops as lost. Default 0: messages keep.
	MessageExpiry time.Duration
	Will          Will
	// Power names a profile of simulator/energy: what the radio costs the battery. Needs a link, so it says nothing in live mode. Default: not measured.
	Power string
	Link  Link
	// TCP names a profile of netem/stack: the TCP of the devices, where it is emulated. Default "linux".
	TCP       string
	Reconnect Reconnect
	Sink      Sink
}

// Link is what lies between a device and the target in modes emulated and virtual: the name of a profile of netem/profile, or a figure by figure description
// with the keys up and down. The default is "perfect".
type Link struct {
	Profile  string // empty: described in the file
	Up, Down link.Config
	// MTUBytes is the largest IP packet; 0: 1500. In virtual mode all groups share the smallest.
	MTUBytes int
}

// Name is the profile, or "custom".
func (l Link) Name() string {
	if l.Profile == "" {
		return "custom"
	}
	return l.Profile
}

// Will is the Will Message of a group's devices. It is no message of the ledger; a sink that gets it leaves it out.
type Will struct {
	// Topic is the pattern of its Topic Name, as ClientID. Empty (default): there is none.
	Topic   string
	Payload string
	QoS     mqtt.QoS
	Retain  bool
	// Delay is the Will Delay Interval of 5.0, in whole seconds. Default 0.
	Delay time.Duration
}

// Reconnect is what a device does when it has lost its connection, or could not get one.
type Reconnect struct {
	Policy Policy
	// Min is the wait after the first failure, doubled with each further one up to Max. Defaults 1 s and 2 min.
	Min, Max time.Duration
	// Jitter is the part of each wait that is random, 0 to 1. Default 0.5.
	Jitter float64
}

// Policy says whether a device connects again.
type Policy uint8

// The policies: try again after a wait, or stay away.
const (
	Backoff Policy = iota
	Never
)

// Sink is the subscriber that takes a group's messages in. It connects to the target without a lossy link.
type Sink struct {
	// Filter defaults to the group's topic with + for each level that differs between devices.
	Filter string
	// QoS defaults to 2, so that the target delivers as it was published.
	QoS mqtt.QoS
	// Version defaults to 5.0: only there can a sink resume its session after a broken connection and leave none behind.
	Version mqtt.Version
}

// defaultTLSPort is that of MQTT over TLS at IANA.
const defaultTLSPort = 8883

// defaults returns a group with all defaults.
func defaults() Group {
	return Group{
		ClientID: "{group}-{index}", Version: mqtt.V311, TLSPort: defaultTLSPort, CleanStart: true, KeepAlive: time.Minute,
		Topic: "fleet/{group}/{index}", Payload: defaultPayload(), Pace: arrival.Pace{Spread: 1, Burst: 10, Swing: 0.8, Peak: 14 * time.Hour}, MinChange: 0.5, QueueMessages: 1000,
		Link: Link{Profile: "perfect"}, TCP: "linux", Commands: defaultCommands(), Firmware: defaultFirmware(),
		Reconnect: Reconnect{Min: time.Second, Max: 2 * time.Minute, Jitter: 0.5},
		Sink:      Sink{QoS: mqtt.ExactlyOnce, Version: mqtt.V5},
	}
}

// Devices is the number of devices of all groups.
func (s *Scenario) Devices() int {
	n := 0
	for _, g := range s.Groups {
		n += g.Count
	}
	return n
}

// Begin is when the first messages may be due, from the start of the run, and End when the last have been.
func (s *Scenario) Begin() time.Duration { return s.Ramp + s.Settle }

// End is Begin plus Duration.
func (s *Scenario) End() time.Duration { return s.Begin() + s.Duration }

// Expand fills in a pattern for one device.
func (g *Group) Expand(pattern string, index, number int) string {
	pattern = strings.ReplaceAll(pattern, "{group}", g.Name)
	pattern = strings.ReplaceAll(pattern, "{index}", strconv.Itoa(index))
	return strings.ReplaceAll(pattern, "{number}", strconv.Itoa(number))
}

// Filter returns the Topic Filter that matches what a pattern of Topic Names makes of all devices.
func (g *Group) Filter(topic string) string {
	levels := strings.Split(strings.ReplaceAll(topic, "{group}", g.Name), "/")
	for i, level := range levels {
		if strings.Contains(level, "{index}") || strings.Contains(level, "{number}") {
			levels[i] = "+"
		}
	}
	return strings.Join(levels, "/")
}
