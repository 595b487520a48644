package transport

import (
	"hash/maphash"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// throttleCells is how many sources are told apart: the table takes half a MiB and never more. Of a thousand sources that are busy at once,
	// one in 65 shares its budget with another.
	throttleCells = 1 << 16
	// throttleReport is the shortest time between two lines of the log: who floods the broker does not flood its log.
	throttleReport = 10 * time.Second
)

// Throttle limits how many connections one source may open, for one or several listeners: so many at once, and then so many per second. A
// source is an IPv4 address or an IPv6 /64. Connections from the machine itself, over loopback or a Unix socket, are not limited: a proxy
// there stands for many sources. Its methods may be called from any goroutine.
type Throttle struct {
	each  time.Duration // what one connection costs
	slack time.Duration // how far a source may be ahead
	seed  maphash.Seed
	begin time.Time

	mu       sync.Mutex // guards all below
	paid     [throttleCells]time.Duration
	refused  uint64
	reported time.Time
	told     uint64 // of refused, those that were in the log
}

// NewThrottle returns a Throttle that lets a source open burst connections at once and then rate per second. Both are positive.
func NewThrottle(rate, burst int) *Throttle {
	each := time.Second / time.Duration(rate)
	return &Throttle{each: each, slack: time.Duration(burst-1) * each, seed: maphash.MakeSeed(), begin: time.Now()}
}

// Admit reports whether a connection that came from addr at the time now may be served.
func (t *Throttle) Admit(now time.Time, addr net.Addr) bool {
	source, limited := sourceOf(addr)
	if !limited {
		return true
	}
	at := now.Sub(t.begin)
	t.mu.Lock()
	defer t.mu.Unlock()
	// The cell holds when the source will have its whole budget back. That far ahead of now, it has no more to spend.
	paid := &t.paid[maphash.Comparable(t.seed, source)%throttleCells]
	ready := max(*paid, at)
	if ready-at > t.slack {
		t.refused++
		return false
	}
	*paid = ready + t.each
	return true
}

// Refused returns how many connections were not let in.
func (t *Throttle) Refused() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused
}

// sourceOf returns whose budget a connection is counted against, false if nobody's.
func sourceOf(addr net.Addr) (netip.Addr, bool) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	ip := tcp.AddrPort().Addr().Unmap()
	if ip.IsLoopback() {
		return netip.Addr{}, false
	}
	if ip.Is6() { // one host has a /64 to itself
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			ip = p.Addr()
		}
	}
	return ip, true
}

// report logs what was refused since the last time, now and then.
func (t *Throttle) report(now time.Time, addr net.Addr, logger *slog.Logger) {
	t.mu.Lock()
	due := t.reported.IsZero() || now.Sub(t.reported) >= throttleReport
	refused := t.refused - t.told
	if due {
		t.reported, t.told = now, t.refused
	}
	t.mu.Unlock()
	if due {
		logger.Warn("connections refused: one source opens too many", "last", addr.String(), "refused", refused)
	}
}

// throttled is a listener whose connections a Throttle counts.
type throttled struct {
	net.Listener
	throttle *Throttle
	logger   *slog.Logger
}

// Accept implements net.Listener. Connections over the limit are closed and not returned.
func (l *throttled) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		now := time.Now()
		if l.throttle.Admit(now, nc.RemoteAddr()) {
			return nc, nil
		}
		l.throttle.report(now, nc.RemoteAddr(), l.logger)
		if s, ok := nc.(interface{ SetLinger(sec int) error }); ok {
			_ = s.SetLinger(0) // a reset, so that no closed socket stays behind on this side
		}
		nc.Close()
	}
}
