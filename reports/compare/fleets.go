package compare

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

// Quantiles are the places at which distributions are compared.
func Quantiles() []float64 {
	return []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999}
}

// ErrInvalidRun is wrapped when a record says that its generator could not keep its schedule.
var ErrInvalidRun = errors.New("run is invalid")

// beyond is the least number of messages on the far side of a quantile for it to be judged.
const beyond = 10

// Fleets compares runs of a fleet: arm a before, arm b after. All records must be valid fleet records. It
// returns an error for a record that cannot be compared at all; what makes a comparison weaker is a warning.
func Fleets(a, b []*model.Record, o Options) (*Result, error) {
	o = o.withDefaults()
	if err := errors.Join(check("A", a), check("B", b)); err != nil {
		return nil, err
	}
	r := &Result{A: side(a), B: side(b), Options: o}
	r.warn(a, b)
	rng := rand.New(rand.NewPCG(o.Seed, 0x6d71747462))
	for i := range a[0].Fleet.Groups {
		if err := r.compareGroup(a, b, a[0].Fleet.Groups[i].Name, rng); err != nil {
			return nil, err
		}
	}
	r.correct()
	for i := range r.Latency {
		l := &r.Latency[i]
		l.judge(o, min(devices(a, l.Group), devices(b, l.Group)))
	}
	r.judgeDelivery()
	r.compareCost(a, b)
	r.sumUp()
	return r, nil
}

func check(arm string, records []*model.Record) error {
	if len(records) == 0 {
		return fmt.Errorf("arm %s has no record", arm)
	}
	var errs []error
	for i, r := range records {
		switch {
		case r.Kind != model.FleetRun:
			errs = append(errs, fmt.Errorf("record %d of arm %s is of kind %s, expected %s", i+1, arm, r.Kind, model.FleetRun))
		case !r.Fleet.Validity.Valid:
			errs = append(errs, fmt.Errorf("record %d of arm %s: %w: %s; repeat it with fewer devices or on an idle machine",
				i+1, arm, ErrInvalidRun, r.Fleet.Validity.Reason))
		}
	}
	return errors.Join(errs...)
}

func side(records []*model.Record) Side {
	r := records[0]
	return Side{Title: r.Title(), Target: r.Target.Title(), Scenario: r.Fleet.Scenario.Name, Runs: len(records)}
}

// warn lists what a reader should know before the numbers.
func (r *Result) warn(a, b []*model.Record) {
	if min(len(a), len(b)) < MinUnits {
		r.Warnings = append(r.Warnings, fmt.Sprintf(
			"devices are the unit: intervals say how devices differ, not how a second run would; %d runs per arm make runs the unit", MinUnits))
	}
	first := a[0].Fleet
	for _, other := range append(a[1:len(a):len(a)], b...) {
		if other.Fleet.Mode != first.Mode {
			r.Warnings = append(r.Warnings, fmt.Sprintf("modes differ: %s and %s", first.Mode, other.Fleet.Mode))
			break
		}
	}
	for _, other := range append(a[1:len(a):len(a)], b...) {
		if withoutSeed(other.Fleet.Scenario.Text) != withoutSeed(first.Scenario.Text) {
			r.Warnings = append(r.Warnings, "scenarios differ: shifts show the difference of scenario and of target together")
			break
		}
	}
	for _, g := range b[0].Fleet.Groups {
		if group(a[0], g.Name) == nil {
			r.Warnings = append(r.Warnings, fmt.Sprintf("group %q is only in B and is left out", g.Name))
		}
	}
}

// withoutSeed drops the seed's line of a scenario: runs to be compared should differ in it.
func withoutSeed(text string) string {
	lines := strings.Split(text, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "seed:") }), "\n")
}

func group(r *model.Record, name string) *model.Group {
	for i := range r.Fleet.Groups {
		if r.Fleet.Groups[i].Name == name {
			return &r.Fleet.Groups[i]
		}
	}
	return nil
}

func devices(records []*model.Record, name string) int {
	if g := group(records[0], name); g != nil {
		return g.Devices
	}
	return 0
}

// compareGroup appends what can be compared of one group, without verdicts.
func (r *Result) compareGroup(a, b []*model.Record, name string, rng *rand.Rand) error {
	if group(b[0], name) == nil {
		r.Warnings = append(r.Warnings, fmt.Sprintf("group %q is only in A and is left out", name))
		return nil
	}
	for _, path := range []model.Path{model.ToAck, model.ToDelivery} {
		unit := Runs
		if min(len(a), len(b)) < MinUnits {
			unit = Devices
		}
		ua, err := units(a, name, path, unit)
		if err != nil {
			return fmt.Errorf("arm A, group %q: %w", name, err)
		}
		ub, err := units(b, name, path, unit)
		if err != nil {
			return fmt.Errorf("arm B, group %q: %w", name, err)
		}
		armA, armB := newArm(ua), newArm(ub)
		if armA.count == 0 && armB.count == 0 {
			continue // nobody measured it: no acknowledgements at QoS 0
		}
		l := shiftFunction(armA, armB, unit, r.Options, rng)
		l.Group, l.Path = name, path
		r.Latency = append(r.Latency, l)
	}
	r.Delivery = append(r.Delivery, delivery(a, b, name)...)
	r.compareFigures(a, b, name)
	return nil
}

