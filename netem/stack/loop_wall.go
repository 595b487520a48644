package stack

import (
	"context"
	"time"
)

// batchSize is how many due events the loop takes at once: enough to make the
// lock cheap, few enough that sockets get their turn while what belongs to them is
// still in the processor's cache.
const batchSize = 32

// lookEvery is how long, in nanoseconds, a loop that is too busy to sleep may leave
// the sockets of targets alone.
const lookEvery = int64(100 * time.Microsecond)

// runWall is the event loop on the wall clock. It owns everything that is said
// in Network to belong to the loop.
func (n *Network) runWall(ctx context.Context, limit int64) error {
	stop := context.AfterFunc(ctx, func() { n.Post(func() {}) })
	defer stop()
	looked := int64(0) // when the sockets of targets were, the last time
	n.mu.Lock()
	n.lateness.resume(n.elapsed())
	n.mu.Unlock()
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		busy := n.runPosted()
		next := n.takeDue()
		for i := range n.due {
			n.happen(&n.due[i])
			n.due[i] = entry{}
		}
		busy = busy || len(n.due) > 0
		busy = n.callReady() || busy
		busy = n.serveSplices() || busy
		now := n.elapsed()
		switch {
		case now >= limit:
			return nil
		case !busy:
			if n.sleep(min(next, limit)) {
				looked = now
			}
		case now-looked > lookEvery:
			n.sleeper.poll()
			looked = now
		}
	}
}

// takeDue moves due events from the heap to n.due, notes how late they are, and
// returns when the next one is due.
func (n *Network) takeDue() int64 {
	n.due = n.due[:0]
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.elapsed()
	next := n.lateness.beat(now)
	for len(n.events) > 0 && len(n.due) < batchSize {
		if n.events[0].at > now {
			return min(next, n.events[0].at)
		}
		e := n.events.pop()
		if e.timer != nil && !e.timer.dueLocked(&e) {
			continue
		}
		n.lateness.record(now, now-e.at)
		n.due = append(n.due, e)
	}
	return next
}

// happen makes one event happen.
func (n *Network) happen(e *entry) {
	if e.timer != nil {
		e.timer.f()
		return
	}
	n.deliver(e)
}

// sleep waits until a time, or until something is to happen earlier. It reports false
// if that was so from the start, and the sockets of targets were not looked at.
func (n *Network) sleep(until int64) bool {
	n.mu.Lock()
	if len(n.ready) > 0 || len(n.spliced) > 0 || len(n.posted) > 0 || len(n.events) > 0 && n.events[0].at < until {
		n.mu.Unlock()
		return false
	}
	n.sleepUntil = until
	n.sleeper.set(time.Duration(until - n.elapsed()))
	n.mu.Unlock()
	n.sleeper.sleep()
	n.mu.Lock()
	n.sleepUntil = 0
	n.mu.Unlock()
	return true
}
