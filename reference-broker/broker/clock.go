package broker

import "time"

// clockTick is the shortest sleep of the clock: the protocol counts in seconds, and what is due within a tick is done together.
const clockTick = time.Millisecond

// clock is the goroutine that calls Advance when the machine's deadline comes.
func (b *Broker) clock() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-b.done:
			return
		case <-b.hub.alarm:
		case <-timer.C:
		}
		if wait, ok := b.hub.advance(); ok {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
	}
}

// advance does what is due and returns the time until the next deadline; ok is false if there is none.
func (h *hub) advance() (wait time.Duration, ok bool) {
	h.mu.Lock()
	now := time.Now()
	if at, ok := h.machine.Deadline(); ok && !at.After(now) {
		h.machine.Advance(now)
		h.drain()
	}
	h.wakeAt = time.Time{}
	at, ok := h.machine.Deadline()
	if ok {
		h.wakeAt, wait = at, max(at.Sub(now), clockTick)
	}
	h.mu.Unlock()
	h.flush()
	return wait, ok
}
