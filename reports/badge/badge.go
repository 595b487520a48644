// Package badge draws a conformance record as the small picture that projects put at the top of their README.
//
// The picture is SVG without anything from elsewhere, in the usual shape: what was tested on the left, the result on the right.
// Its colour never stands alone, the result is in words.
package badge

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"mqttlab/reports/model"
)

// Write draws the badge of a sealed conformance record.
func Write(w io.Writer, r *model.Record) error {
	if r.Kind != model.Conformance {
		return fmt.Errorf("write badge: a %s record is no conformance record", r.Kind)
	}
	left, right, colour := "MQTT "+strings.Join(versions(r), ", "), "", green
	switch j := r.Summary.Judge(); {
	case j.Nothing:
		right, colour = "not tested", grey
	case j.Broken > 0:
		right, colour = fmt.Sprintf("%d of %d fail", j.Broken, j.Ran), red
	case j.Expected:
		right, colour = fmt.Sprintf("%d of %d fail as known", r.Summary[model.KnownFailure], j.Ran), amber
	case !j.Conformant:
		right, colour = "known failures out of date", amber
	default:
		right = "conformant"
	}
	_, err := io.WriteString(w, draw(strings.TrimSpace(left), right, colour))
	return err
}

// The colours have at least 4.5:1 to the white letters on them.
const (
	green = "#17724a"
	red   = "#b9261c"
	amber = "#855a00"
	grey  = "#5d6672"
)

func versions(r *model.Record) []string {
	var out []string
	for _, c := range r.Checks {
		if !slices.Contains(out, c.MQTT) {
			out = append(out, c.MQTT)
		}
	}
	slices.Sort(out)
	return out
}

// padding is the space on either side of a text, in pixels.
const padding = 7

func draw(left, right, colour string) string {
	lw, rw := width(left)+2*padding, width(right)+2*padding
	name := escape(left + ": " + right)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="20" role="img" aria-label="%s"><title>%s</title>`, lw+rw, name, name)
	fmt.Fprintf(&b, `<clipPath id="c"><rect width="%d" height="20" rx="3"/></clipPath><g clip-path="url(#c)">`, lw+rw)
	fmt.Fprintf(&b, `<rect width="%d" height="20" fill="#3b424b"/><rect x="%d" width="%d" height="20" fill="%s"/></g>`, lw, lw, rw, colour)
	b.WriteString(`<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">`)
	fmt.Fprintf(&b, `<text x="%d" y="14" textLength="%d">%s</text>`, padding, width(left), escape(left))
	fmt.Fprintf(&b, `<text x="%d" y="14" textLength="%d">%s</text></g></svg>`+"\n", lw+padding, width(right), escape(right))
	return b.String()
}

// width is about what Verdana of 11 pixels takes. Where another font is drawn, textLength fits it in.
func width(s string) int {
	tenths := 0
	for _, r := range s {
		switch {
		case strings.ContainsRune("ijlI.,:;'|! ", r):
			tenths += 38
		case strings.ContainsRune("frt-()", r):
			tenths += 45
		case strings.ContainsRune("mwMWQ%", r):
			tenths += 100
		case r >= 'A' && r <= 'Z':
			tenths += 78
		default:
			tenths += 68
		}
	}
	return (tenths + 9) / 10
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}
