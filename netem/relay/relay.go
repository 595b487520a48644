// Package relay puts an emulated link in front of a real address: a client that
// connects to the relay instead of the target talks to it as over that radio.
//
//	client -- host TCP --> relay [ device -> link -> gateway ] -- host TCP --> target
//
// Every connection gets a device of its own (netem/stack) with a link in each
// direction, and real TCP runs between the two ends of that link. So the loss of
// a packet shows as what TCP makes of it. Neither root nor the kernel's help is
// needed.
//
//	r, err := relay.Listen(relay.Config{Listen: "127.0.0.1:2883", Target: "127.0.0.1:1883", Up: p.Up, Down: p.Down})
//	err = r.Serve(ctx)
//
// # Design
//
// The client's own TCP ends at the relay: what it has written may wait there, and
// its connection is accepted before the target's is. A target that refuses shows
// as a reset right after connecting. Carrying packets of the client's own TCP
// instead would need a TUN device, hence root.
package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"mqttlab/netem/link"
	"mqttlab/netem/pcapng"
	"mqttlab/netem/stack"
)

// Config describes a relay.
type Config struct {
	// Listen is the host address for clients, as host:port. Port 0 lets the
	// system choose; see Relay.Addr.
	Listen string
	// Target is the address relayed to.
	Target string
	// Up is the link from the client to the target, Down the way back. The
	// zero value is a perfect link.
	Up, Down link.Config
	// Seed decides losses and jitter. The timing of real clients is not
	// repeatable, so neither is a run.
	Seed uint64
	// MTUBytes is the largest IP packet on the link. Zero means 1500.
	MTUBytes int
	// TCP is the kind of TCP at the clients' end of the link. The zero value is
	// Linux's.
	TCP stack.TCPProfile
	// TUN names a TUN device, see stack.Config: then the target's own TCP is the
	// other end of the link. Empty means none.
	TUN string
	// Logger tells about connections. Nil means silent.
	Logger *slog.Logger
}

// Relay is a listening relay. Its methods may be called from any goroutine.
type Relay struct {
	target   string
	mtuBytes int
	tcp      stack.TCPProfile
	capture  *pcapng.Writer
	listener net.Listener
	network  *stack.Network
	log      *slog.Logger

	mu       sync.Mutex // a leaf
	up, down *link.Model
	devices  map[*stack.Device]struct{} // in use
	free     []*stack.Device
	total    uint64
	failed   uint64
}

// Stats is what has happened in a Relay so far.
type Stats struct {
	// Open connections now, Accepted ones so far, and Failed ones: those
	// whose target could not be reached.
	Open, Accepted, Failed uint64
	// Network has packets, drops, retransmissions, and whether the machine
	// kept up.
	Network stack.Stats
}

// Listen starts listening. Clients wait until Serve is called.
func Listen(c Config) (*Relay, error) {
	up, upErr := link.Compile(c.Up)
	down, downErr := link.Compile(c.Down)
	if err := errors.Join(in("uplink", upErr), in("downlink", downErr)); err != nil {
		return nil, err
	}
	if _, _, err := net.SplitHostPort(c.Target); err != nil {
		return nil, fmt.Errorf("relay: target %q: want host:port: %w", c.Target, err)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	network, err := stack.New(stack.Config{Seed: c.Seed, MTUBytes: c.MTUBytes, TUN: c.TUN, Logger: c.Logger})
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("relay: %w", err), network.Close())
	}
	return &Relay{
		target: c.Target, mtuBytes: c.MTUBytes, tcp: c.TCP, listener: listener, network: network, log: c.Logger,
		up: up, down: down, devices: make(map[*stack.Device]struct{}),
	}, nil
}

func in(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Addr returns the address that clients connect to.
func (r *Relay) Addr() net.Addr { return r.listener.Addr() }

// Capture makes a Relay record all packets on its links, see stack.DeviceConfig. It is
// to be called before Serve.
func (r *Relay) Capture(w *pcapng.Writer) { r.capture = w }

// Serve relays connections until ctx is done, then resets those that are open and
// returns nil; or returns the error that made listening fail. A relay serves
// once.
func (r *Relay) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { r.listener.Close() })
	defer stop()
	// The loop outlives the connections, which need it to end.
	loopCtx, stopLoop := context.WithCancel(context.WithoutCancel(ctx))
	loop := make(chan error, 1)
	go func() { loop <- r.network.Run(loopCtx, time.Time{}) }()

	var work sync.WaitGroup
	err := r.accept(ctx, &work)
	cancel()
	work.Wait()
	stopLoop()
	if loopErr := <-loop; !errors.Is(loopErr, context.Canceled) {
		err = errors.Join(err, loopErr)
	}
	return errors.Join(err, r.network.Close())
}

