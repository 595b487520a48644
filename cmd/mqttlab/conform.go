package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"mqttlab/reports/html"
	"mqttlab/reports/junit"
	"mqttlab/reports/model"
	"mqttlab/spec/conformance"
	"mqttlab/spec/suite"
	"mqttlab/spec/target"
)

// conformFlags are the flags of conform as given.
type conformFlags struct {
	selection
	launchFlags
	baselineFlags
	conformLinkFlags
	transportFlags
	list, markdown    bool
	known             string
	jobs              int
	out               string
	html, json, junit string
	seed              uint64
	repeat            int
	steps             string // of --case
	implementation    string
	targets           []string // as the user named them
	stress            bool
	quiet             bool
}

func newConform() *cobra.Command {
	var f conformFlags
	cmd := &cobra.Command{
		Use:   "conform [flags] [TARGET ...]",
		Short: "Judge a broker against the statements of MQTT 3.1.1 and 5.0",
		Long: `conform runs the conformance checks against TARGET and says which statements of the
standards it breaks. TARGET is an address (mqtt://host:port; also mqtts, ws, wss and
mqtt+unix:///path), a YAML target file, or "reference", the embedded broker, which is
the default. Instead of a TARGET, --exec, --image or --profile start a broker, restart
it for the checks that want that, and remove it; so does a TARGET that is written
exec:COMMAND, image:NAME or profile:NAME.

With --transport, each check is judged over each transport, and each has a row of its own in
one record. "reference" has all of them; a target file or profile names those of other targets
under listeners, and the command or configuration of a broker to start by a placeholder:
{port_tls}, {port_ws}, {port_wss}; {cert.pem} and {key.pem} are a certificate for 127.0.0.1.
Checks that restart the target, or look at all of its clients, run over the first one only.

Several targets are judged one after the other, each into a folder of its own below
--out, and side by side on its page brokers.html; the exit code is that of the worst.
In a GitHub workflow (GITHUB_ACTIONS=true) failures become annotations, and the step
gets a summary.

Exit codes: 0 nothing fails but what is listed as known; 1 a check failed, the target
crashed, or a listed failure passes again (with --repeat, in any run); 2 wrong usage;
3 target unreachable, not to be started or no MQTT; 4 our own error; 5 nothing selected
or nothing could run; 130 interrupted (reports of what ran are written).`,
		Example: `  mqttlab conform mqtt://127.0.0.1:1883 --out out
  mqttlab conform broker.yaml --mqtt 5.0 --only 'will/*' --known known.yaml
  mqttlab conform --image eclipse-mosquitto:2 --out out
  mqttlab conform --exec 'mosquitto -c {config}' --config-template mosquitto.conf
  mqttlab conform --profile nats --baseline nats.json
  mqttlab conform mqtt://127.0.0.1:1883 --only 'qos/*' --repeat 20 --out out
  mqttlab conform reference image:eclipse-mosquitto:2 profile:nats --out brokers
  mqttlab conform --list --statement MQTT5-3.1.2-22`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return conform(cmd, args, f)
		},
	}
	fs := cmd.Flags()
	f.launchFlags.register(fs)
	f.baselineFlags.register(fs)
	f.conformLinkFlags.register(fs)
	f.transportFlags.register(fs)
	fs.StringVar(&f.mqtt, "mqtt", "3.1.1,5.0", "protocol versions to judge")
	fs.StringArrayVar(&f.only, "only", nil, "run checks whose name fits, as in 'will/*'; may repeat")
	fs.StringArrayVar(&f.statements, "statement", nil, "run checks of this statement, as in MQTT5-3.1.2-22; may repeat")
	fs.StringVar(&f.level, "level", "all", "run checks of must, should (and must), or all statements")
	fs.BoolVar(&f.list, "list", false, "list the selected checks and run nothing")
	fs.BoolVar(&f.markdown, "markdown", false, "with --list: as the document spec/CHECKS.md")
	fs.StringVar(&f.known, "known", "", "YAML file of known failures, each with its reason")
	fs.IntVar(&f.jobs, "jobs", 24, "checks to run at a time")
	fs.StringVar(&f.out, "out", "", "folder for conformance.html, conformance.json and junit.xml")
	fs.StringVar(&f.html, "html", "", "file for the web page")
	fs.StringVar(&f.json, "json", "", "file for the record, - for standard output; with --list, which needs no file, the list as JSON")
	fs.StringVar(&f.junit, "junit", "", "file for JUnit XML")
	fs.Uint64Var(&f.seed, "seed", 1, "seed of all names and choices; the same seed gives the same run")
	fs.IntVar(&f.repeat, "repeat", 1, "run the selection so often; the worst verdict of a check counts, and differing ones are shown as flaky")
	fs.StringVar(&f.steps, "case", "", "play this sequence of steps instead of those the seed draws; with --only sequence/NAME")
	fs.StringVar(&f.implementation, "implementation", "", "what is judged, for a result to be published: 'name,version,contact'")
	fs.BoolVar(&f.stress, "stress", false, "cut what is sent into single bytes and odd pieces, and read slowly; verdicts should not change")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print nothing but errors")
	return cmd
}

