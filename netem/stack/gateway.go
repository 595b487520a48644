package stack

import (
	"bytes"
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// splicer is the part of the gateway that connects devices to host targets. The
// network's loop serves both directions of all connections.
type splicer struct {
	n      *Network
	ctx    context.Context
	cancel context.CancelFunc
	dials  *semaphore.Weighted
	work   sync.WaitGroup

	// Scratch of the loop.
	buffer [16 << 10]byte
	source bytes.Reader
	sink   tcpip.SliceWriter

	dialed, failed atomic.Uint64

	mu   sync.Mutex // a leaf
	last int32      // number of the latest splice
	open map[int32]*splice
	up   map[string]struct{} // targets that took the latest connection
}

func newSplicer(n *Network) *splicer {
	g := &splicer{
		n: n, dials: semaphore.NewWeighted(int64(n.config.MaxDials)),
		open: make(map[int32]*splice), up: make(map[string]struct{}),
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// attach serves the SYNs that reach a path's gateway. As many may be waiting as
// there can be devices: the forwarder would drop the rest silently, which looks
// like loss.
func (g *splicer) attach(h *host) {
	f := tcp.NewForwarder(h.stack, g.n.config.TCP.ReceiveBufferBytes, MaxDevices, g.connect)
	h.stack.SetTransportProtocolHandler(tcp.ProtocolNumber, f.HandlePacket)
}

// connect serves one SYN, on a goroutine of its own. A target that took its latest
// connection is dialled once the device has completed the handshake, as a host's
// own TCP would hand the connection over only then: the time that a server allows
// for the first message would otherwise begin a lost packet or two too early. Any
// other is dialled before the SYN is answered, so that the device sees a refused
// connection as one.
func (g *splicer) connect(r *tcp.ForwarderRequest) {
	if !g.begin() {
		r.Complete(true)
		return
	}
	defer g.work.Done()
	id := r.ID()
	target := net.JoinHostPort(g.n.targets.name(id.LocalAddress), strconv.Itoa(int(id.LocalPort)))
	s := &splice{g: g}
	late := g.isUp(target)
	if !late && !g.dial(s, target) {
		r.Complete(true)
		return
	}
	ep, terr := r.CreateEndpoint(&s.queue)
	r.Complete(false)
	if terr != nil {
		g.n.config.Logger.Debug("device gone before its connection was established", "target", target, "error", terr.String())
		if s.host != nil {
			s.host.close()
		}
		return
	}
	s.ep = ep
	if late && !g.dial(s, target) {
		ep.Abort()
		return
	}
	if !g.add(s) {
		s.reset()
	}
}

// begin counts a goroutine that close waits for, unless the gateway is closing.
func (g *splicer) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ctx.Err() != nil {
		return false
	}
	g.work.Add(1)
	return true
}

// dial reaches a target for a splice, waiting for its turn, and reports whether it
// could.
func (g *splicer) dial(s *splice, target string) bool {
	err := g.dials.Acquire(g.ctx, 1)
	if err == nil {
		defer g.dials.Release(1)
		g.dialed.Add(1)
		var c net.Conn
		if c, err = g.n.config.Dial(g.ctx, "tcp", target); err == nil {
			s.host, err = hostSideOf(c, s)
		}
	}
	if err != nil {
		g.failed.Add(1)
		g.n.config.Logger.Info("target not reached", "target", target, "error", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		delete(g.up, target)
	} else {
		g.up[target] = struct{}{}
	}
	return err == nil
}

// isUp reports whether a target took its latest connection.
func (g *splicer) isUp(target string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, up := g.up[target]
	return up
}

// add hands a splice to the loop, unless the gateway is closing.
func (g *splicer) add(s *splice) bool {
	g.mu.Lock()
	if g.ctx.Err() != nil {
		g.mu.Unlock()
		return false
	}
	for taken := true; taken; _, taken = g.open[g.last] {
		g.last++
	}
	s.number = g.last
	g.open[s.number] = s
	g.mu.Unlock()
	s.waiting.Init(s, waiter.ReadableEvents|waiter.WritableEvents|waiter.EventErr|waiter.EventHUp)
	s.queue.EventRegister(&s.waiting)
	s.notify(added | deviceData) // what came before was not announced
	return true
}

func (g *splicer) remove(s *splice) {
	g.mu.Lock()
	delete(g.open, s.number)
	g.mu.Unlock()
}

// serveSplices moves bytes between devices and targets, where anything was announced, and
// reports whether it was.
func (n *Network) serveSplices() bool {
	n.mu.Lock()
	spliced := n.spliced
	n.spliced = n.served[:0]
	n.mu.Unlock()
	for _, s := range spliced {
		s.serve()
	}
	clear(spliced)
	n.served = spliced
	return len(spliced) > 0
}

// announce tells of events on the targets' side.
func (g *splicer) announce(number int32, events pending) {
	g.mu.Lock()
	s := g.open[number]
	g.mu.Unlock()
	if s != nil {
		s.notify(events)
	}
}

func (g *splicer) stats() GatewayStats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return GatewayStats{Dialed: g.dialed.Load(), Failed: g.failed.Load(), Open: uint64(len(g.open))}
}

// close ends all connections and waits for the goroutines. The loop must not run.
func (g *splicer) close() {
	g.mu.Lock()
	g.cancel()
	open := g.open
	g.open = nil
	g.mu.Unlock()
	for _, s := range open {
		s.abort()
	}
	done := make(chan struct{})
	go func() { g.work.Wait(); close(done) }()
	for {
		g.endHandshakes()
		select {
		case <-done:
			return
		case <-time.After(10 * time.Millisecond): // one may have begun in between
		}
	}
}

// endHandshakes ends those under way, with their endpoints.
func (g *splicer) endHandshakes() {
	for _, p := range g.n.snapshotPaths() {
		for _, e := range p.gateway.stack.RegisteredEndpoints() {
			e.Abort()
		}
	}
}
