package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mqttlab/reports/model"
	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/sequence"
)

// elsewhere are the flags that say which checks are run, how often and what is written: those of a command that runs a single check are its own.
var elsewhere = []string{
	"only", "statement", "level", "mqtt", "seed", "case", "repeat", "jobs", "out", "json", "html", "junit", "quiet",
	"transport", "baseline", "update-baseline", "write-known", "pcap", "implementation",
}

// againCommand returns what makes the command that runs one check once more, alone, on the same target with the same names and choices.
func againCommand(flags *pflag.FlagSet, targets []string, seed uint64) func(check, mqtt, transport, steps string) string {
	start := []string{"mqttlab", "conform"}
	for _, t := range targets {
		start = append(start, withoutPassword(t))
	}
	flags.Visit(func(f *pflag.Flag) {
		if slices.Contains(elsewhere, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if many, ok := f.Value.(pflag.SliceValue); ok {
			values = many.GetSlice()
		}
		for _, v := range values {
			if f.Name == "env" { // its values may be secrets, and reports are shown around
				v, _, _ = strings.Cut(v, "=")
				v += "=VALUE"
			}
			if start = append(start, "--"+f.Name); f.Value.Type() != "bool" {
				start = append(start, v)
			}
		}
	})
	return func(check, mqtt, transport, steps string) string {
		all := append(slices.Clone(start), "--only", check, "--mqtt", mqtt, "--seed", fmt.Sprint(seed))
		if flags.Changed("transport") {
			all = append(all, "--transport", cmp.Or(transport, "tcp"))
		}
		if steps != "" {
			all = append(all, "--case", steps)
		}
		for i := range all {
			all[i] = shellWord(all[i])
		}
		return strings.Join(all, " ")
	}
}

// withoutPassword keeps the password of an address out of reports.
func withoutPassword(target string) string {
	u, err := url.Parse(target)
	if err != nil || u.User == nil {
		return target
	}
	if _, secret := u.User.Password(); secret {
		u.User = url.UserPassword(u.User.Username(), "PASSWORD")
	}
	return u.String()
}

// shellWord quotes what a shell would not take for one word.
func shellWord(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("-_./:=@,+%", r) && !isAlphanumeric(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// nameCommands puts the command that repeats it into each check to look at.
func (f *conformFlags) nameCommands(cmd *cobra.Command, r *model.Record) {
	again := againCommand(cmd.Flags(), f.targets, f.seed)
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Verdict.Failing() || c.Flaky != nil {
			c.Again = again(c.FullName(), c.MQTT, c.Transport, c.Case)
		}
	}
}

// checkCase finds mistakes in --case.
func checkCase(text string, s selected) error {
	if text == "" {
		return nil
	}
	var playing []*conformance.Check
	for _, c := range s.checks {
		if len(c.Steps) > 0 && slices.ContainsFunc(s.versions, func(v octets.Version) bool { return slices.Contains(c.Versions(), v) && s.admits(c, v) }) {
			playing = append(playing, c)
		}
	}
	if len(playing) != 1 || len(s.checks) != 1 {
		return errors.New("--case needs the one check that plays it: --only sequence/Exchanges, for example")
	}
	if _, err := sequence.Parse(text, playing[0].Steps); err != nil {
		return fmt.Errorf("--case: %w", err)
	}
	return nil
}

// parseImplementation reads "name,version,contact".
func parseImplementation(text string) (*model.Implementation, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // none is no mistake
	}
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	if len(parts) != 3 || slices.Contains(parts, "") {
		return nil, fmt.Errorf(`--implementation %q: write "name,version,contact", as in "Acme Broker,4.2,mqtt@acme.example"`, text)
	}
	return &model.Implementation{Name: parts[0], Version: parts[1], Contact: parts[2]}, nil
}
