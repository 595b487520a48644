package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Network is a set of devices, their links and a gateway, run by one event loop.
type Network struct {
	config  Config
	epoch   time.Time
	running atomic.Bool
	tunnel  *tunnel  // in place of the gateway; nil without Config.TUN
	splices *splicer // the gateway's connections to host targets; nil in virtual time and with a tunnel
	sleeper sleeper  // of the wall clock

	// Owned by the loop.
	list      []*Device
	listeners []listening
	sockets   uint64 // sockets made so far
	round     uint32 // of packet delivery in virtual time, see quiesce
	dirty     bool   // packets were delivered since the last quiesce
	due       []entry
	called    []*Socket         // room for ready
	served    []*splice         // room for spliced
	sink      tcpip.SliceWriter // scratch of Receive
	source    bytes.Reader      // scratch of Send

	// virtualNow is the virtual time since the epoch. TCP's goroutines read it.
	virtualNow atomic.Int64

	targets targets // has its own lock

	mu         sync.Mutex // a leaf: nothing foreign is called with it held
	events     eventHeap
	ready      []*Socket // with something pending
	spliced    []*splice // with something pending
	posted     []func()
	timerSeq   uint64
	sleepUntil int64 // when the loop will look by itself; 0 while it is awake
	byAddress  []*Device
	paths      []*path // appended by the loop, which reads it without the lock
	lateness   lateness
}

// New returns a network without devices. Close it to give back its goroutines.
func New(c Config) (*Network, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	c = c.withDefaults()
	n := &Network{config: c, round: 1, epoch: time.Now()}
	if c.Virtual {
		n.epoch = c.Start
		return n, nil
	}
	splices := newSplicer(n)
	err := n.sleeper.open(splices.announce)
	if err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	if c.TUN == "" {
		n.splices = splices
	} else if n.tunnel, err = newTunnel(n, c.TUN); err != nil {
		n.sleeper.close()
		return nil, err
	}
	return n, nil
}

// elapsed returns the time since the epoch in nanoseconds.
func (n *Network) elapsed() int64 {
	if n.config.Virtual {
		return n.virtualNow.Load()
	}
	return int64(time.Since(n.epoch))
}

// Now returns the time on the network's clock.
func (n *Network) Now() time.Time { return n.timeAt(n.elapsed()) }

// timeAt returns the time so many nanoseconds after the epoch.
func (n *Network) timeAt(elapsed int64) time.Time { return n.epoch.Add(time.Duration(elapsed)) }

// Post makes the loop call f soon. Any goroutine may post; what is posted from
// elsewhere while a virtual network runs makes that run irreproducible.
func (n *Network) Post(f func()) {
	n.mu.Lock()
	n.posted = append(n.posted, f)
	n.wakeLocked(0)
	n.mu.Unlock()
}

// wakeLocked makes a sleeping loop wake up for something that is to happen before
// it would by itself.
func (n *Network) wakeLocked(at int64) {
	if n.sleepUntil <= at {
		return
	}
	n.sleepUntil = at
	n.sleeper.set(time.Duration(at - n.elapsed()))
}

// ErrRunning is returned when a network that runs is run again or closed.
var ErrRunning = errors.New("stack: the network is running")

// Run executes the event loop on the calling goroutine until the network's clock
// reaches a time, and returns nil; or until ctx is done, and returns its cause. A
// zero time means forever; on the virtual clock Run then returns nil when
// nothing is left that could ever happen. Run may be called again to continue.
func (n *Network) Run(ctx context.Context, until time.Time) error {
	if !n.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer n.running.Store(false)
	limit := int64(math.MaxInt64)
	if !until.IsZero() {
		limit = int64(until.Sub(n.epoch))
	}
	if n.config.Virtual {
		return n.runVirtual(ctx, limit)
	}
	return n.runWall(ctx, limit)
}

// Close ends all connections and waits for the network's goroutines. Handlers
// are not called any more.
func (n *Network) Close() error {
	if !n.running.CompareAndSwap(false, true) {
		return fmt.Errorf("close: %w", ErrRunning)
	}
	for _, d := range n.list {
		d.PowerOff()
	}
	if n.splices != nil {
		n.splices.close()
	}
	if n.tunnel != nil {
		n.tunnel.close()
	}
	if !n.config.Virtual {
		n.sleeper.close()
	}
	n.hosts((*host).close)
	return nil
}

// runPosted calls what was posted and reports whether there was anything.
func (n *Network) runPosted() bool {
	n.mu.Lock()
	posted := n.posted
	n.posted = nil
	n.mu.Unlock()
	for _, f := range posted {
		f()
	}
	return len(posted) > 0
}

// callReady tells sockets what has happened to them, and reports whether there
// were any.
func (n *Network) callReady() bool {
	n.mu.Lock()
	ready := n.ready
	n.ready = n.called[:0]
	n.mu.Unlock()
	if n.config.Virtual {
		sortByNumber(ready)
	}
	for _, s := range ready {
		if s.accept != nil {
			s.acceptAll()
		} else {
			s.handle()
		}
	}
	clear(ready)
	n.called = ready
	return len(ready) > 0
}
