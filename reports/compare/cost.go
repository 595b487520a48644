package compare

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"mqttlab/reports/model"
)

// The verdicts on what a target costs; Same, NotEnough and NotJudged are the others.
const (
	CostsMore Verdict = "costs more"
	CostsLess Verdict = "costs less"
)

// Cost compares the processor time that the targets used for each message that arrived. Runs are the unit, always: devices
// share one target. The ratio is judged on the logarithms of the runs' figures by Welch's t, and stands
// beside the verdict on latency and delivery, without a part in it: a broker may well buy speed with work.
type Cost struct {
	A, B time.Duration // processor time per message, of all runs of the arm together
	Ratio
}

// Ratio is how a figure of runs differs between the arms.
type Ratio struct {
	Shift        float64 // B's share more than A: 0.1 is 10 % more
	Low, High    float64 // its interval; both zero when NotJudged
	RunsA, RunsB int
	Verdict      Verdict
}

// compareCost fills Cost where every run knows the processor time of its target.
func (r *Result) compareCost(a, b []*model.Record) {
	costA, logsA := costs(a)
	costB, logsB := costs(b)
	known := len(logsA) + len(logsB)
	if known == 0 {
		return
	}
	if known < len(a)+len(b) {
		r.Warnings = append(r.Warnings, "the processor time of the target is known for some runs only, and is not compared")
		return
	}
	r.Cost = &Cost{A: costA, B: costB, Ratio: newRatio(logsA, logsB, float64(costB)/float64(costA)-1, r.Options, CostsMore, CostsLess)}
}

// newRatio judges a shift by the logarithms of the runs' figures. Too few runs are not judged.
func newRatio(a, b []float64, shift float64, o Options, more, less Verdict) Ratio {
	r := Ratio{Shift: shift, RunsA: len(a), RunsB: len(b), Verdict: NotJudged}
	if min(len(a), len(b)) >= MinUnits {
		r.judge(a, b, o, more, less)
	}
	return r
}

// costs returns the processor time per message of all runs together, and the logarithm of each run's own. Runs
// that do not know it, or in which nothing arrived or was counted, are left out.
func costs(records []*model.Record) (all time.Duration, logs []float64) {
	var cpu time.Duration
	var messages int64
	for _, r := range records {
		reached := int64(0)
		for _, g := range r.Fleet.Groups {
			reached += model.Reached(g.Ledger)
		}
		if r.Fleet.TargetCPUMS == nil || *r.Fleet.TargetCPUMS <= 0 || reached == 0 {
			continue
		}
		used := r.Fleet.TargetCPUMS.Duration()
		cpu, messages = cpu+used, messages+reached
		logs = append(logs, math.Log(float64(used)/float64(reached)))
	}
	if messages > 0 {
		all = cpu / time.Duration(messages)
	}
	return all, logs
}

// judge fills the interval of the shift and the verdict.
func (r *Ratio) judge(a, b []float64, o Options, more, less Verdict) {
	nA, nB := float64(len(a)), float64(len(b))
	w := welch(stat.Variance(a, nil)/nA, stat.Variance(b, nil)/nB, nA, nB)
	d := stat.Mean(b, nil) - stat.Mean(a, nil)
	half := 0.0
	if w.se > 0 {
		half = w.se * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: w.df}.Quantile(1-(1-o.Confidence)/2)
	}
	r.Low, r.High = math.Expm1(d-half), math.Expm1(d+half)
	switch {
	case r.Low > -o.Margin && r.High < o.Margin:
		r.Verdict = Same
	case r.Low > 0:
		r.Verdict = more
	case r.High < 0:
		r.Verdict = less
	default:
		r.Verdict = NotEnough
	}
}

// String is the comparison in one line.
func (c *Cost) String() string {
	return fmt.Sprintf("%s and %s per message that arrived, %s", perMessage(c.A), perMessage(c.B), c.Ratio)
}

// String is the shift with its verdict.
func (r Ratio) String() string {
	if r.Verdict == NotJudged {
		return fmt.Sprintf("B %s: not judged (needs %d runs per arm)", signedPercent(r.Shift), MinUnits)
	}
	return fmt.Sprintf("B %s (%s to %s): %s", signedPercent(r.Shift), signedPercent(r.Low), signedPercent(r.High), r.Verdict)
}

func signedPercent(x float64) string { return fmt.Sprintf("%+.1f %%", 100*x) }

// perMessage shows a processor time; below a millisecond with a decimal, as brokers are.
func perMessage(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
	}
	return Span(d)
}
