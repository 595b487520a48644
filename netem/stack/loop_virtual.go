package stack

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// runVirtual is the event loop on the virtual clock: take the next instant, make
// everything happen that belongs to it, repeat.
func (n *Network) runVirtual(ctx context.Context, limit int64) error {
	for instants := 0; ; instants++ {
		if instants%256 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n.instant()
		next, ok := n.nextEvent()
		if !ok || next > limit {
			if limit != math.MaxInt64 && limit > n.virtualNow.Load() {
				n.virtualNow.Store(limit)
			}
			return nil
		}
		n.virtualNow.Store(next)
	}
}

// nextEvent returns the time of the next event, dropping entries of timers that
// do not fire any more.
func (n *Network) nextEvent() (int64, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.events) > 0 {
		first := &n.events[0]
		if t := first.timer; t != nil && (t.queued != first.at || !t.armed) {
			e := n.events.pop()
			t.dueLocked(&e)
			continue
		}
		return first.at, true
	}
	return 0, false
}

// instant makes everything happen that is due now, until nothing is: packets
// first, then what sockets have to say about them, then timers. Where TCP works on
// packets in its own goroutines, whatever depends on their outcome waits for quiesce.
func (n *Network) instant() {
	for {
		e, kind := n.peekDue()
		switch {
		case kind == duePacket:
			n.deliver(&e)
		case n.dirty:
			n.quiesce()
		case n.callReady() || n.runPosted():
		case kind == dueTimer:
			n.fireNext()
		case kind == dueBlocked:
			// Cannot happen: a packet is only blocked while a stack is
			// dirty. Starting a round is right all the same.
			n.round++
		default:
			return
		}
	}
}

type dueKind int

const (
	dueNothing dueKind = iota
	duePacket          // a packet, taken from the heap
	dueBlocked         // a packet that has to wait for the next round
	dueTimer           // a timer, left on the heap
)

// peekDue looks at the next event, and takes it if it is a packet that may be
// delivered in this round.
func (n *Network) peekDue() (entry, dueKind) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.events) == 0 || n.events[0].at > n.virtualNow.Load() {
		return entry{}, dueNothing
	}
	e := &n.events[0]
	if e.timer != nil {
		return entry{}, dueTimer
	}
	if e.device.rounds[e.direction()] == n.round {
		return entry{}, dueBlocked
	}
	return n.events.pop(), duePacket
}

// fireNext takes the timer on top of the heap and fires it if it still counts.
func (n *Network) fireNext() {
	n.mu.Lock()
	e := n.events.pop()
	due := e.timer.dueLocked(&e)
	n.mu.Unlock()
	if due {
		e.timer.f()
	}
}

// markRound notes that a device has had its packet of this round in one direction,
// which TCP's goroutines work on. Two such packets of one connection in one round
// would be acknowledged once or twice, depending on whether TCP's goroutine woke in
// between.
func (n *Network) markRound(e *entry) { e.device.rounds[e.direction()] = n.round }

// quiesce waits until TCP's goroutines have worked off all packets delivered to
// them, and starts a new round of delivery. Pausing a stack waits for its
// goroutines to run out of work. They work on independent connections, whose
// packets meet only in links of their own, so the order among them does not
// show. A SYN can pass from a connection in TIME-WAIT to its listener, which may
// be served by a goroutine that is paused already: hence once more.
func (n *Network) quiesce() {
	n.round++
	n.dirty = false
	n.hosts((*host).quiesce)
}

func (h *host) quiesce() {
	if !h.dirty {
		return
	}
	h.tcp.Pause()
	h.tcp.Resume()
	if h.sawSYN {
		h.tcp.Pause()
		h.tcp.Resume()
	}
	h.dirty, h.sawSYN = false, false
}

// sortByNumber puts sockets in the order of their creation.
func sortByNumber(s []*Socket) {
	slices.SortFunc(s, func(a, b *Socket) int { return cmp.Compare(a.number, b.number) })
}
