package fleet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mqttlab/netem/pcapng"
	"mqttlab/reports/model"
	"mqttlab/simulator/device"
	"mqttlab/simulator/live"
	"mqttlab/simulator/scenario"
)

// Options describe a run.
type Options struct {
	// Scenario is what to run. Required; it is not modified.
	Scenario *scenario.Scenario
	// Target is a URL such as mqtt://user:password@host:1883. Required but in virtual mode, where it must be empty.
	Target string
	// TLS says whom to trust and who the devices are, for targets mqtts://... and groups with TLS. Nil: the authorities of the system.
	TLS *tls.Config
	// Mode is required.
	Mode model.Mode
	// Seed replaces the scenario's. Nil: the scenario's own.
	Seed *uint64
	// Capture gets the packets of all devices, in modes emulated and virtual. The caller ends it. Nil: nobody wants them.
	Capture *pcapng.Writer
	// TargetPID is the target's process, if it is on this machine: the record then says what it used. 0: it is looked for.
	TargetPID int
	// Progress is called about once a second, and at the beginning and the end of each phase, from the goroutine of Run. Nil: nobody wants to know.
	Progress func(Progress)
	// Logger is told of what is out of the ordinary. Nil: silent.
	Logger *slog.Logger
	// Tool names the program in the record.
	Tool model.Tool
}

// Run runs a scenario and returns its record. When ctx is done it stops making messages due, drains and returns a record of what there is, with a nil
// error; a target that can't be reached in the first place is an *UnreachableError.
func Run(ctx context.Context, o Options) (*model.Record, error) {
	r, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	defer r.engine.close()
	if err := r.subscribe(ctx); err != nil {
		return nil, err
	}
	if err := r.startSensors(r.engine.now().Sub(r.start)); err != nil {
		return nil, err
	}
	cut := r.timetable(ctx)
	r.drain(context.WithoutCancel(ctx))
	return r.finish(cut)
}

// run is one run under way.
type run struct {
	*crew
	options Options
	steps   int             // of the series, ended so far
	shown   time.Time       // when Progress was last called
	process *targetProcess  // nil: not known
	verdict *model.Validity // of the record, once there is one: what comes after does not count
}