func conform(cmd *cobra.Command, args []string, f conformFlags) error {
	if f.listProfiles {
		return listProfiles(cmd.OutOrStdout())
	}
	selected, err := f.resolve()
	if err != nil {
		return err
	}
	if f.list {
		return listChecks(cmd.OutOrStdout(), selected, f.json != "", f.markdown)
	}
	if f.markdown {
		return errors.New("--markdown goes with --list; for a run, write the record with --json FILE and use 'mqttlab report FILE --markdown FILE'")
	}
	o := suite.Options{Tool: tool(), Options: conformance.Options{
		Checks: selected.checks, Versions: selected.versions, Only: selected.admits, Jobs: f.jobs, Seed: f.seed, Stress: f.stress, Case: f.steps,
	}}
	before, err := f.prepare(&o)
	err = errors.Join(err, checkCase(f.steps, selected))
	radio, errLink := f.lookupLink()
	if o.Lossy = radio != nil; o.Lossy && !cmd.Flags().Changed("jobs") {
		o.Jobs = linkJobs
	}
	if len(args) > 1 {
		err = errors.Join(err, f.checkSeveral(args))
	}
	if err := errors.Join(err, errLink); err != nil {
		return err
	}
	ctx := cmd.Context()
	say := cmd.ErrOrStderr()
	if f.quiet {
		say = io.Discard
	}
	if len(args) > 1 {
		return (&several{conformFlags: &f, cmd: cmd, say: say, radio: radio}).judgeAll(args, o)
	}
	record, err := f.judgeTarget(ctx, cmd, args, o, radio, say)
	if err != nil {
		annotateTrouble(cmd.ErrOrStderr(), err)
		return err
	}
	return f.conclude(ctx, cmd, say, before, record)
}

// prepare reads the files named by flags, before anything is started.
func (f *conformFlags) prepare(o *suite.Options) (before *model.Record, err error) {
	if f.known != "" {
		if o.Known, err = target.ReadKnown(f.known); err != nil {
			return nil, err
		}
	}
	if f.jobs < 1 {
		return nil, fmt.Errorf("--jobs %d: at least one check has to run at a time", f.jobs)
	}
	if f.repeat < 1 {
		return nil, fmt.Errorf("--repeat %d: the checks have to run at least once", f.repeat)
	}
	if err := checkOutputs(map[string]string{
		"--out": inFolder(f.out, "conformance.json"), "--html": f.html, "--json": f.json, "--junit": f.junit, "--write-known": f.writeKnown,
	}); err != nil {
		return nil, err
	}
	if o.Implementation, err = parseImplementation(f.implementation); err != nil {
		return nil, err
	}
	if err := f.baselineFlags.check(); err != nil {
		return nil, err
	}
	return f.baselineFlags.read()
}

