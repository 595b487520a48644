package html

import (
	"math"
	"strconv"
	"strings"
	"time"

	"mqttlab/reports/compare"
)

// chart is a plot for the template of that name. Its shapes live in a square of 1000 by 1000, which is stretched to
// the page; y grows downwards.
type chart struct {
	Title, Note    string
	XLabel, YLabel string
	XTicks, YTicks []tick
	Shapes         []shape
	Legend         []shape // Label and Class only
}

type tick struct {
	At     float64 // percent from the left or top
	Label  string
	Strong bool // the line that others are compared with, such as zero
}

// X and Y are the tick's place in the square.
func (t tick) X() float64 { return 10 * t.At }

// Y is the same as X; the template says which it means.
func (t tick) Y() float64 { return 10 * t.At }

type shape struct {
	Class string // "line c1", "area c2", "dots c1", ...
	Label string
	D     string // SVG path
}

// scale maps values onto 0 to 1.
type scale struct {
	lo, hi float64
	log    bool
}

func (s scale) at(v float64) float64 {
	if s.hi <= s.lo {
		return 0.5
	}
	if s.log {
		return math.Log(max(v, s.lo)/s.lo) / math.Log(s.hi/s.lo)
	}
	return (v - s.lo) / (s.hi - s.lo)
}

// point is a place in the unit square, y upwards.
type point struct{ x, y float64 }

// path starts at each point with move and goes on with lines.
func path(ps []point) string {
	var b strings.Builder
	for i, p := range ps {
		if i == 0 {
			b.WriteByte('M')
		} else {
			b.WriteByte('L')
		}
		writePoint(&b, p)
	}
	return b.String()
}

// dots draws a stroke without length at each point; with round caps this is a disc that stretching does not deform.
func dots(ps []point) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteByte('M')
		writePoint(&b, p)
		b.WriteString("h0.01")
	}
	return b.String()
}

func writePoint(b *strings.Builder, p point) {
	b.WriteString(short(1000 * p.x))
	b.WriteByte(' ')
	b.WriteString(short(1000 * (1 - p.y)))
}

// short writes a coordinate with one digit behind the point: a tenth of a pixel on a wide screen.
func short(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// band is the closed area between two lines over the same x, low first.
func band(low, high []point) string {
	ps := make([]point, 0, len(low)+len(high))
	ps = append(ps, high...)
	for i := len(low) - 1; i >= 0; i-- {
		ps = append(ps, low[i])
	}
	return path(ps) + "Z"
}

// niceStep is a step of 1, 2 or 5 times a power of ten that divides span into at most n parts.
func niceStep(span float64, n int) float64 {
	if span <= 0 {
		return 1
	}
	step := math.Pow(10, math.Floor(math.Log10(span/float64(n))))
	for _, f := range []float64{1, 2, 5, 10} {
		if span/(step*f) <= float64(n) {
			return step * f
		}
	}
	return 10 * step
}

// linearY makes a scale from zero to above top with its ticks.
func linearY(top float64, label func(float64) string) (scale, []tick) {
	step := niceStep(max(top, 1e-9), 5)
	s := scale{lo: 0, hi: step * math.Ceil(max(top, 1e-9)/step)}
	var ticks []tick
	for i := 0; float64(i)*step <= s.hi*1.0001; i++ {
		v := float64(i) * step
		ticks = append(ticks, tick{At: 100 * (1 - s.at(v)), Label: label(v), Strong: i == 0})
	}
	return s, ticks
}

// logTime makes a logarithmic scale of microseconds around lo to hi, with ticks at 1, 2, 5 of each decade, or at
// fewer of them when they are many.
func logTime(lo, hi float64) (scale, []tick) {
	lo, hi = max(lo, 1), max(hi, 2)
	marks := []float64{1, 2, 5}
	switch decades := math.Log10(hi / lo); {
	case decades > 4:
		marks = []float64{1}
	case decades > 2:
		marks = []float64{1, 3}
	}
	var at []float64
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for _, m := range marks {
			at = append(at, m*math.Pow(10, e))
		}
	}
	for len(at) > 2 && at[1] <= lo {
		at = at[1:]
	}
	for len(at) > 2 && at[len(at)-2] >= hi {
		at = at[:len(at)-1]
	}
	s := scale{lo: at[0], hi: at[len(at)-1], log: true}
	var ticks []tick
	for _, v := range at {
		ticks = append(ticks, tick{At: 100 * (1 - s.at(v)), Label: compare.Span(micros(v))})
	}
	return s, ticks
}

func micros(us float64) time.Duration { return time.Duration(math.Round(us)) * time.Microsecond }

// timeTicks labels n intervals of a run from its start.
func timeTicks(interval time.Duration, n int) []tick {
	total := (interval * time.Duration(n)).Seconds()
	unit, name := 1.0, "s"
	switch {
	case total > 2*86400:
		unit, name = 86400, "d"
	case total > 2*3600:
		unit, name = 3600, "h"
	case total > 3*60:
		unit, name = 60, "min"
	}
	step := niceStep(total/unit, 6)
	var ticks []tick
	for i := 0; float64(i)*step*unit <= total*1.0001; i++ {
		label := strconv.FormatFloat(float64(i)*step, 'g', 4, 64)
		if i == 0 {
			label += " " + name
		}
		ticks = append(ticks, tick{At: 100 * float64(i) * step * unit / total, Label: label})
	}
	return ticks
}
