package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"mqttlab/reference-broker/bench/load"
)

// options are what the command line says.
type options struct {
	mqttlab string
	short   bool
	reps    int
	rows    string
	brokers string
	into    string
	limit   time.Duration
}

const usage = `usage: go run ./reference-broker/bench [flags]

Compares brokers per CPU-second of their processes, in interleaved runs on this machine, and prints
a table of ratios to mosquitto. Build bin/mqttlab first, or use make bench.

`

func compare(ctx context.Context, args []string) error {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.Usage = func() { fmt.Fprint(fs.Output(), usage); fs.PrintDefaults() }
	fs.StringVar(&o.mqttlab, "mqttlab", "bin/mqttlab", "the binary of the reference broker")
	fs.BoolVar(&o.short, "short", false, "a glance of a minute or two: one run each, smaller counts")
	fs.IntVar(&o.reps, "reps", 3, "runs of each broker and row; the median counts")
	fs.StringVar(&o.rows, "rows", "", "only these rows, by their short names separated by commas")
	fs.StringVar(&o.brokers, "brokers", "mosquitto,mochi,nats,mqttlab", "only these brokers")
	fs.StringVar(&o.into, "into", "", "write the table into this Markdown file, between the lines "+mark("begin")+" and "+mark("end"))
	fs.DurationVar(&o.limit, "limit", 2*time.Minute, "time for one run, after which it has no figure")
	if err := fs.Parse(args); err != nil {
		return err
	}
	rows, err := chooseRows(o)
	if err != nil {
		return err
	}
	brokers, err := chooseBrokers(o)
	if err != nil {
		return err
	}
	if err := raiseFiles(); err != nil {
		return err
	}
	runtime.LockOSThread() // children end with the thread that started them
	t := newTable(o, brokers, command(args))
	if err := t.measure(ctx, rows, os.Stderr); err != nil {
		return err
	}
	if o.into != "" {
		return t.writeInto(o.into)
	}
	return t.write(os.Stdout)
}

// command is what a reader can type to repeat the measurement.
func command(args []string) string {
	return strings.Join(append([]string{"go run ./reference-broker/bench"}, args...), " ")
}

// usualRate is what mosquitto 2.0.11 delivers per CPU-second of QoS 1 between 50 pairs, on the machine where that was measured first.
const usualRate = 44_000

// setRate finds out what a row's share of mosquitto's rate is. One CPU-second of mosquitto's is a second of its time, for it has one thread.
func (t *table) setRate(ctx context.Context, r *row) error {
	if r.share == 0 {
		return nil
	}
	rate := float64(usualRate)
	if i := slices.IndexFunc(t.brokers, base); i >= 0 {
		closed := r.spec
		closed.Scenario, closed.Window = load.Pairs, 20
		x, err := t.brokers[i].run(ctx, closed, r.store, t.limit)
		if err != nil {
			return fmt.Errorf("find the rate of %s: %w", t.brokers[i].name, err)
		}
		rate = x.Figure
	}
	r.spec.Rate = max(1, int(rate*r.share))
	r.title += fmt.Sprintf(" (%s messages/s)", short(float64(r.spec.Rate)))
	return nil
}

// measure runs everything: each repetition of a row goes round all brokers before the next one begins, so that whatever else the machine does
// meets all.
func (t *table) measure(ctx context.Context, rows []row, talk io.Writer) error {
	for _, r := range rows {
		if err := t.setRate(ctx, &r); err != nil {
			return err
		}
		m := measured{row: r, figures: make([][]float64, len(t.brokers)), problems: make([]error, len(t.brokers))}
		for range t.reps {
			for i, b := range t.brokers {
				if m.problems[i] != nil {
					continue // it would only take its time again
				}
				result, err := b.run(ctx, r.spec, r.store, t.limit)
				if ctx.Err() != nil {
					return errors.New("interrupted")
				}
				if err != nil {
					m.problems[i] = err
					fmt.Fprintf(talk, "%s, %s: %v\n", r.name, b.name, err)
					continue
				}
				if result.Lost > 0 {
					fmt.Fprintf(talk, "%s, %s: %d messages did not arrive\n", r.name, b.name, result.Lost)
				}
				m.figures[i] = append(m.figures[i], result.Figure)
			}
		}
		t.rows = append(t.rows, m)
		fmt.Fprintln(talk, t.line(m))
	}
	return nil
}
