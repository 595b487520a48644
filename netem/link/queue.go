package link

import "time"

// pacing is what decides when packets go on the air.
type pacing uint8

const (
	unpaced pacing = iota // at once
	atRate                // one after the other at RateBitsPerSecond
	inSlots               // in Slots only
	onTrace               // at the rates of a Trace
)

// transmission is when a packet would be on the air, in slots or on a trace.
type transmission struct {
	start, end int64   // its first and its last bit
	airtime    int64   // of its bits alone
	position   float64 // see Link.position
	full       bool    // it does not fit into the queue
}

// compilePacing prepares rate, slots and trace.
func (m *Model) compilePacing() {
	c := &m.config
	m.codel = c.CoDel.Target > 0
	if c.RateBitsPerSecond > 0 {
		m.pacing = atRate
		m.nanosPerByte = 8e9 / c.RateBitsPerSecond
		m.busyPerByte = m.nanosPerByte
		if c.DutyCycleRatio > 0 {
			m.silent = true
			m.busyPerByte /= c.DutyCycleRatio
		}
		m.queueNanos = int64(float64(c.QueueBytes) * m.busyPerByte)
	}
	if c.Slots.Interval > 0 {
		m.pacing = inSlots
	}
	if len(c.Trace.Rows) > 0 {
		m.trace = compileTrace(&c.Trace)
		if m.trace.paces {
			m.pacing = onTrace
		}
	}
}

// transmit queues a packet for slots or a trace behind the others and returns when
// its last bit is on the air, or why the queue dropped it.
func (l *Link) transmit(sent int64, airBytes int) (end int64, why DropReason) {
	m := l.model
	var t transmission
	if m.pacing == inSlots {
		t = l.planInSlots(sent, airBytes)
	} else {
		t = l.planOnTrace(sent, airBytes)
	}
	if t.full {
		return 0, DropQueue
	}
	if m.codel && l.codel.drops(&m.config.CoDel, t.start, t.start-sent) {
		return 0, DropCoDel
	}
	l.busyUntil = t.end
	l.position = t.position
	l.counters.Airtime += time.Duration(t.airtime)
	return t.end, Delivered
}

// transmitAtRate does the same at a fixed rate, by far the most common.
func (l *Link) transmitAtRate(sent int64, airBytes int) (end int64, why DropReason) {
	m := l.model
	start := max(sent, l.busyUntil)
	airtime := int64(float64(airBytes) * m.nanosPerByte)
	end = start + airtime
	free := end
	if m.silent {
		free = start + int64(float64(airBytes)*m.busyPerByte)
	}
	// The backlog is measured as time, which at a fixed rate is the same as
	// bytes, OverheadBytes included.
	if m.queueNanos > 0 && free-sent > m.queueNanos {
		return 0, DropQueue
	}
	if m.codel && l.codel.drops(&m.config.CoDel, start, start-sent) {
		return 0, DropCoDel
	}
	l.busyUntil = free
	l.counters.Airtime += time.Duration(airtime)
	return end, Delivered
}

// fits reports whether the queue holds so many bytes.
func (m *Model) fits(backlog float64) bool {
	return m.config.QueueBytes == 0 || backlog <= float64(m.config.QueueBytes)
}

// resume takes the backlog over when the model changes.
func (l *Link) resume() {
	switch m := l.model; m.pacing {
	case inSlots:
		s := &m.config.Slots
		l.position = float64(s.begun(l.busyUntil, l.slotPhase)) * float64(s.Bytes)
	case onTrace:
		l.position = m.trace.carriedUntil(l.busyUntil)
	}
}
