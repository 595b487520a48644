package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"mqttlab/simulator/device"
)

// DefaultDials is how many connections are opened at once: the listen backlog of mosquitto is 100, and one that overflows looks like loss.
const DefaultDials = 64

// Config describes a Loop.
type Config struct {
	// Target is the address of the target, as host:port.
	Target string
	// Dials bounds the connections that are being opened at once; loops may share it. Nil: DefaultDials of this loop's own.
	Dials *semaphore.Weighted
	// Logger is told what happens to connections. Nil: silent.
	Logger *slog.Logger
}

// Traffic counts the bytes of connections, without the headers of TCP.
type Traffic struct{ Up, Down atomic.Int64 }

// Loop calls devices one at a time.
type Loop struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex // held while a device is called, and guards all below
	open     map[*conn]struct{}
	closed   bool
	lateness lateness
}

// New returns a Loop. Close it to end its connections and goroutines.
func New(cfg Config) *Loop {
	if cfg.Dials == nil {
		cfg.Dials = semaphore.NewWeighted(DefaultDials)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Loop{cfg: cfg, open: map[*conn]struct{}{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.lateness.begin(time.Now())
	l.work.Add(1)
	go l.beat()
	return l
}

// Do calls f as devices are called. f must not block, nor call Do or Close.
func (l *Loop) Do(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// Close ends all connections, in order where the target listens, and waits for the goroutines. Devices are not called any more.
func (l *Loop) Close() {
	l.mu.Lock()
	l.closed = true
	for c := range l.open {
		c.shut()
	}
	l.mu.Unlock()
	l.cancel()
	l.work.Wait()
}

// Lateness tells how late the loop has been so far.
func (l *Loop) Lateness() Lateness {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lateness.snapshot()
}

// Host returns a host for devices whose connections count as traffic. A valid source is the address they come from, so that more than the 28,000
// connections of one address can be open.
func (l *Loop) Host(traffic *Traffic, source netip.Addr) device.Host {
	return l.HostTo(l.cfg.Target, traffic, source)
}

// HostTo is Host for another target than the loop's.
func (l *Loop) HostTo(target string, traffic *Traffic, source netip.Addr) device.Host {
	h := &host{l: l, target: target, traffic: traffic}
	if source.IsValid() {
		h.dialer.LocalAddr = &net.TCPAddr{IP: source.AsSlice()}
	}
	return h
}

type host struct {
	l       *Loop
	target  string
	traffic *Traffic
	dialer  net.Dialer

	// Guarded by the loop's lock.
	conns []*conn
	light chan struct{} // nil: the link is there; otherwise closed when it is again
}

// Now implements device.Host.
func (h *host) Now() time.Time { return time.Now() }

// Open implements device.Host.
func (h *host) Open(handler device.Handler) error {
	c := &conn{host: h, handler: handler}
	h.l.work.Add(1)
	go c.run()
	return nil
}

// NewTimer implements device.Host.
func (h *host) NewTimer(f func()) device.Timer {
	t := &timer{l: h.l, f: f}
	t.timer = time.AfterFunc(time.Hour, t.fire)
	t.timer.Stop()
	return t
}

// timer is a timer of Go whose function is called with the loop's lock held.
type timer struct {
	l     *Loop
	f     func()
	timer *time.Timer
	at    time.Time // guarded by the loop's lock; zero: stopped
}

// Set implements device.Timer.
func (t *timer) Set(at time.Time) {
	if at.Equal(t.at) {
		return
	}
	t.at = at
	t.timer.Reset(time.Until(at))
}

// Stop implements device.Timer.
func (t *timer) Stop() bool {
	if t.at.IsZero() {
		return false
	}
	t.at = time.Time{}
	t.timer.Stop()
	return true
}

// fire may come too early, when the timer was set again as it went off; the later setting then still stands.
func (t *timer) fire() {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	now := time.Now()
	if t.l.closed || t.at.IsZero() || now.Before(t.at) {
		return
	}
	t.l.lateness.record(now, now.Sub(t.at))
	t.at = time.Time{}
	t.f()
}

// beat measures the loop's lateness even when no device has anything to do.
func (l *Loop) beat() {
	defer l.work.Done()
	const every = 10 * time.Millisecond
	next := time.Now().Add(every)
	t := time.NewTimer(every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-l.ctx.Done():
			return
		}
		l.Do(func() {
			now := time.Now()
			for ; !next.After(now); next = next.Add(every) {
				l.lateness.record(now, now.Sub(next))
			}
		})
		t.Reset(time.Until(next))
	}
}

// CheckReachable opens and closes one connection to the target.
func CheckReachable(ctx context.Context, target string) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", target)
	if err != nil {
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			return fmt.Errorf("no answer: %w", err)
		}
		return err
	}
	return c.Close()
}
