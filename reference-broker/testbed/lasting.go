package testbed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/store"
)

// Lasting is a broker with a store that can be stopped and started again within this process. Its methods are safe for concurrent use; a connection that
// comes while the broker is down waits for it.
type Lasting struct {
	dir       string
	configure func(*broker.Config)
	damage    func(*store.Store) error

	mu     sync.Mutex // one of the methods at a time
	broker *broker.Broker
	store  *store.Store
	lease  *lease // nil without Serve
	door   chan net.Conn
	lns    []net.Listener
	wg     sync.WaitGroup // the pumps of lns, and the broker's Serve
}

// NewLasting starts a broker whose store is in the folder dir. damage, which may be nil, is done to the store whenever the broker is down: for faults.
// Close comes at the end.
func NewLasting(dir string, configure func(*broker.Config), damage func(*store.Store) error) (*Lasting, error) {
	l := &Lasting{dir: dir, configure: configure, damage: damage}
	return l, l.start()
}

// start opens the store and makes a broker of it. The caller holds mu, or is the only one.
func (l *Lasting) start() error {
	s, err := store.Open(l.dir, store.Options{MinimumFree: -1})
	if err != nil {
		return err
	}
	var cfg broker.Config
	l.configure(&cfg)
	cfg.Store = s
	b, err := broker.New(cfg)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	l.store, l.broker = s, b
	if l.lns != nil {
		l.serve()
	}
	return nil
}

// stop ends the broker and closes its store.
func (l *Lasting) stop(ctx context.Context) error {
	err := l.broker.Close(ctx)
	if l.lease != nil {
		l.lease.Close()
	}
	return errors.Join(err, l.store.Close())
}

// Restart stops the broker in good order and starts it on what it has stored.
func (l *Lasting) Restart(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.again(ctx)
}

// Crash cuts the broker off, see [broker.Broker.Abort], and starts it on what it has stored.
func (l *Lasting) Crash(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broker.Abort()
	return l.again(ctx)
}

func (l *Lasting) again(ctx context.Context) error {
	if err := l.stop(ctx); err != nil {
		return fmt.Errorf("stop the broker: %w", err)
	}
	if l.damage != nil {
		if err := l.hurt(); err != nil {
			return fmt.Errorf("damage the store: %w", err)
		}
	}
	return l.start()
}

func (l *Lasting) hurt() error {
	s, err := store.Open(l.dir, store.Options{MinimumFree: -1})
	if err != nil {
		return err
	}
	return errors.Join(l.damage(s), s.Close())
}

// Pipe is a new in-memory connection to the broker.
func (l *Lasting) Pipe() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broker.Pipe()
}

// Serve lets the broker, and those after it, accept connections from the listeners, which Close closes. It is called once at most.
func (l *Lasting) Serve(lns ...net.Listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lns, l.door = lns, make(chan net.Conn)
	var pumps sync.WaitGroup
	for _, ln := range lns {
		pumps.Go(func() {
			for {
				nc, err := ln.Accept()
				if err != nil {
					return
				}
				l.door <- nc
			}
		})
	}
	l.wg.Go(func() {
		pumps.Wait()
		close(l.door)
	})
	l.serve()
}

func (l *Lasting) serve() {
	b, lease := l.broker, &lease{Listener: l.lns[0], door: l.door, ended: make(chan struct{})}
	l.lease = lease
	l.wg.Go(func() { _ = b.Serve(context.Background(), lease) }) // it ends with the broker
}

// drain is how long the broker may take to say goodbye.
const drain = 5 * time.Second

// Close ends it all. The folder stays.
func (l *Lasting) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.stop(ctx)
	if l.lns != nil {
		for _, ln := range l.lns {
			ln.Close()
		}
		for nc := range l.door {
			nc.Close()
		}
	}
	l.wg.Wait()
	return err
}

// lease is the listeners as one broker sees them, under the name of the first: closed with the broker, while the real one goes on.
type lease struct {
	net.Listener
	door  chan net.Conn
	once  sync.Once
	ended chan struct{}
}

func (l *lease) Accept() (net.Conn, error) {
	select {
	case nc, open := <-l.door:
		if open {
			return nc, nil
		}
	case <-l.ended:
	}
	return nil, net.ErrClosed
}

func (l *lease) Close() error {
	l.once.Do(func() { close(l.ended) })
	return nil
}
