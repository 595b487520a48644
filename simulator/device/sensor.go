package device

import (
	"errors"
	"math"
	"slices"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/arrival"
	"mqttlab/simulator/ledger"
	"mqttlab/simulator/payload"

	core "mqttlab/reference-broker/core/client"
)

// SensorGroup is what the Sensors of a group have in common.
type SensorGroup struct {
	Common
	Book *ledger.Book
	Run  uint32
	Pace arrival.Pace
	// Begin and End bound the schedule, from the start of the run: messages are due at Begin or after it, and before End.
	Begin, End time.Duration
	// Stages bend the time of Pace.
	Stages arrival.Stages
	QoS    mqtt.QoS
	Retain bool
	// Payload makes what is said. With arrival.OnChange a Sensor says it when its value is MinChange away from what it said last.
	Payload   *payload.Source
	MinChange float64
	// MessageExpiryInterval in seconds, of 5.0. Unset: messages keep.
	MessageExpiryInterval mqtt.Opt[uint32]
	Rest                  Rest
	// Commands that the devices get and answer; nil: none.
	Commands *Commands
	// Image that the devices fetch; nil: none. FetchFrom is when the first of them begins, from the start of the run, and FetchSpread over how long the
	// others follow, each at a moment of its own.
	Image                  *Image
	FetchFrom, FetchSpread time.Duration
}

// Identity is what one device has for itself.
type Identity struct {
	Number   uint32 // within the fleet
	ClientID string
	Topic    string // of Sensors
	// CommandTopic is where a Sensor listens for commands, and AnswerTopic where it answers if a command does not say.
	CommandTopic, AnswerTopic string
	Names                     payload.Names
	// Connect replaces that of the group, for a device with a Will Message of its own. Nil: the group's.
	Connect *mqtt.Connect
	Seed    uint64 // phase, gaps and jitter of the backoff follow from it
	// Drift is by how much the device's clock is fast: 0.0001 gains a second in 10,000. Negative: slow.
	Drift float64
}

// Sensor publishes on a schedule. Make one with NewSensor, and call StartAt.
type Sensor struct {
	endpoint
	group    *SensorGroup
	topic    string
	number   uint32
	sequence uint32
	dueAt    time.Duration // of the next message, from the start of the run
	paced    time.Duration // the same as Pace has it: from the start of the schedule, without stages
	ticks    int           // of Pace, so far
	source   payload.State
	said     float64 // value of the last message
	names    payload.Names
	open     []*message // in the machine's hands, by sequence
	stored   []*message // not there yet, by sequence

	connectedAt time.Time
	uploadAt    time.Duration // of StoreAndForward, as dueAt
	alarm       bool          // a Sensor that sleeps has to wake up

	ears        []ear // nil: it listens to nothing
	image       *download
	answers     []answer
	unanswered  int // answers in the machine's hands
	answerTopic string

	dark       int // outages under way
	complained bool
}

// NewSensor returns a Sensor that does nothing until StartAt.
func NewSensor(g *SensorGroup, h Host, s *Scratch, id Identity) *Sensor {
	d := &Sensor{group: g, topic: id.Topic, number: id.Number, answerTopic: id.AnswerTopic}
	d.init(d, &g.Common, h, s, id)
	d.sleeps = g.Rest.Behaviour != AlwaysOn
	d.names, d.said = id.Names, math.NaN()
	d.paced = g.Pace.First(d.random())
	d.dueAt = g.Begin + g.Stages.At(d.paced)
	if g.Rest.Behaviour == StoreAndForward {
		d.uploadAt = g.Begin + time.Duration(d.random().Float64()*float64(g.Rest.Upload))
	}
	if g.Commands != nil || g.Image != nil {
		d.ears = make([]ear, earCount)
	}
	if g.Commands != nil {
		d.ears[forCommands] = ear{filter: id.CommandTopic, qos: g.Commands.QoS, wanted: true}
	}
	if g.Image != nil {
		d.ears[forImage] = ear{filter: g.Image.Topic + "/+", qos: g.Image.QoS}
		d.image = newDownload(g.Image, g.FetchFrom+time.Duration(d.random().Float64()*float64(g.FetchSpread)))
	}
	return d
}

// StopPublishing makes no further message due after now. What is due and what the device has taken on it still sends.
func (d *Sensor) StopPublishing() {
	d.flush(d.host.Now())
	d.dueAt = d.group.End
}

// Unfinished returns how many messages the device still has to send or to get acknowledged.
func (d *Sensor) Unfinished() int { return len(d.open) + len(d.stored) }

// mostUnsent is how many encoded bytes may wait for the connection before a device counts its queue as full.
const mostUnsent = 64 << 10

// work does all that is due.
func (d *Sensor) work(now time.Time) time.Time {
	if d.down.has(power) {
		return time.Time{}
	}
	next := d.produce(now)
	d.handOver(now)
	next = earlier(next, d.fetch(now))
	d.listen(now)
	next = earlier(next, d.reply(now))
	return earlier(next, d.rest(now))
}

// produce publishes what is due. It returns when the next message is.
func (d *Sensor) produce(now time.Time) time.Time {
	g := d.group
	for d.dueAt < g.End && d.dueAt <= now.Sub(d.common.Start) {
		at := d.clock.truth(d.dueAt)
		g.Payload.Step(&d.source, at, d.random())
		if d.worthSaying() {
			d.said = d.source.Value
			d.publish(now, at)
		}
		d.advance()
	}
	if d.dueAt >= g.End {
		return time.Time{}
	}
	return d.common.Start.Add(d.dueAt)
}

