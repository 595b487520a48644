package device

import (
	"errors"
	"slices"
	"time"

	"mqttlab/simulator/ledger"

	core "mqttlab/reference-broker/core/client"
)

// Behaviour says when a Sensor has a connection.
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

// Rest is when a Sensor has a connection, and what it holds while it has none.
type Rest struct {
	Behaviour Behaviour
	// Upload is the time between two connections of StoreAndForward.
	Upload time.Duration
	// Awake is how long a Sensor that sleeps stays connected at least: the time in which messages for it may come.
	Awake time.Duration
	// Queue bounds the messages a Sensor holds while it can't send, where it holds them itself; see holds.
	Queue int
	// DropOldest makes a full queue give up its oldest message instead of the newest.
	DropOldest bool
}

// holds reports whether messages wait in the Sensor and not in its machine, which can't take one back.
func (r *Rest) holds() bool { return r.Behaviour != AlwaysOn || r.DropOldest }

// take holds a message until there is a connection.
func (d *Sensor) take(m *message, h ledger.Header) {
	g := d.group
	if len(d.stored)+len(d.open) < g.Rest.Queue {
		d.stored = append(d.stored, m)
		return
	}
	if g.Rest.DropOldest && len(d.stored) > 0 {
		oldest := d.stored[0]
		h, _ = ledger.ParseHeader(oldest.Payload)
		d.scratch.recycle(oldest)
		d.stored = append(slices.Delete(d.stored, 0, 1), m)
	} else {
		d.scratch.recycle(m)
	}
	g.Book.GaveUp(h, ledger.QueueFull)
}

// handOver gives what the Sensor holds to the machine.
func (d *Sensor) handOver(now time.Time) {
	for len(d.stored) > 0 && d.machine.State() == core.Connected {
		m := d.stored[0]
		h, _ := ledger.ParseHeader(m.Payload)
		if !d.age(now, m, h) {
			d.group.Book.GaveUp(h, ledger.TooOld)
			d.scratch.recycle(m)
		} else if err := d.machine.Publish(now, core.Token(m.sequence), &m.Publish); err == nil {
			d.open = append(d.open, m)
		} else if errors.Is(err, core.ErrQueueFull) {
			return
		} else {
			d.group.Book.GaveUp(h, reason(err))
			d.scratch.recycle(m)
			d.complain(err)
		}
		d.stored = slices.Delete(d.stored, 0, 1)
	}
}

// age takes the time that a message has waited off its Message Expiry Interval; false: nothing is left of it.
func (d *Sensor) age(now time.Time, m *message, h ledger.Header) bool {
	limit := d.group.MessageExpiryInterval
	if !limit.Set {
		return true
	}
	waited := (d.since(now) - h.Intended) / time.Second
	if waited >= time.Duration(limit.Value) {
		return false
	}
	m.MessageExpiryInterval.Value = limit.Value - uint32(waited)
	return true
}

// rest lets a Sensor sleep and wakes it up. It returns when it wants to be called again.
func (d *Sensor) rest(now time.Time) time.Time {
	r := &d.group.Rest
	if r.Behaviour == AlwaysOn || d.down != 0 || d.retired {
		return time.Time{}
	}
	switch d.state {
	case ledger.Asleep:
		return d.wake(now)
	case ledger.Connected:
		if d.busy() {
			return time.Time{}
		}
		if until := d.connectedAt.Add(r.Awake); now.Before(until) {
			return until
		}
		d.resting = true
		if err := d.machine.Disconnect(now, nil); err != nil {
			d.machine.Lost(now, err)
		}
	}
	return time.Time{}
}

// busy reports whether a connected Sensor has a reason to stay so.
func (d *Sensor) busy() bool {
	return len(d.open)+len(d.stored)+len(d.unsent) > 0 || d.talking()
}

// wake plans the connection of a Sensor that sleeps.
func (d *Sensor) wake(now time.Time) time.Time {
	r := &d.group.Rest
	if r.Behaviour == StoreAndForward {
		for ; d.uploadAt <= now.Sub(d.common.Start); d.uploadAt += r.Upload {
			d.alarm = d.alarm || len(d.stored) > 0
		}
	}
	if d.alarm || d.wantsToTalk(now) {
		d.alarm = false
		d.retryAt = now
		return time.Time{}
	}
	if r.Behaviour == StoreAndForward {
		return d.common.Start.Add(d.uploadAt)
	}
	return time.Time{}
}
