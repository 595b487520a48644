package suite

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"

	"mqttlab/reports/model"
	"mqttlab/spec/conformance"
	"mqttlab/spec/target"
)

// Options are those of a run, and who runs it.
type Options struct {
	conformance.Options
	// Tool is written into the record.
	Tool model.Tool
	// Transports are the target as reached over each transport, for [Repeat]; nil means
	// Target and nothing else. Exclusive checks run over the first only.
	Transports []*target.Target
	// Implementation is written into the record; nil if it is not known.
	Implementation *model.Implementation
}

// Run judges a target and returns the record of the run. Its error says why there is
// none: conformance.ErrNothing, a *target.ReachError. When ctx ends, the record holds
// what has run, the rest as skipped.
//
// Ginkgo keeps its specs in package variables, so only one Run may be under way in a
// process. It also catches SIGINT and SIGTERM and does not give them back; Run resets
// both when it ends, and a caller that listens for them calls signal.Notify anew.
func Run(ctx context.Context, o Options) (*model.Record, error) {
	s := newSession(o.Options, func([]string) bool { return true })
	if len(s.results) == 0 {
		return nil, conformance.ErrNothing
	}
	globals.Reset()
	defer globals.Reset()
	console := formatter.ColorableStdOut
	formatter.ColorableStdOut = io.Discard
	defer func() { formatter.ColorableStdOut = console }()
	s.declare()
	s.start(ctx)
	defer s.cancel()
	suiteConfig, reporterConfig := ginkgo.GinkgoConfiguration()
	suiteConfig.RandomSeed = int64(o.Seed & (1<<31 - 1))
	reporterConfig.NoColor = true
	ginkgo.RunSpecs(outcome{}, "MQTT conformance", suiteConfig, reporterConfig)
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	<-s.done
	if s.err != nil {
		return nil, s.err
	}
	rec := record(s.o, s.run, o.Tool)
	rec.Target.Implementation = o.Implementation
	return rec, nil
}

// outcome is the testing.T that Ginkgo asks for; the record tells what failed.
type outcome struct{}

func (outcome) Fail() {}

// Declare builds the specs for go test and ginkgo, and starts the checks with the first
// of them. The label filter of the command line holds for the checks too: what is
// filtered out is not run.
func Declare(ctx context.Context, o conformance.Options) error {
	suiteConfig, _ := ginkgo.GinkgoConfiguration()
	admits, err := types.ParseLabelFilter(suiteConfig.LabelFilter)
	if err != nil {
		return err
	}
	s := newSession(o, admits)
	s.declare()
	ginkgo.BeforeSuite(func() { s.start(ctx) })
	ginkgo.AfterSuite(func() { <-s.done })
	return nil
}