// prepare checks the options and makes the engine.
func prepare(ctx context.Context, o Options) (*run, error) {
	if o.Scenario == nil {
		return nil, errors.New("fleet: no scenario given")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := *o.Scenario
	if o.Seed != nil {
		s.Seed = *o.Seed
	}
	t := target{shown: "in virtual mode"}
	if o.Mode == model.Virtual && o.TargetPID != 0 {
		return nil, errors.New("virtual mode has no process for its target: leave the target's out")
	}
	if o.Mode == model.Live && o.Capture != nil {
		return nil, errors.New("live mode has no packets of its own to capture: use emulated, or tcpdump")
	}
	if o.Mode == model.Virtual && o.Target != "" {
		return nil, errors.New("virtual mode runs against mqttlab's own broker in the same process: leave the target out")
	}
	if o.Mode != model.Virtual {
		var err error
		if t, err = parseTarget(o.Target); err != nil {
			return nil, err
		}
		if err := checkOpenFiles(s.Devices() + 2*len(s.Groups)); err != nil {
			return nil, err
		}
		if err := live.CheckReachable(ctx, t.address); err != nil {
			return nil, &UnreachableError{Target: t.shown, Err: err}
		}
	}
	var watched *targetProcess
	if o.Mode != model.Virtual {
		var err error
		if watched, err = watch(o.TargetPID, t.address); err != nil {
			return nil, err
		}
	}
	e, err := newEngine(&o, &s, t)
	if err != nil {
		return nil, err
	}
	id := uint32(seedOf(s.Seed, 0, 0))
	if o.Mode != model.Virtual {
		// Runs of one seed against one target must not take each other's messages for their own.
		id = uint32(seedOf(s.Seed, uint64(time.Now().UnixNano()), 0))
	}
	c, err := newCrew(&s, e, t, id, o.Logger)
	if err != nil {
		e.close()
		return nil, err
	}
	return &run{crew: c, options: o, process: watched}, nil
}

// CheckVirtual says what keeps a scenario from virtual mode.
func CheckVirtual(s *scenario.Scenario) error {
	for i := range s.Groups {
		if g := &s.Groups[i]; g.TLS {
			return fmt.Errorf("group %q: virtual mode has no TLS, since its handshakes are not reproducible: use emulated, or set tls to false", g.Name)
		}
	}
	return nil
}

func newEngine(o *Options, s *scenario.Scenario, t target) (engine, error) {
	switch o.Mode {
	case model.Live:
		return newLiveEngine(s, t, t.layer(o.TLS), o.Logger), nil
	case model.Emulated:
		return newEmulatedEngine(s, t, o)
	case model.Virtual:
		if err := CheckVirtual(s); err != nil {
			return nil, err
		}
		return newVirtualEngine(s, o)
	}
	return nil, fmt.Errorf("unknown mode %q (have %s, %s, %s)", o.Mode, model.Live, model.Emulated, model.Virtual)
}

// subscribeTimeout is how long sinks may take to connect and subscribe.
const subscribeTimeout = 30 * time.Second

// subscribe starts the sinks and waits for their subscriptions.
func (r *run) subscribe(ctx context.Context) error {
	ready := make(chan error, 2*len(r.groups))
	if err := r.startSinks(ready); err != nil {
		return err
	}
	controllers, err := r.startControllers(ready)
	if err != nil {
		return err
	}
	limit := r.start.Add(subscribeTimeout)
	for waiting := len(r.groups) + controllers; waiting > 0; {
		select {
		case err := <-ready:
			if err != nil {
				return &UnreachableError{Target: r.target.shown, Err: err}
			}
			waiting--
		default:
			if !r.engine.now().Before(limit) {
				return &UnreachableError{Target: r.target.shown, Err: fmt.Errorf("no SUBACK within %v", subscribeTimeout)}
			}
			if err := r.engine.pass(ctx, r.engine.now().Add(time.Millisecond)); err != nil {
				return fmt.Errorf("stopped before the fleet began: %w", err)
			}
		}
	}
	return nil
}

// validity is the record's, or before there is one, how it stands.
func (r *run) validity() model.Validity {
	if r.verdict != nil {
		return *r.verdict
	}
	return r.engine.validity()
}

// timetable lets ramp, settling and the messages' time pass. It returns early, with true, when ctx is done.
func (r *run) timetable(ctx context.Context) (cut bool) {
	for _, phase := range []struct {
		name string
		end  time.Duration
	}{
		{"ramp", r.scenario.Ramp},
		{"settle", r.scenario.Begin()},
		{"run", r.scenario.End()},
	} {
		r.report(phase.name, true)
		if phase.name == "run" {
			r.weigh()
			r.process.begin()
		}
		if err := r.pass(ctx, phase.name, r.origin+phase.end); err != nil {
			return true
		}
	}
	return false
}

// progressInterval is how often Progress is called, in real time.
const progressInterval = time.Second

// pass lets time pass until a moment, ending steps of the series on the way.
func (r *run) pass(ctx context.Context, phase string, until time.Duration) error {
	for {
		now := r.engine.now().Sub(r.start)
		next := r.scenario.Interval * time.Duration(r.steps+1)
		if now >= next {
			r.sample(r.steps)
			r.steps++
			continue
		}
		if now >= until {
			return nil
		}
		if r.options.Mode != model.Virtual {
			next = min(next, now+progressInterval)
		}
		r.report(phase, false)
		if err := r.engine.pass(ctx, r.start.Add(min(next, until))); err != nil {
			return err
		}
		r.process.sample()
	}
}

// drainSteps is how often the drain looks whether there is anything left to wait for.
const drainSteps = 100 * time.Millisecond

// drain waits for what is under way, as long as the scenario allows.
func (r *run) drain(ctx context.Context) {
	r.each(func(s *device.Sensor) { s.StopPublishing() })
	r.eachController(func(c *device.Controller) { c.StopCommands() })
	r.report("drain", true)
	end := r.engine.now().Sub(r.start) + r.scenario.Drain
	for !r.quiet() {
		now := r.engine.now().Sub(r.start)
		if now >= end {
			return
		}
		// ctx is never done: a drain has an end of its own.
		_ = r.pass(ctx, "drain", min(end, now+drainSteps))
	}
}

// farewell is how long DISCONNECT and FIN may take to leave; nothing is measured any more.
const farewell = 200 * time.Millisecond

// finish writes the record and takes leave of the target.
func (r *run) finish(cut bool) (*model.Record, error) {
	verdict := r.engine.validity()
	r.verdict = &verdict
	record, err := r.record(cut)
	r.each(func(s *device.Sensor) { s.Finish(nil) })
	r.clearImages()
	_ = r.engine.pass(context.Background(), r.engine.now().Add(farewell))
	r.finishSinks()
	_ = r.engine.pass(context.Background(), r.engine.now().Add(farewell))
	r.report("done", true)
	return record, err
}
