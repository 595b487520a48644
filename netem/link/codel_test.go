package link

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// rfc8289 is CoDel as section 5 of RFC 8289 writes it down, around a real queue.
type rfc8289 struct {
	target, interval         int64
	queue                    []queued
	bytes                    int
	firstAboveTime, dropNext int64
	count, lastCount         uint32
	dropping                 bool
	dropped                  []int
	sparesTheLast            bool // the rule that a Link cannot keep
}

type queued struct {
	number, bytes int
	at            int64
}

const maxPacket = 1500

func (q *rfc8289) dodeque(now int64) (p *queued, okToDrop bool) {
	if len(q.queue) == 0 {
		q.firstAboveTime = 0
		return nil, false
	}
	p = &q.queue[0]
	q.queue = q.queue[1:]
	q.bytes -= p.bytes
	switch {
	case now-p.at < q.target || q.sparesTheLast && q.bytes <= maxPacket:
		q.firstAboveTime = 0
	case q.firstAboveTime == 0:
		q.firstAboveTime = now + q.interval
	default:
		okToDrop = now >= q.firstAboveTime
	}
	return p, okToDrop
}

func (q *rfc8289) law(t int64) int64 {
	return t + int64(float64(q.interval)/math.Sqrt(float64(q.count)))
}

func (q *rfc8289) deque(now int64) *queued {
	p, okToDrop := q.dodeque(now)
	switch {
	case q.dropping:
		if !okToDrop {
			q.dropping = false
		}
		for now >= q.dropNext && q.dropping {
			q.dropped = append(q.dropped, p.number)
			q.count++
			if p, okToDrop = q.dodeque(now); !okToDrop {
				q.dropping = false
			} else {
				q.dropNext = q.law(q.dropNext)
			}
		}
	case okToDrop:
		q.dropped = append(q.dropped, p.number)
		p, _ = q.dodeque(now)
		q.dropping = true
		delta := q.count - q.lastCount
		q.count = 1
		if delta > 1 && now-q.dropNext < 16*q.interval {
			q.count = delta
		}
		q.dropNext = q.law(now)
		q.lastCount = q.count
	}
	return p
}

// run sends packets through the queue at 1 byte per microsecond.
func (q *rfc8289) run(sent []queued) {
	free := int64(0)
	for len(sent) > 0 || len(q.queue) > 0 {
		for len(sent) > 0 && (sent[0].at <= free || len(q.queue) == 0) {
			q.queue = append(q.queue, sent[0])
			q.bytes += sent[0].bytes
			sent = sent[1:]
		}
		free = max(free, q.queue[0].at)
		if p := q.deque(free); p != nil {
			free += int64(p.bytes) * 1000
		}
	}
}

// load is traffic that swells and ebbs within a time, between shares of the rate of
// the link.
func load(seconds, within, low, high float64) (sent []queued) {
	random := rand.New(rand.NewPCG(3, 4))
	for at := 0.0; at < seconds*1e9; {
		bytes := 200 + random.IntN(maxPacket-199)
		share := low + (high-low)*(1+math.Sin(at*2*math.Pi/(within*1e9)))/2
		at += random.ExpFloat64() * float64(bytes) * 1000 / share
		sent = append(sent, queued{len(sent), bytes, int64(at)})
	}
	return sent
}

func codelLink(t testing.TB) *Link {
	return mustLink(t, Config{RateBitsPerSecond: 8e6, CoDel: CoDel{Target: 5 * ms, Interval: 100 * ms}}, 1)
}

