package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"mqttlab/reports/html"
	"mqttlab/reports/model"
	"mqttlab/simulator/fleet"
	"mqttlab/simulator/ledger"
	"mqttlab/simulator/process"
	"mqttlab/simulator/scenario"
)

func newFleet() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fleet",
		Short: "Emulate fleets of sensors and account for every message",
		Example: `  mqttlab fleet run meadow --target mqtt://127.0.0.1:1883 --mode emulated
  mqttlab fleet check my-fleet.yaml`,
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newFleetRun(), newFleetCheck(), newFleetExplain(), newFleetSchema())
	return cmd
}

type fleetFlags struct {
	target, mode, json, html string
	metrics, pcap            string
	pid                      int
	seed                     uint64
	quiet                    bool
	tls                      tlsFlags
}

func newFleetRun() *cobra.Command {
	var f fleetFlags
	cmd := &cobra.Command{
		Use:   "run [flags] SCENARIO",
		Short: "Run a fleet and write its record",
		Long: `run runs SCENARIO, a YAML file or the name of a scenario that ships with mqttlab (see
'mqttlab fleet explain'), in one of three modes:

  live      plain sockets to the target
  emulated  real TCP over emulated lossy links to the target, in real time
  virtual   the same on a virtual clock, with the reference broker in process; a day takes seconds

Ctrl-C stops making messages, drains what is under way, and still writes the record.

Exit codes: 0 valid, and every message accounted for; 1 messages were lost at QoS 1 or 2, or the target
broke another promise of their QoS (a breach, told with the statement's id); 2 wrong usage or scenario; 3 target unreachable; 4 our own error; 5 the run is INVALID because
this machine could not keep the schedule; 130 interrupted (the record is written).`,
		Example: `  mqttlab fleet run meadow --target mqtt://127.0.0.1:1883 --mode emulated --html fleet.html
  mqttlab fleet run my-fleet.yaml --mode virtual --seed 7 --json run.json
  mqttlab fleet run meadow --target mqtts://broker:8883 --cafile ca.pem --metrics 127.0.0.1:9100`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runFleet(cmd, args[0], f) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.target, "target", "", "broker, such as mqtt://127.0.0.1:1883 or mqtts://broker:8883; not in virtual mode")
	fs.StringVar(&f.mode, "mode", "emulated", "live, emulated or virtual")
	fs.Uint64Var(&f.seed, "seed", 0, "seed in place of the scenario's")
	fs.StringVar(&f.json, "json", "", "file for the record, - for standard output")
	fs.StringVar(&f.html, "html", "", "file for the web page")
	fs.StringVar(&f.metrics, "metrics", "", "address for Prometheus, such as 127.0.0.1:9100, while the fleet runs")
	fs.StringVar(&f.pcap, "pcap", "", "file for the packets of all devices (pcapng, for Wireshark); not in live mode")
	fs.IntVar(&f.pid, "target-pid", 0, "process of the target, whose CPU time and memory go into the record; 0: who listens at --target on this machine")
	f.tls.register(fs)
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print nothing but errors")
	return cmd
}

// check returns the scenario and whom to trust; the error names every mistake.
func (f *fleetFlags) check(name string) (*scenario.Scenario, *tls.Config, error) {
	sc, err := scenario.Load(name)
	wrong := []error{err}
	mode := model.Mode(f.mode)
	switch {
	case mode != model.Live && mode != model.Emulated && mode != model.Virtual:
		wrong = append(wrong, fmt.Errorf("--mode %q: there are live, emulated and virtual", f.mode))
	case mode == model.Virtual && f.target != "":
		wrong = append(wrong, errors.New("--target: virtual mode brings its own broker; use live or emulated for a target"))
	case mode != model.Virtual && f.target == "":
		wrong = append(wrong, fmt.Errorf("--target is missing: %s mode needs a broker, such as --target mqtt://127.0.0.1:1883", mode))
	case mode != model.Virtual:
		wrong = append(wrong, fleet.CheckTarget(f.target))
	}
	if mode == model.Live && f.pcap != "" {
		wrong = append(wrong, errors.New("--pcap: live mode has no packets of its own; use emulated, or tcpdump"))
	}
	switch {
	case mode == model.Virtual && f.pid != 0:
		wrong = append(wrong, errors.New("--target-pid: virtual mode has no process for its target"))
	case f.pid != 0:
		if _, err := process.CPU(f.pid); err != nil {
			wrong = append(wrong, fmt.Errorf("--target-pid: %w; is it running?", err))
		}
	}
	if mode == model.Virtual && err == nil {
		wrong = append(wrong, fleet.CheckVirtual(sc))
	}
	wrong = append(wrong, checkOutputs(map[string]string{"--json": f.json, "--html": f.html}))
	trust, err := f.tls.config()
	return sc, trust, errors.Join(append(wrong, err)...)
}

