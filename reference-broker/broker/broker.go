package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/transport"
)

// ErrClosed is returned by methods of a Broker that was closed.
var ErrClosed = errors.New("the broker is closed")

// Broker is a running MQTT Server. All methods are safe for concurrent use. Use [New], and [Broker.Close] at the end.
type Broker struct {
	cfg     Config
	hub     hub
	pool    pool
	traffic traffic
	desks   chan *desk     // the free ones
	done    chan struct{}  // closed when Close begins
	wg      sync.WaitGroup // all goroutines of the broker

	mu        sync.Mutex // guards all below
	closing   bool
	listeners map[net.Listener]struct{}
	loops     loops
	looping   bool
	loopErr   error
	failure   error // of the Store
}

// New returns a broker that serves nobody yet. The error names all mistakes in cfg.
func New(cfg Config) (*Broker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("broker configuration: %w", err)
	}
	cfg = cfg.WithDefaults()
	cfg.Server.Authenticate = cfg.Authenticator != nil
	cfg.Server.Persist = cfg.Store != nil
	b := &Broker{cfg: cfg, done: make(chan struct{}), desks: newDesks(), listeners: make(map[net.Listener]struct{})}
	if err := b.hub.init(b); err != nil {
		return nil, err
	}
	b.wg.Go(b.clock)
	return b, nil
}

// Serve accepts connections on ln until ctx ends, ln is closed or the broker is closed, all of which return nil. It closes ln. Connections that
// were accepted live on until the broker is closed. When the Store fails, the broker ends and Serve returns why.
func (b *Broker) Serve(ctx context.Context, ln net.Listener) error {
	if !b.addListener(ln) {
		ln.Close()
		return ErrClosed
	}
	defer b.removeListener(ln)
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	var pause time.Duration
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			pause = 0
			b.accept(nc, ln.Addr().String())
		case errors.Is(err, net.ErrClosed), ctx.Err() != nil:
			return b.failed()
		case temporary(err):
			// Out of file descriptors, most likely: some connections must end first.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			b.cfg.Logger.Warn("accept failed, trying again", "listener", ln.Addr().String(), "error", err, "pause", pause)
			if !b.sleep(ctx, pause) {
				return nil
			}
		default:
			return fmt.Errorf("accept on %s: %w", ln.Addr(), err)
		}
	}
}

func temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

func (b *Broker) sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
	case <-b.done:
	}
	return false
}

// Pipe returns the client's end of a new in-memory connection to the broker. The caller closes it.
func (b *Broker) Pipe() (net.Conn, error) {
	near, far := transport.Pipe()
	if !b.accept(far, "pipe") {
		return nil, ErrClosed
	}
	return near, nil
}

// accept lets a connection be read. If it is not wanted it is closed and false returned.
func (b *Broker) accept(nc net.Conn, listener string) bool {
	c := newConn(b, nc)
	if err := b.hub.open(c, server.Transport{Remote: remote(nc), Listener: listener}); err != nil {
		b.cfg.Logger.Warn("connection refused", "remote", remote(nc), "error", err)
		nc.Close()
		return false
	}
	if l := b.loopOf(c); l != nil && l.add(c) == nil {
		return true
	}
	go c.serve()
	return true
}

// loopOf returns the loop that reads c, or nil if it needs a goroutine. The first socket starts the loops.
func (b *Broker) loopOf(c *conn) *loop {
	if c.out.direct == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.looping {
		b.looping = true
		b.loopErr = b.loops.start(b)
		if b.loopErr != nil && !errors.Is(b.loopErr, errors.ErrUnsupported) {
			b.cfg.Logger.Warn("a goroutine per connection is used", "error", b.loopErr)
		}
	}
	if b.loopErr != nil {
		return nil
	}
	return b.loops.of(c.id)
}

func remote(nc net.Conn) string {
	if a := nc.RemoteAddr(); a != nil {
		return a.String()
	}
	return ""
}

// Close stops accepting, disconnects all clients (5.0 ones with 0x8B, Server shutting down) and waits until they are gone and all goroutines have
// ended. When ctx ends first the remaining connections are cut and its error is returned. A second Close waits for the first.
func (b *Broker) Close(ctx context.Context) error {
	b.shut()
	ended := make(chan struct{})
	go func() {
		b.wg.Wait()
		b.hub.committer.close()
		b.mu.Lock()
		b.loops.stop()
		b.mu.Unlock()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		b.hub.cut()
		<-ended
		return ctx.Err()
	}
}

func (b *Broker) shut() {
	b.stopAccepting()
	b.hub.shut()
}

// failed returns what ended the broker, nil if it was not the Store.
func (b *Broker) failed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failure
}

func (b *Broker) stopAccepting() {
	b.mu.Lock()
	if !b.closing {
		b.closing = true
		close(b.done)
		for ln := range b.listeners {
			ln.Close()
		}
	}
	b.mu.Unlock()
}

func (b *Broker) addListener(ln net.Listener) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing {
		return false
	}
	b.listeners[ln] = struct{}{}
	b.wg.Add(1)
	return true
}

func (b *Broker) removeListener(ln net.Listener) {
	b.mu.Lock()
	delete(b.listeners, ln)
	b.mu.Unlock()
	ln.Close()
	b.wg.Done()
}

// Stats are counts of what the broker does, besides those of the Server.
type Stats struct {
	server.Stats
	// SlowDropped counts QoS 0 messages dropped, and SlowClosed connections closed, because a client did not read what was sent to it.
	SlowDropped, SlowClosed uint64
	// BytesReceived and BytesSent are the bytes of MQTT that were read from and written to all Network Connections.
	BytesReceived, BytesSent uint64
}

// traffic counts bytes. It is apart from the hub, for reading and writing happen without its mutex.
type traffic struct{ in, out atomic.Uint64 }

// Stats returns the counts.
func (b *Broker) Stats() Stats {
	s := b.hub.stats()
	s.BytesReceived, s.BytesSent = b.traffic.in.Load(), b.traffic.out.Load()
	return s
}

// Publish sends a message of the broker's own to its subscribers. The Topic Name must be valid. p may be used again afterwards.
func (b *Broker) Publish(p *mqtt.Publish) { b.hub.publish(p) }
