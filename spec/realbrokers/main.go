// Command realbrokers is two brokers of others, mochi and nats-server, as processes to be judged: a broker that dies takes only itself
// along, and is restarted. Both are linked in as Go modules, so they are there wherever this module builds.
//
//	go build -o bin/realbrokers ./spec/realbrokers
//	bin/mqttlab conform --profile mochi --exec 'bin/realbrokers mochi {host}:{port}'
//	bin/mqttlab conform --profile nats --exec 'bin/realbrokers nats {config}'
//
// mochi keeps nothing on disk; the user, the password and the topic that it forbids are those of its profile. nats-server reads its own
// configuration file.
//
// # Design
//
// The tests of this package judge these two, and mosquitto where it is installed, with the known failures of their profiles: a check that
// raises a false alarm, or misses what it has found before, shows there. The brokers' own commands lost: those of mochi need modules
// that this one does without.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `realbrokers serves a broker of others until it is interrupted:
  realbrokers mochi HOST:PORT
  realbrokers nats CONFIG-FILE
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "realbrokers:", err)
		os.Exit(1)
	}
}

// run serves the broker that the arguments name, until ctx ends.
func run(ctx context.Context, args []string) error {
	if len(args) == 2 {
		switch args[0] {
		case "mochi":
			return serveMochi(ctx, args[1])
		case "nats":
			return serveNATS(ctx, args[1])
		}
	}
	return fmt.Errorf("wrong arguments %q\n%s", args, usage)
}
