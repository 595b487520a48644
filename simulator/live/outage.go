package live

import (
	"slices"
	"syscall"
	"time"
)

// Vanish implements device.Host. The kernel can't be told to forget a connection, so it is left open and mute: the target's TCP still gets its
// acknowledgements, but no Control Packet ever comes.
func (h *host) Vanish() {
	for _, c := range h.conns {
		c.dead, c.mute = true, true
	}
}

// Return implements device.Host. What the target still believes in is reset, as by any host that knows nothing of it.
func (h *host) Return() {
	for _, c := range slices.Clone(h.conns) {
		if c.dead && c.mute {
			c.reset()
		}
	}
}

// SetDark implements device.Host. A connection does not survive it: bytes that were sent in the dark are gone, and there is no TCP of our own that would send them
// again. Once there is light again the device finds its connection reset.
func (h *host) SetDark(dark bool) {
	if dark {
		h.light = make(chan struct{})
		for _, c := range h.conns {
			c.mute = true
		}
		return
	}
	close(h.light)
	h.light = nil
	for _, c := range slices.Clone(h.conns) {
		c.reset()
		if !c.dead {
			c.dead = true
			h.forget(c)
			c.handler.Closed(syscall.ECONNRESET)
		}
	}
}

// forget takes a connection off the host's list.
func (h *host) forget(c *conn) {
	h.conns = slices.DeleteFunc(h.conns, func(other *conn) bool { return other == c })
}

// darkTimeout is how long a connection attempt in the dark lasts, about what TCP takes to give up a SYN.
const darkTimeout = 2 * time.Minute

// awaitLight holds an attempt to connect up while the link is dark.
func (h *host) awaitLight() error {
	h.l.mu.Lock()
	light := h.light
	h.l.mu.Unlock()
	if light == nil {
		return nil
	}
	limit := time.NewTimer(darkTimeout)
	defer limit.Stop()
	select {
	case <-light:
		return nil
	case <-limit.C:
		return syscall.ETIMEDOUT
	case <-h.l.ctx.Done():
		return h.l.ctx.Err()
	}
}