// TestCoDelIsThatOfRFC8289 sends the same traffic through the algorithm of the RFC:
// packet by packet the same without the rule that spares the last packets of a
// queue, and nearly as many losses with it.
func TestCoDelIsThatOfRFC8289(t *testing.T) {
	for name, sent := range map[string][]queued{
		"long overloads":                load(60, 12, 0.3, 1.6),
		"overloads in quick succession": load(60, 0.7, 0.2, 2.2),
		"small bursts":                  load(60, 0.31, 0, 3),
	} {
		l := codelLink(t)
		var dropped []int
		for _, p := range sent {
			if l.Admit(time.Duration(p.at), p.bytes).Drop == DropCoDel {
				dropped = append(dropped, p.number)
			}
		}
		reference := func(sparesTheLast bool) []int {
			q := rfc8289{target: int64(5 * ms), interval: int64(100 * ms), sparesTheLast: sparesTheLast}
			q.run(sent)
			return q.dropped
		}
		without, whole := reference(false), reference(true)
		t.Logf("%s: of %d packets the link drops %d, the RFC %d, with its rule for the last packets %d", name, len(sent), len(dropped), len(without), len(whole))
		if len(dropped) < 100 || !slices.Equal(dropped, without) {
			t.Errorf("%s: the link drops other packets than the RFC", name)
		}
		near(t, name+": packets dropped", float64(len(dropped)), float64(len(whole)), 0.05)
	}
}

// TestCoDelForgetsWhenTheQueueRunsEmpty: behind a dropped packet there was nothing, and
// the next one waits for a late slot, not in a queue.
func TestCoDelForgetsWhenTheQueueRunsEmpty(t *testing.T) {
	p := CoDel{Target: 5 * ms, Interval: 100 * ms}
	var s codel
	for _, step := range []struct {
		now  time.Duration
		want bool
	}{{0, false}, {100 * ms, true}, {150 * ms, false}, {200 * ms, false}, {249 * ms, false}, {250 * ms, true}} {
		if got := s.drops(&p, int64(step.now), int64(10*ms)); got != step.want {
			t.Errorf("at %v: drops is %v, want %v", step.now, got, step.want)
		}
	}
}

// TestCoDelControlLaw overloads a link for good: between drops number n and n+1
// there must be Interval/√n, counted from the time that each would have left, in whole nanoseconds.
func TestCoDelControlLaw(t *testing.T) {
	const bytes, airtime = 100, 100 * time.Microsecond
	l := codelLink(t)
	var last time.Duration
	n, sum := 0, 0.0
	for now := time.Duration(0); n < 300; now += airtime * 10 / 11 {
		leaves := max(now, time.Duration(l.busyUntil))
		if l.Admit(now, bytes).Drop == Delivered {
			continue
		}
		if n > 0 {
			want := float64(100*ms) / math.Sqrt(float64(n))
			sum += want
			if late := float64(leaves-last) - sum; late < -float64(n) || late > float64(airtime) {
				t.Fatalf("drop %d is at %v since the first, theory says %v or up to a packet later", n+1, leaves-last, time.Duration(sum))
			}
		} else {
			last = leaves
		}
		n++
	}
}

// TestCoDelKeepsTheWaitShort compares the wait under an overload that answers to
// losses as TCP does, halving its rate, with that of tail drop. Without any queue
// such a sender uses three quarters of the rate.
func TestCoDelKeepsTheWaitShort(t *testing.T) {
	const bytes, least = 1000, 0.05 // the share of the rate that the sender never goes below
	wait := func(c Config) (sojourn time.Duration, used float64) {
		c.RateBitsPerSecond, c.QueueBytes = 8e6, 250_000
		l := mustLink(t, c, 1)
		share, halved, n := 1.0, time.Duration(0), 0
		var sum, now time.Duration
		for ; now < 100*time.Second; now += time.Duration(bytes * 1000 / share) {
			f := l.Admit(now, bytes)
			if f.Drop == Delivered {
				sum += f.At - now - bytes*1000
				n++
				share += 0.0002
			} else if now-halved > 50*ms { // a round trip
				share, halved = max(share/2, least), now
			}
		}
		return sum / time.Duration(n), float64(n*bytes*1000) / float64(now)
	}
	tail, tailUsed := wait(Config{})
	codel, codelUsed := wait(Config{CoDel: CoDel{Target: 5 * ms, Interval: 100 * ms}})
	t.Logf("tail drop: wait %v, %.3f of the rate used; CoDel: %v, %.3f", tail, tailUsed, codel, codelUsed)
	if codel > 5*ms || tail < 50*ms || codelUsed < 0.75 {
		t.Errorf("CoDel keeps the wait at %v with %.3f of the rate used, tail drop at %v", codel, codelUsed, tail)
	}
}
