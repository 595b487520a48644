package broker

import (
	"net"
	"sync"
	"time"
)

// outbox holds what is on its way to one client. The hub appends to waiting; whoever finds busy false becomes the writer, takes buffer after
// buffer and writes them without the mutex. So bytes leave in order and the hub never waits for a socket. mu guards all fields below it and is
// a leaf.
//
// Much that waits, as all retained messages do, is many buffers and not one that grows: growing copied five bytes for each one sent.
type outbox struct {
	nc     net.Conn
	direct *socket // nil: not a socket of the system, only blocking writes
	linger time.Duration
	pool   *pool
	sum    *traffic
	wg     *sync.WaitGroup // counts writer goroutines

	mu sync.Mutex
	buffers
	held   *held       // nil: nothing is held
	queued int         // bytes in buffers, in held and in the writer's hands
	busy   bool        // there is a writer
	ending bool        // close after what is waiting
	ended  bool        // closed, or broken: nothing more is written
	doomed bool        // to be closed at once by flush
	last   *time.Timer // set with ending: closes when the peer takes too long
	below  func()      // nil, or to be called when queued falls below limit or the outbox ends
	limit  int
}

func (o *outbox) init(nc net.Conn, b *Broker) {
	o.nc, o.linger, o.pool, o.sum, o.wg = nc, b.cfg.Linger, &b.pool, &b.traffic, &b.wg
	o.direct = newSocket(nc)
}

// lock begins adding to the outbox and returns the buffer to append to; unlock takes it back. hold: the bytes must wait for seal and release.
func (o *outbox) lock(hold bool) []byte {
	o.mu.Lock()
	q := o.place(hold)
	if q.waiting == nil {
		if len(q.full) > 0 {
			q.waiting = o.pool.takeLarge()
		} else {
			q.waiting = o.pool.takeBuffer()
		}
	}
	return q.waiting
}

// unlock ends adding and returns the number of bytes that are on the way now, and whether those just added are held.
func (o *outbox) unlock(b []byte, hold bool) (queued int, isHeld bool) {
	q := o.place(hold)
	if o.ended {
		b = b[:0]
	}
	o.queued += len(b) - len(q.waiting)
	q.waiting = b
	if len(b) >= fullBuffer {
		q.full, q.waiting = append(q.full, b), nil
	}
	queued, isHeld = o.queued, q != &o.buffers
	o.mu.Unlock()
	return queued, isHeld
}

// backlog returns the number of bytes on the way.
func (o *outbox) backlog() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queued
}

// whenBelow has do called once less than limit bytes are on the way, which may be at once, or when the outbox ends. do must be quick.
func (o *outbox) whenBelow(limit int, do func()) {
	o.mu.Lock()
	o.below, o.limit = do, limit
	call := o.room()
	o.mu.Unlock()
	call()
}

// room returns what is to be called now that queued may have fallen. The caller holds mu, and calls it without.
func (o *outbox) room() func() {
	do := o.below
	if do == nil || o.queued >= o.limit && !o.ended && !o.ending {
		return func() {}
	}
	o.below = nil
	return do
}

// flush writes what is waiting unless somebody already does. It does not block: what the socket will not take is left to a new goroutine.
func (o *outbox) flush() {
	b, doomed := o.begin()
	switch {
	case b != nil:
		o.run(b)
	case doomed:
		o.close()
	}
}

// begin makes the caller the writer and returns what it must write; nil: there is nothing to do, or somebody else does it.
func (o *outbox) begin() (b []byte, doomed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy || o.ended {
		return nil, o.doomed
	}
	b = o.next()
	if b == nil && o.ending && o.held.empty() {
		b = o.pool.takeBuffer()
	}
	o.busy = b != nil
	return b, o.doomed
}

// next takes out the buffer to write next; nil: nothing is waiting. The caller holds mu.
func (o *outbox) next() (b []byte) {
	if len(o.full) > 0 {
		b, o.full = o.full[0], o.full[1:]
		if len(o.full) == 0 {
			o.full = nil
		}
		return b
	}
	if len(o.waiting) > 0 {
		b, o.waiting = o.waiting, nil
	}
	return b
}

// run writes b and what came to wait meanwhile.
func (o *outbox) run(b []byte) {
	for b != nil {
		n := 0
		if o.direct != nil {
			var err error
			if n, err = o.direct.write(b); err != nil {
				o.broken(b)
				return
			}
		}
		if n < len(b) {
			o.leave(b, n)
			return
		}
		b = o.done(b)
	}
}

// leave starts a goroutine for the rest of b.
func (o *outbox) leave(b []byte, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended { // an outbox that has not ended belongs to a connection that wg counts: Close can't have stopped waiting yet
		o.wg.Go(func() { o.block(b, n) })
	}
}

// block is the goroutine that writes where flush would have to wait. b[:n] is written already. It ends when nothing is waiting.
func (o *outbox) block(b []byte, n int) {
	for b != nil {
		if _, err := o.nc.Write(b[n:]); err != nil {
			o.broken(b)
			return
		}
		b, n = o.done(b), 0
	}
}

// done gives back the buffer b that was written and returns the next one, or nil if the caller is no longer the writer.
func (o *outbox) done(b []byte) (next []byte) {
	o.sum.out.Add(uint64(len(b)))
	o.pool.giveBuffer(b)
	o.mu.Lock()
	o.queued = max(o.queued-len(b), 0)
	call := o.room()
	end := false
	if next = o.next(); next == nil {
		o.busy = false
		end = o.ending && !o.ended && o.held.empty()
		o.ended = o.ended || end
	}
	o.mu.Unlock()
	call()
	if end {
		o.hangUp()
	}
	return next
}

// broken ends the outbox because the connection takes no more bytes.
func (o *outbox) broken(b []byte) {
	o.pool.giveBuffer(b)
	o.doom()
	o.close()
}

// doom throws away what is waiting and leaves closing to flush: the hub may not close, for closing a net.Conn waits for its reader, who may wait
// for the hub.
func (o *outbox) doom() {
	o.mu.Lock()
	o.ended, o.doomed, o.queued = true, true, 0
	o.pool.giveBuffer(o.waiting)
	o.buffers, o.held = buffers{}, nil
	if o.last != nil {
		o.last.Stop()
	}
	call := o.room()
	o.mu.Unlock()
	call()
}

// close makes the reader see the end of the connection; it tells the hub and closes for good.
func (o *outbox) close() {
	if o.direct != nil {
		o.direct.cut()
	} else {
		o.nc.Close()
	}
}

// end asks for the connection to be closed after what is waiting now; flush does it. The peer has a while to read the last words and close its end.
func (o *outbox) end() {
	o.mu.Lock()
	if !o.ending && !o.ended {
		o.ending = true
		o.last = time.AfterFunc(o.linger, o.close)
	}
	call := o.room()
	o.mu.Unlock()
	call()
}

// hangUp closes the connection for writing. The reader goes on until the peer closes too or Linger is over: closing at once with unread input
// would make TCP throw away what the peer has not read yet, the reason of the disconnection for one.
func (o *outbox) hangUp() {
	half, ok := o.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		o.close()
	}
}
