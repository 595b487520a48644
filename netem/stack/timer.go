package stack

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Timer calls a function on the event loop at a time. It is made by
// Network.NewTimer, can be set any number of times, and costs nothing while
// stopped. Setting it later again and again, as a keep alive does, leaves one
// entry in the event heap, not one per call.
type Timer struct {
	n     *Network
	f     func()
	class uint64

	// Guarded by n.mu, because TCP sets its timers from its own goroutines.
	armed  bool
	at     int64
	seq    uint64
	queued int64 // time of the heap entry that counts; -1 without one
}

// NewTimer returns a stopped timer that will call f.
func (n *Network) NewTimer(f func()) *Timer {
	return &Timer{n: n, f: f, class: classTimer, queued: -1}
}

// At calls f at a time, or as soon as possible if that is past.
func (n *Network) At(at time.Time, f func()) *Timer {
	t := n.NewTimer(f)
	t.Set(at)
	return t
}

// Set makes the timer fire at a time instead of any earlier setting.
func (t *Timer) Set(at time.Time) { t.set(int64(at.Sub(t.n.epoch))) }

// Stop makes the timer not fire, and reports whether it would have.
func (t *Timer) Stop() bool {
	t.n.mu.Lock()
	defer t.n.mu.Unlock()
	was := t.armed
	t.armed = false
	return was
}

func (t *Timer) set(at int64) {
	n := t.n
	n.mu.Lock()
	n.timerSeq++
	t.armed, t.at, t.seq = true, max(at, 0), n.timerSeq
	if t.queued < 0 || t.at < t.queued {
		t.enqueueLocked()
		n.wakeLocked(t.at)
	}
	n.mu.Unlock()
}

func (t *Timer) enqueueLocked() {
	t.queued = t.at
	t.n.events.push(entry{at: t.at, order: t.class | t.seq, timer: t})
}

// dueLocked is called with a heap entry of the timer and reports whether the
// timer fires now. An entry that does not count any more is dropped, and one that
// the timer has outlived is moved.
func (t *Timer) dueLocked(e *entry) bool {
	if e.at != t.queued {
		return false
	}
	t.queued = -1
	if !t.armed {
		return false
	}
	if t.at > e.at {
		t.enqueueLocked()
		return false
	}
	t.armed = false
	return true
}

// clock is that of the TCP/IP stacks: gVisor's timers are entries of the same heap
// as everything else, and fire on the loop. gVisor lets a timer that is not wanted
// any more go off, one per message: here that costs no goroutine, and in virtual
// time nothing overtakes anything.
type clock struct{ n *Network }

func (c clock) Now() time.Time { return c.n.Now() }

func (c clock) NowMonotonic() tcpip.MonotonicTime {
	return tcpip.MonotonicTime{}.Add(time.Duration(c.n.elapsed()))
}

func (c clock) AfterFunc(d time.Duration, f func()) tcpip.Timer {
	t := &Timer{n: c.n, f: f, class: classTCPTimer, queued: -1}
	tcpTimer{t}.Reset(d)
	return tcpTimer{t}
}

// tcpTimer is a Timer with gVisor's method names.
type tcpTimer struct{ *Timer }

func (t tcpTimer) Reset(d time.Duration) { t.set(t.n.elapsed() + int64(d)) }
