package html

import (
	"fmt"
	"time"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

// cumulativePlot collects the intended latencies of all groups on one path, for the plot of their cumulative distributions: what
// the quantile plots show of one group in the tail, this shows of all groups side by side.
type cumulativePlot struct {
	groups []string
	hists  []*latency.Histogram
}

func (p *cumulativePlot) add(group string, h *latency.Histogram) {
	p.groups, p.hists = append(p.groups, group), append(p.hists, h)
}

func (p *cumulativePlot) view(path model.Path) latencyView {
	lo, hi := time.Duration(1<<62), time.Duration(0)
	for _, h := range p.hists {
		lo, hi = min(lo, h.Quantile(0)), max(hi, h.Max())
	}
	x, ticks := logTime(us(lo), us(hi))
	y, yTicks := linearY(100, func(v float64) string { return fmt.Sprintf("%.3g %%", v) })
	v := latencyView{Chart: chart{
		Title: "Cumulative, " + string(path), Note: "Intended latency of all groups.",
		XLabel: "latency, logarithmic", YLabel: "share of messages that took no longer", YTicks: yTicks,
	}}
	every := (len(ticks) + 4) / 5 // more labels run into each other on a telephone
	for i, t := range ticks {
		t.At = 100 - t.At
		if i%every != 0 {
			t.Label = ""
		}
		v.Chart.XTicks = append(v.Chart.XTicks, t)
	}
	for i, h := range p.hists {
		class := "line " + []string{"c1", "c2", "c3", "c4"}[i%4]
		if i/4%2 == 1 {
			class += " dashed"
		}
		s := shape{Class: class, Label: p.groups[i], D: steps(h, x, y)}
		v.Chart.Shapes, v.Chart.Legend = append(v.Chart.Shapes, s), append(v.Chart.Legend, s)
		v.Rows = append(v.Rows, quantileRow{Name: p.groups[i], Values: tableValues(h)})
	}
	return v
}

// steps draws a histogram's cumulative distribution from the left edge to the right one. Buckets are drawn at most every
// third of a pixel.
func steps(h *latency.Histogram, x, y scale) string {
	d := h.Distribution()
	total := d.Total()
	ps := []point{{0, 0}}
	seen, last := 0.0, 0.0
	for i, value := range d.Values {
		at := x.at(value)
		if at-last > 1.0/3000 {
			ps = append(ps, point{at, y.at(100 * seen / total)})
			last = at
		}
		seen += d.Counts[i]
		ps[len(ps)-1].y = max(ps[len(ps)-1].y, y.at(100*seen/total))
	}
	return path(append(ps, point{1, y.at(100)}))
}
