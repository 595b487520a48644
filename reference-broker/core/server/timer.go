package server

import "time"

// timer is a point in time that its owner waits for. It hangs in at most one place of the heap.
type timer struct {
	at    time.Duration
	index int // place in the heap plus 1; 0: not set
	owner interface{ due(m *Machine) }
}

// timers is a binary heap of the timers that are set, the earliest first.
type timers struct{ heap []*timer }

// next returns the earliest time.
func (h *timers) next() (at time.Duration, ok bool) {
	if len(h.heap) == 0 {
		return 0, false
	}
	return h.heap[0].at, true
}

// due takes the earliest timer out if its time has come and returns its owner, otherwise nil.
func (h *timers) due(now time.Duration) interface{ due(m *Machine) } {
	if len(h.heap) == 0 || h.heap[0].at > now {
		return nil
	}
	t := h.heap[0]
	h.stop(t)
	return t.owner
}

// set starts t, or moves it if it runs.
func (h *timers) set(t *timer, at time.Duration) {
	t.at = at
	if t.index == 0 {
		h.heap = append(h.heap, t)
		t.index = len(h.heap)
	}
	h.down(h.up(t.index - 1))
}

// stop takes t out; one that does not run stays so.
func (h *timers) stop(t *timer) {
	if t.index == 0 {
		return
	}
	i, last := t.index-1, len(h.heap)-1
	h.place(i, h.heap[last])
	h.heap[last] = nil
	h.heap = h.heap[:last]
	t.index = 0
	if i < last {
		h.down(h.up(i))
	}
}

func (h *timers) place(i int, t *timer) {
	h.heap[i] = t
	t.index = i + 1
}

func (h *timers) up(i int) int {
	t := h.heap[i]
	for i > 0 {
		parent := (i - 1) / 2
		if h.heap[parent].at <= t.at {
			break
		}
		h.place(i, h.heap[parent])
		i = parent
	}
	h.place(i, t)
	return i
}

func (h *timers) down(i int) {
	t := h.heap[i]
	for {
		child := 2*i + 1
		if child >= len(h.heap) {
			break
		}
		if child+1 < len(h.heap) && h.heap[child+1].at < h.heap[child].at {
			child++
		}
		if h.heap[child].at >= t.at {
			break
		}
		h.place(i, h.heap[child])
		i = child
	}
	h.place(i, t)
}
