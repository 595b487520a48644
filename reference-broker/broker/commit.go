package broker

import (
	"fmt"
	"sync"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/store"
)

const (
	// gather is how long a group of records is collected before it is committed: what waits for the disk anyway waits a little longer, in company.
	gather = time.Millisecond
	// lazyFor is how long records may stay in memory that no acknowledgement waits for.
	lazyFor = 50 * time.Millisecond
	// largestBatch is how many bytes of records may wait for the disk before no packet is taken any more.
	largestBatch = 32 << 20
)

// committer is the hub's way to the Store. What a call of the machine promises is in batch before the promise is in the outgoing buffer, and
// that is held back until the batch is on disk. While one batch is written the next is collected, and the hub goes on.
//
// All fields but the channels are guarded by hub.mu.
type committer struct {
	store   *store.Store
	batch   *store.Batch // being collected
	spare   *store.Batch
	held    []*conn // have bytes that wait for batch
	asked   bool    // wake was sent
	failure error
	room    sync.Cond     // batch is smaller than before, or failure is set
	wake    chan struct{} // there is something to commit
	stop    chan struct{} // commit the rest and end
	ended   chan struct{}
	once    sync.Once // closes stop
}

// restore makes the machine go on where the one before it ended, and starts the committer.
func (h *hub) restore(s *store.Store) error {
	h.committer = &committer{
		store: s, batch: s.Batch(), spare: s.Batch(),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	h.committer.room.L = &h.mu
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.machine.Restore(time.Now(), s.Records()); err != nil {
		return fmt.Errorf("restore what is stored: %w", err)
	}
	h.drain()
	go h.commitAll()
	return nil
}

// keep adds a record to the batch. The caller holds mu.
func (h *hub) keep(r *server.Record) {
	c := h.committer
	if err := c.batch.Add(r); err != nil && c.failure == nil {
		c.failure = err
	}
	h.holding = h.holding || !r.Lazy
}

// hold notes that bytes of x wait for the batch. The caller holds mu.
func (c *committer) hold(x *conn) {
	if !x.held {
		x.held = true
		c.held = append(c.held, x)
	}
}

// ask wakes the committer. The caller holds mu.
func (c *committer) ask() {
	if c == nil || c.asked || c.batch.Empty() && len(c.held) == 0 {
		return
	}
	c.asked = true
	c.wake <- struct{}{} // has room: asked was false
}

// await waits until the batch has room. The caller holds mu, which is free meanwhile.
func (c *committer) await() {
	for c != nil && c.failure == nil && c.batch.Size() > largestBatch {
		c.room.Wait()
	}
}

// commitAll is the goroutine that writes one batch after the other.
func (h *hub) commitAll() {
	c := h.committer
	defer close(c.ended)
	lazy := time.NewTimer(lazyFor)
	lazy.Stop()
	waiting := false // lazy runs
	for stopped := false; !stopped; {
		select {
		case <-c.wake:
			if !h.urgent() {
				if !waiting {
					lazy.Reset(lazyFor)
					waiting = true
				}
				continue
			}
			time.Sleep(gather)
		case <-lazy.C:
		case <-c.stop:
			stopped = true
		}
		lazy.Stop()
		waiting = false
		if err := h.commit(); err != nil {
			h.b.fail(err)
			return
		}
	}
}

// urgent reports whether somebody waits for the batch, and lets the committer be woken again.
func (h *hub) urgent() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.committer
	c.asked = false
	return c.batch.Urgent() || len(c.held) > 0 || c.failure != nil
}

// commit writes what has been collected and lets go of what waited for it.
func (h *hub) commit() error {
	c := h.committer
	h.mu.Lock()
	if c.failure != nil {
		h.mu.Unlock()
		return c.failure
	}
	batch, held := c.batch, c.held
	c.batch, c.spare, c.held = c.spare, batch, h.b.pool.takeList()
	for _, x := range held {
		x.held = false
		x.out.seal()
	}
	c.room.Broadcast()
	h.mu.Unlock()
	if !batch.Empty() {
		if err := c.store.Commit(batch); err != nil {
			return err
		}
	}
	for _, x := range held {
		x.out.release()
		x.out.flush()
	}
	h.b.pool.giveList(held)
	return nil
}

// close commits the rest and ends the committer. No connection may be left.
func (c *committer) close() {
	if c != nil {
		c.once.Do(func() { close(c.stop) })
		<-c.ended
	}
}

// fail ends the broker because nothing can be stored any more: what is not acknowledged stays so.
func (b *Broker) fail(err error) {
	b.cfg.Logger.Error("the broker ends: nothing can be stored any more", "error", err)
	b.mu.Lock()
	b.failure = err
	b.mu.Unlock()
	b.hub.abandon(err)
	b.stopAccepting()
}

// abandon cuts all connections without carrying out anything more.
func (h *hub) abandon(err error) {
	h.mu.Lock()
	h.closing = true
	h.committer.failure = err
	h.committer.room.Broadcast()
	for _, c := range h.conns.slots {
		if c != nil {
			c.out.doom()
			h.touch(c)
		}
	}
	h.mu.Unlock()
	h.flush()
}
