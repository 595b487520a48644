package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
	"mqttlab/simulator/scenario"
)

// summarizeFleet prints what came of a run.
func summarizeFleet(w io.Writer, r *model.Record) {
	s := newScreen(w, false)
	f := r.Fleet
	if !f.Validity.Valid {
		s.line("%s: %s", s.colour(red, "INVALID"), f.Validity.Reason)
	}
	if f.CutShort {
		s.line("the run was cut short")
	}
	if f.TargetCPUMS != nil {
		s.line("target: %s of CPU time, at most %.1f MB of memory", scenario.Span(f.TargetCPUMS.Duration().Round(time.Millisecond)), float64(f.TargetPeakBytes)/1e6)
	}
	for i := range f.Groups {
		g := &f.Groups[i]
		for _, l := range g.Ledger {
			s.line("%s, QoS %d: %s", g.Name, l.QoS, columns(l))
			if why := givenUp(l); why != "" {
				s.line("%s: %s", g.Name, why)
			}
		}
		if g.Foreign > 0 {
			s.line("%s: %d messages at the sink were none of the group's", g.Name, g.Foreign)
		}
		summarizeLatency(s, g.Name, g.Latency)
		if w := g.Wire; w != nil {
			packets := ""
			if w.CountsPackets() {
				packets = fmt.Sprintf(", %d packets lost, %d retransmissions", w.LostPackets, w.Retransmissions)
			}
			s.line("%s: %d bytes up, %d down (%s)%s", g.Name, w.UpBytes, w.DownBytes, w.Layer, packets)
		}
		if w := g.Wire; w != nil && w.Layers != nil {
			summarizeLayers(s, g)
		}
		if p := g.Power; p != nil {
			s.line("%s: %.3g J per message, battery lasts %.2f years (nine of ten devices: %.2f to %.2f; profile %s)",
				g.Name, p.JoulesPerMessage, p.Years.Mean, p.Years.Low, p.Years.High, p.Profile)
		}
		summarizeConversations(s, g)
		summarizeTroubles(s, g)
	}
}

func columns(l model.Ledger) string {
	return fmt.Sprintf("%d sent = %d delivered + %d late + %d duplicated + %d lost + %d expired + %d pending; %d out of order",
		l.Sent, l.Delivered, l.Late, l.Duplicated, l.Lost, l.Expired, l.Pending, l.OutOfOrder)
}

// givenUp says why messages were given up, empty if none were.
func givenUp(l model.Ledger) string {
	var all []string
	for _, r := range []struct {
		n   int64
		why string
	}{
		{l.GivenUp.QueueFull, "queue full"},
		{l.GivenUp.Offline, "QoS 0 without a connection"},
		{l.GivenUp.TooOld, "too old"},
		{l.GivenUp.NoPower, "forgotten without power"},
		{l.GivenUp.Refused, "not allowed by the target"},
	} {
		if r.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", r.n, r.why))
		}
	}
	out := strings.Join(all, ", ")
	if out != "" {
		out = "given up: " + out
	}
	if l.NotMade > 0 {
		out = strings.TrimPrefix(fmt.Sprintf("%s; %d never made, without power", out, l.NotMade), "; ")
	}
	return out
}

func summarizeLatency(s screen, name string, all []model.Latency) {
	for _, l := range all {
		h, err := latency.Decode(l.Histogram)
		if err != nil || h.Count() == 0 {
			continue
		}
		s.line("%s, %s %s: p50 %v, p90 %v, p99 %v", name, l.Path, l.Measure, h.Quantile(0.5), h.Quantile(0.9), h.Quantile(0.99))
	}
}

// summarizeLayers says what the bytes on the wire were, per message that arrived.
func summarizeLayers(s screen, g *model.Group) {
	reached := model.Reached(g.Ledger)
	if reached == 0 {
		return
	}
	per := func(bytes int64) float64 { return float64(bytes) / float64(reached) }
	l := g.Wire.Layers
	s.line("%s, bytes per delivered message: %.0f IP and TCP, %.0f TLS, %.0f MQTT, %.0f payload",
		g.Name, per(l.HeaderBytes), per(l.TLSBytes), per(l.MQTTBytes), per(l.PayloadBytes))
}

func summarizeConversations(s screen, g *model.Group) {
	if c := g.Commands; c != nil {
		s.line("%s, commands: %s; %d answered", g.Name, columns(c.Ledger), c.Ledger.Acknowledged)
		summarizeLatency(s, g.Name, c.Latency)
	}
	if d := g.Downloads; d != nil {
		s.line("%s, image of %d bytes in %d chunks: %d of %d devices that began have it; %d bytes received, %d chunks twice, %d damaged",
			g.Name, d.Bytes, d.Chunks, d.Completed, d.Began, d.ReceivedBytes, d.Copies, d.Damaged)
		if h, err := latency.Decode(d.Times); err == nil && h.Count() > 0 {
			s.line("%s, time to fetch the image: p50 %v, p90 %v, p99 %v", g.Name, h.Quantile(0.5), h.Quantile(0.9), h.Quantile(0.99))
		}
	}
}

// summarizeTroubles prints what the target broke, and faults and the storms after them.
func summarizeTroubles(s screen, g *model.Group) {
	for _, b := range g.Breaches {
		s.line("%s: %s of %s: %d messages %s", g.Name, s.colour(red, "BREACH"), b.Statement, b.Messages, b.Text)
	}
	if g.Unjudged != "" {
		s.line("%s: whether the target kept the promises of QoS can't be told: %s", g.Name, g.Unjudged)
	}
	for _, f := range g.Faults {
		s.line("%s, fault: %s of %d devices", g.Name, f.Kind, f.Devices)
	}
	for _, w := range g.Storms {
		back := "not back when the run ended"
		if w.BackMS != nil {
			back = fmt.Sprintf("95 %% back after %s", scenario.Span(w.BackMS.Duration().Round(time.Millisecond)))
		}
		s.line("%s, storm at %s: %d devices away, %d attempts to connect, at most %d within a second; %s",
			g.Name, scenario.Span(w.StartMS.Duration().Round(time.Second)), w.Away, w.Attempts, w.HerdPeak, back)
	}
}