// units returns the intended latencies of an arm, one distribution for each run or block of devices. A block
// is the same devices in every run of the arm and stays one unit.
func units(records []*model.Record, name string, path model.Path, unit string) ([]latency.Distribution, error) {
	var merged []*latency.Histogram
	for i, r := range records {
		l := find(group(r, name), path)
		if l == nil {
			continue
		}
		encoded := l.Blocks
		if unit == Runs || len(encoded) == 0 {
			encoded = []model.Histogram{l.Histogram}
		}
		if unit == Devices && merged != nil && len(merged) != len(encoded) {
			return nil, fmt.Errorf("record %d has %d blocks of devices, others have %d; compare runs of the same scenario", i+1, len(encoded), len(merged))
		}
		for j, e := range encoded {
			h, err := latency.Decode(e)
			if err != nil {
				return nil, fmt.Errorf("record %d: %w", i+1, err)
			}
			if unit == Devices && j < len(merged) {
				merged[j].Merge(h)
			} else {
				merged = append(merged, h)
			}
		}
	}
	out := make([]latency.Distribution, len(merged))
	for i, h := range merged {
		out[i] = h.Distribution()
	}
	return out, nil
}

func find(g *model.Group, path model.Path) *model.Latency {
	if g == nil {
		return nil
	}
	for i := range g.Latency {
		if g.Latency[i].Measure == model.Intended && g.Latency[i].Path == path {
			return &g.Latency[i]
		}
	}
	return nil
}

// shiftFunction estimates all quantiles of both arms and their differences. Verdicts are left to
// judge, except for quantiles that cannot be judged.
func shiftFunction(a, b *arm, unit string, o Options, rng *rand.Rand) Latency {
	l := Latency{
		Unit: unit, UnitsA: len(a.units), UnitsB: len(b.units),
		MessagesA: int64(a.count), MessagesB: int64(b.count),
	}
	ps := Quantiles()
	enough := min(len(a.units), len(b.units)) >= MinUnits
	if !enough {
		o.Resamples = 0
	}
	if a.count == 0 || b.count == 0 {
		return l
	}
	qa, qb, delta := bootstrap(a, b, ps, o.Resamples, rng)
	for i, p := range ps {
		s := Shift{P: p, A: span(qa[i].value), B: span(qb[i].value), PValue: 1}
		s.Diff = s.B - s.A
		need := beyond / min(p, 1-p)
		switch few := min(a.count, b.count); {
		case few < need-1e-6:
			s.Verdict, s.More = NotJudged, int(need+0.5-few)
		case enough:
			d := between(qa[i], qb[i], len(a.units), len(b.units), o.Confidence)
			s.Low, s.High, s.PValue = span(d.low), span(d.high), d.p
		default:
			s.Verdict, s.More = NotJudged, 0
		}
		l.Shifts = append(l.Shifts, s)
	}
	l.Delta = Effect{Value: delta.value}
	if enough {
		fewer := min(len(a.units), len(b.units))
		w := widen(0, stat.Variance(delta.drawn, nil), fewer, fewer)
		l.Delta.Low, l.Delta.High = w.interval(delta.drawn, o.Confidence)
	}
	return l
}

// span converts the microseconds of a histogram.
func span(us float64) time.Duration { return time.Duration(us * float64(time.Microsecond)) }

// correct applies Holm's correction over all quantiles that are judged.
func (r *Result) correct() {
	var ps []*float64
	for i := range r.Latency {
		for j := range r.Latency[i].Shifts {
			if s := &r.Latency[i].Shifts[j]; s.Verdict != NotJudged {
				ps = append(ps, &s.PValue)
			}
		}
	}
	holm(ps)
}

// delivery adds up the ledgers of each arm, one row per QoS that both have.
func delivery(a, b []*model.Record, name string) []Delivery {
	var out []Delivery
	for qos := range 3 {
		hitsA, ofA := reached(a, name, qos)
		hitsB, ofB := reached(b, name, qos)
		if ofA > 0 && ofB > 0 {
			out = append(out, Delivery{Group: name, QoS: qos, A: Proportion{Hits: hitsA, Of: ofA}, B: Proportion{Hits: hitsB, Of: ofB}})
		}
	}
	return out
}

func reached(records []*model.Record, name string, qos int) (hits, of int64) {
	for _, r := range records {
		g := group(r, name)
		if g == nil {
			continue
		}
		for _, l := range g.Ledger {
			if l.QoS == qos {
				hits += l.Reached()
				of += l.Sent - l.Pending
			}
		}
	}
	return hits, of
}

// judgeDelivery fills intervals and verdicts. The shown Wilson intervals are at the plain level; the
// difference is judged at a level shared out over all rows, so that many groups do not make a false alarm.
func (r *Result) judgeDelivery() {
	shared := 1 - (1-r.Options.Confidence)/float64(max(len(r.Delivery), 1))
	for i := range r.Delivery {
		d := &r.Delivery[i]
		d.Low, d.High = newcombe(Wilson(d.A.Hits, d.A.Of, shared), Wilson(d.B.Hits, d.B.Of, shared))
		d.A = Wilson(d.A.Hits, d.A.Of, r.Options.Confidence)
		d.B = Wilson(d.B.Hits, d.B.Of, r.Options.Confidence)
		switch {
		case d.High < 0:
			d.Verdict = DeliversLess
		case d.Low > 0:
			d.Verdict = DeliversMore
		default:
			d.Verdict = NoDifference
		}
	}
}
