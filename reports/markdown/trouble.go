package markdown

import (
	"fmt"
	"strings"
	"time"

	"mqttlab/reports/compare"
	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

// outcome is the sign of a run and what to say of it beside its title: the worst first, as the command's exit code has it.
func outcome(f *model.Fleet) (sign, text string) {
	broken, lost := f.Trouble()
	switch {
	case !f.Validity.Valid:
		return signs[model.Fail], ": INVALID"
	case broken > 0:
		return signs[model.Fail], ": the target broke promises of QoS for " + model.Plural(int(broken), "message", "messages")
	case lost > 0:
		return signs[model.Fail], fmt.Sprintf(": %s lost at QoS 1 or 2", model.Plural(int(lost), "message", "messages"))
	}
	return signs[model.Pass], ""
}

// table writes rows below a head, and nothing without rows. head is the names, of which as many as left are aligned to the left.
func table(b *strings.Builder, left int, head string, rows []string) {
	if len(rows) == 0 {
		return
	}
	columns := strings.Count(head, "|") + 1
	fmt.Fprintf(b, "\n| %s |\n|%s%s\n%s\n", head, strings.Repeat(":--|", left), strings.Repeat("--:|", columns-left), strings.Join(rows, "\n"))
}

// trouble writes what went wrong and what came of it, as far as anything did.
func trouble(b *strings.Builder, groups []model.Group) {
	var breaches, events []string
	for _, g := range groups {
		name := escape(g.Name)
		for _, x := range g.Breaches {
			breaches = append(breaches, fmt.Sprintf("| %s | %s | %s | %d |", name, escape(x.Statement), escape(x.Text), x.Messages))
		}
		for _, f := range g.Faults {
			lasted := "to the end"
			if f.DurationMS > 0 {
				lasted = f.DurationMS.Duration().String()
			}
			events = append(events, fmt.Sprintf("| %s | %s | %d | %s | %s | | |", name, escape(f.Kind), f.Devices, since(f.StartMS), lasted))
		}
		for _, s := range g.Storms {
			back := "not by the end of the run"
			if s.BackMS != nil {
				back = compare.Span(s.BackMS.Duration())
			}
			events = append(events, fmt.Sprintf("| %s | reconnect storm | %d | %s | | %s | %d (%d) |", name, s.Away, since(s.StartMS), back, s.Attempts, s.HerdPeak))
		}
	}
	table(b, 3, "group | statement | what messages did | messages", breaches)
	table(b, 2, "group | event | devices | began at | lasted | 95 % back after | attempts to connect (most in a second)", events)
	for _, g := range groups {
		if g.Unjudged != "" {
			fmt.Fprintf(b, "\n%s: whether the target kept the promises of QoS can't be told: %s.\n", escape(g.Name), escape(g.Unjudged))
		}
	}
}

// since is a time of the run, to the second.
func since(m model.Millis) string { return m.Duration().Round(time.Second).String() }

// told writes what became of commands and images.
func told(b *strings.Builder, groups []model.Group) error {
	var rows []string
	for _, g := range groups {
		if c := g.Commands; c != nil {
			wait := ""
			for _, l := range c.Latency {
				if l.Path == model.ToAnswer && l.Measure == model.Intended {
					var err error
					if wait, err = median(l.Histogram); err != nil {
						return fmt.Errorf("group %q, commands: %w", g.Name, err)
					}
				}
			}
			rows = append(rows, fmt.Sprintf("| %s | commands | %d sent, %d reached their device, %d answered | %s |",
				escape(g.Name), c.Ledger.Sent, c.Ledger.Reached(), c.Ledger.Acknowledged, wait))
		}
		if d := g.Downloads; d != nil {
			wait, err := median(d.Times)
			if err != nil {
				return fmt.Errorf("group %q, image: %w", g.Name, err)
			}
			rows = append(rows, fmt.Sprintf("| %s | image of %d bytes | %d of %d devices that began have it, %d chunks damaged | %s |",
				escape(g.Name), d.Bytes, d.Completed, d.Began, d.Damaged, wait))
		}
	}
	table(b, 3, "group | told | outcome | until answered or complete, p50", rows)
	return nil
}

// median is empty if there is nothing in the distribution.
func median(m model.Histogram) (string, error) {
	h, err := latency.Decode(m)
	if err != nil || h.Count() == 0 {
		return "", err
	}
	return compare.Span(h.Quantile(0.5)), nil
}

// wire writes what each message that arrived took on the wire, and of what layers that was.
func wire(b *strings.Builder, groups []model.Group) {
	var rows []string
	for _, g := range groups {
		w, reached := g.Wire, model.Reached(g.Ledger)
		if w == nil || reached == 0 {
			continue
		}
		packets := w.CountsPackets()
		each := func(bytes int64) string { return fmt.Sprintf("%.0f", float64(bytes)/float64(reached)) }
		row := fmt.Sprintf("| %s | %s | %s |", escape(g.Name), w.Layer, each(w.UpBytes+w.DownBytes))
		if l := w.Layers; l != nil {
			headers := each(l.HeaderBytes)
			if !packets {
				headers = ""
			}
			row += fmt.Sprintf(" %s | %s | %s | %s |", headers, each(l.TLSBytes), each(l.MQTTBytes), each(l.PayloadBytes))
		} else {
			row += strings.Repeat(" |", 4)
		}
		if packets {
			row += fmt.Sprintf(" %d", w.Retransmissions)
		}
		rows = append(rows, row+" |")
	}
	table(b, 2, "group | counted at | bytes per message that arrived | of it: IP and TCP | TLS | MQTT | payload | TCP retransmissions, all", rows)
}

// target writes what the target spent, if that is known.
func target(b *strings.Builder, f *model.Fleet) {
	if f.TargetCPUMS == nil {
		return
	}
	fmt.Fprintf(b, "\nTarget: %s of processor time", compare.Span(f.TargetCPUMS.Duration()))
	if n := f.TargetPeakBytes; n > 0 {
		fmt.Fprintf(b, ", at most %.1f MB of memory", float64(n)/1e6)
	}
	b.WriteString("\n")
}
