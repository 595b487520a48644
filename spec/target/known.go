package target

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Known is one failure that is listed with a reason.
type Known struct {
	// Check is the name of a check, area included; * stands for any text.
	Check string `yaml:"check"`
	// MQTT is the version it holds for, empty for all.
	MQTT string `yaml:"mqtt"`
	// Transports are what it holds for, "tcp" for plain TCP; none for all.
	Transports []string `yaml:"transports"`
	// Reason is why it fails and is not mended: a bug report, a decision.
	Reason string `yaml:"reason"`
	// Sometimes says that the target, not the check, leaves it to luck: a pass does not mean
	// that it is mended.
	Sometimes bool `yaml:"sometimes"`
}

// Covers says whether the entry speaks of a check in a version over a transport, as
// [Target.Transport] names it.
func (k Known) Covers(check, mqtt, transport string) bool {
	return (k.MQTT == "" || k.MQTT == mqtt) && (k.Transports == nil || slices.Contains(k.Transports, cmp.Or(transport, "tcp"))) && Match(k.Check, check)
}

// Match says whether a name fits a pattern in which * stands for any text, slashes
// included.
func Match(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(name, part)
		if !found {
			return false
		}
		name = after
	}
	return strings.HasSuffix(name, parts[last])
}

// ReadKnown reads a file of known failures. The error lists every mistake.
func ReadKnown(file string) ([]Known, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("known failures: %w", err)
	}
	return ParseKnown(file, data)
}

// ParseKnown reads a list of known failures; file is its name for errors, which list
// every mistake.
func ParseKnown(file string, data []byte) ([]Known, error) {
	var known []Known
	if err := strict(file, data, &known); err != nil {
		return nil, err
	}
	var wrong []error
	for i, k := range known {
		if k.Check == "" {
			wrong = append(wrong, fmt.Errorf("%s: entry %d has no check", file, i+1))
		}
		if k.Reason == "" {
			wrong = append(wrong, fmt.Errorf("%s: entry %d (%s) needs a reason", file, i+1, k.Check))
		}
		if k.MQTT != "" && k.MQTT != "3.1.1" && k.MQTT != "5.0" {
			wrong = append(wrong, fmt.Errorf("%s: entry %d (%s): mqtt is %q, want 3.1.1 or 5.0", file, i+1, k.Check, k.MQTT))
		}
		for _, name := range k.Transports {
			if !slices.Contains(Transports, name) {
				wrong = append(wrong, fmt.Errorf("%s: entry %d (%s): there is no transport %q; there are %s", file, i+1, k.Check, name, strings.Join(Transports, ", ")))
			}
		}
	}
	return known, errors.Join(wrong...)
}

// strict decodes YAML in which every key must be known. An empty file is nothing.
func strict(file string, data []byte, into any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	if err := yaml.UnmarshalWithOptions(data, into, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
