package markdown

import (
	"fmt"
	"math"
	"strings"

	"mqttlab/reports/compare"
	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

func fleet(b *strings.Builder, r *model.Record) error {
	f := r.Fleet
	sign, said := outcome(f)
	fmt.Fprintf(b, "## %s Fleet: %s%s\n\n", sign, escape(r.Title()), said)
	if !f.Validity.Valid {
		fmt.Fprintf(b, "Do not use these numbers: %s\n\n", escape(f.Validity.Reason))
	}
	if f.CutShort {
		b.WriteString("The run was interrupted, and drained what was under way.\n\n")
	}
	b.WriteString("| group | QoS | sent | delivered | late | duplicated | lost | expired | pending | arrived |\n|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, g := range f.Groups {
		for _, l := range g.Ledger {
			arrived := "none due"
			if due := l.Sent - l.Pending; due > 0 {
				arrived = compare.Wilson(l.Reached(), due, 0.95).String()
			}
			fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %s |\n",
				escape(g.Name), l.QoS, l.Sent, l.Delivered, l.Late, l.Duplicated, l.Lost, l.Expired, l.Pending, arrived)
		}
	}
	trouble(b, f.Groups)
	b.WriteString("\n| group | latency | from | p50 | p90 | p99 | p99.9 | max |\n|:--|:--|:--|--:|--:|--:|--:|--:|\n")
	for _, g := range f.Groups {
		for _, l := range g.Latency {
			h, err := latency.Decode(l.Histogram)
			if err != nil {
				return fmt.Errorf("group %q, %s %s: %w", g.Name, l.Measure, l.Path, err)
			}
			if h.Count() > 0 {
				fmt.Fprintf(b, "| %s | %s | %s |%s %s |\n", escape(g.Name), l.Path, l.Measure, quantiles(h), compare.Span(h.Max()))
			}
		}
	}
	if err := told(b, f.Groups); err != nil {
		return err
	}
	wire(b, f.Groups)
	power(b, f.Groups)
	target(b, f)
	fmt.Fprintf(b, "\n<sub>%s %s, %s mode, seed %d, %s; shares with 95 %% Wilson intervals</sub>\n",
		escape(r.Tool.Name), escape(r.Tool.Version), f.Mode, r.Seed, r.Started.UTC().Format("2006-01-02 15:04 UTC"))
	return nil
}

// power writes what the groups' batteries paid; nothing if no group has a power profile.
func power(b *strings.Builder, groups []model.Group) {
	head := "\n| group | power profile | J per message | J in all | of it: sleep | wake-up | sending | receiving | tail | reachable | battery life, years |\n" +
		"|:--|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
	for _, g := range groups {
		p := g.Power
		if p == nil {
			continue
		}
		j := p.Joules
		fmt.Fprintf(b, "%s| %s | %s | %s | %.3g |", head, escape(g.Name), escape(p.Profile), perMessage(p), j.Total())
		for _, part := range []float64{j.Sleep, j.Wake, j.Tx, j.Rx, j.Tail, j.Idle} {
			fmt.Fprintf(b, " %.0f %% |", 100*part/max(j.Total(), math.SmallestNonzeroFloat64))
		}
		fmt.Fprintf(b, " %.3g (%.3g to %.3g) |\n", p.Years.Mean, p.Years.Low, p.Years.High)
		head = ""
	}
}

func perMessage(p *model.Power) string {
	if p.JoulesPerMessage == 0 {
		return "none arrived"
	}
	return fmt.Sprintf("%.3g", p.JoulesPerMessage)
}

// quantiles are cells. One beyond which no message lies would be the maximum and is left empty.
func quantiles(h *latency.Histogram) string {
	out := ""
	for _, p := range []float64{0.5, 0.9, 0.99, 0.999} {
		if float64(h.Count())*(1-p) >= 1 {
			out += " " + compare.Span(h.Quantile(p))
		}
		out += " |"
	}
	return out
}
