package inflight

import "iter"

// Phase says which answer a Packet Identifier waits for.
type Phase uint8

// The phases of a Packet Identifier.
const (
	Free         Phase = iota // not in use
	AwaitPuback               // QoS 1 PUBLISH sent
	AwaitPubrec               // QoS 2 PUBLISH sent
	AwaitPubcomp              // PUBREL sent
	AwaitReply                // SUBSCRIBE or UNSUBSCRIBE sent
)

// maxID is the highest Packet Identifier; 0 is none.
const maxID = 1<<16 - 1

// spread is how many identifiers are in circulation before one is used again, so that a trace tells the exchanges apart.
const spread = 16

type row[M any] struct {
	message    M
	prev, next uint16 // neighbours in a list; 0: none
	phase      Phase
	open       bool // counts against the window of this Network Connection
}

type list struct{ first, last uint16 }

// Outgoing is the sending half of the exchanges of one Session; M is what the owner needs to send a message again. The zero value is empty with
// a window of 0: call SetWindow first. It is not safe for concurrent use.
type Outgoing[M any] struct {
	rows     []row[M] // rows[id-1]
	free     list     // identifiers that were used and finished
	sent     list     // PUBLISH not yet acknowledged, in order of sending
	released list     // PUBREL sent, in order of the PUBRECs
	due      uint16   // next of sent that is to be sent again; 0: none
	window   int
	open     int
	inUse    int
}

// SetWindow sets how many exchanges may be open at once: the peer's Receive Maximum, or less by choice. It holds for exchanges begun from now
// on and does not touch those that are open.
func (o *Outgoing[M]) SetWindow(n uint16) { o.window = int(n) }

// Len returns how many exchanges are unfinished, sent on this Network Connection or not.
func (o *Outgoing[M]) Len() int { return o.inUse }

// Quota returns how many exchanges may be begun now. It is 0 while earlier ones wait to be sent again, for nothing may overtake them.
func (o *Outgoing[M]) Quota() int {
	if o.due != 0 || o.open >= o.window {
		return 0
	}
	return min(o.window-o.open, maxID-o.inUse)
}

// Begin opens an exchange for m and returns its Packet Identifier, or false if the window is full or the identifiers are used up; keep the
// message then and try after the next acknowledgement. exactlyOnce tells QoS 2 from QoS 1.
func (o *Outgoing[M]) Begin(m M, exactlyOnce bool) (id uint16, ok bool) {
	// [MQTT5 3.3.4-9] [MQTT5 4.9.0-2]
	if o.Quota() == 0 {
		return 0, false
	}
	phase := AwaitPuback
	if exactlyOnce {
		phase = AwaitPubrec
	}
	id = o.take(phase)
	r := &o.rows[id-1]
	r.message, r.open = m, true
	o.open++
	o.push(&o.sent, id)
	return id, true
}

// Reserve takes a Packet Identifier for a SUBSCRIBE or UNSUBSCRIBE, or returns false if all are in use. The window does not apply.
func (o *Outgoing[M]) Reserve() (id uint16, ok bool) {
	if o.inUse >= maxID {
		return 0, false
	}
	return o.take(AwaitReply), true
}

// Release frees an identifier that Reserve gave and reports whether it was one.
func (o *Outgoing[M]) Release(id uint16) bool {
	if o.Phase(id) != AwaitReply {
		return false
	}
	o.freeRow(id)
	return true
}

// Phase returns what id waits for; Free for identifiers that are not in use, 0 among them.
func (o *Outgoing[M]) Phase(id uint16) Phase {
	if id == 0 || int(id) > len(o.rows) {
		return Free
	}
	return o.rows[id-1].phase
}

// Finish ends the exchange of id whatever its phase (PUBACK, PUBCOMP, or PUBREC of 0x80 or above; see Phase) and returns its message, which is
// the zero M after Received.
func (o *Outgoing[M]) Finish(id uint16) (m M, ok bool) {
	switch o.Phase(id) {
	case AwaitPuback, AwaitPubrec:
		o.unlink(&o.sent, id)
	case AwaitPubcomp:
		o.unlink(&o.released, id)
	default:
		return m, false
	}
	r := &o.rows[id-1]
	m = r.message
	if r.open {
		o.open--
	}
	o.freeRow(id)
	return m, true
}