// advance moves the schedule on.
func (d *Sensor) advance() {
	g := d.group
	d.ticks++
	d.paced = g.Pace.Next(d.paced, d.ticks, d.random())
	d.dueAt = g.Begin + g.Stages.At(d.paced)
}

// worthSaying reports whether the present value is news.
func (d *Sensor) worthSaying() bool {
	return d.group.Pace.Kind != arrival.OnChange || !(math.Abs(d.source.Value-d.said) < d.group.MinChange)
}

// publish takes on the message that was due at intended.
func (d *Sensor) publish(now time.Time, intended time.Duration) {
	g := d.group
	h := ledger.Header{Run: g.Run, Device: d.number, Sequence: d.sequence, Intended: intended}
	d.sequence++
	g.Book.Sent(d.since(now), h)
	if len(d.unsent) > mostUnsent {
		g.Book.GaveUp(h, ledger.QueueFull)
		return
	}
	m := d.scratch.newMessage()
	m.sequence, m.Topic, m.QoS, m.Retain = h.Sequence, d.topic, g.QoS, g.Retain
	m.MessageExpiryInterval = g.MessageExpiryInterval
	m.Payload = g.Payload.Append(m.Payload[:0], &d.source, d.names, intended, h)
	if g.Rest.holds() && (g.QoS > 0 || g.Client.QueueQoS0 || d.state == ledger.Connected) {
		d.alarm = d.alarm || g.Rest.Behaviour == WakePublishSleep && d.state == ledger.Asleep
		d.take(m, h)
		return
	}
	if err := d.machine.Publish(now, core.Token(h.Sequence), &m.Publish); err != nil {
		g.Book.GaveUp(h, reason(err))
		d.scratch.recycle(m)
		d.complain(err)
		return
	}
	d.open = append(d.open, m)
}

// reason says why the machine did not take a message.
func reason(err error) ledger.Reason {
	switch {
	case errors.Is(err, core.ErrQueueFull):
		return ledger.QueueFull
	case errors.Is(err, core.ErrNotConnected):
		return ledger.Offline
	}
	return ledger.Refused
}

// complain tells once of messages that the target does not allow; that there is no connection or no room is the ledger's business.
func (d *Sensor) complain(err error) {
	if invalid := (*core.InvalidError)(nil); errors.As(err, &invalid) && !d.complained {
		d.complained = true
		d.common.Logger.Warn("device may not send its messages", "client", d.machine.ClientID(), "error", err)
	}
}

// sending stamps the first transmission of a message.
func (d *Sensor) sending(now time.Time, p *mqtt.Publish) {
	if h, ok := ledger.ParseHeader(p.Payload); ok && h.Sent == 0 && h.Run == d.group.Run {
		h.Sent = max(1, d.since(now))
		h.Replace(p.Payload)
	}
}

// done enters what became of a message.
func (d *Sensor) done(now time.Time, token core.Token, a *core.Action) {
	switch {
	case token >= tokenAnswer:
		d.unanswered--
		return
	case token >= tokenHush:
		return
	case token >= tokenListen:
		d.listened(int(token-tokenListen), a)
		return
	}
	i, ok := slices.BinarySearchFunc(d.open, uint32(token), func(m *message, sequence uint32) int { return int(m.sequence) - int(sequence) })
	if !ok {
		return
	}
	m := d.open[i]
	d.open = slices.Delete(d.open, i, i+1)
	h, _ := ledger.ParseHeader(m.Payload)
	switch {
	case errors.Is(a.Err, core.ErrExpired):
		d.group.Book.GaveUp(h, ledger.TooOld)
	case a.Err != nil || m.QoS == mqtt.AtMostOnce:
		d.group.Book.Released(h)
	default:
		d.group.Book.Acknowledged(d.since(now), h)
	}
	d.scratch.recycle(m)
}

func (d *Sensor) connected(now time.Time, ack *mqtt.Connack) {
	d.connectedAt = now
	if !ack.SessionPresent {
		d.excuse()
	}
	for i := range d.ears {
		d.ears[i].resumed(ack.SessionPresent)
	}
}

func (d *Sensor) disconnected(_ time.Time, err error) {
	if refused := (*core.RefusedError)(nil); errors.As(err, &refused) {
		d.common.Logger.Warn("device refused", "client", d.machine.ClientID(), "error", err)
	}
}

// excuse tells the ledger of the messages that were sent in a session that has ended.
func (d *Sensor) excuse() {
	for _, m := range d.open {
		h, _ := ledger.ParseHeader(m.Payload)
		d.group.Book.Excuse(h)
	}
}

// delivered takes a command or a part of an image.
func (d *Sensor) delivered(now time.Time, p *mqtt.Publish) {
	if h, ok := ledger.ParseHeader(p.Payload); ok && d.group.Commands != nil && d.group.Commands.Run == h.Run {
		d.gotCommand(now, p, h)
		return
	}
	d.gotChunk(now, p.Payload)
}

func (d *Sensor) moved(now time.Time, from, to ledger.State) {
	d.group.Book.Moved(d.since(now), d.number, from, to)
}
