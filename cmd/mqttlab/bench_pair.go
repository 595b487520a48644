package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mqttlab/reports/compare"
	"mqttlab/reports/model"
	"mqttlab/simulator/fleet"
	"mqttlab/simulator/scenario"
)

type benchPairFlags struct {
	a, b, mode, margin, out, html, markdown string
	aPID, bPID, runs                        int
	seed                                    uint64
	quiet                                   bool
}

func newBenchPair() *cobra.Command {
	var f benchPairFlags
	cmd := &cobra.Command{
		Use:   "bench-pair [flags] --a TARGET --b TARGET SCENARIO",
		Short: "Run a fleet against two brokers in turn, and say which is slower",
		Long: `bench-pair runs SCENARIO several times against each of two targets in the order A B B A, so
that a machine that gets warmer or busier meets both alike, and compares the latencies with
the runs as the unit. The n-th run of A and the n-th of B have the same seed. A TARGET is an
address, or exec: and a command line, in which {host} and {port} are filled in: that broker is
started for the comparison and ended after it.

On Linux it also says how much processor time each broker spent per message, if it runs on this
machine: its process is found by its port, or named by --a-pid and --b-pid (in a container,
the process id outside).

Below five runs per target, devices are the unit instead, which says less. Ten runs of 5,000
messages find a shift of 5 % at p99 in nine of ten cases, if runs of one target differ by about 1 %.

Exit codes: 0 B is the same or faster; 1 B is slower or delivers less; 2 wrong usage; 3 a target is
unreachable; 4 not enough data; 5 a run was INVALID; 130 interrupted.`,
		Example: `  mqttlab bench-pair --a mqtt://127.0.0.1:1883 --b mqtt://127.0.0.1:1884 meadow
  mqttlab bench-pair --a 'exec:mosquitto -p {port}' --b 'exec:mqttlab broker --listen mqtt://{host}:{port}' meadow
  mqttlab bench-pair --a mqtt://old:1883 --b mqtt://new:1883 my-fleet.yaml --runs 10 --mode live --out runs --html shift.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return benchPair(cmd, args[0], f) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.a, "a", "", "first target, such as mqtt://127.0.0.1:1883 or 'exec:mosquitto -p {port}'")
	fs.StringVar(&f.b, "b", "", "second target")
	fs.IntVar(&f.aPID, "a-pid", 0, "process of the first target, for its processor time; 0: the one that listens there")
	fs.IntVar(&f.bPID, "b-pid", 0, "process of the second target")
	fs.StringVar(&f.mode, "mode", string(model.Live), "live or emulated")
	fs.IntVar(&f.runs, "runs", compare.MinUnits, "runs per target")
	fs.StringVar(&f.margin, "margin", "5%", "shift that does not matter, as a share of A's quantile")
	fs.Uint64Var(&f.seed, "seed", 1, "seed of the first run of each target; the others follow")
	fs.StringVar(&f.out, "out", "", "folder for the records of all runs, for 'mqttlab compare' later")
	fs.StringVar(&f.html, "html", "", "file for the web page")
	fs.StringVar(&f.markdown, "markdown", "", "file for a summary in Markdown, - for standard output")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print nothing but the result")
	return cmd
}

func benchPair(cmd *cobra.Command, name string, f benchPairFlags) error {
	sc, margin, err := f.check(name)
	if err != nil {
		return err
	}
	arms, err := f.open(cmd.Context())
	if err != nil {
		return err
	}
	err = f.run(cmd.Context(), cmd.ErrOrStderr(), sc, arms)
	if err := errors.Join(err, exit(exitInternal, errors.Join(arms[0].close(), arms[1].close()))); err != nil {
		return err
	}
	result, err := compare.Fleets(arms[0].records, arms[1].records, compare.Options{Margin: margin, Seed: f.seed})
	if err != nil {
		return exit(exitInternal, err)
	}
	if err := showShift(cmd.OutOrStdout(), result, f.html, f.markdown); err != nil {
		return exit(exitInternal, err)
	}
	return shiftVerdict(result)
}

// open makes both brokers ready, or says of each what keeps it from that.
func (f *benchPairFlags) open(ctx context.Context) (arms [2]*benchArm, err error) {
	var errs [2]error
	arms[0], errs[0] = openArm(ctx, "A", f.a, f.aPID)
	arms[1], errs[1] = openArm(ctx, "B", f.b, f.bPID)
	if err = errors.Join(errs[:]...); err == nil {
		return arms, nil
	}
	for i, arm := range arms {
		if errs[i] == nil {
			err = errors.Join(err, arm.close())
		}
	}
	return arms, err
}

// check returns all that is wrong with the flags at once.
func (f *benchPairFlags) check(name string) (*scenario.Scenario, float64, error) {
	var errs []error
	sc, err := scenario.Load(name)
	errs = append(errs, err)
	margin, err := parseMargin(f.margin)
	errs = append(errs, err)
	if f.a == "" || f.b == "" {
		errs = append(errs, errors.New("two targets are needed, such as --a mqtt://127.0.0.1:1883 --b mqtt://127.0.0.1:1884"))
	}
	for _, target := range []string{f.a, f.b} {
		if target != "" && !strings.HasPrefix(target, execPrefix) {
			errs = append(errs, fleet.CheckTarget(target))
		}
	}
	if f.mode != string(model.Live) && f.mode != string(model.Emulated) {
		errs = append(errs, fmt.Errorf("--mode %q: there are live and emulated; virtual mode brings its own broker and has no pair", f.mode))
	}
	if f.runs < 1 {
		errs = append(errs, fmt.Errorf("--runs %d: at least one run per target is needed", f.runs))
	}
	errs = append(errs, checkOutputs(map[string]string{"--html": f.html, "--markdown": f.markdown, "--out": inFolder(f.out, "A-01.json")}))
	return sc, margin, errors.Join(errs...)
}

// run runs the schedule; the records are then in the arms.
func (f *benchPairFlags) run(ctx context.Context, w io.Writer, sc *scenario.Scenario, arms [2]*benchArm) error {
	show := newFleetProgress(w, f.quiet)
	defer show.end()
	for i, at := range abba(f.runs) {
		arm := arms[at]
		seed := f.seed + uint64(len(arm.records))
		show.line("run %d of %d: %s, seed %d", i+1, 2*f.runs, arm.name, seed)
		record, err := arm.measured(show.w, func() (*model.Record, error) {
			return fleet.Run(ctx, fleet.Options{
				Scenario: sc, Target: arm.target, Mode: model.Mode(f.mode), Seed: &seed, Progress: show.step, Tool: tool(),
			})
		})
		var unreachable *fleet.UnreachableError
		switch {
		case errors.As(err, &unreachable):
			return exit(exitUnreachable, err)
		case ctx.Err() != nil:
			return exit(exitInterrupted, fmt.Errorf("interrupted in run %d of %d; nothing is compared", i+1, 2*f.runs))
		case err != nil:
			return exit(exitInternal, err)
		}
		arm.records = append(arm.records, record)
		if f.out != "" {
			file := filepath.Join(f.out, fmt.Sprintf("%s-%02d.json", arm.name, len(arm.records)))
			if err := writeReport(io.Discard, file, record, encodeRecord); err != nil {
				return exit(exitInternal, err)
			}
		}
		if v := record.Fleet.Validity; !v.Valid {
			return exit(exitNothing, fmt.Errorf("run %d (%s) is INVALID: %s", i+1, arm.name, v.Reason))
		}
	}
	return nil
}

// abba is the order of n runs per arm: 0 is A and 1 is B. Each block of four begins and ends with the same arm, so that a
// drift which is steady over the block adds as much to either. With an odd n, the last block is cut in half.
func abba(n int) []int {
	out := make([]int, 2*n)
	for i := range out {
		out[i] = [4]int{0, 1, 1, 0}[i%4]
	}
	return out
}
