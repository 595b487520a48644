package link

import "time"

// Sleep describes a receiver that saves power: it listens at fixed instants, and
// for a while after any traffic. A packet for a sleeping receiver waits at the
// sender's side for the next instant: one that comes at any time waits for
// (Interval − Window)²/(2·Interval) on average.
//
//	DTIM of Wi-Fi (IEEE 802.11)   Interval: beacons of 102.4 ms × listen interval
//	connected-mode DRX            Interval: drxCycle, Window: onDurationTimer,
//	  (3GPP TS 36.321)            AwakeAfterTraffic: drxInactivityTimer
//	eDRX (TS 23.682, TS 24.008)   Interval: cycle, 5.12 s to 10,485.76 s,
//	                              Window: paging time window, 1.28 s to 40.96 s
//	PSM (TS 23.682, TS 24.301)    Interval: T3412 extended, Window and
//	                              AwakeAfterTraffic: T3324, AfterTraffic: true
type Sleep struct {
	// Interval is the time between two wake-ups. Zero means always awake.
	// At most MaxSleep. The first comes at a time that is random for each link.
	Interval time.Duration
	// Window is how long the receiver listens at each wake-up. Zero means
	// just long enough to hear that something waits.
	Window time.Duration
	// AwakeAfterTraffic is how long the receiver keeps listening after a
	// packet in either direction (see Link.Touch). Zero means not at all.
	AwakeAfterTraffic time.Duration
	// AfterTraffic counts Interval from the latest packet in either
	// direction, instead of waking up at fixed times.
	AfterTraffic bool
	// Discard loses packets for a sleeping receiver, as DropAsleep, where a
	// network does not keep them.
	Discard bool
}

// MaxSleep is the longest Interval: 31 times 320 hours, the greatest value of
// T3412 extended (3GPP TS 24.008, GPRS timer 3).
const MaxSleep = 31 * 320 * time.Hour

func (s *Sleep) check(v *mistakes) {
	if s.Interval < 0 || s.Interval > MaxSleep {
		v.add("Sleep.Interval is %v: must be between 0 (always awake) and %v", s.Interval, MaxSleep)
	}
	if s.Window < 0 || s.Window > s.Interval && s.Interval > 0 {
		v.add("Sleep.Window is %v: must be between 0 and Sleep.Interval %v", s.Window, s.Interval)
	}
	if s.AwakeAfterTraffic < 0 || s.AwakeAfterTraffic > MaxSleep {
		v.add("Sleep.AwakeAfterTraffic is %v: must be between 0 and %v", s.AwakeAfterTraffic, MaxSleep)
	}
	if s.Interval != 0 {
		return
	}
	if s.Window != 0 {
		v.add("Sleep.Window needs a Sleep.Interval: without one the receiver never sleeps")
	}
	if s.AwakeAfterTraffic != 0 {
		v.add("Sleep.AwakeAfterTraffic needs a Sleep.Interval: without one the receiver never sleeps")
	}
	if s.AfterTraffic || s.Discard {
		v.add("Sleep.AfterTraffic and Sleep.Discard need a Sleep.Interval: without one the receiver never sleeps")
	}
}

// wake returns when a receiver that sleeps takes a packet that reaches it at a
// time, and keeps it awake from then on; or that the packet is lost.
func (l *Link) wake(at int64) (when int64, lost bool) {
	s := &l.model.config.Sleep
	switch {
	case at < l.awakeFrom: // it will wake up for an earlier packet
		if s.Discard {
			return 0, true
		}
		at = l.awakeFrom
	case at >= l.awakeUntil:
		wait := l.untilListening(at)
		if wait > 0 && s.Discard {
			return 0, true
		}
		at += wait
		l.awakeFrom = at
	}
	l.keepAwake(at)
	return at, false
}

// untilListening returns how long a receiver that is not kept awake by traffic
// goes on sleeping.
func (l *Link) untilListening(at int64) int64 {
	s := &l.model.config.Sleep
	period := int64(s.Interval)
	since := (at - l.wakePhase) % period
	if since < 0 {
		since += period
	}
	if since == 0 || since < int64(s.Window) {
		return 0
	}
	return period - since
}

// keepAwake makes the receiver listen because of traffic at a time.
func (l *Link) keepAwake(at int64) {
	s := &l.model.config.Sleep
	l.awakeUntil = max(l.awakeUntil, at+int64(s.AwakeAfterTraffic))
	if s.AfterTraffic {
		l.wakePhase = at
	}
}

// Touch tells a sleeping receiver about traffic in the other direction, which it
// sends itself: it is awake now, and stays so for Sleep.AwakeAfterTraffic. If
// packets waited for it, they need not wait any longer: released says that what was
// due at due or later arrives at the time now instead, in the same order.
func (l *Link) Touch(at time.Duration) (due, now time.Duration, released bool) {
	if l.model.config.Sleep.Interval == 0 {
		return 0, 0, false
	}
	sent := int64(at)
	if sent < l.awakeFrom {
		due, now, released = time.Duration(l.awakeFrom), at+l.model.meanDelay, true
		l.lastAt = min(l.lastAt, int64(now))
		l.awakeFrom, l.awakeUntil = sent, sent
	} else if sent >= l.awakeUntil {
		l.awakeFrom = sent
	}
	l.keepAwake(sent)
	return due, now, released
}
