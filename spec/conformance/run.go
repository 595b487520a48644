package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/target"
)

// Options say what [Verify] does.
type Options struct {
	// Target is what is judged. Required.
	Target *target.Target
	// Checks are run in this order, the long ones first; nil means [All].
	Checks []*Check
	// Versions are the versions to judge; nil means both.
	Versions []octets.Version
	// Only narrows further: a check runs in a version if it says so; nil means all.
	Only func(*Check, octets.Version) bool
	// Jobs is how many checks run at a time; 0 means 8.
	Jobs int
	// Lossy says that the target is behind a link that loses packets: one in a
	// hundred thousand is then so late that a check or the target gives up. A check
	// that fails is run once more, alone, and counts as it is then.
	Lossy bool
	// Seed draws the names and whatever else a check draws.
	Seed uint64
	// Case is what checks with Steps play, and nothing else; empty means what the seed
	// draws.
	Case string
	// Stress cuts what the checks write into small and odd pieces and lets them read
	// slowly; the verdicts should be the same. See [probe.Stress].
	Stress bool
	// Known are failures listed with a reason, in addition to those of the target.
	Known []target.Known
	// Progress is told of each result once, by one goroutine at a time; nil for nobody.
	Progress func(Event)
}

// Event is one step of a run.
type Event struct {
	// Result is what a check has come to.
	Result *Result
	// Done of Total checks have a verdict.
	Done, Total int
}

// Run is what came of a run.
type Run struct {
	// Results are in the order of Options.Checks, oldest version first. Checks that
	// do not exist in a version have none.
	Results []*Result
	// Found tells for each version what the target offers; versions it does not speak
	// are missing.
	Found map[octets.Version]*target.Found
	// Timings are the waits that were used.
	Timings probe.Timings
	// Started and Duration are of the whole run.
	Started  time.Time
	Duration time.Duration
	// Interrupted is set when the context ended before all had run.
	Interrupted bool
}

// ErrNothing is returned when no check was selected.
var ErrNothing = errors.New("no check to run")

// Verify runs checks against a target. Its error says why no verdict could be reached at
// all: ErrNothing, or a [*target.ReachError]. A target that breaks every rule is a
// result, not an error. When ctx ends, what has not run is skipped.
func Verify(ctx context.Context, o Options) (*Run, error) {
	o = o.withDefaults()
	r := &runner{
		o: o, found: map[octets.Version]*target.Found{},
		timings: map[octets.Version]probe.Timings{}, lacks: map[octets.Version]string{},
		gone: gone{recovery: make(chan struct{}, 1), talking: make(chan struct{}, o.Jobs)},
	}
	plan := r.plan()
	if len(plan) == 0 {
		return nil, ErrNothing
	}
	started := time.Now()
	if err := r.discover(ctx); err != nil {
		return nil, err
	}
	run := &Run{Results: r.run(ctx, plan), Found: r.found, Started: started, Interrupted: ctx.Err() != nil}
	for _, t := range r.timings {
		run.Timings = t
	}
	run.Duration = time.Since(started)
	return run, nil
}

func (o Options) withDefaults() Options {
	if o.Checks == nil {
		o.Checks = All()
	}
	if o.Versions == nil {
		o.Versions = []octets.Version{octets.V311, octets.V5}
	}
	if o.Jobs == 0 {
		o.Jobs = 8
	}
	o.Known = slices.Concat(o.Target.Known, o.Known)
	return o
}

// runner is one run.
type runner struct {
	o       Options
	found   map[octets.Version]*target.Found
	timings map[octets.Version]probe.Timings
	lacks   map[octets.Version]string // versions the target does not speak, and why
	gone    gone
	alone   bool // one job at a time from now on; changed while none runs

	mu    sync.Mutex // guards done and the calls of Progress
	done  int
	total int
}

// job is one check in one version; its result has a fixed place.
type job struct {
	check   *Check
	version octets.Version
	at      int
}

