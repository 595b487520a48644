package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mqttlab/reports/badge"
	"mqttlab/reports/csvfile"
	"mqttlab/reports/html"
	"mqttlab/reports/junit"
	"mqttlab/reports/markdown"
	"mqttlab/reports/model"
)

// format is one way to render records.
type format struct {
	flag, what string
	kind       model.Kind // which records it takes; empty: any
	several    bool       // whether it takes more than one
	render     func(io.Writer, []*model.Record) error
	file       string
}

func formats() []*format {
	single := func(render renderer) func(io.Writer, []*model.Record) error {
		return func(w io.Writer, rs []*model.Record) error { return render(w, rs[0]) }
	}
	return []*format{
		{flag: "html", what: "the web page; several conformance records stand side by side on it", several: true, render: writeHTML},
		{flag: "markdown", what: "a summary for a pull request or a build step", several: true, render: func(w io.Writer, rs []*model.Record) error { return markdown.Write(w, rs...) }},
		{flag: "junit", what: "JUnit XML", kind: model.Conformance, render: single(junit.Write)},
		{flag: "badge", what: "a badge in SVG", kind: model.Conformance, render: single(badge.Write)},
		{flag: "csv", what: "the latency quantiles as CSV", kind: model.FleetRun, several: true, render: func(w io.Writer, rs []*model.Record) error { return csvfile.Write(w, rs...) }},
	}
}

func newReport() *cobra.Command {
	all := formats()
	cmd := &cobra.Command{
		Use:   "report [flags] RECORD.json ...",
		Short: "Render records as web pages, Markdown, JUnit XML, badges or CSV",
		Example: `  mqttlab report mosquitto.json emqx.json nats.json --html brokers.html
  mqttlab report out/conformance.json --junit - | xmllint --format -
  mqttlab report out/conformance.json --badge badge.svg --markdown - >> "$GITHUB_STEP_SUMMARY"`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return report(cmd.OutOrStdout(), args, all) },
	}
	for _, f := range all {
		cmd.Flags().StringVar(&f.file, f.flag, "", "file for "+f.what+", - for standard output")
	}
	return cmd
}

// report writes every format that has a file. What cannot be written is said before anything is.
func report(stdout io.Writer, files []string, all []*format) error {
	var wanted []*format
	var names []string
	for _, f := range all {
		names = append(names, "--"+f.flag)
		if f.file != "" {
			wanted = append(wanted, f)
		}
	}
	if len(wanted) == 0 {
		return fmt.Errorf("nothing to write: give a FILE to one of %s", strings.Join(names, ", "))
	}
	records, err := readRecords(files)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range wanted {
		errs = append(errs, f.check(files, records))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, f := range wanted {
		write := func(w io.Writer) error { return f.render(w, records) }
		if f.file == stdoutName {
			err = write(stdout)
		} else {
			err = writePage(f.file, write)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// check says which of the records a format does not take.
func (f *format) check(files []string, records []*model.Record) error {
	var errs []error
	if !f.several && len(files) > 1 {
		errs = append(errs, fmt.Errorf("--%s is for one record; %d are given", f.flag, len(files)))
	}
	for i, r := range records {
		kind := f.kind
		if f.flag == "html" && len(records) > 1 {
			kind = model.Conformance
		}
		if kind == "" || r.Kind == kind {
			continue
		}
		hint := ""
		if kind == model.Conformance && f.flag == "html" {
			hint = "; render fleet records one by one, or set them side by side with 'mqttlab compare'"
		}
		errs = append(errs, fmt.Errorf("--%s: %s is a %s record, a %s record is needed%s", f.flag, files[i], r.Kind, kind, hint))
	}
	return errors.Join(errs...)
}

func writeHTML(w io.Writer, records []*model.Record) error {
	if len(records) == 1 {
		return html.Write(w, records[0])
	}
	return html.Brokers(w, records)
}
