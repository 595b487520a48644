package suite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"mqttlab/spec/checks"
	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
)

// session is one run of the checks, and the specs that replay it.
type session struct {
	o       conformance.Options
	results map[string]chan *conformance.Result // by check and version; each holds one
	cancel  context.CancelFunc
	done    chan struct{} // closed when run and err are set
	run     *conformance.Run
	err     error
}

// newSession plans the checks that the filter admits.
func newSession(o conformance.Options, admits types.LabelFilter) *session {
	s := &session{o: o, results: map[string]chan *conformance.Result{}, done: make(chan struct{})}
	if o.Checks == nil {
		s.o.Checks = checks.All()
	}
	if o.Versions == nil {
		s.o.Versions = []octets.Version{octets.V311, octets.V5}
	}
	for _, c := range s.o.Checks {
		for _, v := range c.Versions() {
			selected := slices.Contains(s.o.Versions, v) && (o.Only == nil || o.Only(c, v))
			if selected && admits(labels(c, v)) {
				s.results[key(c, v)] = make(chan *conformance.Result, 1)
			}
		}
	}
	s.o.Only = func(c *conformance.Check, v octets.Version) bool { return s.results[key(c, v)] != nil }
	return s
}

// key names the spec of a check in a version.
func key(c *conformance.Check, v octets.Version) string { return c.FullName() + " " + v.String() }

// start runs the checks ahead of the specs.
func (s *session) start(ctx context.Context) {
	ctx, s.cancel = context.WithCancel(ctx)
	progress := s.o.Progress
	o := s.o
	o.Progress = func(e conformance.Event) {
		if progress != nil {
			progress(e)
		}
		s.results[e.Result.ID()] <- e.Result
	}
	go func() {
		defer close(s.done)
		s.run, s.err = conformance.Verify(ctx, o)
	}()
}

// declare builds the tree of specs.
func (s *session) declare() {
	byArea := map[string][]*conformance.Check{}
	var areas []string
	for _, c := range s.o.Checks {
		if byArea[c.Area] == nil {
			areas = append(areas, c.Area)
		}
		byArea[c.Area] = append(byArea[c.Area], c)
	}
	for _, area := range areas {
		ginkgo.Describe(area, func() {
			for _, c := range byArea[area] {
				for _, v := range c.Versions() {
					if s.o.Only(c, v) {
						s.it(c, v)
					}
				}
			}
		})
	}
}

func (s *session) it(c *conformance.Check, v octets.Version) {
	file, line := c.Location()
	name := fmt.Sprintf("%s (%s, MQTT %s)", c.Title, c.Name, v)
	ginkgo.It(name, ginkgo.Label(labels(c, v)...), types.CodeLocation{FileName: file, LineNumber: line}, func(ctx ginkgo.SpecContext) {
		select {
		case <-ctx.Done(): // interrupted: what has not run is skipped
			s.cancel()
		case r := <-s.results[key(c, v)]:
			replay(r)
		case <-s.done:
			select {
			case r := <-s.results[key(c, v)]: // it came together with the end
				replay(r)
			default:
				ginkgo.AbortSuite(fmt.Sprintf("no verdict: %v", s.err))
			}
		}
	})
}

// labels are what specs are selected by.
func labels(c *conformance.Check, v octets.Version) []string {
	all := []string{
		"area:" + c.Area, "version:" + v.String(),
		"level:" + strings.ReplaceAll(strings.ToLower(string(c.Level(v))), " ", "-"),
	}
	for _, id := range c.Statements(v) {
		all = append(all, "statement:"+string(id))
	}
	return all
}

// replay turns a result into that of a spec.
func replay(r *conformance.Result) {
	file, line := r.Check.Location()
	at := types.CodeLocation{FileName: file, LineNumber: line}
	ginkgo.AddReportEntry("verdict", string(r.Verdict), at)
	if r.Reason != "" {
		ginkgo.AddReportEntry("reason", r.Reason, at)
	}
	for _, e := range r.Transcript {
		arrow := "->"
		if e.FromTarget {
			arrow = "<-"
		}
		fmt.Fprintf(ginkgo.GinkgoWriter, "%9.3f ms  %s %s %s  %s\n", float64(e.At.Microseconds())/1000, e.Peer, arrow, e.Packet, e.Hex)
	}
	switch r.Verdict {
	case conformance.Fail, conformance.Crash, conformance.Fixed:
		message := string(r.Verdict) + ": " + r.Reason
		if r.Failure != nil {
			message = fmt.Sprintf("%s: %s (%v)", r.Verdict, r.Failure, r.Statements())
		}
		ginkgo.Fail(message)
	case conformance.Unsupported, conformance.Skipped, conformance.Inconclusive, conformance.KnownFailure:
		ginkgo.Skip(string(r.Verdict) + ": " + r.Reason)
	}
}