func (r *runner) plan() []job {
	var plan []job
	for _, c := range r.o.Checks {
		for _, v := range c.Versions() {
			if slices.Contains(r.o.Versions, v) && (r.o.Only == nil || r.o.Only(c, v)) {
				plan = append(plan, job{c, v, len(plan)})
			}
		}
	}
	return plan
}

// discover looks at the target once per version.
func (r *runner) discover(ctx context.Context) error {
	for _, v := range r.o.Versions {
		id := fmt.Sprintf("%08xf%d", uint32(r.o.Seed), byte(v))
		found, timings, err := target.Discover(ctx, r.o.Target, v, id)
		var other *target.VersionError
		var unreachable *target.ReachError
		switch {
		case errors.As(err, &other):
			r.lacks[v] = err.Error()
		case errors.As(err, &unreachable) && unreachable.Trouble == target.Closes && len(r.found) > 0:
			// It serves an older version on this address: so it does not know this one.
			r.lacks[v] = fmt.Sprintf("the target does not speak MQTT %s (%s)", v, unreachable.Detail)
		case err != nil:
			return err
		default:
			r.found[v], r.timings[v] = found, timings
		}
	}
	return nil
}

// run works through the plan: first several jobs at a time, then one by one those that
// have to be alone and those that the death of the target leaves in doubt.
func (r *runner) run(ctx context.Context, plan []job) []*Result {
	r.total = len(plan)
	results := make([]*Result, len(plan))
	settled := make([]bool, len(plan)) // reported, and not to be had again
	queue := make(chan job)
	var workers sync.WaitGroup
	for range r.o.Jobs {
		workers.Go(func() {
			for j := range queue {
				res := r.one(ctx, j, 0)
				results[j.at] = res
				if settled[j.at] = !r.inDoubt(res) && !(r.o.Lossy && res.Verdict.Failing()); settled[j.at] {
					r.report(res)
				}
			}
		})
	}
	var exclusive, alone []job
	longestFirst := slices.SortedStableFunc(slices.Values(plan), func(a, b job) int {
		return cmp.Compare(b.check.Takes, a.check.Takes)
	})
	for _, j := range longestFirst {
		if j.check.Exclusive {
			exclusive = append(exclusive, j)
			continue
		}
		queue <- j
	}
	close(queue)
	workers.Wait()
	for _, j := range plan {
		if !settled[j.at] && !j.check.Exclusive {
			alone = append(alone, j)
		}
	}
	r.alone = true
	for _, j := range append(alone, exclusive...) {
		results[j.at] = r.byItself(ctx, j)
		r.report(results[j.at])
	}
	return results
}

// byItself runs a check with no other about. Where several of its cases ran when the target
// died, they are run once more, one by one, to tell which it was.
func (r *runner) byItself(ctx context.Context, j job) *Result {
	res := r.one(ctx, j, 0)
	if res.Verdict == Crash && res.suspects > 0 {
		if again := r.one(ctx, j, res.suspects); again.Verdict == Crash {
			return again
		}
	}
	return res
}

// inDoubt says that a result has to be had once more, alone.
func (r *runner) inDoubt(res *Result) bool { return r.o.Jobs > 1 && r.gone.doubtful(res) }

// report applies the known failures and tells of a result.
func (r *runner) report(res *Result) {
	r.known(res)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = min(r.done+1, r.total)
	if r.o.Progress != nil {
		r.o.Progress(Event{Result: res, Done: r.done, Total: r.total})
	}
}

func (r *runner) known(res *Result) {
	for _, k := range r.o.Known {
		if !k.Covers(res.Check.FullName(), res.Version.String(), res.Transport) {
			continue
		}
		switch res.Verdict {
		case Fail, Crash:
			res.Verdict, res.Reason = KnownFailure, k.Reason+": "+res.Reason
		case Pass, Nonstrict, Info:
			if k.Sometimes {
				return
			}
			res.Verdict, res.Reason = Fixed, "listed as failing ("+k.Reason+"), and does not fail"
		}
		return
	}
}
