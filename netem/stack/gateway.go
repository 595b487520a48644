package stack

import (
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// splicer is the part of the gateway that connects devices to host targets. Each
// connection has one goroutine, for the direction from the target; the other
// direction of all connections is served by one pump.
type splicer struct {
	n      *Network
	ctx    context.Context
	cancel context.CancelFunc
	dials  *semaphore.Weighted
	work   sync.WaitGroup
	wakeup chan struct{}

	dialed, failed atomic.Uint64

	mu    sync.Mutex // a leaf
	ready []*splice  // with bytes or an end from the device
	open  map[*splice]struct{}
	up    map[string]struct{} // targets that took the latest connection
}

func newSplicer(n *Network) *splicer {
	g := &splicer{n: n, dials: semaphore.NewWeighted(int64(n.config.MaxDials)), wakeup: make(chan struct{}, 1), open: make(map[*splice]struct{}), up: make(map[string]struct{})}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.work.Add(1)
	go g.pump()
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
	s := &splice{g: g, room: make(chan struct{}, 1)}
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
			s.host.Close()
		}
		return
	}
	s.ep = ep
	if late && !g.dial(s, target) {
		ep.Abort()
		return
	}
	if !g.add(s) {
		s.abort()
		return
	}
	s.waiting.Init(s, waiter.ReadableEvents|waiter.WritableEvents|waiter.EventErr|waiter.EventHUp)
	s.queue.EventRegister(&s.waiting)
	s.NotifyEvent(waiter.ReadableEvents) // what came before was not announced
	s.fromTarget()
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
		s.host, err = g.n.config.Dial(g.ctx, "tcp", target)
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

// add registers a splice, unless the gateway is closing.
func (g *splicer) add(s *splice) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ctx.Err() != nil {
		return false
	}
	g.open[s] = struct{}{}
	return true
}

func (g *splicer) remove(s *splice) {
	g.mu.Lock()
	delete(g.open, s)
	g.mu.Unlock()
}

// pump moves bytes from devices to targets until the gateway closes.
func (g *splicer) pump() {
	defer g.work.Done()
	buffer := make([]byte, 16<<10)
	for {
		select {
		case <-g.wakeup:
		case <-g.ctx.Done():
			return
		}
		g.mu.Lock()
		ready := g.ready
		g.ready = nil
		g.mu.Unlock()
		for _, s := range ready {
			s.queued.Store(false)
			s.fromDevice(buffer)
		}
	}
}

func (g *splicer) stats() GatewayStats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return GatewayStats{Dialed: g.dialed.Load(), Failed: g.failed.Load(), Open: uint64(len(g.open))}
}

// close ends all connections and waits for the goroutines.
func (g *splicer) close() {
	g.mu.Lock()
	g.cancel()
	open := make([]*splice, 0, len(g.open))
	for s := range g.open {
		open = append(open, s)
	}
	g.mu.Unlock()
	for _, s := range open {
		s.abort()
	}
	// Handshakes under way end when their endpoints do.
	for _, p := range g.n.snapshotPaths() {
		for _, e := range p.gateway.stack.RegisteredEndpoints() {
			e.Abort()
		}
	}
	g.work.Wait()
}

// splice is one connection through the gateway.
type splice struct {
	g       *splicer
	host    net.Conn
	ep      tcpip.Endpoint
	queue   waiter.Queue
	waiting waiter.Entry
	room    chan struct{} // the device's side may accept more, or is gone
	queued  atomic.Bool   // in g.ready
	blocked atomic.Bool   // a goroutine waits until the target takes more
	ended   atomic.Int32  // directions that are through

	deviceEnded bool // owned by the pump: one of them is that from the device
	gone        atomic.Bool
}

// NotifyEvent takes note of an event on the device's side, with locks of TCP
// held.
func (s *splice) NotifyEvent(mask waiter.EventMask) {
	const over = waiter.EventErr | waiter.EventHUp
	if mask&(waiter.WritableEvents|over) != 0 {
		signal(s.room)
	}
	if mask&(waiter.ReadableEvents|over) != 0 && !s.blocked.Load() {
		s.schedule()
	}
}

// schedule makes the pump look at the splice.
func (s *splice) schedule() {
	if s.queued.Swap(true) {
		return
	}
	s.g.mu.Lock()
	s.g.ready = append(s.g.ready, s)
	s.g.mu.Unlock()
	signal(s.g.wakeup)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// fromDevice moves what has arrived from the device to the target.
func (s *splice) fromDevice(buffer []byte) {
	for !s.gone.Load() && !s.blocked.Load() {
		sink := tcpip.SliceWriter(buffer)
		r, err := s.ep.Read(&sink, tcpip.ReadOptions{})
		switch err.(type) {
		case nil:
		case *tcpip.ErrWouldBlock:
			return
		case *tcpip.ErrClosedForReceive:
			s.endDevice()
			return
		default:
			s.abort()
			return
		}
		if r.Count > 0 {
			s.toTarget(buffer[:r.Count])
		}
	}
}

// toTarget writes without waiting. What the target does not take at once is
// written by a goroutine, and until it is through nothing more is read from the
// device: its window fills up, as it would at a slow target.
func (s *splice) toTarget(p []byte) {
	n, err := writeNow(s.host, p)
	if err != nil {
		s.abort()
		return
	}
	if n == len(p) {
		return
	}
	rest := append([]byte(nil), p[n:]...)
	s.blocked.Store(true)
	s.g.work.Add(1) // by the pump, which is counted itself
	go func() {
		defer s.g.work.Done()
		if _, err := s.host.Write(rest); err != nil {
			s.abort()
			return
		}
		s.blocked.Store(false)
		s.schedule()
	}()
}

// endDevice passes the device's FIN on. TCP announces it more than once.
func (s *splice) endDevice() {
	if s.deviceEnded {
		return
	}
	s.deviceEnded = true
	if half, ok := s.host.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // an error shows on the other direction too
		s.endDirection()
		return
	}
	s.abort()
}

// fromTarget moves bytes from the target to the device until either ends.
func (s *splice) fromTarget() {
	err := readEach(s.host, s.toDevice)
	switch {
	case s.gone.Load():
	case err != nil:
		s.abort() // a reset stays a reset
	default:
		s.ep.Shutdown(tcpip.ShutdownWrite)
		s.endDirection()
	}
}

// endDirection closes both sides once both directions are through.
func (s *splice) endDirection() {
	if s.ended.Add(1) < 2 || s.gone.Swap(true) {
		return
	}
	s.release()
	s.ep.Close()
	s.host.Close()
}

// abort resets both sides.
func (s *splice) abort() {
	if s.gone.Swap(true) {
		return
	}
	s.release()
	s.ep.Abort()
	if c, ok := s.host.(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
	s.host.Close()
}

func (s *splice) release() {
	s.queue.EventUnregister(&s.waiting)
	s.g.remove(s)
	signal(s.room)
}
