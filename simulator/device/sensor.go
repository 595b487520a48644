package device

import (
	"errors"
	"slices"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/arrival"
	"mqttlab/simulator/ledger"

	core "mqttlab/reference-broker/core/client"
)

// SensorGroup is what the Sensors of a group have in common.
type SensorGroup struct {
	Common
	Book *ledger.Book
	Run  uint32
	Pace arrival.Pace
	// Begin and End bound the schedule, from the start of the run: messages are due at Begin or after it, and before End.
	Begin, End   time.Duration
	QoS          mqtt.QoS
	Retain       bool
	PayloadBytes int // at least ledger.HeaderBytes
	// MessageExpiryInterval in seconds, of 5.0. Unset: messages keep.
	MessageExpiryInterval mqtt.Opt[uint32]
}

// Identity is what one device has for itself.
type Identity struct {
	Number   uint32 // within the fleet
	ClientID string
	Topic    string // of Sensors
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
	open     []*message    // in the machine's hands, by sequence

	dark       int // outages under way
	complained bool
}

// NewSensor returns a Sensor that does nothing until StartAt.
func NewSensor(g *SensorGroup, h Host, s *Scratch, id Identity) *Sensor {
	d := &Sensor{group: g, topic: id.Topic, number: id.Number}
	d.init(d, &g.Common, h, s, id)
	d.dueAt = g.Begin + g.Pace.First(d.random())
	return d
}

// StopPublishing makes no further message due after now. What is due and what the device has taken on it still sends.
func (d *Sensor) StopPublishing() {
	d.flush(d.host.Now())
	d.dueAt = d.group.End
}

// Unfinished returns how many messages the device still has to send or to get acknowledged.
func (d *Sensor) Unfinished() int { return len(d.open) }

// mostUnsent is how many encoded bytes may wait for the connection before a device counts its queue as full.
const mostUnsent = 64 << 10

// work publishes what is due.
func (d *Sensor) work(now time.Time) time.Time {
	g := d.group
	if d.down.has(power) {
		return time.Time{}
	}
	for d.dueAt < g.End && d.dueAt <= now.Sub(d.common.Start) {
		d.publish(now, d.clock.truth(d.dueAt))
		d.dueAt = g.Pace.Next(d.dueAt, d.random())
	}
	if d.dueAt >= g.End {
		return time.Time{}
	}
	return d.common.Start.Add(d.dueAt)
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
	m := d.scratch.newMessage(g.PayloadBytes)
	m.sequence, m.Topic, m.QoS, m.Retain = h.Sequence, d.topic, g.QoS, g.Retain
	m.MessageExpiryInterval = g.MessageExpiryInterval
	h.Put(m.Payload)
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
	if h, ok := ledger.ParseHeader(p.Payload); ok && h.Sent == 0 {
		h.Sent = max(1, d.since(now))
		h.Put(p.Payload)
	}
}

// done enters what became of a message.
func (d *Sensor) done(now time.Time, token core.Token, a *core.Action) {
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

func (d *Sensor) connected(time.Time, *mqtt.Connack) {}

func (d *Sensor) disconnected(_ time.Time, err error) {
	if refused := (*core.RefusedError)(nil); errors.As(err, &refused) {
		d.common.Logger.Warn("device refused", "client", d.machine.ClientID(), "error", err)
	}
}

func (d *Sensor) delivered(time.Time, *mqtt.Publish) {}

func (d *Sensor) moved(now time.Time, from, to ledger.State) {
	d.group.Book.Moved(d.since(now), d.number, from, to)
}
