package main

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestAction runs the shell part of the GitHub action with the variables that a runner sets.
func TestAction(t *testing.T) {
	action, err := filepath.Abs("../../.github/actions/conform")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/action", RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ACTION", action)
			return nil
		},
	})
}
