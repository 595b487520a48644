package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"mqttlab/reference-broker/bench/load"
)

// Words that make the program one of its own children.
const (
	loadChild  = "load"
	serveChild = "serve"
)

func main() {
	if err := dispatch(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func dispatch(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) == 1 && args[0] == loadChild {
		return generate()
	}
	if len(args) == 5 && args[0] == serveChild {
		return serve(ctx, args[1], setup{args[2], args[3], args[4] == "true"})
	}
	return compare(ctx, args)
}

// generate is the child that loads a broker: a [load.Spec] comes in, a [load.Result] goes out.
func generate() error {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(2 << 30) // turns it on again before the machine suffers
	runtime.LockOSThread()
	if err := raiseFiles(); err != nil {
		return err
	}
	var s load.Spec
	if err := json.NewDecoder(os.Stdin).Decode(&s); err != nil {
		return fmt.Errorf("read what to measure: %w", err)
	}
	r, err := load.Run(s)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}
