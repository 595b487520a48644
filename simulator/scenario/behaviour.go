package scenario

import (
	"math"
	"strings"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/ledger"
)

// Behaviour says when devices have a connection.
type Behaviour uint8

// The behaviours.
const (
	// AlwaysOn stays connected.
	AlwaysOn Behaviour = iota
	// WakePublishSleep connects for each message, waits for its acknowledgement, disconnects and sleeps.
	WakePublishSleep
	// StoreAndForward holds its messages and connects at intervals to send them all.
	StoreAndForward
)

// Behaviours lists the names, in the order of their values.
func Behaviours() []string { return []string{"always-on", "wake-publish-sleep", "store-and-forward"} }

// Drop says which message a full queue gives up.
type Drop uint8

// The newest is the one that would have been added.
const (
	DropNewest Drop = iota
	DropOldest
)

// Commands are what a controller tells each device, and the device answers. The controller connects as a sink does.
type Commands struct {
	// Topic and AnswerTopic are patterns as ClientID. Before 5.0 devices answer to AnswerTopic; in 5.0 the command carries it as its Response Topic.
	Topic, AnswerTopic string
	// Interval is the time between two commands to one device. 0: there are no commands.
	Interval time.Duration
	QoS      mqtt.QoS // of commands and answers
	// PayloadBytes of commands and answers, with the header of 32. Default 64.
	PayloadBytes int
	// Think is how long a device takes to answer.
	Think time.Duration
}

// Firmware is an image that devices fetch from retained messages, one per chunk, in their turn of a rollout.
type Firmware struct {
	// Topic, which may hold {group}; chunk k is on Topic/k. Default "fleet/{group}/firmware".
	Topic string
	// Bytes of the image. 0: there is none.
	Bytes, ChunkBytes int
	QoS               mqtt.QoS
	// Start is when the first devices begin, from the start of the ramp, and Spread over how long the others follow.
	Start, Spread time.Duration
}

// Chunks is the number of retained messages.
func (f *Firmware) Chunks() int { return (f.Bytes + f.ChunkBytes - 1) / f.ChunkBytes }

// mostChunks is what common brokers queue for one subscriber: mosquitto's default is 1000.
const mostChunks = 1000

func defaultCommands() Commands {
	return Commands{Topic: "fleet/{group}/{index}/command", AnswerTopic: "fleet/{group}/{index}/answer", QoS: mqtt.AtLeastOnce, PayloadBytes: 64}
}

func defaultFirmware() Firmware {
	return Firmware{Topic: "fleet/{group}/firmware", ChunkBytes: 1024, QoS: mqtt.AtLeastOnce}
}

func (c *Commands) fields() fields {
	return fields{
		{"interval", "Between two commands to one device.", duration(&c.Interval, time.Millisecond, longest).required("how much time between two commands to a device?")},
		{"topic", "Pattern of where a device listens.", text(&c.Topic)},
		{"answer_topic", "Pattern of where it answers; in 5.0 the Response Topic.", text(&c.AnswerTopic)},
		{"qos", "Of commands and answers.", integer(&c.QoS, 0, 2)},
		{"payload_bytes", "Of commands and answers.", integer(&c.PayloadBytes, ledger.HeaderBytes, mostPayload)},
		{"think", "How long a device takes to answer.", duration(&c.Think, 0, longest)},
	}
}

func (f *Firmware) fields() fields {
	return fields{
		{"bytes", "Size of the image.", integer(&f.Bytes, 1, math.MaxInt32).required("how large is the image?")},
		{"topic", "Below which the chunks are retained; may hold {group}.", text(&f.Topic)},
		{"chunk_bytes", "Size of one retained message.", integer(&f.ChunkBytes, 64, mostPayload)},
		{"qos", "Of the devices' subscription.", integer(&f.QoS, 0, 2)},
		{"start", "When the rollout begins, from the start of the ramp.", duration(&f.Start, 0, longest)},
		{"spread", "Over which devices begin, each at a moment of its own.", duration(&f.Spread, 0, longest)},
	}
}

// checkBehaviour reports what does not go together.
func (g *Group) checkBehaviour(r *reader, path string) {
	given := func(key string) bool { return r.lines[path+"."+key] > 0 }
	switch {
	case g.Behaviour == StoreAndForward && g.Upload == 0:
		r.wrongAt(path+".upload_interval", "is missing: store-and-forward needs to know how often to connect")
	case g.Behaviour != StoreAndForward && given("upload_interval"):
		r.wrongAt(path+".upload_interval", "is of behaviour store-and-forward only")
	}
	if g.Behaviour == AlwaysOn && given("awake") {
		r.wrongAt(path+".awake", "is of behaviours that sleep only")
	}
	if c := &g.Commands; c.Interval > 0 {
		for key, pattern := range map[string]string{"topic": c.Topic, "answer_topic": c.AnswerTopic} {
			at := path + ".commands." + key
			g.checkTopic(r, at, pattern)
			if g.Count > 1 && !perDevice(pattern) {
				r.wrongAt(at, "%q is the same for all %d devices: add {index}", pattern, g.Count)
			}
		}
	}
	if f := &g.Firmware; f.Bytes > 0 {
		at := path + ".firmware"
		g.checkTopic(r, at+".topic", f.Topic)
		if perDevice(f.Topic) {
			r.wrongAt(at+".topic", "%q differs between devices: one image is for all of them", f.Topic)
		}
		if n := f.Chunks(); n > mostChunks {
			r.wrongAt(at+".chunk_bytes", "%d cuts the image into %d messages: at most %d, which is what brokers queue for one client", f.ChunkBytes, n, mostChunks)
		}
	}
}

// perDevice reports whether a pattern differs between devices.
func perDevice(pattern string) bool {
	return strings.Contains(pattern, "{index}") || strings.Contains(pattern, "{number}")
}

// checkTopic reports a pattern that can't be that of a Topic Name.
func (g *Group) checkTopic(r *reader, path, pattern string) {
	g.checkPattern(r, path, pattern)
	if strings.ContainsAny(pattern, "+#") {
		r.wrongAt(path, "%q holds a wildcard: a Topic Name may not", pattern)
	}
}
