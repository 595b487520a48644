package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reports/jsonfile"
	"mqttlab/reports/model"
	"mqttlab/spec/target/profile"
)

var update = flag.Bool("update", false, "write the table of the records anew")

const (
	records = "../testdata/brokers"
	// recordLimit keeps records fit for a repository.
	recordLimit = 1 << 20
	// Between these lines of a page stands the table.
	tableBegins, tableEnds = "<!-- brokers -->\n", "<!-- /brokers -->\n"
)

// TestRecords holds the pages that show the table of the records against the records, and these against the profiles.
func TestRecords(t *testing.T) {
	want := table(t)
	for _, page := range []string{filepath.Join(records, "README.md"), "../../README.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, found := bytes.Cut(text, []byte(tableBegins))
		shown, after, ended := bytes.Cut(rest, []byte(tableEnds))
		switch {
		case !found || !ended:
			if !strings.HasPrefix(page, "../../") {
				t.Errorf("%s has no table between %q and %q", page, tableBegins, tableEnds)
			}
		case *update:
			text = bytes.Join([][]byte{before, []byte(tableBegins), []byte(want), []byte(tableEnds), after}, nil)
			if err := os.WriteFile(page, text, 0o644); err != nil { //nolint:gosec // a page for everyone
				t.Fatal(err)
			}
		default:
			if diff := cmp.Diff(want, string(shown)); diff != "" {
				t.Errorf("%s is not what the records say (go test ./spec/realbrokers -run TestRecords -update):\n%s", page, diff)
			}
		}
	}
}

// table is a row for each record.
func table(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(records, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no records: %v", err)
	}
	var b strings.Builder
	b.WriteString("| broker | version | pass | allowed | fails as known | fails | unsupported |\n|---|---|---|---|---|---|---|\n")
	for _, file := range files {
		p, err := profile.Lookup(strings.TrimSuffix(filepath.Base(file), ".json"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := jsonfile.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Size() > recordLimit {
			t.Errorf("%s: %d bytes, want at most %d: %v", file, info.Size(), recordLimit, err)
		}
		judgedAsListed(t, file, p, r)
		s := r.Summary
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d |\n", p.Title, judgedVersion(p), s[model.Pass], s[model.Nonstrict]+s[model.Info],
			s[model.KnownFailure], s[model.Fail]+s[model.Crash]+s[model.Fixed], s[model.Unsupported])
	}
	return b.String()
}

// judgedAsListed wants what fails in a record to be what its profile lists.
func judgedAsListed(t *testing.T, file string, p *profile.Profile, r *model.Record) {
	t.Helper()
	for _, k := range p.Known {
		there, failed := false, k.Sometimes
		for _, c := range r.Checks {
			if c.Verdict != model.Unsupported && k.Covers(c.FullName(), c.MQTT, c.Transport) {
				there, failed = true, failed || c.Verdict == model.KnownFailure
			}
		}
		if there && !failed { // a check that the record does not have is younger than it
			t.Errorf("%s: %s %s is listed, and fails nowhere", file, k.Check, k.MQTT)
		}
	}
	for _, c := range r.Checks {
		if c.Verdict == model.Fail || c.Verdict == model.Crash || c.Verdict == model.Inconclusive {
			t.Errorf("%s: %s/%s %s: %s, and is not listed", file, c.Area, c.Name, c.MQTT, c.Verdict)
		}
	}
}
