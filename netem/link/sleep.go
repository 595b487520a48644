package link

import "time"

// Sleep describes a receiver that saves power: it listens at fixed instants, and
// for a while after any traffic. A packet for a sleeping receiver waits at the
// sender's side for the next instant. Examples are the DTIM beacon of Wi-Fi, and
// connected-mode DRX of LTE.
type Sleep struct {
	// Interval is the time between two wake-ups. Zero means always awake.
	Interval time.Duration
	// AwakeAfterTraffic is how long the receiver keeps listening after a
	// packet in either direction (see Link.Touch). Zero means not at all.
	AwakeAfterTraffic time.Duration
}

// wake returns when a receiver that sleeps takes a packet that reaches it at a
// time, and keeps it awake from then on.
func (l *Link) wake(at int64) int64 {
	s := &l.model.config.Sleep
	if at >= l.awakeUntil {
		period := int64(s.Interval)
		since := (at - l.wakePhase) % period
		if since < 0 {
			since += period
		}
		if since > 0 {
			at += period - since
		}
	}
	l.awakeUntil = max(l.awakeUntil, at+int64(s.AwakeAfterTraffic))
	return at
}
