// Command mqttlab tests MQTT: it judges brokers against the standards, is a broker and client itself, emulates fleets of sensors over
// lossy links, and compares what it measured.
//
// Each command is one file of this package: usage, flags, and one call into the package that does the work. main maps errors to
// exit codes and nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes of every command.
const (
	exitOK          = 0
	exitFailed      = 1 // the verdict is bad: not conformant, slower, messages lost
	exitUsage       = 2 // a flag, file or name is wrong
	exitUnreachable = 3 // the target can't be reached or speaks no MQTT
	exitInternal    = 4 // our own error
	exitUndecided   = 4 // compare only: not enough data
	exitNothing     = 5 // nothing was selected, nothing could run, an INVALID run
	exitInterrupted = 130
)

// exitError carries the exit code of an error; code alone (err nil) says that all was said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exit gives err an exit code; nil stays nil.
func exit(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code: code, err: err}
}

func main() { os.Exit(run(os.Args[1:])) }

// run is main without the exit, for tests.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitUsage // cobra's own errors are about flags and names
	var e *exitError
	if errors.As(err, &e) {
		code = e.code
		if e.err == nil {
			return code
		}
	}
	fmt.Fprintln(os.Stderr, "mqttlab:", err)
	return code
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "mqttlab",
		Short: "Test MQTT brokers, fleets and networks",
		Long: `mqttlab judges MQTT brokers against the numbered statements of MQTT 3.1.1 and 5.0,
is a reference broker and client itself, emulates fleets of sensors over lossy links,
and compares what it measured.`,
		Example: `  mqttlab conform mqtt://127.0.0.1:1883 --out out
  mqttlab fleet run meadow --target mqtt://127.0.0.1:1883`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newConform(), newExplain(), newBroker(), newPub(), newSub(), newFleet(), newLink(), newCompare(), newBenchPair(), newReport(), newMan(), newSBOM(), newVersion())
	root.InitDefaultCompletionCmd()
	completion, _, _ := root.Find([]string{"completion"}) // it is there now
	completion.Args, completion.RunE = knownCommand, root.RunE
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"})
	help.Args, help.RunE = cobra.ArbitraryArgs, helpFor
	sayUsage(root)
	return root
}
