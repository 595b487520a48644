package html

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"mqttlab/reports/model"
)

// timeView is a plot over the run's time with the table behind it.
type timeView struct {
	Chart chart
	Heads []string
	Rows  [][]string
}

// plotted is the most points that a line has. More than one per pixel shows nothing more, and a
// day of seconds would make the page heavy; neighbours are then added up (rates) or the last one kept (states).
const plotted = 360

// series is one line over time.
type series struct {
	name   string
	values []int64
}

// overTime sums the groups and plots states and rates. Series that nobody recorded are left out.
func overTime(f *model.Fleet) []timeView {
	interval := f.IntervalMS.Duration()
	if interval <= 0 {
		return nil
	}
	var out []timeView
	if states := sumStates(f.Groups); len(states) > 0 && len(states[0].values) > 0 {
		thin, width := thinned(states, interval, false)
		out = append(out, stacked(thin, width))
	}
	rates := sumRates(f.Groups, func(r *model.Rates) []series {
		return []series{{"sent", r.Sent}, {"acknowledged", r.Acknowledged}, {"delivered", r.Delivered}}
	})
	if len(rates) > 0 {
		thin, width := thinned(rates, interval, true)
		out = append(out, lines("Messages", "messages per second", thin, width))
	}
	counted := slices.DeleteFunc(slices.Clone(f.Groups), func(g model.Group) bool { return !g.Wire.CountsPackets() })
	again := sumRates(counted, func(r *model.Rates) []series { return []series{{"retransmissions", r.Retransmissions}} })
	if len(again) > 0 && slices.Max(append(again[0].values, 0)) > 0 {
		thin, width := thinned(again, interval, true)
		out = append(out, lines("TCP retransmissions", "segments per second", thin, width))
	}
	bytes := sumRates(f.Groups, func(r *model.Rates) []series {
		return []series{{"up", r.UpBytes}, {"down", r.DownBytes}}
	})
	if len(bytes) > 0 {
		thin, width := thinned(bytes, interval, true)
		out = append(out, lines("Bytes on the wire", "bytes per second", thin, width))
	}
	return out
}

func sumStates(groups []model.Group) []series {
	var out []series
	for _, g := range groups {
		for _, s := range g.States {
			out = addTo(out, s.State, s.Counts)
		}
	}
	return out
}

func sumRates(groups []model.Group, pick func(*model.Rates) []series) []series {
	var out []series
	for i := range groups {
		for _, s := range pick(&groups[i].Rates) {
			if s.values != nil {
				out = addTo(out, s.name, s.values)
			}
		}
	}
	return out
}

// addTo adds values to the series of that name, which it makes if need be.
func addTo(all []series, name string, values []int64) []series {
	for i := range all {
		if all[i].name != name {
			continue
		}
		for len(all[i].values) < len(values) {
			all[i].values = append(all[i].values, 0)
		}
		for j, v := range values {
			all[i].values[j] += v
		}
		return all
	}
	return append(all, series{name, append([]int64(nil), values...)})
}

// thinned merges neighbouring intervals until at most plotted are left, and returns their new width.
func thinned(all []series, interval time.Duration, sum bool) ([]series, time.Duration) {
	longest := 0
	for _, s := range all {
		longest = max(longest, len(s.values))
	}
	every := (longest + plotted - 1) / plotted
	if every <= 1 {
		return all, interval
	}
	out := make([]series, len(all))
	for i, s := range all {
		out[i].name = s.name
		for j := 0; j < len(s.values); j += every {
			part := s.values[j:min(j+every, len(s.values))]
			v := part[len(part)-1]
			if sum {
				v = 0
				for _, x := range part {
					v += x
				}
			}
			out[i].values = append(out[i].values, v)
		}
	}
	return out, interval * time.Duration(every)
}

// stacked plots how many devices were in each state.
func stacked(all []series, interval time.Duration) timeView {
	n := len(all[0].values)
	sums := make([]float64, n)
	for _, s := range all {
		for i, v := range s.values {
			sums[i] += float64(v)
		}
	}
	top := 0.0
	for _, v := range sums {
		top = max(top, v)
	}
	y, ticks := linearY(top, count)
	v := timeView{Chart: chart{
		Title: "Devices by state", Note: "Stacked; at the end of each " + took(interval) + ".",
		XLabel: "time since the start", YLabel: "devices", XTicks: timeTicks(interval, n), YTicks: ticks,
	}}
	low := make([]float64, n)
	for k, s := range all {
		var bottom, upper []point
		for i := range n {
			x := (float64(i) + 0.5) / float64(n)
			if n == 1 {
				x = 0.5
			}
			bottom = append(bottom, point{x, y.at(low[i])})
			low[i] += float64(at(s.values, i))
			upper = append(upper, point{x, y.at(low[i])})
		}
		sh := shape{Class: "area " + stateClass(s.name, k), Label: s.name, D: band(bottom, upper)}
		v.Chart.Shapes = append(v.Chart.Shapes, sh)
		v.Chart.Legend = append(v.Chart.Legend, sh)
	}
	v.table(all, interval, func(x int64) string { return number(x) })
	return v
}

func at(values []int64, i int) int64 {
	if i < len(values) {
		return values[i]
	}
	return 0
}

// stateClass gives the usual states the colours of their meaning and the others any.
func stateClass(name string, k int) string {
	switch name {
	case "connected":
		return "s-good"
	case "connecting":
		return "s-busy"
	case "waiting", "disconnected", "down", "failed":
		return "s-bad"
	case "off", "asleep", "idle", "offline", "stopped":
		return "s-none"
	}
	return "s-" + strconv.Itoa(k%4)
}

// lines plots rates per second.
func lines(title, unit string, all []series, interval time.Duration) timeView {
	per := interval.Seconds()
	top, n := 0.0, 0
	for _, s := range all {
		n = max(n, len(s.values))
		for _, v := range s.values {
			top = max(top, float64(v)/per)
		}
	}
	y, ticks := linearY(top, count)
	v := timeView{Chart: chart{
		Title: title, Note: "Mean of each " + took(interval) + ".",
		XLabel: "time since the start", YLabel: unit, XTicks: timeTicks(interval, n), YTicks: ticks,
	}}
	for k, s := range all {
		ps := make([]point, len(s.values))
		for i, x := range s.values {
			ps[i] = point{(float64(i) + 0.5) / float64(n), y.at(float64(x) / per)}
		}
		sh := shape{Class: "line " + []string{"c1", "c3", "c2 dashed", "c4"}[k%4], Label: s.name, D: path(ps)}
		v.Chart.Shapes = append(v.Chart.Shapes, sh)
		v.Chart.Legend = append(v.Chart.Legend, sh)
	}
	v.table(all, interval, func(x int64) string { return strconv.FormatFloat(float64(x)/per, 'f', 1, 64) })
	return v
}

// table writes the same numbers in at most 60 rows, for readers who cannot see the plot.
func (v *timeView) table(all []series, interval time.Duration, show func(int64) string) {
	v.Heads = []string{"from"}
	n := 0
	for _, s := range all {
		v.Heads = append(v.Heads, s.name)
		n = max(n, len(s.values))
	}
	every := (n + 59) / 60
	for i := 0; i < n; i += max(every, 1) {
		row := []string{took(interval * time.Duration(i))}
		for _, s := range all {
			row = append(row, show(at(s.values, i)))
		}
		v.Rows = append(v.Rows, row)
	}
}

// count labels an axis of counts: 1500 as 1.5 k.
func count(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.4g M", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.4g k", v/1e3)
	}
	return fmt.Sprintf("%.4g", v)
}
