package html

import (
	"fmt"
	"io"
	"math"
	"time"

	"mqttlab/reports/compare"
	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

type fleetView struct {
	head
	Invalid  string // why; empty when valid
	CutShort bool
	Lateness string
	Figures  []figure
	Latency  []latencyView
	Delivery []deliveryRow
	Tallies  []ledgerColumn // the legend of the delivery bars
	Over     []timeView
	Missing  []string // what the record has no data for
	Wire     []wireRow
	Power    []powerRow
	Breaches []breachRow
	Unjudged []string
	Talks    []talkRow
	Faults   []faultRow
	Storms   []stormRow
	Scenario model.Scenario
}

// figure is one number with what it counts.
type figure struct {
	Value, Name string
	Class       string // "bad" when a reader should worry
}

type latencyView struct {
	Chart chart
	Rows  []quantileRow
}

type quantileRow struct {
	Name   string
	Values []string // tableQuantiles, maximum, mean
}

type deliveryRow struct {
	Group   string
	QoS     int
	Ledger  model.Ledger
	Columns []ledgerColumn
	Share   string // of messages that arrived, with its Wilson interval
}

type ledgerColumn struct {
	Class, Name string
	Count       int64
}

type wireRow struct {
	Group string
	model.Wire
	Packets bool     // whether packets and retransmissions were counted
	Each    []string // bytes per message that arrived: all of them, and by layer where that is known; nil: none arrived
}

// newWireRow returns the row of a group that was measured.
func newWireRow(g *model.Group) wireRow {
	w, reached := g.Wire, model.Reached(g.Ledger)
	row := wireRow{Group: g.Name, Wire: *w, Packets: w.CountsPackets()}
	if reached == 0 {
		return row
	}
	bytes := []int64{w.UpBytes + w.DownBytes}
	if l := w.Layers; l != nil {
		bytes = append(bytes, l.HeaderBytes, l.TLSBytes, l.MQTTBytes, l.PayloadBytes)
	}
	for _, n := range bytes {
		row.Each = append(row.Each, number((n+reached/2)/reached))
	}
	if len(bytes) > 1 && !row.Packets {
		row.Each[1] = "–"
	}
	return row
}

type powerRow struct {
	Group string
	model.Power
}

// tableQuantiles are the columns of the table; the maximum and the mean follow them.
var tableQuantiles = []float64{0.5, 0.9, 0.95, 0.99, 0.999}

// Fleet renders a sealed fleet record. A histogram that cannot be decoded is an error.
func Fleet(w io.Writer, r *model.Record) error {
	if r.Kind != model.FleetRun || r.Fleet == nil {
		return fmt.Errorf("write HTML: a %s record is no fleet record", r.Kind)
	}
	f := r.Fleet
	v := fleetView{
		head: head{
			Title:   r.Title(),
			Eyebrow: "Fleet run, " + string(f.Mode),
			Heading: r.Title(),
			Facts:   facts(r, fact{"Scenario", f.Scenario.Name}),
		},
		CutShort: f.CutShort,
		Scenario: f.Scenario,
		Lateness: lateness(f.Validity),
	}
	if !f.Validity.Valid {
		v.Invalid = f.Validity.Reason
		if v.Invalid == "" {
			v.Invalid = "The record gives no reason."
		}
	}
	all := map[model.Path]*cumulativePlot{}
	for i := range f.Groups {
		if err := v.addGroup(&f.Groups[i], all); err != nil {
			return err
		}
	}
	for _, path := range []model.Path{model.ToAck, model.ToDelivery} {
		if p := all[path]; p != nil {
			v.Latency = append(v.Latency, p.view(path))
		}
	}
	v.Tallies = columns(model.Ledger{})
	heat := heatMaps(f)
	v.Over, v.Missing = append(heat, overTime(f)...), missing(f, heat)
	v.figures(f)
	return render(w, "fleet.gohtml", v)
}

func lateness(v model.Validity) string {
	if v.LatenessLimitMS == 0 {
		return "The generator ran in virtual time and is never late."
	}
	return fmt.Sprintf("The generator's own timers were at most %s late in 99 %% of cases; the limit is %s.",
		compare.Span(v.LatenessP99MS.Duration()), compare.Span(v.LatenessLimitMS.Duration()))
}

// addGroup adds a group's rows and plots, and its histograms to those of all groups.
func (v *fleetView) addGroup(g *model.Group, all map[model.Path]*cumulativePlot) error {
	byPath := map[model.Path]*latencyPlot{}
	for _, l := range g.Latency {
		h, err := latency.Decode(l.Histogram)
		if err != nil {
			return fmt.Errorf("write HTML: group %q, %s %s: %w", g.Name, l.Measure, l.Path, err)
		}
		if h.Count() == 0 {
			continue
		}
		if byPath[l.Path] == nil {
			byPath[l.Path] = &latencyPlot{}
		}
		byPath[l.Path].add(l.Measure, h)
		if l.Measure == model.Intended {
			if all[l.Path] == nil {
				all[l.Path] = &cumulativePlot{}
			}
			all[l.Path].add(g.Name, h)
		}
	}
	for _, path := range []model.Path{model.ToAck, model.ToDelivery} {
		if p := byPath[path]; p != nil {
			v.Latency = append(v.Latency, p.view(g, path))
		}
	}
	for _, l := range g.Ledger {
		v.Delivery = append(v.Delivery, deliveryRow{
			Group: g.Name, QoS: l.QoS, Ledger: l, Columns: columns(l), Share: shareOf(l),
		})
	}
	if g.Wire != nil {
		v.Wire = append(v.Wire, newWireRow(g))
	}
	if g.Power != nil {
		v.Power = append(v.Power, powerRow{Group: g.Name, Power: *g.Power})
	}
	return v.addTrouble(g)
}

func shareOf(l model.Ledger) string {
	if l.Sent == l.Pending {
		return "none due"
	}
	return compare.Wilson(l.Reached(), l.Sent-l.Pending, 0.95).String()
}

// columns are the parts of a ledger that add up to Sent.
func columns(l model.Ledger) []ledgerColumn {
	return []ledgerColumn{
		{"l-delivered", "delivered", l.Delivered},
		{"l-late", "late", l.Late},
		{"l-duplicated", "duplicated", l.Duplicated},
		{"l-lost", "lost", l.Lost},
		{"l-expired", "expired", l.Expired},
		{"l-pending", "pending", l.Pending},
	}
}

// figures are the few numbers at the top.
func (v *fleetView) figures(f *model.Fleet) {
	var sum model.Ledger
	var devices int
	var retransmissions int64
	measured := false
	for _, g := range f.Groups {
		devices += g.Devices
		for _, l := range g.Ledger {
			sum.Sent += l.Sent
			sum.Delivered += l.Reached()
			sum.Lost += l.Lost
			sum.Duplicated += l.Duplicated
			sum.Pending += l.Pending
		}
		if g.Wire.CountsPackets() {
			measured = true
			retransmissions += g.Wire.Retransmissions
		}
	}
	v.Figures = []figure{
		{Value: number(devices), Name: "devices"},
		{Value: number(sum.Sent), Name: "messages sent"},
		{Value: number(sum.Delivered), Name: "arrived"},
		{Value: number(sum.Lost), Name: "lost"},
		{Value: number(sum.Duplicated), Name: "duplicated"},
	}
	if sum.Lost > 0 {
		v.Figures[3].Class = "bad"
	}
	if sum.Pending > 0 {
		v.Figures = append(v.Figures, figure{Value: number(sum.Pending), Name: "still pending", Class: "bad"})
	}
	if measured {
		v.Figures = append(v.Figures, figure{Value: number(retransmissions), Name: "TCP retransmissions"})
	}
	if f.TargetCPUMS != nil {
		v.Figures = append(v.Figures, figure{Value: took(f.TargetCPUMS.Duration()), Name: "target's processor time"})
	}
}

// latencyPlot collects the distributions of one group and path.
type latencyPlot struct {
	measures []model.Measure
	hists    []*latency.Histogram
}

func (p *latencyPlot) add(m model.Measure, h *latency.Histogram) {
	p.measures = append(p.measures, m)
	p.hists = append(p.hists, h)
}

// nines are the ticks of the quantile axis, whose scale is the logarithm of the share that is slower.
var nines = []float64{0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999}

func (p *latencyPlot) view(g *model.Group, path model.Path) latencyView {
	lo, hi, most := time.Duration(1<<62), time.Duration(0), int64(0)
	for _, h := range p.hists {
		lo, hi, most = min(lo, h.Quantile(0.001)), max(hi, h.Max()), max(most, h.Count())
	}
	y, ticks := logTime(us(lo), us(hi))
	ends := nines[:2]
	for _, q := range nines[2:] {
		if float64(most)*(1-q) >= 1 { // at least one message beyond it
			ends = append(ends[:len(ends):len(ends)], q)
		}
	}
	x := scale{lo: 1, hi: 1 / (1 - ends[len(ends)-1]), log: true}
	v := latencyView{Chart: chart{
		Title: g.Name + ", " + string(path), Note: fmt.Sprintf("%s messages.", number(most)),
		XLabel: "share of messages that were at least as fast", YLabel: "latency, logarithmic", YTicks: ticks,
	}}
	for _, q := range ends {
		v.Chart.XTicks = append(v.Chart.XTicks, tick{At: 100 * x.at(1/(1-q)), Label: shareLabel(q)})
	}
	for i, h := range p.hists {
		s := shape{Class: measureClass(p.measures[i]), Label: string(p.measures[i]), D: curve(h, x, y)}
		v.Chart.Shapes = append(v.Chart.Shapes, s)
		v.Chart.Legend = append(v.Chart.Legend, s)
		v.Rows = append(v.Rows, quantileRow{Name: string(p.measures[i]), Values: tableValues(h)})
	}
	return v
}

// shareLabel leaves out 0, which stands too close to 50 %.
func shareLabel(q float64) string {
	if q == 0 {
		return ""
	}
	return fmt.Sprintf("%.6g %%", 100*q)
}

// curve draws a histogram's quantiles in steps of equal width on the axis.
func curve(h *latency.Histogram, x, y scale) string {
	const steps = 240
	ps := make([]point, 0, steps+1)
	for i := range steps + 1 {
		at := float64(i) / steps
		inverse := math.Pow(x.hi, at)
		ps = append(ps, point{at, y.at(us(h.Quantile(1 - 1/inverse)))})
	}
	return path(ps)
}

func measureClass(m model.Measure) string {
	if m == model.Service {
		return "line c2 dashed"
	}
	return "line c1"
}

func us(d time.Duration) float64 { return float64(d.Microseconds()) }

func tableValues(h *latency.Histogram) []string {
	var out []string
	for _, q := range tableQuantiles {
		if float64(h.Count())*(1-q) < 1 {
			out = append(out, "–") // fewer messages than that: it would be the maximum
			continue
		}
		out = append(out, compare.Span(h.Quantile(q)))
	}
	return append(out, compare.Span(h.Max()), compare.Span(h.Mean()))
}
