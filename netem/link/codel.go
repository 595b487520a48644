package link

import (
	"math"
	"time"
)

// CoDel is Controlled Delay queue management (RFC 8289): once packets have waited
// for more than Target all through an Interval, packets are dropped, the n-th at
// Interval/√n after the one before, until a packet waits for less. Marking (ECN)
// is not done.
//
// A link knows how long a packet will wait as soon as it is sent, so the algorithm
// runs then, with the times at which packets will leave the queue. One rule of the
// RFC cannot be kept so: it spares packets that leave less than a full packet
// behind, which depends on what is sent later.
type CoDel struct {
	// Target is the wait that is tolerated as a standing queue. Zero turns
	// CoDel off. The RFC has 5 ms, and at low rates at least the airtime of a
	// full packet (RFC 8290, section 5.2.2): less is refused.
	Target time.Duration
	// Interval is how long a burst may last without losses: the longest
	// round trip expected. The RFC has 100 ms. Longer than Target.
	Interval time.Duration
}

// codel is the state of CoDel, with the names of RFC 8289, section 5.
type codel struct {
	firstAboveTime int64
	dropNext       int64
	droppedAt      int64
	count          uint32
	lastCount      uint32
	dropping       bool
	after          afterDrop
}

// afterDrop says what the RFC does with the packet behind a dropped one: it is
// taken from the queue at the same instant.
type afterDrop uint8

const (
	normally     afterDrop = iota
	afterEntry             // the drop state was entered: deliver it
	afterAnother           // within the drop state: drop it too if it is time
)

// drops decides about a packet that leaves the queue at now after a wait.
func (s *codel) drops(p *CoDel, now, sojourn int64) bool {
	if s.after != normally && now != s.droppedAt {
		// There was no packet behind the dropped one: the queue ran empty.
		s.firstAboveTime, s.after = 0, normally
	}
	okToDrop := s.above(p, now, sojourn)
	after := s.after
	s.after = normally
	switch {
	case after == afterEntry:
		return false
	case !s.dropping && !okToDrop:
		return false
	case !s.dropping:
		s.enter(p, now)
		return s.drop(now, afterEntry)
	case !okToDrop:
		s.dropping = false
		return false
	case after == afterAnother:
		s.dropNext = s.controlLaw(p, s.dropNext)
	}
	if now < s.dropNext {
		return false
	}
	s.count++
	return s.drop(now, afterAnother)
}

// above tells whether packets have waited for more than the target during a whole
// interval.
func (s *codel) above(p *CoDel, now, sojourn int64) bool {
	if sojourn < int64(p.Target) {
		s.firstAboveTime = 0
		return false
	}
	if s.firstAboveTime == 0 {
		s.firstAboveTime = now + int64(p.Interval)
		return false
	}
	return now >= s.firstAboveTime
}

// enter begins the drop state, at the rate of the last time if that is not long ago.
func (s *codel) enter(p *CoDel, now int64) {
	s.dropping = true
	delta := s.count - s.lastCount
	s.count = 1
	if delta > 1 && now-s.dropNext < 16*int64(p.Interval) {
		s.count = delta
	}
	s.dropNext = s.controlLaw(p, now)
	s.lastCount = s.count
}

func (s *codel) drop(now int64, after afterDrop) bool {
	s.droppedAt, s.after = now, after
	return true
}

func (s *codel) controlLaw(p *CoDel, t int64) int64 {
	return t + int64(float64(p.Interval)/math.Sqrt(float64(s.count)))
}
