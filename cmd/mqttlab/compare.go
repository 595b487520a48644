package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"mqttlab/reports/compare"
	"mqttlab/reports/html"
	"mqttlab/reports/jsonfile"
	"mqttlab/reports/markdown"
	"mqttlab/reports/model"
)

type compareFlags struct {
	before, after []string
	margin        string
	seed          uint64
	html          string
	markdown      string
}

func newCompare() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare [flags] BEFORE.json AFTER.json",
		Short: "Say whether a fleet got slower, or which verdicts changed",
		Long: `compare reads two records of the same kind. For fleet records it compares the latency
distributions quantile by quantile, with intervals, and what was delivered; for
conformance records it lists the verdicts that changed. Several runs per side make
a stronger comparison: name them with --before and --after.

Exit codes: 0 same or better; 1 worse; 2 wrong usage or an unreadable record;
4 not enough data (it says how many more runs would do).`,
		Example: `  mqttlab compare before.json after.json --margin 5%
  mqttlab compare --before a1.json,a2.json --after b1.json,b2.json --html shift.html
  mqttlab compare old.json new.json --markdown - >> "$GITHUB_STEP_SUMMARY"`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return compareRecords(cmd, args, f) },
	}
	fs := cmd.Flags()
	fs.StringSliceVar(&f.before, "before", nil, "records of the side before")
	fs.StringSliceVar(&f.after, "after", nil, "records of the side after")
	fs.StringVar(&f.margin, "margin", "5%", "shift that does not matter, as a share of the quantile before")
	fs.Uint64Var(&f.seed, "seed", 1, "seed of the resampling")
	fs.StringVar(&f.html, "html", "", "file for the web page")
	fs.StringVar(&f.markdown, "markdown", "", "file for a summary in Markdown, - for standard output in place of the table")
	return cmd
}

func compareRecords(cmd *cobra.Command, args []string, f compareFlags) error {
	if len(args) == 2 {
		f.before, f.after = append(f.before, args[0]), append(f.after, args[1])
	}
	if len(args) == 1 || len(f.before) == 0 || len(f.after) == 0 {
		return errors.New("compare needs a record before and one after: mqttlab compare BEFORE.json AFTER.json")
	}
	margin, err := parseMargin(f.margin)
	if err != nil {
		return err
	}
	before, errBefore := readRecords(f.before)
	after, errAfter := readRecords(f.after)
	if err := errors.Join(errBefore, errAfter); err != nil {
		return err
	}
	if before[0].Kind == model.Conformance {
		return f.compareVerdicts(cmd.OutOrStdout(), before, after)
	}
	result, err := compare.Fleets(before, after, compare.Options{Margin: margin, Seed: f.seed})
	if err != nil {
		return err
	}
	if err := showShift(cmd.OutOrStdout(), result, f.html, f.markdown); err != nil {
		return exit(exitUsage, err)
	}
	return shiftVerdict(result)
}

// showShift writes a comparison of fleets: as text, and into the files that are asked for.
func showShift(stdout io.Writer, r *compare.Result, page, summary string) error {
	return show(stdout, summary, page, r.WriteText,
		func(w io.Writer) error { return markdown.Comparison(w, r) },
		func(w io.Writer) error { return html.Comparison(w, r) })
}

// show writes a comparison to the terminal, unless its summary goes there, and into the files that are asked for.
func show(stdout io.Writer, summaryFile, pageFile string, text, summary, page func(io.Writer) error) error {
	if summaryFile == stdoutName {
		text, summaryFile = summary, ""
	}
	return errors.Join(text(stdout), writePage(summaryFile, summary), writePage(pageFile, page))
}

// shiftVerdict is the exit code of a comparison of fleets.
func shiftVerdict(r *compare.Result) error {
	switch r.Verdict {
	case compare.Slower, compare.DeliversLess:
		return &exitError{code: exitFailed}
	case compare.NotEnough:
		return &exitError{code: exitUndecided}
	}
	return nil
}

// compareVerdicts compares two conformance records; more than one per side would need a rule for verdicts that differ among them.
func (f *compareFlags) compareVerdicts(w io.Writer, before, after []*model.Record) error {
	if len(before) != 1 || len(after) != 1 {
		return errors.New("conformance records are compared one to one: give one before and one after")
	}
	changes, err := compare.Conformance(before[0], after[0])
	if err != nil {
		return err
	}
	if err := show(w, f.markdown, f.html, changes.WriteText,
		func(w io.Writer) error { return markdown.Changes(w, changes) },
		func(w io.Writer) error { return html.Changes(w, changes) }); err != nil {
		return exit(exitUsage, err)
	}
	if changes.Worse() > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}

// parseMargin reads "5%" or "0.05".
func parseMargin(s string) (float64, error) {
	number, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || v <= 0 || v >= 1 {
		return 0, fmt.Errorf("--margin %q: give a share between 0 and 100 %%, such as 5%%", s)
	}
	return v, nil
}

// readRecords reads all files; the error names every one that cannot be read.
func readRecords(files []string) ([]*model.Record, error) {
	var (
		records []*model.Record
		errs    []error
	)
	for _, file := range files {
		r, err := jsonfile.Read(file)
		records, errs = append(records, r), append(errs, err)
	}
	return records, errors.Join(errs...)
}
