package broker

// buffers is a queue of bytes. Much of it is many buffers and not one that grows.
type buffers struct {
	full    [][]byte // buffers that came to wait before waiting
	waiting []byte   // from the pool; nil if empty
}

func (q *buffers) empty() bool { return len(q.full) == 0 && len(q.waiting) == 0 }

// move puts all of from behind what is in q.
func (q *buffers) move(from *buffers) {
	if q.empty() {
		*q, *from = *from, buffers{}
		return
	}
	if len(q.waiting) > 0 {
		q.full, q.waiting = append(q.full, q.waiting), nil
	}
	q.full, q.waiting = append(q.full, from.full...), from.waiting
	*from = buffers{}
}

// held are the bytes of an outbox that may not leave yet, because they promise what is not on disk.
type held struct {
	collecting buffers // wait for the batch that is being collected
	sealed     buffers // wait for the batch that is being written
}

func (h *held) empty() bool { return h == nil || h.collecting.empty() && h.sealed.empty() }

// place returns where the next bytes belong: behind others that are held, too, so that all leave in order. The caller holds mu.
func (o *outbox) place(hold bool) *buffers {
	if !hold && o.held.empty() {
		return &o.buffers
	}
	if o.held == nil {
		o.held = new(held)
	}
	return &o.held.collecting
}

// seal says that the batch with the promises made so far is being written.
func (o *outbox) seal() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if h := o.held; h != nil {
		h.sealed.move(&h.collecting)
	}
}

// release lets the sealed bytes leave. The caller must flush.
func (o *outbox) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.held != nil && !o.ended {
		o.buffers.move(&o.held.sealed)
	}
}
