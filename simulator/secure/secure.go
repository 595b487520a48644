// Package secure lets devices speak TLS over any host.
//
// A Layer wraps a device.Host: its connections are those of the host with crypto/tls on them. A device sees what it saw before, a little later.
//
//	device ─► Send ─► tls.Conn ─► ciphertext ─► Conn of the host below
//	device ◄─ Received ◄─ goroutine in tls.Conn.Read ◄─ ciphertext ◄─ Received from below
//
// # Design
//
// crypto/tls wants a net.Conn that blocks; the hosts below have events. So there is a pipe in memory between the two, and one goroutine per connection that waits
// in Read: what a TLS connection costs here, besides its keys. Writes do not block, and are made on the device's own loop.
//
// A sans-I/O TLS in the standard library is tls.QUICConn, which has no records; another implementation of TLS lost, because the one that is measured should be
// one that devices and targets have.
package secure

import (
	"crypto/tls"
	"sync"

	"mqttlab/simulator/device"
)

// Layer is what the TLS connections of some hosts have in common. Close ends them.
type Layer struct {
	cfg *tls.Config

	mu     sync.Mutex
	open   map[*session]struct{}
	closed bool
	work   sync.WaitGroup
}

// New returns a Layer. cfg needs a ServerName, or has to skip verification.
func New(cfg *tls.Config) *Layer { return &Layer{cfg: cfg, open: map[*session]struct{}{}} }

// Host returns a host whose connections speak TLS over those of below. do calls a function on the loop of its devices, at once or soon; it is called from
// other goroutines only.
func (l *Layer) Host(below device.Host, do func(func())) device.Host {
	return &host{Host: below, layer: l, do: do}
}

// Close ends all connections and waits for their goroutines. The loops below may be closed already.
func (l *Layer) Close() {
	l.mu.Lock()
	l.closed = true
	for s := range l.open {
		s.end(errClosed)
	}
	l.mu.Unlock()
	l.work.Wait()
}

// begin counts a connection in; false: the layer is closed.
func (l *Layer) begin(s *session) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.open[s] = struct{}{}
	l.work.Add(1)
	return true
}

func (l *Layer) done(s *session) {
	l.mu.Lock()
	delete(l.open, s)
	l.mu.Unlock()
	l.work.Done()
}

type host struct {
	device.Host
	layer *Layer
	do    func(func())
	last  *session // of the device's loop
}

// Below returns the host that a host of a Layer wraps, and any other as it is.
func Below(h device.Host) device.Host {
	if wrapped, ok := h.(*host); ok {
		return wrapped.Host
	}
	return h
}

// Open implements device.Host.
func (h *host) Open(up device.Handler) error {
	s := newSession(h, up)
	h.last = s
	return h.Host.Open(s)
}

// Vanish implements device.Host.
func (h *host) Vanish() {
	if h.last != nil {
		h.last.drop()
		h.last = nil
	}
	h.Host.Vanish()
}