// Close gives back what a relay holds that was never served.
func (r *Relay) Close() error { return errors.Join(r.listener.Close(), r.network.Close()) }

// accept starts a goroutine for each client until ctx is done.
func (r *Relay) accept(ctx context.Context, work *sync.WaitGroup) error {
	for {
		client, err := r.listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				client.Close()
			}
			return nil
		case err != nil:
			return fmt.Errorf("relay: %w", err)
		}
		work.Go(func() { r.relay(ctx, client.(*net.TCPConn)) })
	}
}

// relay serves one client.
func (r *Relay) relay(ctx context.Context, client *net.TCPConn) {
	defer client.Close()
	d, err := r.device(ctx)
	if err != nil {
		return
	}
	defer r.release(d)
	target, err := d.Dial(ctx, "tcp", r.target)
	if err != nil {
		r.log.Info("target not reached", "client", client.RemoteAddr(), "target", r.target, "error", err)
		r.mu.Lock()
		r.failed++
		r.mu.Unlock()
		_ = client.SetLinger(0) // the client is told by a reset
		return
	}
	defer target.Close()
	splice(ctx, client, target.(end))
}

// end is one end of a relayed connection.
type end interface {
	net.Conn
	CloseWrite() error
	SetLinger(seconds int) error
}

// splice copies both ways until both are through. An end that fails resets the
// other, and ctx resets both.
func splice(ctx context.Context, a, b end) {
	reset := func() {
		for _, e := range []end{a, b} {
			_ = e.SetLinger(0)
			e.Close()
		}
	}
	defer context.AfterFunc(ctx, reset)()
	var work sync.WaitGroup
	pass := func(to, from end) {
		if _, err := io.Copy(to, from); err != nil {
			reset()
			return
		}
		_ = to.CloseWrite() // an error shows in the other direction too
	}
	work.Go(func() { pass(a, b) })
	pass(b, a)
	work.Wait()
}

// device returns one that nobody uses, or a new one.
func (r *Relay) device(ctx context.Context) (*stack.Device, error) {
	r.mu.Lock()
	r.total++
	up, down := r.up, r.down
	if k := len(r.free); k > 0 {
		d := r.free[k-1]
		r.free = r.free[:k-1]
		r.devices[d] = struct{}{}
		r.mu.Unlock()
		return d, nil
	}
	r.mu.Unlock()
	type result struct {
		d   *stack.Device
		err error
	}
	made := make(chan result, 1)
	r.network.Post(func() {
		d, err := r.network.AddDevice(stack.DeviceConfig{Up: up, Down: down, TCP: r.tcp, Capture: r.capture})
		made <- result{d, err}
	})
	select {
	case m := <-made:
		if m.err == nil {
			r.mu.Lock()
			r.devices[m.d] = struct{}{}
			r.mu.Unlock()
		}
		return m.d, m.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// release makes a device available for the next client, unless the links have
// changed since.
func (r *Relay) release(d *stack.Device) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, current := r.devices[d]; current {
		delete(r.devices, d)
		r.free = append(r.free, d)
	}
}

// SetLinks changes the links of all connections, from the next packet on.
func (r *Relay) SetLinks(up, down link.Config) error {
	upModel, upErr := link.Compile(up)
	downModel, downErr := link.Compile(down)
	if err := errors.Join(in("uplink", upErr), in("downlink", downErr)); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.up, r.down = upModel, downModel
	// TCP's shortest timeout belongs to the links a device was made with, so
	// new connections get new devices.
	r.free = nil
	for d := range r.devices {
		d.SetLinks(upModel, downModel)
	}
	return nil
}

// Links returns the links in force.
func (r *Relay) Links() (up, down link.Config) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.up.Config(), r.down.Config()
}

// Stats returns a snapshot.
func (r *Relay) Stats() Stats {
	r.mu.Lock()
	s := Stats{Open: uint64(len(r.devices)), Accepted: r.total, Failed: r.failed}
	r.mu.Unlock()
	s.Network = r.network.Stats()
	return s
}
