package link

import "time"

// serialise queues a packet behind the others and returns when its last bit is
// on the air, or false if it does not fit into the queue.
func (l *Link) serialise(sent int64, airBytes int) (int64, bool) {
	m := l.model
	airtime := int64(float64(airBytes) * m.nanosPerByte)
	start := max(sent, l.busyUntil)
	end := start + airtime
	// The backlog is measured as time on the air, which with a fixed rate
	// is the same as bytes, OverheadBytes included.
	if m.queueNanos > 0 && end-sent > m.queueNanos {
		return 0, false
	}
	l.busyUntil = end
	l.counters.Airtime += time.Duration(airtime)
	return end, true
}
