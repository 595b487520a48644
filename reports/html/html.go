// Package html renders records and comparisons as web pages: one self-contained file each, without any network
// access, that can be opened from disk, attached to a ticket or printed.
//
// There is one page per kind of thing: [Conformance], [Brokers] (several conformance records side by side), [Fleet], [Comparison]
// and [Changes]; [Write] picks by a record's kind. Each builds a view (plain data in the order in which a reader meets it, in the file of
// its name) and hands it to a template in the folder page. Templates hold no logic beyond range and if.
//
// # Rules of the pages
//
// A page reads without script; the script only filters tables. Colour never stands alone: each verdict has a
// sign and a word. Behind each plot is a table. The colours, in both schemes, meet 4.5:1 for text, and a test
// in a browser measures that. Tables wider than the screen scroll in their own frame, never the page.
//
// # Design
//
// Plots are SVG without text, stretched to the width of the page, with axis labels as HTML on top. A plot that scales as one picture lost: it is
// either too small to read on a telephone or has huge letters on a desk. A plotting library lost too: its pictures do not follow the reader's
// colour scheme and cannot be read by a screen reader.
package html

import (
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"mqttlab/reports/model"
)

//go:embed page
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"asset": asset,
	"ms":    func(m model.Millis) string { return fmt.Sprintf("%.1f", m.Duration().Seconds()*1000) },
	"num":   number[int64],
	"list":  func(s ...string) []string { return s },
}).ParseFS(files, "page/*.gohtml"))

// asset returns a style sheet or script for inlining. These are our own files, so they need no escaping.
func asset(name string) (any, error) {
	data, err := files.ReadFile("page/" + name)
	if name == "page.css" {
		return template.CSS(data), err
	}
	return template.JS(data), err
}

// Write renders a sealed record by its kind.
func Write(w io.Writer, r *model.Record) error {
	switch r.Kind {
	case model.Conformance:
		return Conformance(w, r)
	case model.FleetRun:
		return Fleet(w, r)
	default:
		return fmt.Errorf("write HTML: unknown kind of record %q", r.Kind)
	}
}

// head is what every page begins with.
type head struct {
	Title   string // of the browser's tab
	Eyebrow string // what kind of page
	Heading string
	Facts   []fact
}

type fact struct{ Name, Value string }

func render(w io.Writer, name string, view any) error {
	if err := pages.ExecuteTemplate(w, name, view); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return nil
}

// facts are the circumstances of a run.
func facts(r *model.Record, more ...fact) []fact {
	var out []fact
	if target := cmp.Or(r.Target.URL, r.Target.Name); target != "" { // a run in virtual time has no URL
		out = append(out, fact{"Target", target})
	}
	out = append(out, more...)
	return append(out,
		fact{"Started", r.Started.UTC().Format("2006-01-02 15:04:05 UTC")},
		fact{"Took", took(r.DurationMS.Duration())},
		fact{"Seed", fmt.Sprint(r.Seed)},
		fact{"Tool", r.Tool.Name + " " + r.Tool.Version})
}

// took shows a duration as people write it: 340 ms, 18.34 s, 10 min, 1 h 5 min.
func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d\u00a0ms", d.Round(time.Millisecond).Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.4g\u00a0s", d.Round(10*time.Millisecond).Seconds())
	}
	out := ""
	d = d.Round(time.Second)
	for _, u := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if n := d / u.size; n > 0 {
			out += fmt.Sprintf(" %d\u00a0%s", n, u.name)
		}
		d %= u.size
	}
	return out[1:]
}

// number groups the digits of large counts with thin spaces, so that they can be read and still wrap nowhere.
func number[T int | int64](n T) string {
	s := fmt.Sprint(n)
	sign := ""
	if s[0] == '-' {
		sign, s = "−", s[1:]
	}
	if len(s) <= 4 {
		return sign + s
	}
	out := ""
	for len(s) > 3 {
		out = "\u202f" + s[len(s)-3:] + out
		s = s[:len(s)-3]
	}
	return sign + s + out
}
