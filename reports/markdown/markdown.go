// Package markdown renders records as the summary of a pull request or a build.
//
// The text is GitHub's dialect, as step summaries, comments and most other forges show it: a headline, a table or two, and
// one collapsed block for each check to look at. Transcripts stay in the record and on the web page.
//
// # Limits
//
// GitHub drops a step summary of more than 1 MiB without a word. [Write] therefore stops before [Limit] and says how
// many checks it left out; the tables are small and always there. The checks are in the order of severity, so the worst are never
// left out.
//
// # Design
//
// Text of a record is text of the target, which may hold anything: it is escaped so that it can neither become markup nor
// break a table. A template lost to plain writing: every second line would be white space control.
package markdown

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"mqttlab/reports/model"
)

// Limit is the most bytes that Write writes, a little below the 1 MiB of a step summary.
const Limit = 1<<20 - 16<<10

// Write writes the summaries of sealed records one after the other.
func Write(w io.Writer, records ...*model.Record) error {
	var b strings.Builder
	for i, r := range records {
		if i > 0 {
			b.WriteString("\n---\n\n")
		}
		limit := Limit * (i + 1) / len(records)
		switch {
		case r.Kind == model.Conformance:
			conformance(&b, r, limit)
		case r.Kind == model.FleetRun && r.Fleet != nil:
			if err := fleet(&b, r); err != nil {
				return fmt.Errorf("write Markdown: %w", err)
			}
		default:
			return fmt.Errorf("write Markdown: unknown kind of record %q", r.Kind)
		}
	}
	return fits(w, &b)
}

// fits writes a summary if it is not too long.
func fits(w io.Writer, b *strings.Builder) error {
	if b.Len() > Limit {
		return fmt.Errorf("write Markdown: the summary has %d bytes and a step summary takes %d; give fewer records", b.Len(), Limit)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// signs are shown beside the words. They are characters of the verdicts' own colours, since Markdown has none.
var signs = map[model.Verdict]string{
	model.Crash: "💥", model.Fail: "❌", model.Fixed: "⬆️", model.Inconclusive: "❔", model.KnownFailure: "🟣",
	model.Nonstrict: "🟡", model.Info: "🔵", model.Pass: "✅", model.Unsupported: "➖", model.Skipped: "⏭️",
}

func conformance(b *strings.Builder, r *model.Record, limit int) {
	j := r.Summary.Judge()
	sign := signs[model.Fail]
	switch {
	case j.Conformant:
		sign = signs[model.Pass]
	case j.Expected:
		sign = signs[model.KnownFailure]
	case j.Nothing:
		sign = signs[model.Inconclusive]
	}
	fmt.Fprintf(b, "## %s %s: %s\n\n%s\n\n", sign, escape(r.Target.Title()), strings.ToLower(j.Headline), j.Detail)
	var verdicts []model.Verdict // that occur
	for _, v := range model.Verdicts() {
		if r.Summary[v] > 0 {
			verdicts = append(verdicts, v)
		}
	}
	if len(verdicts) > 0 {
		areas(b, r, verdicts)
	}
	failing := slices.DeleteFunc(slices.Clone(r.Checks), func(c model.Check) bool { return !c.Verdict.Failing() })
	slices.SortStableFunc(failing, func(x, y model.Check) int {
		return slices.Index(verdicts, x.Verdict) - slices.Index(verdicts, y.Verdict)
	})
	for i, c := range failing {
		block := check(r, c)
		if b.Len()+len(block)+tail > limit {
			fmt.Fprintf(b, "%s more to look at; there is no room for them here. They are in the record and on its web page.\n\n", model.Plural(len(failing)-i, "check", "checks"))
			break
		}
		b.WriteString(block)
	}
	if i := r.Target.Implementation; i != nil {
		fmt.Fprintf(b, "Judged: %s %s, contact %s\n\n", escape(i.Name), escape(i.Version), escape(i.Contact))
	}
	fmt.Fprintf(b, "<sub>%s %s, seed %d, %s</sub>\n", escape(r.Tool.Name), escape(r.Tool.Version), r.Seed, r.Started.UTC().Format("2006-01-02 15:04 UTC"))
}

// tail is what is kept for the lines after the last block.
const tail = 1024

// areas writes one row per area, version and transport.
func areas(b *strings.Builder, r *model.Record, verdicts []model.Verdict) {
	b.WriteString("| area | MQTT |")
	for _, v := range verdicts {
		fmt.Fprintf(b, " %s %s |", signs[v], v)
	}
	b.WriteString("\n|:--|:--|" + strings.Repeat("--:|", len(verdicts)) + "\n")
	type key struct{ area, mqtt string }
	rows := map[key]model.Summary{}
	var order []key
	for _, c := range r.Checks {
		k := key{c.Area, c.Version()}
		if rows[k] == nil {
			rows[k] = model.Summary{}
			order = append(order, k)
		}
		rows[k][c.Verdict]++
	}
	slices.SortStableFunc(order, func(x, y key) int { return cmp.Or(cmp.Compare(x.area, y.area), cmp.Compare(x.mqtt, y.mqtt)) })
	for _, k := range order {
		fmt.Fprintf(b, "| %s | %s |", escape(k.area), escape(k.mqtt))
		writeCounts(b, rows[k], verdicts)
	}
	b.WriteString("| **all** | |")
	writeCounts(b, r.Summary, verdicts)
	b.WriteByte('\n')
}

func writeCounts(b *strings.Builder, s model.Summary, verdicts []model.Verdict) {
	for _, v := range verdicts {
		if s[v] == 0 {
			b.WriteString(" |")
			continue
		}
		fmt.Fprintf(b, " %d |", s[v])
	}
	b.WriteByte('\n')
}

// check is the collapsed block of one check.
func check(r *model.Record, c model.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s <b>%s</b> %s (MQTT %s): %s</summary>\n\n",
		signs[c.Verdict], c.Verdict, escape(c.Name), escape(c.Version()), escape(cmp.Or(c.Reason, c.Title)))
	for _, id := range c.Statements {
		s := r.Statements[id]
		fmt.Fprintf(&b, "> **%s** %s: %s\n>\n", escape(id), escape(s.Level), escape(cmp.Or(s.Summary, "no text in the record")))
	}
	if f := c.Failure; f != nil {
		fmt.Fprintf(&b, "\n- **sent** %s\n", escape(f.Sent))
		for _, a := range f.Acceptable {
			fmt.Fprintf(&b, "- **acceptable** %s\n", escape(a))
		}
		fmt.Fprintf(&b, "- **got** %s\n", escape(f.Got))
	}
	if c.Again != "" {
		fmt.Fprintf(&b, "- **again** %s\n", escape(c.Again))
	}
	b.WriteString("\n</details>\n\n")
	return b.String()
}

// longest is how much of one text of a record is shown.
const longest = 2000

// markup is written as character references: they hold inside HTML, where Markdown's backslashes would be shown.
var markup = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "*", "&#42;", "_", "&#95;", "`", "&#96;", "[", "&#91;", "~", "&#126;", `\`, "&#92;",
	"@", "@\u200b", // nobody is mentioned by a payload
	"\r", " ", "\n", " ",
)

// escape makes text harmless and keeps it on its line.
func escape(s string) string {
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + " ..."
	}
	return markup.Replace(s)
}
