package load

import (
	"cmp"
	"fmt"
	"strconv"
	"time"
)

// defaultPatience bounds a standstill of a counted phase.
const defaultPatience = 10 * time.Second

// dialing is how many connections are opened at a time.
const dialing = 200

// run is one scenario under way.
type run struct {
	*loop
	Spec
}

// Run measures one scenario. It is not meant to share its process with anything else.
func Run(s Spec) (Result, error) {
	at, err := s.endpoint()
	if err != nil {
		return Result{}, err
	}
	scenario := map[Scenario]func(run) (Result, error){
		Pairs: run.pairs, FanOut: run.fanOut, FanIn: run.fanIn, Connect: run.connect, Retained: run.retained, Match: run.match, Idle: run.idle,
		Offline: run.offline, Latency: run.latency,
	}[s.Scenario]
	if scenario == nil {
		return Result{}, fmt.Errorf("no scenario is called %q", s.Scenario)
	}
	lp, err := newLoop(at)
	if err != nil {
		return Result{}, err
	}
	defer lp.close()
	s.Patience = cmp.Or(s.Patience, defaultPatience)
	r, err := scenario(run{lp, s})
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", s.Scenario, err)
	}
	r.Lost += lp.lost
	return r, nil
}

// until turns the loop until done, or fails when progress does not change for longer than Patience.
func (r run) until(what string, done func() bool, progress func() uint64) error {
	last, since := progress(), time.Now()
	r.settle()
	for !done() {
		if err := r.turn(20 * time.Millisecond); err != nil {
			return err
		}
		if p := progress(); p != last {
			last, since = p, time.Now()
		} else if time.Since(since) > r.Patience {
			return fmt.Errorf("nothing happened for %s while waiting for %s", r.Patience, what)
		}
	}
	return r.err
}

// enter opens n connections with Sessions that end with them.
func (r run) enter(prefix string, n int) ([]*line, error) { return r.enterAs(transient, prefix, n) }

// enterAs opens n connections, a few at a time, and waits for their CONNACKs.
func (r run) enterAs(session byte, prefix string, n int) ([]*line, error) {
	var lines []*line
	entered := 0
	count := func() uint64 {
		for entered < len(lines) && lines[entered].entered {
			entered++
		}
		return uint64(entered)
	}
	err := r.until("CONNACK", func() bool {
		for len(lines) < n && len(lines)-int(count()) < dialing {
			l := r.dial(prefix + strconv.Itoa(len(lines)))
			if l == nil {
				return true
			}
			l.out = appendConnect(l.out, l.name, session)
			l.stir()
			lines = append(lines, l)
		}
		r.settle()
		return int(count()) == n
	}, count)
	return lines, err
}

// subscribe has each line subscribe to its filters, 50 in one packet at most, and waits for all answers.
func (r run) subscribe(lines []*line, filters func(i int) []string) error {
	const perPacket = 50
	packets := uint64(0)
	for i, l := range lines {
		id := uint16(0)
		for f := filters(i); len(f) > 0; f = f[min(perPacket, len(f)):] {
			id++
			packets++
			l.out = appendSubscribe(l.out, id, r.QoS, f[:min(perPacket, len(f))]...)
		}
		l.stir()
	}
	count := func() (n uint64) {
		for _, l := range lines {
			n += uint64(l.subacks)
		}
		return n
	}
	return r.until("SUBACK", func() bool { return count() == packets }, count)
}

// timed warms up, then measures for the time that Spec says.
func (r run) timed() (Result, error) {
	if err := r.loop.run(r.Warm); err != nil {
		return Result{}, err
	}
	before := r.delivered
	x, err := measure(r.PID, func() error { return r.loop.run(r.Measure) })
	if err == nil && r.delivered == before {
		err = fmt.Errorf("not one message arrived in %s", r.Measure)
	}
	return x.per(r.delivered - before), err
}
