// Package csvfile writes the latency quantiles of fleet records as a table for spreadsheets and statistics programs.
//
// The table is long, not wide: one row per record, group, path, measure and quantile, so that a program can filter and
// group it, and rows of several records can stand in one file. Latencies are microseconds.
//
// Quantiles are the plain ones of the histogram. Comparing two runs by subtracting them is what `mqttlab compare` is there to
// do better.
package csvfile

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

// quantiles are the rows of each distribution; the last is the maximum.
var quantiles = []float64{0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 1}

var heads = []string{"target", "scenario", "mode", "seed", "started", "valid", "group", "devices", "path", "measure", "messages", "quantile", "latency_us"}

// Write writes the quantiles of sealed fleet records, with a row of headings. A quantile beyond which a distribution has no
// message is left out, since it would be the maximum under another name.
func Write(w io.Writer, records ...*model.Record) error {
	out := csv.NewWriter(w)
	if err := out.Write(heads); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	for _, r := range records {
		if r.Kind != model.FleetRun || r.Fleet == nil {
			return fmt.Errorf("write CSV: a %s record has no latencies; give fleet records", r.Kind)
		}
		f := r.Fleet
		run := []string{
			r.Target.Title(), f.Scenario.Name, string(f.Mode), strconv.FormatUint(r.Seed, 10),
			r.Started.UTC().Format("2006-01-02T15:04:05Z"), strconv.FormatBool(f.Validity.Valid),
		}
		for i := range f.Groups {
			if err := writeGroup(out, run, &f.Groups[i]); err != nil {
				return fmt.Errorf("write CSV: %w", err)
			}
		}
	}
	out.Flush()
	return out.Error()
}

func writeGroup(out *csv.Writer, run []string, g *model.Group) error {
	for _, l := range g.Latency {
		h, err := latency.Decode(l.Histogram)
		if err != nil {
			return fmt.Errorf("group %q, %s %s: %w", g.Name, l.Measure, l.Path, err)
		}
		row := append(run[:len(run):len(run)], g.Name, strconv.Itoa(g.Devices), string(l.Path), string(l.Measure), strconv.FormatInt(h.Count(), 10))
		for _, p := range quantiles {
			span := h.Quantile(p)
			switch {
			case h.Count() == 0 || p < 1 && float64(h.Count())*(1-p) < 1:
				continue
			case p == 1:
				span = h.Max()
			}
			if err := out.Write(append(row[:len(row):len(row)], strconv.FormatFloat(p, 'g', -1, 64), strconv.FormatInt(span.Microseconds(), 10))); err != nil {
				return err
			}
		}
	}
	return nil
}
