package conformance

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// bodyLimit ends a check that does not end by itself. Every wait of a peer is bounded,
// so only a mistake in a check reaches it.
const bodyLimit = 2 * time.Minute

// one runs one check in one version and cleans up behind it. With suspects, it runs its
// cases from that one on, counted from 1, one by one.
func (r *runner) one(ctx context.Context, j job, suspects int) *Result {
	c, v := j.check, j.version
	res := &Result{Check: c, Version: v, Transport: r.o.Target.Transport(), Started: time.Now()}
	if lacks, ok := r.lacks[v]; ok {
		res.Verdict, res.Reason = Unsupported, lacks
		return res
	}
	if missing, how, ok := r.found[v].Missing(c.Needs); ok {
		res.Verdict, res.Reason = Unsupported, fmt.Sprintf("needs %s (%s)", missing, how)
		return res
	}
	r.gone.talking <- struct{}{}
	res.Started = time.Now()
	if culprit := r.gone.culprit(); culprit != "" {
		<-r.gone.talking
		res.Verdict, res.Reason = Inconclusive, "the target is gone since "+culprit
		return res
	}
	t := newT(ctx, r, c, v)
	if suspects > 0 {
		t.caseJobs, t.suspects = 1, suspects
	}
	t.body(ctx, c)
	<-r.gone.talking
	res.Duration = time.Since(res.Started)
	res.Verdict, res.Reason, res.Failure, res.Closed, res.Case = t.verdict, t.reason, t.failure, t.closed, t.played
	res.Transcript, res.suspects = t.log.Entries(), t.suspects
	if ctx.Err() != nil {
		res.Verdict, res.Reason, res.Failure = Skipped, "interrupted", nil
		return res
	}
	if res.Verdict == Fail || res.Verdict == Inconclusive || res.Closed != "" {
		r.autopsy(ctx, t, res)
	}
	if res.Verdict == Fail && (t.lenient || !c.Level(v).Binding()) {
		res.Verdict = Nonstrict
	}
	t.cleanUp(ctx)
	return res
}

// body runs the function of a check in a goroutine of its own, which the verbs may
// end, and closes all peers.
func (t *T) body(ctx context.Context, c *Check) {
	ctx, cancel := context.WithTimeout(ctx, max(bodyLimit, 3*t.timings.Answer)) // over a narrow band one message takes minutes
	defer cancel()
	t.ctx = ctx
	stop := context.AfterFunc(ctx, t.hangUp)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				t.verdict, t.reason = Inconclusive, fmt.Sprintf("the check panicked: %v\n%s", p, debug.Stack())
			}
		}()
		c.Run(ctx, t)
		t.settle()
	}()
	<-done
	if t.judged != nil && t.closed == "" {
		t.observe(t.judged)
	}
	stop()
	t.closeAll()
}

// settle audits what was never waited for.
func (t *T) settle() {
	for _, p := range t.peers {
		p.Settle()
	}
	if t.judged != nil {
		t.observe(t.judged)
	}
}

func (t *T) closeAll() {
	for _, p := range t.peers {
		p.Close()
	}
}

// hangUp makes every wait of the check end.
func (t *T) hangUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gone = true
	for _, p := range t.peers {
		p.Conn().Close()
	}
}
