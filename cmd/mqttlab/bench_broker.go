package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"mqttlab/reports/model"
	"mqttlab/simulator/fleet"
	"mqttlab/simulator/process"
	"mqttlab/spec/target/launch"
)

// execPrefix marks a target that is started for the comparison, and ended after it.
const execPrefix = "exec:"

// benchArm is one of the two brokers.
type benchArm struct {
	name   string // A or B
	target string // its URL
	title  string // for people; empty: the URL
	pid    int    // as given; zero: found by its port
	close  func() error

	records []*model.Record
	silent  bool // it was said already that its processor time is not measured
}

// openArm starts the broker if it is to be started, else it must be listening: the runs of one broker are lost without the other.
func openArm(ctx context.Context, name, target string, pid int) (*benchArm, error) {
	a := &benchArm{name: name, target: target, pid: pid, close: func() error { return nil }}
	command, found := strings.CutPrefix(target, execPrefix)
	if !found {
		err := fleet.Reach(ctx, target)
		switch {
		case ctx.Err() != nil:
			return nil, exit(exitInterrupted, errors.New("interrupted before the first run"))
		case err != nil:
			return nil, exit(exitUnreachable, err)
		}
		return a, nil
	}
	b, err := launch.Start(ctx, launch.Recipe{Exec: command})
	if err != nil {
		return nil, launchError(ctx, err)
	}
	a.target, a.title, a.close = "mqtt://"+b.Address(), command, b.Close
	return a, nil
}

// measured calls run and puts the processor time that the broker used meanwhile into the record, if its process is known.
func (a *benchArm) measured(say io.Writer, run func() (*model.Record, error)) (*model.Record, error) {
	pids, err := a.processes()
	before, errBefore := process.CPU(pids...)
	record, errRun := run()
	if errRun != nil {
		return nil, errRun
	}
	record.Target.Name = a.title
	after, errAfter := process.CPU(pids...)
	if err := errors.Join(err, errBefore, errAfter); err != nil {
		if !a.silent {
			fmt.Fprintf(say, "%s: its processor time is not measured: %v\n", a.name, err)
		}
		a.silent = true
		return record, nil
	}
	used := model.Millis(after - before)
	record.Fleet.TargetCPUMS = &used
	return record, nil
}

// processes are those of the broker. They are looked up for each run: a broker may have been restarted.
func (a *benchArm) processes() ([]int, error) {
	if a.pid != 0 {
		return []int{a.pid}, nil
	}
	u, err := url.Parse(a.target)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = "1883"
	}
	pids, err := process.Listening(net.JoinHostPort(u.Hostname(), port))
	if errors.Is(err, process.ErrUnknown) {
		err = fmt.Errorf("%w; if it runs here, name it by --%s-pid", err, strings.ToLower(a.name))
	}
	return pids, err
}