// Received notes a PUBREC below 0x80: the message itself is never sent again, so it is handed back, and PUBREL is to be sent. It returns
// false unless the exchange of id waits for PUBREC.
func (o *Outgoing[M]) Received(id uint16) (m M, ok bool) {
	if o.Phase(id) != AwaitPubrec {
		return m, false
	}
	// [MQTT5 4.3.3-6] [MQTT311 4.3.3-1]
	o.unlink(&o.sent, id)
	r := &o.rows[id-1]
	m, r.message = r.message, m
	r.phase = AwaitPubcomp
	// [MQTT5 4.6.0-4] [MQTT311 4.6.0-4]: PUBREL in the order of the PUBRECs, also when sent again.
	o.push(&o.released, id)
	return m, true
}

// Resume starts a new Network Connection that found the Session: no exchange is open on it, identifiers of SUBSCRIBE and UNSUBSCRIBE are free.
// Send PUBREL for all of Released, then PUBLISH with DUP for what Resend yields, then go on with Begin.
func (o *Outgoing[M]) Resume(window uint16) {
	o.window, o.open = int(window), 0
	for i := range o.rows {
		r := &o.rows[i]
		switch r.phase {
		case AwaitReply:
			o.freeRow(uint16(i + 1))
		case AwaitPubcomp:
			r.open = true
			o.open++
		default:
			r.open = false
		}
	}
	o.due = o.sent.first
}

// Released yields the identifiers in the PUBREL phase, in the order in which their PUBRELs were sent first.
func (o *Outgoing[M]) Released() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for id := o.released.first; id != 0; id = o.rows[id-1].next {
			if !yield(id) {
				return
			}
		}
	}
}

// Resend returns the next PUBLISH that is to be sent again, in the original order, or false if there is none or the window is full; call it
// again after the next acknowledgement.
func (o *Outgoing[M]) Resend() (id uint16, m *M, ok bool) {
	if o.due == 0 || o.open >= o.window {
		return 0, nil, false
	}
	id = o.due
	r := &o.rows[id-1]
	o.due = r.next
	r.open = true
	o.open++
	return id, &r.message, true
}

// Sent yields the exchanges whose PUBLISH is not acknowledged, in order of sending. Do not begin or finish one meanwhile.
func (o *Outgoing[M]) Sent() iter.Seq2[uint16, *M] {
	return func(yield func(uint16, *M) bool) {
		for id := o.sent.first; id != 0; id = o.rows[id-1].next {
			if !yield(id, &o.rows[id-1].message) {
				return
			}
		}
	}
}

// take finds a free identifier; the caller has made sure that there is one.
func (o *Outgoing[M]) take(phase Phase) uint16 {
	o.inUse++
	// [MQTT5 2.2.1-4] [MQTT5 2.2.1-3] [MQTT311 2.3.1-2]
	id := o.free.first
	if id == 0 || len(o.rows) < spread {
		o.rows = append(o.rows, row[M]{})
		id = uint16(len(o.rows))
	} else {
		o.unlink(&o.free, id)
	}
	o.rows[id-1].phase = phase
	return id
}

func (o *Outgoing[M]) freeRow(id uint16) {
	o.rows[id-1] = row[M]{}
	o.push(&o.free, id)
	o.inUse--
}

func (o *Outgoing[M]) push(l *list, id uint16) {
	r := &o.rows[id-1]
	r.prev, r.next = l.last, 0
	if l.last == 0 {
		l.first = id
	} else {
		o.rows[l.last-1].next = id
	}
	l.last = id
}

func (o *Outgoing[M]) unlink(l *list, id uint16) {
	r := &o.rows[id-1]
	if o.due == id {
		o.due = r.next
	}
	if r.prev == 0 {
		l.first = r.next
	} else {
		o.rows[r.prev-1].next = r.next
	}
	if r.next == 0 {
		l.last = r.prev
	} else {
		o.rows[r.next-1].prev = r.prev
	}
	r.prev, r.next = 0, 0
}
