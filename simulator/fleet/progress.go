package fleet

import (
	"time"

	"mqttlab/simulator/ledger"
)

// Progress is how a run stands.
type Progress struct {
	// Phase is ramp, settle, run, drain or done.
	Phase string
	// Elapsed is the time on the devices' clock since the timetable began; Total is its planned end, without the drain.
	Elapsed, Total time.Duration
	Groups         []GroupProgress
	// Invalid says why the results so far must not be believed; empty if they may.
	Invalid string
}

// GroupProgress is how a group stands.
type GroupProgress struct {
	Name    string
	Devices int
	ledger.Progress
}

// report calls Options.Progress: always if asked to, otherwise if the last call was long enough ago.
func (r *run) report(phase string, always bool) {
	if r.options.Progress == nil || !always && time.Since(r.shown) < progressInterval*9/10 {
		return
	}
	r.shown = time.Now()
	p := Progress{
		Phase: phase, Elapsed: r.engine.now().Sub(r.start) - r.origin, Total: r.scenario.End(),
		Invalid: r.validity().Reason,
	}
	for _, g := range r.groups {
		p.Groups = append(p.Groups, GroupProgress{Name: g.Name, Devices: g.Count, Progress: g.book.Progress()})
	}
	r.options.Progress(p)
}
