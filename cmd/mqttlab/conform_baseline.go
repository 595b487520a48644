package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"

	"mqttlab/reports/compare"
	"mqttlab/reports/jsonfile"
	"mqttlab/reports/model"
)

// baselineFlags say against what a run is held.
type baselineFlags struct {
	baseline   string
	update     bool
	writeKnown string
}

func (b *baselineFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&b.baseline, "baseline", "", "record of an earlier run; only what got worse than it fails")
	fs.BoolVar(&b.update, "update-baseline", false, "write this run to the file of --baseline instead of comparing")
	fs.StringVar(&b.writeKnown, "write-known", "", "write what fails as a YAML file of known failures")
}

func (b *baselineFlags) check() error {
	if b.update && b.baseline == "" {
		return fmt.Errorf("--update-baseline needs the file: --baseline FILE")
	}
	return nil
}

// read returns the baseline, nil if there is none to compare with. It comes before the
// run, so that a mistake shows before the minutes of waiting.
func (b *baselineFlags) read() (*model.Record, error) {
	if b.baseline == "" || b.update {
		return nil, nil //nolint:nilnil // none is no mistake
	}
	r, err := jsonfile.Read(b.baseline)
	if err != nil {
		return nil, fmt.Errorf("--baseline: %w; write it with --update-baseline", err)
	}
	if r.Kind != model.Conformance {
		return nil, fmt.Errorf("--baseline %s: is the record of a %s run", b.baseline, r.Kind)
	}
	return r, nil
}

// judgement is what a run comes to.
type judgement struct {
	fails []model.Check // the checks that make it fail
	code  int
}

// judge holds the record against the baseline, or against the standard without one.
func (b *baselineFlags) judge(w io.Writer, before, r *model.Record) (judgement, error) {
	if err := writePage(b.writeKnown, func(w io.Writer) error { return encodeKnown(w, r) }); err != nil {
		return judgement{}, err
	}
	switch {
	case b.update:
		fmt.Fprintf(w, "wrote the baseline %s\n", b.baseline)
		return judgement{}, jsonfile.Write(b.baseline, withoutTranscripts(r))
	case before == nil:
		fails := slices.DeleteFunc(slices.Clone(r.Checks), func(c model.Check) bool { return c.Verdict.Conformant() })
		return judgement{fails, conformVerdictCode(r)}, nil
	}
	changes, err := compare.Conformance(before, r)
	if err != nil {
		return judgement{}, err
	}
	worse := map[string]bool{}
	for _, c := range changes.Changed {
		if c.Worse() {
			worse[c.Area+"/"+c.Name+" "+c.MQTT] = true
			fmt.Fprintf(w, "worse than the baseline: %s/%s %s: %s, was %s: %s\n",
				c.Area, c.Name, c.MQTT, c.After, was(c.Before), oneLine(c.AfterReason))
		}
	}
	if len(worse) > 0 {
		fmt.Fprintf(w, "%d checks are worse than the baseline %s\n", len(worse), b.baseline)
		fails := slices.DeleteFunc(slices.Clone(r.Checks), func(c model.Check) bool { return !worse[c.Row()] })
		return judgement{fails, exitFailed}, nil
	}
	fmt.Fprintf(w, "nothing is worse than the baseline %s\n", b.baseline)
	if conformVerdictCode(r) == exitNothing {
		return judgement{nil, exitNothing}, nil
	}
	return judgement{nil, exitOK}, nil
}

func was(v model.Verdict) string {
	if v == "" {
		return "not there"
	}
	return string(v)
}

// withoutTranscripts is a record small enough for a repository.
func withoutTranscripts(r *model.Record) *model.Record {
	small := *r
	small.Checks = slices.Clone(r.Checks)
	for i := range small.Checks {
		small.Checks[i].Transcript = nil
	}
	return &small
}

// encodeKnown writes what fails as a file of known failures. The reasons are what was
// seen: people are to replace them by a bug report or a decision.
func encodeKnown(w io.Writer, r *model.Record) error {
	type entry struct {
		Check      string   `yaml:"check"`
		MQTT       string   `yaml:"mqtt"`
		Transports []string `yaml:"transports,omitempty"`
		Reason     string   `yaml:"reason"`
	}
	passes := func(c model.Check) bool {
		return c.Verdict != model.Fail && c.Verdict != model.Crash && c.Verdict != model.KnownFailure
	}
	known := []entry{}
	for rest := r.Checks; len(rest) > 0; {
		rows := rest[:1] // of one check in one version, which differ in transport
		for len(rows) < len(rest) && rest[len(rows)].FullName() == rest[0].FullName() && rest[len(rows)].MQTT == rest[0].MQTT {
			rows = rest[:len(rows)+1]
		}
		rest = rest[len(rows):]
		failing := slices.DeleteFunc(slices.Clone(rows), passes)
		if len(failing) == 0 {
			continue
		}
		e := entry{Check: rows[0].FullName(), MQTT: rows[0].MQTT, Reason: oneLine(failing[0].Reason)}
		for _, c := range failing {
			if len(failing) < len(rows) {
				e.Transports = append(e.Transports, cmp.Or(c.Transport, "tcp"))
			}
		}
		known = append(known, e)
	}
	if _, err := fmt.Fprintf(w, "# What fails on %s, as seen on %s. Replace each reason by a bug report or a decision.\n",
		oneLine(r.Target.Title()), r.Started.UTC().Format("2006-01-02")); err != nil {
		return err
	}
	data, err := yaml.Marshal(known)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// oneLine makes a line of any text, never an empty one.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return "no reason was recorded"
	}
	return s
}
