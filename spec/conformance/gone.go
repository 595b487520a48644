package conformance

import (
	"context"
	"sync"
	"time"
)

// gone keeps track of deaths of the target.
type gone struct {
	recovery chan struct{} // holds one token while somebody waits for the target to return
	talking  chan struct{} // holds one token for each check that talks to the target

	mu     sync.Mutex // guards the fields below
	deaths []death
	since  string // the check that noticed that the target does not come back
}

// death is the time in which the target died.
type death struct{ from, to time.Time }

// culprit names the check since which the target is gone, "" while it is there.
func (g *gone) culprit() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.since
}

// doubtful says of a result that the target died while the check ran and came back
// since: another check may be to blame for what went wrong, and may have closed the
// connections that had to be closed.
func (g *gone) doubtful(res *Result) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.since != "" || res.Verdict == Unsupported || res.Verdict == Skipped { // it cannot run again, or did not run
		return false
	}
	end := res.Started.Add(res.Duration)
	for _, d := range g.deaths {
		if !res.Started.After(d.to) && !d.from.After(end) {
			return true
		}
	}
	return false
}

// autopsy finds out whether a check has killed the target, and waits until the target is
// back.
func (r *runner) autopsy(ctx context.Context, t *T, res *Result) {
	if t.alive(ctx) || r.o.Lossy && t.alive(ctx) {
		return
	}
	select {
	case r.gone.recovery <- struct{}{}:
		defer func() { <-r.gone.recovery }()
	case <-ctx.Done():
		return
	}
	if since := r.gone.culprit(); since != "" {
		res.Verdict, res.Reason = Inconclusive, "the target died while this ran; it is gone since "+since
		return
	}
	if !r.alone && r.inDoubt(res) { // somebody else has brought it back by now
		return
	}
	was := res.Reason
	res.Verdict, res.Reason = Crash, "the target accepts no client any more"
	if was != "" {
		res.Reason += " (" + was + ")"
	}
	r.gone.died(death{res.Started, time.Now()})
	if !r.back(ctx, t) {
		r.gone.forGood(res.ID())
	}
}

func (g *gone) died(d death) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.deaths = append(g.deaths, d)
}

func (g *gone) forGood(since string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.since = since
}

// restarts is how often a target is started anew for one death.
const restarts = 3

// back restarts the target if that is possible, and waits for Answer that it accepts a
// client. The caller holds the token of recovery, so that checks that fail for the same
// reason wait. Those that still talk have ended first: they might kill it again while it
// starts.
func (r *runner) back(ctx context.Context, t *T) bool {
	for range cap(r.gone.talking) {
		r.gone.talking <- struct{}{}
		defer func() { <-r.gone.talking }()
	}
	restart := r.o.Target.Restart
	if restart == nil {
		return t.returns(ctx)
	}
	for range restarts {
		if err := restart(ctx); err == nil && t.returns(ctx) {
			return true
		}
	}
	return false
}

// returns polls for Answer until the target accepts a client.
func (t *T) returns(ctx context.Context) bool {
	const poll = 50 * time.Millisecond
	deadline := time.Now().Add(t.timings.Answer)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		if t.alive(ctx) {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(poll):
		}
	}
	return false
}
