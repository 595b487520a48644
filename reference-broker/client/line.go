package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// line is where messages wait whose callers of Publish found the queue full: first come, first served, each in the memory of its caller. Whoever
// makes room moves the line on. Guarded by Client.mu.
type line struct {
	ops     []*op
	changed chan struct{} // closed when something left the queue; nil: nobody looks
}

// moveLine submits what the queue has room for and reports whether that was anything. c.mu is held.
func (c *Client) moveLine() (moved bool) {
	for len(c.line.ops) > 0 {
		o := c.line.ops[0]
		err := c.submit(o)
		if errors.Is(err, ErrQueueFull) {
			return moved
		}
		c.line.ops[0] = nil
		c.line.ops = c.line.ops[1:]
		moved = true
		if err != nil {
			o.settleOnce(err)
		}
	}
	return moved
}

// dismissLine sends everybody away: the client closes. c.mu is held.
func (c *Client) dismissLine(why error) {
	for _, o := range c.line.ops {
		o.settleOnce(why)
	}
	c.line.ops = nil
}

// leave stops waiting for a message because ctx has ended: in line it is withdrawn, otherwise it goes on without its caller, whose memory it
// must no longer use.
func (c *Client) leave(ctx context.Context, o *op) (Ack, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-o.done:
		return Ack{ReasonCode: o.code}, o.err
	default:
	}
	if i := slices.Index(c.line.ops, o); i >= 0 {
		c.line.ops = slices.Delete(c.line.ops, i, i+1)
		return Ack{}, fmt.Errorf("%w: %w", ErrNotTaken, ctx.Err())
	}
	o.own()
	return Ack{}, fmt.Errorf("%w: %w", ErrUnderWay, ctx.Err())
}

// tellChange wakes those who wait for the queue to run empty. c.mu is held.
func (c *Client) tellChange() {
	if c.line.changed != nil {
		close(c.line.changed)
		c.line.changed = nil
	}
}

// changes returns a channel that is closed at the next change. c.mu is held.
func (c *Client) changes() <-chan struct{} {
	if c.line.changed == nil {
		c.line.changed = make(chan struct{})
	}
	return c.line.changed
}
