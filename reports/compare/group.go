package compare

import (
	"fmt"
	"math"
	"time"

	"mqttlab/reports/model"
)

// GroupFigure compares one figure of a group's runs. Like Cost, it has no part in the verdict on latency and delivery.
type GroupFigure struct {
	Group string
	What  Figure
	A, B  float64 // the mean over the runs of an arm, in the unit of What; zero: LateA and LateB say why
	// LateA and LateB are the runs of each arm whose devices were not back when it ended. With any, the figure is not judged.
	LateA, LateB int
	Ratio
}

// Figure is what a GroupFigure compares.
type Figure string

// The figures. A storm counts with the run's longest.
const (
	Energy Figure = "energy per message that arrived" // in joules
	Back   Figure = "time until 95 % were back"       // in seconds, after a reconnect storm
)

// compareFigures appends what every run of both arms knows of a group.
func (r *Result) compareFigures(a, b []*model.Record, name string) {
	if ja, jb := joules(a, name), joules(b, name); len(ja) == len(a) && len(jb) == len(b) {
		r.addFigure(GroupFigure{Group: name, What: Energy}, ja, jb, CostsMore, CostsLess)
	}
	storms := GroupFigure{Group: name, What: Back}
	var sa, sb []float64
	sa, storms.LateA = returns(a, name)
	sb, storms.LateB = returns(b, name)
	switch {
	case len(sa)+storms.LateA < len(a) || len(sb)+storms.LateB < len(b): // a run without a storm
	case storms.LateA+storms.LateB > 0:
		storms.RunsA, storms.RunsB, storms.Verdict = len(a), len(b), NotJudged
		r.Groups = append(r.Groups, storms)
	default:
		r.addFigure(storms, sa, sb, Slower, Faster)
	}
}

func (r *Result) addFigure(f GroupFigure, a, b []float64, more, less Verdict) {
	var logs [2][]float64
	var means [2]float64
	for i, arm := range [][]float64{a, b} {
		for _, v := range arm {
			means[i] += v / float64(len(arm))
			logs[i] = append(logs[i], math.Log(v))
		}
	}
	f.A, f.B = means[0], means[1]
	f.Ratio = newRatio(logs[0], logs[1], f.B/f.A-1, r.Options, more, less)
	r.Groups = append(r.Groups, f)
}

// joules returns the energy per message of each run that knows it.
func joules(records []*model.Record, name string) (all []float64) {
	for _, r := range records {
		if g := group(r, name); g != nil && g.Power != nil && g.Power.JoulesPerMessage > 0 {
			all = append(all, g.Power.JoulesPerMessage)
		}
	}
	return all
}

// returns gives the longest time to 95 % back of each run with storms, in seconds, and how many runs ended before that.
func returns(records []*model.Record, name string) (seconds []float64, late int) {
	for _, r := range records {
		g := group(r, name)
		if g == nil || len(g.Storms) == 0 {
			continue
		}
		longest, open := time.Millisecond, false // a logarithm has no zero
		for _, s := range g.Storms {
			if s.BackMS == nil {
				open = true
				continue
			}
			longest = max(longest, s.BackMS.Duration())
		}
		if open {
			late++
			continue
		}
		seconds = append(seconds, longest.Seconds())
	}
	return seconds, late
}

// String is the comparison in one line.
func (f GroupFigure) String() string {
	if f.LateA+f.LateB > 0 {
		return fmt.Sprintf("%s, %s: not by the end in %d of %d and %d of %d runs: not judged", f.Group, f.What, f.LateA, f.RunsA, f.LateB, f.RunsB)
	}
	show := func(v float64) string { return fmt.Sprintf("%.3g J", v) }
	if f.What == Back {
		show = func(v float64) string { return Span(time.Duration(v * float64(time.Second))) }
	}
	return fmt.Sprintf("%s, %s: %s and %s, %s", f.Group, f.What, show(f.A), show(f.B), f.Ratio)
}
