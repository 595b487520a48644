package html

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"mqttlab/reports/compare"
	"mqttlab/reports/model"
)

// heatLevels is how many shades a map has. Their bounds grow by a factor, since counts of neighbouring cells do.
const heatLevels = 6

// heatMaps draws when messages of each group ended and how long they had taken: to delivery where that was recorded,
// else to the acknowledgement.
func heatMaps(f *model.Fleet) []timeView {
	var out []timeView
	for _, g := range f.Groups {
		var heat *model.Heat
		var path model.Path
		for _, l := range g.Latency {
			if l.Heat != nil && l.Measure == model.Intended && (heat == nil || l.Path == model.ToDelivery) {
				heat, path = l.Heat, l.Path
			}
		}
		if heat != nil && len(heat.FromUS) > 0 && len(heat.Columns) > 0 {
			out = append(out, heatMap(g.Name+", "+string(path)+" over time", heat))
		}
	}
	return out
}

func heatMap(title string, h *model.Heat) timeView {
	interval, n := h.IntervalMS.Duration(), len(h.Columns)
	y, ticks := logTime(float64(h.FromUS[0]), float64(rowEnd(h, len(h.FromUS)-1)))
	v := timeView{Chart: chart{
		Title: title, Note: "Intended latency; the stronger the colour, the more messages ended in these " + took(interval) + ".",
		XLabel: "time since the start", YLabel: "latency, logarithmic", XTicks: timeTicks(interval, n), YTicks: ticks,
	}}
	most := int64(1)
	for _, column := range h.Columns {
		for _, count := range column {
			most = max(most, count)
		}
	}
	var cells [heatLevels]strings.Builder
	for i, column := range h.Columns {
		for row, count := range column {
			if count == 0 {
				continue
			}
			x0, x1 := float64(i)/float64(n), float64(i+1)/float64(n)
			low, high := y.at(float64(h.FromUS[row])), y.at(float64(rowEnd(h, row)))
			cells[heatLevel(count, most)].WriteString(path([]point{{x0, low}, {x1, low}, {x1, high}, {x0, high}}) + "Z")
		}
	}
	for level := range cells {
		from, to := heatFrom(level, most), heatFrom(level+1, most)-1
		if to < from && level > 0 {
			continue // a map of few messages has fewer shades
		}
		label := number(from)
		if to > from {
			label += " to " + number(to)
		}
		s := shape{Class: "heat h" + strconv.Itoa(level+1), Label: label, D: cells[level].String()}
		v.Chart.Legend = append(v.Chart.Legend, s)
		if s.D != "" {
			v.Chart.Shapes = append(v.Chart.Shapes, s)
		}
	}
	v.heatTable(h)
	return v
}

// rowEnd is where a row ends. The last is open, and drawn as high as the one below it.
func rowEnd(h *model.Heat, row int) int64 {
	if row+1 < len(h.FromUS) {
		return h.FromUS[row+1]
	}
	return h.FromUS[row] + h.FromUS[row]/2 + 1
}

// heatFrom is the least count of a level, and of the level after the last one more than the most.
func heatFrom(level int, most int64) int64 {
	if level == heatLevels {
		return most + 1
	}
	return int64(math.Ceil(math.Pow(float64(most+1), float64(level)/heatLevels) - 1e-9))
}

func heatLevel(count, most int64) int {
	for level := heatLevels - 1; level > 0; level-- {
		if count >= heatFrom(level, most) {
			return level
		}
	}
	return 0
}

// heatTable writes the map as numbers, in at most 64 rows.
func (v *timeView) heatTable(h *model.Heat) {
	v.Heads = []string{"from", "messages", "p50 below", "p99 below"}
	every := (len(h.Columns) + 63) / 64
	for i := 0; i < len(h.Columns); i += every {
		sum, total := make([]int64, len(h.FromUS)), int64(0)
		for _, column := range h.Columns[i:min(i+every, len(h.Columns))] {
			for row, count := range column {
				sum[row] += count
				total += count
			}
		}
		cells := []string{took(h.IntervalMS.Duration() * time.Duration(i)), number(total)}
		for _, p := range []float64{0.5, 0.99} {
			cells = append(cells, heatQuantile(h, sum, p*float64(total)))
		}
		v.Rows = append(v.Rows, cells)
	}
}

// heatQuantile is the end of the row in which the rank lies: all that a map knows.
func heatQuantile(h *model.Heat, counts []int64, rank float64) string {
	seen := int64(0)
	for row, count := range counts {
		if seen += count; count > 0 && float64(seen) >= rank {
			return compare.Span(time.Duration(rowEnd(h, row)) * time.Microsecond)
		}
	}
	return "–"
}

// missing says what a record does not hold that other records do.
func missing(f *model.Fleet, heat []timeView) []string {
	var out []string
	if len(heat) == 0 {
		out = append(out, fmt.Sprintf("There is no heat map: the record of this %s run holds no latency over time.", f.Mode))
	}
	if f.IntervalMS == 0 {
		out = append(out, "There are no plots of states and rates: the record holds no series over time.")
	}
	return out
}
