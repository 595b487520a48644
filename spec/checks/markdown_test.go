package checks_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mqttlab/spec/checks"
)

var update = flag.Bool("update", false, "write spec/CHECKS.md anew")

// TestGolden makes adding, dropping or changing a check a reviewed act: the list is a file.
func TestGolden(t *testing.T) {
	const file = "../CHECKS.md"
	var b bytes.Buffer
	if err := checks.Markdown(&b, checks.All()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("spec/CHECKS.md is not what the checks say; 'make golden' writes it anew, and the diff is for the review:\n%s", diff)
	}
}