// run runs the checks and writes the reports.
func (f *conformFlags) run(ctx context.Context, cmd *cobra.Command, t *opened, o suite.Options) (*model.Record, error) {
	show := newConformProgress(cmd.ErrOrStderr(), f.quiet)
	show.again = againCommand(cmd.Flags(), f.targets, f.seed)
	o.Progress = show.event
	record, errRun := suite.Repeat(ctx, o, f.repeat)
	show.end()
	if err := t.radio.finish(record); err != nil {
		return nil, err
	}
	if record == nil {
		return nil, conformError(errRun)
	}
	f.nameCommands(cmd, record)
	written, err := f.write(cmd, record)
	if err == nil && f.out != "" && t.log != nil {
		name := filepath.Join(f.out, "target.log")
		written = append(written, name)
		err = writeLog(context.WithoutCancel(ctx), name, t)
	}
	if err != nil {
		return nil, exit(exitInternal, err)
	}
	if !f.quiet {
		summarize(cmd.ErrOrStderr(), record, written)
	}
	if errors.Is(errRun, context.Canceled) {
		return nil, exit(exitInterrupted, fmt.Errorf("interrupted %w", errRun))
	}
	if errRun != nil {
		return nil, conformError(errRun)
	}
	return record, nil
}

// conformError gives the error of a run its exit code.
func conformError(err error) error {
	var reach *target.ReachError
	switch {
	case errors.Is(err, conformance.ErrNothing):
		return exit(exitNothing, errors.New("no check fits the selection; see 'mqttlab conform --list'"))
	case errors.As(err, &reach):
		return exit(exitUnreachable, err)
	case errors.Is(err, context.Canceled):
		return exit(exitInterrupted, errors.New("interrupted before the first verdict"))
	}
	return exit(exitInternal, err)
}

// writeLog keeps what the broker wrote.
func writeLog(ctx context.Context, name string, t *opened) error {
	text, err := t.log(ctx)
	if err != nil {
		return err
	}
	return writePage(name, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// conclude says what the run comes to, and ends with its code.
func (f *conformFlags) conclude(ctx context.Context, cmd *cobra.Command, say io.Writer, before, r *model.Record) error {
	if f.update && ctx.Err() != nil {
		fmt.Fprintf(say, "interrupted: the baseline %s stays as it was\n", f.baseline)
		return exitWith(ctx, exitInterrupted)
	}
	j, err := f.judge(say, before, r)
	if err == nil && onGitHub() {
		err = tellGitHub(cmd.ErrOrStderr(), []*model.Record{r}, j.fails)
	}
	if err != nil {
		return exit(exitInternal, err)
	}
	return exitWith(ctx, j.code)
}

// conformVerdictCode is the exit code of a record that is held against the standard.
func conformVerdictCode(r *model.Record) int {
	ran := 0
	for verdict, n := range r.Summary {
		switch {
		case !verdict.Conformant() && r.Link != nil && !r.Link.Validity.Valid:
			return exitNothing // the failure may be ours
		case !verdict.Conformant():
			return exitFailed
		case verdict != model.Skipped && verdict != model.Unsupported && verdict != model.Inconclusive:
			ran += n
		}
	}
	if ran == 0 {
		return exitNothing
	}
	return exitOK
}

// exitWith ends silently with code, or with that of an interruption if there was one.
func exitWith(ctx context.Context, code int) error {
	if ctx.Err() != nil {
		code = exitInterrupted
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

// write writes the reports asked for and returns their names.
func (f *conformFlags) write(cmd *cobra.Command, r *model.Record) ([]string, error) {
	page, record, ci := f.html, f.json, f.junit
	if f.out != "" {
		for file, name := range map[*string]string{&page: "conformance.html", &record: "conformance.json", &ci: "junit.xml"} {
			if *file == "" {
				*file = filepath.Join(f.out, name)
			}
		}
	}
	var written []string
	for _, report := range []struct {
		file   string
		render renderer
	}{{page, html.Write}, {record, encodeRecord}, {ci, junit.Write}} {
		if report.file == "" {
			continue
		}
		if err := writeReport(cmd.OutOrStdout(), report.file, r, report.render); err != nil {
			return written, err
		}
		if report.file != stdoutName {
			written = append(written, report.file)
		}
	}
	return written, nil
}

func tool() model.Tool { return model.Tool{Name: "mqttlab", Version: version, Commit: commit()} }