func runFleet(cmd *cobra.Command, name string, f fleetFlags) error {
	sc, trust, err := f.check(name)
	if err != nil {
		return err
	}
	mode := model.Mode(f.mode)
	if mode == model.Emulated && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // nearly all memory is that of devices, which live as long as the run
	}
	show := newFleetProgress(cmd.ErrOrStderr(), f.quiet)
	gauges, err := serveFleetMetrics(f.metrics, sc, mode)
	if err != nil {
		return err
	}
	defer gauges.close()
	capture, endCapture, err := createCapture(f.pcap, sc.Name)
	if err != nil {
		return err
	}
	o := fleet.Options{
		Scenario: sc, Target: f.target, TLS: trust, Mode: mode, Capture: capture, TargetPID: f.pid, Tool: tool(),
		Progress: func(p fleet.Progress) {
			show.step(p)
			gauges.set(p)
		},
	}
	if cmd.Flags().Changed("seed") {
		o.Seed = &f.seed
	}
	ctx := cmd.Context()
	record, err := fleet.Run(ctx, o)
	show.end()
	if err := endCapture(record != nil); err != nil {
		return exit(exitInternal, fmt.Errorf("--pcap: %w", err))
	}
	var unreachable *fleet.UnreachableError
	switch {
	case errors.As(err, &unreachable):
		return exit(exitUnreachable, err)
	case err != nil && ctx.Err() != nil:
		return exit(exitInterrupted, errors.New("interrupted before the fleet was up"))
	case err != nil:
		return exit(exitInternal, err)
	}
	for file, render := range map[string]renderer{f.json: encodeRecord, f.html: html.Write} {
		if file == "" {
			continue
		}
		if err := writeReport(cmd.OutOrStdout(), file, record, render); err != nil {
			return exit(exitInternal, err)
		}
	}
	if !f.quiet {
		summarizeFleet(cmd.ErrOrStderr(), record)
	}
	return exitWith(ctx, fleetVerdict(record.Fleet))
}

// fleetVerdict is the exit code of a run.
func fleetVerdict(f *model.Fleet) int {
	if !f.Validity.Valid {
		return exitNothing
	}
	if broken, lost := f.Trouble(); broken+lost > 0 {
		return exitFailed
	}
	return exitOK
}

func newFleetCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check SCENARIO ...",
		Short: "Say what is wrong with scenario files",
		Example: `  mqttlab fleet check my-fleet.yaml
  mqttlab fleet check scenarios/*.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var errs []error
			for _, name := range args {
				_, err := scenario.Load(name)
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		},
	}
}

func newFleetExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [SCENARIO]",
		Short: "Print a scenario with every default, and the load it makes; without a name, list those that ship",
		Example: `  mqttlab fleet explain
  mqttlab fleet explain meadow > my-fleet.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if len(args) == 0 {
				return listScenarios(out)
			}
			sc, err := scenario.Load(args[0])
			if err != nil {
				return err
			}
			text, err := sc.YAML()
			if err != nil {
				return exit(exitInternal, err)
			}
			plan(out, sc)
			_, err = io.WriteString(out, text)
			return exit(exitInternal, err)
		},
	}
}

func listScenarios(w io.Writer) error {
	for _, name := range scenario.Ready() {
		sc, err := scenario.Load(name)
		if err != nil {
			return exit(exitInternal, err)
		}
		fmt.Fprintf(w, "%-16s  %s\n", name, load(sc))
	}
	return nil
}

// load says what a scenario asks of a target.
func load(sc *scenario.Scenario) string {
	rate, wire := 0.0, 0.0
	for i := range sc.Groups {
		p := sc.Plan(&sc.Groups[i])
		rate += p.MessagesPerSecond
		wire += p.MessagesPerSecond * float64(p.WireBytes)
	}
	return fmt.Sprintf("%d devices, %.4g messages/s, %s on the wire, %s after %s of ramp", sc.Devices(), rate, bytesPerSecond(wire),
		scenario.Span(sc.Duration), scenario.Span(sc.Ramp))
}

// plan says it group by group, as comments.
func plan(w io.Writer, sc *scenario.Scenario) {
	fmt.Fprintf(w, "# %s\n", load(sc))
	for i := range sc.Groups {
		g := &sc.Groups[i]
		p := sc.Plan(g)
		fmt.Fprintf(w, "# %s: %d devices, %.4g messages/s of %d bytes, %d on a clean wire at QoS %d, %s\n",
			g.Name, g.Count, p.MessagesPerSecond, p.PayloadBytes, p.WireBytes, g.QoS, bytesPerSecond(p.MessagesPerSecond*float64(p.WireBytes)))
	}
}

func bytesPerSecond(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.3g MB/s", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.3g kB/s", v/1e3)
	}
	return fmt.Sprintf("%.3g B/s", v)
}

// fleetProgress tells how a fleet does.
type fleetProgress struct {
	screen
	last    time.Time
	invalid string
}

func newFleetProgress(w io.Writer, quiet bool) *fleetProgress {
	return &fleetProgress{screen: newScreen(w, quiet)}
}

func (p *fleetProgress) step(f fleet.Progress) {
	var sum ledger.Progress
	for _, g := range f.Groups {
		sum.Sent += g.Sent
		sum.Reached += g.Reached
		sum.Acknowledged += g.Acknowledged
		for i, n := range g.States {
			sum.States[i] += n
		}
	}
	if f.Invalid != "" && p.invalid == "" {
		p.invalid = f.Invalid
		p.line("%s: %s", p.colour(red, "INVALID"), f.Invalid)
	}
	state := fmt.Sprintf("%s %s/%s: %d connected, %d sent, %d acknowledged, %d arrived", f.Phase,
		scenario.Span(f.Elapsed.Round(time.Second)), scenario.Span(f.Total.Round(time.Second)), sum.States[ledger.Connected], sum.Sent, sum.Acknowledged, sum.Reached)
	if p.terminal {
		p.redraw(state)
	} else if now := time.Now(); now.Sub(p.last) >= plainEvery {
		p.last = now
		p.line("%s", state)
	}
}
