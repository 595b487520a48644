package compare

import (
	"cmp"
	"math"
	"time"

	"mqttlab/reports/model"
)

// MinUnits is the fewest runs or blocks per arm from which an interval is computed. A bootstrap of fewer has too few
// different resamples for a 95 % interval to mean anything.
const MinUnits = 5

// Options says how to compare. The zero value is ready for use.
type Options struct {
	Margin     float64 // a shift this small, as a share of A's quantile, does not matter; zero: 0.05
	Confidence float64 // of intervals, and one minus the rate of false alarms; zero: 0.95
	Resamples  int     // zero: 2000
	Seed       uint64  // of the resampling; the same seed gives the same result
}

func (o Options) withDefaults() Options {
	o.Margin = cmp.Or(o.Margin, 0.05)
	o.Confidence = cmp.Or(o.Confidence, 0.95)
	o.Resamples = cmp.Or(o.Resamples, 2000)
	return o
}

// Verdict is what a comparison says.
type Verdict string

// The verdicts. NotJudged is for single quantiles with too few messages beyond them; it does not
// count in what they add up to.
const (
	Slower       Verdict = "slower"
	Faster       Verdict = "faster"
	Same         Verdict = "same"
	NotEnough    Verdict = "not enough data"
	NotJudged    Verdict = "not judged"
	DeliversLess Verdict = "delivers less"
	DeliversMore Verdict = "delivers more"
	NoDifference Verdict = "no difference shown" // delivery only
)

// The units of resampling.
const (
	Runs    = "runs"
	Devices = "devices"
)

// Result is a comparison of two arms of fleet runs.
type Result struct {
	A, B     Side
	Options  Options // as used, defaults filled in
	Warnings []string
	Latency  []Latency     // per group and path, in the order of A's record; intended latencies
	Delivery []Delivery    // per group and QoS
	Cost     *Cost         // what the targets spent; nil: not known
	Groups   []GroupFigure // what all runs know of a group beside; in the order of A's record
	Verdict  Verdict       // Slower if anything is worse, else NotEnough if any distribution is undecided, else Faster or Same
}

// Side names one arm.
type Side struct {
	Title    string // what ran on what: Record.Title
	Target   string // title of its target
	Scenario string
	Runs     int
}

// Latency compares one distribution of one group.
type Latency struct {
	Group                string
	Path                 model.Path
	Unit                 string // Runs or Devices
	UnitsA, UnitsB       int    // runs or blocks of devices that had any latency
	MessagesA, MessagesB int64
	Shifts               []Shift // ascending by P
	Delta                Effect
	Verdict              Verdict // Slower if any quantile is, else Faster if any is, else Same if all are
}

// Shift compares one quantile.
type Shift struct {
	P               float64 // 0.5 is the median
	A, B            time.Duration
	Diff, Low, High time.Duration // B minus A with its interval, each quantile by itself; NaN does not occur: zero when NotJudged or when there were too few units
	PValue          float64       // Holm-corrected over the whole result; 1 when NotJudged
	Verdict         Verdict
	More            int // how many more of the unit, per arm, would probably decide NotEnough; messages of this group for NotJudged
}

// Relative is the shift as a share of A; zero when A is.
func (s Shift) Relative() float64 { return share(s.Diff, s.A) }

// RelativeLow and RelativeHigh are the ends of the interval as shares of A.
func (s Shift) RelativeLow() float64 { return share(s.Low, s.A) }

// RelativeHigh is the upper end; see RelativeLow.
func (s Shift) RelativeHigh() float64 { return share(s.High, s.A) }

func share(d, of time.Duration) float64 {
	if of == 0 {
		return 0
	}
	return float64(d) / float64(of)
}

// Effect is Cliff's delta with its interval: 0 means no difference, 1 that every message of B is slower than every one of
// A. Below 0.147 it is by convention called negligible.
type Effect struct{ Value, Low, High float64 }

// Delivery compares the share of messages that arrived at all. Messages still pending when a run was cut
// short count neither way.
type Delivery struct {
	Group     string
	QoS       int
	A, B      Proportion
	Low, High float64 // interval of B's share minus A's
	Verdict   Verdict // DeliversLess, DeliversMore or NoDifference
}

// judge fills the verdicts of the shifts, whose p-values are final, and adds them up.
func (l *Latency) judge(o Options, devices int) {
	seen := map[Verdict]bool{}
	for i := range l.Shifts {
		s := &l.Shifts[i]
		if s.Verdict == NotJudged {
			continue
		}
		margin := time.Duration(o.Margin * float64(s.A))
		switch {
		case s.Low > -margin && s.High < margin:
			s.Verdict = Same
		case s.PValue <= 1-o.Confidence && s.Diff > 0:
			s.Verdict = Slower
		case s.PValue <= 1-o.Confidence && s.Diff < 0:
			s.Verdict = Faster
		default:
			s.Verdict = NotEnough
			s.More = l.more(*s, margin, devices)
		}
		seen[s.Verdict] = true
	}
	switch {
	case seen[Slower]:
		l.Verdict = Slower
	case seen[Faster]:
		l.Verdict = Faster
	case seen[Same] && !seen[NotEnough]:
		l.Verdict = Same
	default:
		l.Verdict = NotEnough
	}
}

// more says how many more runs or devices would bring the interval to where it decides: inside the margin if the
// shift is, and clear of zero otherwise. Intervals shrink with the root of the number.
func (l *Latency) more(s Shift, margin time.Duration, devices int) int {
	half := float64(s.High-s.Low) / 2
	room := float64(s.Diff.Abs())
	if inside := float64(margin) - room; inside > 0 {
		room = max(inside, float64(margin)/4) // close to the margin's edge, an exact answer would be endless
	} else {
		half *= 1.5 // Holm asks for more than the plain interval
	}
	factor := max(half*half/(room*room), 1.2)
	have := float64(min(l.UnitsA, l.UnitsB))
	if l.Unit == Devices {
		have = float64(devices)
	}
	return roundUp(have * (factor - 1))
}

// roundUp keeps two digits: the number is an estimate.
func roundUp(x float64) int {
	unit := 1.0
	for x > 100*unit {
		unit *= 10
	}
	return int(math.Ceil(x/unit) * unit)
}

func (r *Result) sumUp() {
	seen := map[Verdict]bool{}
	for _, l := range r.Latency {
		seen[l.Verdict] = true
	}
	for _, d := range r.Delivery {
		seen[d.Verdict] = true
	}
	switch {
	case seen[Slower] || seen[DeliversLess]:
		r.Verdict = Slower
		if !seen[Slower] {
			r.Verdict = DeliversLess
		}
	case seen[NotEnough] || len(r.Latency) == 0:
		r.Verdict = NotEnough
	case seen[Faster]:
		r.Verdict = Faster
	default:
		r.Verdict = Same
	}
}
