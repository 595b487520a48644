package link

import (
	"math/rand/v2"
	"time"
)

// DropReason says why a packet never arrives.
type DropReason uint8

// The reasons, in the order in which a packet meets them.
const (
	Delivered   DropReason = iota // not dropped
	DropMTU                       // larger than MTUBytes
	DropOutage                    // the link was down
	DropQueue                     // the queue in front of the rate limit was full
	DropCoDel                     // CoDel kept that queue short
	DropLoss                      // lost on the way: the loss models
	DropCorrupt                   // damaged on the way: CorruptRatio or BitErrorRatio
	DropAsleep                    // the receiver slept: Sleep.Discard
	dropReasons                   // how many there are
)

// String returns the reason as a word for tables and metrics.
func (r DropReason) String() string {
	return [...]string{"delivered", "mtu", "outage", "queue", "codel", "loss", "corrupt", "asleep"}[r]
}

// Fate is what becomes of one packet.
type Fate struct {
	// At is when it arrives, since the start of the link; not before the
	// time it was sent. Zero if dropped.
	At time.Duration
	// Duplicated says that a second copy arrives right behind the first.
	Duplicated bool
	// Drop is Delivered, or why it never arrives.
	Drop DropReason
}

// Counters count packets since the start of a link.
type Counters struct {
	// Admitted packets are all that were sent; AdmittedBytes their size
	// without OverheadBytes.
	Admitted, AdmittedBytes uint64
	// Dropped packets by reason; Dropped[Delivered] stays zero.
	Dropped [dropReasons]uint64
	// Duplicated and Reordered packets.
	Duplicated, Reordered uint64
	// Airtime is the time spent serialising, lost packets included.
	Airtime time.Duration
}

// Add adds the counts of o.
func (c *Counters) Add(o Counters) {
	c.Admitted += o.Admitted
	c.AdmittedBytes += o.AdmittedBytes
	for i := range c.Dropped {
		c.Dropped[i] += o.Dropped[i]
	}
	c.Duplicated += o.Duplicated
	c.Reordered += o.Reordered
	c.Airtime += o.Airtime
}

// DroppedTotal returns the packets dropped for any reason.
func (c *Counters) DroppedTotal() uint64 {
	var n uint64
	for _, d := range c.Dropped {
		n += d
	}
	return n
}

// Link is one direction of one link. It is not safe for concurrent use: one
// owner calls Admit with times that never go back.
type Link struct {
	model      *Model
	pcg        rand.PCG
	counters   Counters
	busyUntil  int64   // serialisation of all admitted packets ends here
	position   float64 // the same in bytes that the slots or the trace can have carried until then
	slotPhase  int64   // when the first of regular slots begins
	codel      codel
	lastAt     int64 // arrival of the latest packet in order
	awakeFrom  int64 // because of traffic the sleeping receiver listens from here
	awakeUntil int64 // until here
	wakePhase  int64 // a wake-up, or the latest traffic
	knot       int64 // jitter: index of the current stretch of the curve
	zA, zB     float64
	state      uint8 // of the loss model: 1 is the bad one of two, or the paper's number of four
	fadeAt     int64 // when it was looked at last
}

// New returns a link at time zero. The same model, seed and stream give the same
// link; the stream tells apart links that share a seed, such as the two
// directions of a device.
func New(m *Model, seed, stream uint64) *Link {
	l := &Link{}
	l.Init(m, seed, stream)
	return l
}

// Init makes l a new link, as New does, where a caller keeps many of them by
// value.
func (l *Link) Init(m *Model, seed, stream uint64) {
	*l = Link{model: m, knot: -2}
	l.pcg.Seed(seed, stream)
	l.settle()
}

// settle draws the parts of the state that start at random.
func (l *Link) settle() {
	c := &l.model.config
	l.settleLoss()
	if c.Sleep.Interval > 0 {
		l.wakePhase = int64(l.float() * float64(c.Sleep.Interval))
	}
	if c.Slots.Interval > 0 && len(c.Slots.Starts) == 0 {
		l.slotPhase = int64(l.float() * float64(c.Slots.Interval))
	}
	l.resume()
}

// SetModel changes how packets sent from now on are treated. Packets under way,
// the backlog, the random source and the counters stay.
func (l *Link) SetModel(m *Model) {
	l.model = m
	l.knot = -2
	l.settle()
}

// Model returns the model in force.
func (l *Link) Model() *Model { return l.model }

// Counters returns the counts so far.
func (l *Link) Counters() Counters { return l.counters }

// Admit sends a packet of so many bytes at now, the time since the start of the
// link, and returns what becomes of it. It does not allocate.
func (l *Link) Admit(now time.Duration, bytes int) Fate {
	m := l.model
	l.counters.Admitted++
	l.counters.AdmittedBytes += uint64(bytes)
	if bytes > m.mtuBytes {
		return l.drop(DropMTU)
	}
	fragments := m.fragments(bytes)
	airBytes := m.airBytes(bytes, fragments)
	sent, lost := int64(now), false
	if len(m.config.Outages) > 0 {
		if sent, lost = m.duringOutage(sent); lost {
			return l.drop(DropOutage)
		}
	}
	var why DropReason
	switch m.pacing {
	case unpaced:
	case atRate:
		sent, why = l.transmitAtRate(sent, airBytes)
	default:
		sent, why = l.transmit(sent, airBytes)
	}
	if why != Delivered {
		return l.drop(why)
	}
	if m.hazards {
		if why = l.cross(sent, fragments, airBytes); why != Delivered {
			return l.drop(why)
		}
	}
	at := sent
	if m.jitters {
		at += l.jittered(sent)
	} else {
		at += int64(m.meanDelay)
	}
	if m.trace != nil {
		at += m.trace.delay(sent)
	}
	if m.config.Sleep.Interval > 0 {
		if at, lost = l.wake(at); lost {
			return l.drop(DropAsleep)
		}
	}
	return l.arrive(at)
}

// arrive applies the order of delivery and duplication to an arrival time.
func (l *Link) arrive(at int64) Fate {
	c := &l.model.config
	if c.ReorderRatio > 0 && l.chance(c.ReorderRatio) {
		l.counters.Reordered++
		at += int64(c.ReorderDelay)
	} else if !c.Unordered {
		at = max(at, l.lastAt)
		l.lastAt = at
	}
	f := Fate{At: time.Duration(at)}
	if c.DuplicateRatio > 0 && l.chance(c.DuplicateRatio) {
		l.counters.Duplicated++
		f.Duplicated = true
	}
	return f
}

func (l *Link) drop(why DropReason) Fate {
	l.counters.Dropped[why]++
	return Fate{Drop: why}
}

// chance is true with probability p.
func (l *Link) chance(p float64) bool { return l.float() < p }

// float returns a number in [0, 1).
func (l *Link) float() float64 { return float64(l.pcg.Uint64()>>11) / (1 << 53) }
