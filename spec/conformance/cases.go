package conformance

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
)

// Case is one of the many conversations by which a check judges one rule.
type Case struct {
	// Name tells it from the other cases of its check, and comes first in its failure.
	Name string
	// About are the statements that it is about; nil means all that the check covers.
	About []statement.ID
	// Run holds the conversation, as [Check.Run] does.
	Run func(t *T)
}

// caseJobs is how many cases of a check run at a time. It is more than a target has
// cores, as what takes time is a target that does not close: those waits add up.
const caseJobs = 8

// enough is how many cases about the same statements may fail before the others about these
// are left out: they would tell the same, and each of a target that does not close costs a
// wait.
const enough = 24

// Cases runs cases, several at a time, each with a [T] of its own, and folds what comes
// of them into the verdict of the check: the first that failed, with its transcript, and
// the names of all others that did. The target is not asked any further when it cannot
// be reached any more; then the cases that ran last are named.
//
// The connections of a case are closed behind it. What it leaves on the target is removed
// with what the check leaves.
func (t *T) Cases(cases []Case) {
	cases = cases[min(max(0, t.suspects-1), len(cases)):]
	runs := make([]*T, len(cases))
	for i, c := range cases {
		runs[i] = t.fork(c)
	}
	var next, lost int // lost is the first case that could not run, if any
	lost = len(cases)
	var mu sync.Mutex         // guards next, lost and alike
	alike := map[string]int{} // how many failed, by what they are about
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		for next < lost && alike[fmt.Sprint(cases[next].About)] >= enough {
			runs[next].verdict = Skipped
			next++
		}
		next++
		return next - 1, next <= lost && t.ctx.Err() == nil
	}
	var workers sync.WaitGroup
	for range min(t.caseJobs, len(cases)) {
		workers.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				runs[i].converse(cases[i])
				mu.Lock()
				switch {
				case t.suspects > 0 && !t.alive(t.ctx):
					lost = min(lost, i+1)
				case runs[i].verdict == Inconclusive:
					lost = min(lost, i)
				case runs[i].verdict == Fail:
					alike[fmt.Sprint(cases[i].About)]++
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	for _, run := range runs {
		t.traces.merge(run.traces)
	}
	t.fold(cases, runs, lost)
}

// fork makes the T of a case.
func (t *T) fork(c Case) *T {
	f := &T{
		ctx: t.ctx, target: t.target, found: t.found, timings: t.timings, version: t.version,
		log: probe.NewTranscript(), id: t.newID(),
		rand: rand.New(rand.NewPCG(t.rand.Uint64(), 0)), verdict: Pass, caseJobs: 1, stress: t.stress,
	}
	f.Gomega = gomega.NewGomega(f.unexpected)
	f.About(c.About)
	return f
}

// converse runs a case in a goroutine of its own, which the verbs may end.
func (t *T) converse(c Case) {
	defer t.closeAll()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				t.verdict, t.reason = Inconclusive, fmt.Sprintf("the case panicked: %v\n%s", p, debug.Stack())
			}
		}()
		c.Run(t)
		t.settle()
	}()
	select {
	case <-done:
	case <-t.ctx.Done():
		t.hangUp()
		<-done
	}
}

// fold turns the verdicts of the cases into that of their check.
func (t *T) fold(cases []Case, runs []*T, lost int) {
	if t.suspects > 0 {
		t.accuse(cases, runs, lost)
	}
	t.suspects = 1 + max(0, lost-2*t.caseJobs) // each worker may have had a case that was cut off since
	var failed []int
	skipped := 0
	for i, run := range runs[:min(lost+t.caseJobs, len(runs))] {
		switch run.verdict {
		case Fail:
			failed = append(failed, i)
		case Skipped:
			skipped++
		case Nonstrict, Info:
			t.note(run.verdict, cases[i].Name+": "+run.reason)
		}
		if run.closed != "" {
			t.closed = run.closed
		}
	}
	if len(failed) > 0 {
		first := runs[failed[0]]
		f := *first.failure
		f.Why = cases[failed[0]].Name + ": " + f.Why + others(cases, failed[1:], skipped)
		f.Statements = nil
		for _, i := range failed {
			f.Statements = append(f.Statements, runs[i].failure.Statements...)
		}
		slices.Sort(f.Statements)
		f.Statements = slices.Compact(f.Statements)
		t.log, t.closed = first.log, first.closed
		t.Fail(f)
	}
	if lost < len(cases) {
		t.log = runs[lost].log
		before := "; it was the first case"
		if lost > 0 {
			from := max(0, lost-t.caseJobs)
			before = "; before it came: " + names(cases[from:lost])
		}
		t.Inconclusive(cases[lost].Name + ": " + runs[lost].reason + before)
	}
	if len(runs) > 0 {
		t.log = runs[0].log
	}
}

// accuse blames the case that was the last to run when the target was lost; they ran one by
// one.
func (t *T) accuse(cases []Case, runs []*T, lost int) {
	if lost == 0 {
		return
	}
	c, run := cases[lost-1], runs[lost-1]
	t.log = run.log
	if run.failure == nil {
		t.Inconclusive(c.Name + ": it was the last before the target was lost")
	}
	f := *run.failure
	f.Why = c.Name + ": " + f.Why
	t.Fail(f)
}

// others tells in one line which cases failed besides the first, and how many were left out.
func others(cases []Case, failed []int, skipped int) string {
	if len(failed) == 0 {
		return ""
	}
	also := make([]Case, len(failed))
	for i, at := range failed {
		also[i] = cases[at]
	}
	left := ""
	if skipped > 0 {
		left = fmt.Sprintf("; %d alike were left out", skipped)
	}
	return fmt.Sprintf(" (and %d more of %d cases: %s%s)", len(failed), len(cases), names(also), left)
}

func names(cases []Case) string {
	const limit = 8
	var all []string
	for _, c := range cases[:min(limit, len(cases))] {
		all = append(all, c.Name)
	}
	if more := len(cases) - limit; more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

// StaysOrCloses sends packets for which no reaction is named: the target may close, ignore
// them or answer. It has to do one of these in time, and what it sends is audited as
// always.
func (t *T) StaysOrCloses(p *probe.Peer, why string, packets ...octets.Packet) {
	t.judged = p
	p.Send(append(packets, octets.Pingreq{})...)
	_, sent := p.LastSent()
	for deadline := time.Now().Add(t.timings.Answer); ; {
		e := p.Next(time.Until(deadline))
		switch {
		case e.End != nil, e.Packet != nil && e.Packet.Type == octets.PINGRESP:
			t.observe(p)
			return
		case e.Packet == nil:
			t.Fail(probe.Failure{
				Why: why, Sent: sent, Acceptable: []string{"the connection is closed", "PINGREQ is answered"},
				Got: fmt.Sprintf("nothing within %v", t.timings.Answer), Silent: true,
			})
		}
	}
}

// merge adds the traces of a case.
func (tr *traces) merge(of traces) {
	for name := range of.sessions {
		add(&tr.sessions, name)
	}
	for name := range of.retained {
		add(&tr.retained, name)
	}
}
