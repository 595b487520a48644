package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mqttlab/reports/jsonfile"
	"mqttlab/reports/model"
	"mqttlab/spec/checks"
	"mqttlab/spec/statement"
)

func newExplain() *cobra.Command {
	var in string
	cmd := &cobra.Command{
		Use:   "explain STATEMENT ...",
		Short: "Say what a statement of the standards asks, and which checks cover it",
		Example: `  mqttlab explain MQTT5-3.3.1-9
  mqttlab explain MQTT311-3.1.2-24 --in out/conformance.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var (
				errs   []error
				found  []statement.Statement
				record *model.Record
			)
			for _, id := range args {
				s, err := statement.Lookup(statement.ID(id))
				found, errs = append(found, s), append(errs, err)
			}
			if in != "" {
				var err error
				record, err = jsonfile.Read(in)
				errs = append(errs, err)
			}
			if err := errors.Join(errs...); err != nil {
				return err
			}
			var text bytes.Buffer
			for i, s := range found {
				if i > 0 {
					fmt.Fprintln(&text)
				}
				explain(&text, s, record)
			}
			_, err := cmd.OutOrStdout().Write(text.Bytes())
			return exit(exitInternal, err)
		},
	}
	cmd.Flags().StringVar(&in, "in", "", "record whose verdicts are shown")
	return cmd
}

func explain(w io.Writer, s statement.Statement, record *model.Record) {
	fmt.Fprintf(w, "%s  %s, binds %s, section %s\n%s\n", s.ID, s.Level, s.Actor, s.Section, s.Summary)
	covered := false
	for _, c := range checks.All() {
		if slices.Contains(c.Covers, s.ID) {
			covered = true
			fmt.Fprintf(w, "  %s: %s\n", c.FullName(), c.Title)
		}
	}
	if !covered {
		other := "no test of a server can decide it"
		if s.BindsServer() {
			other = "there is none yet"
		}
		why := cmp.Or(statement.Undecided(s.ID), other)
		fmt.Fprintln(w, "  no check covers it:", why)
	}
	if record == nil {
		return
	}
	for _, c := range record.Checks {
		if !slices.Contains(c.Statements, string(s.ID)) {
			continue
		}
		line := fmt.Sprintf("%s/%s on %s: %s %s", c.Area, c.Name, record.Target.Title(), c.Verdict, c.Reason)
		fmt.Fprintf(w, "  %s\n", strings.TrimSpace(line))
	}
}
