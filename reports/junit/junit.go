// Package junit writes a conformance record as JUnit XML, the format that Jenkins,
// GitLab, GitHub actions and most other CI servers read.
//
// There is one testsuite per area, protocol version and transport, named "connect (MQTT 5.0)" or
// "connect (MQTT 5.0 over ws)", and one testcase per check. Verdicts become:
//
//   - fail, crash, fixed: failure, with what was sent, what would have been
//     acceptable, and what came;
//   - inconclusive: error, which CI servers show apart: our set-up failed, not the target;
//   - skipped, unsupported, known: skipped, with the reason;
//   - pass, nonstrict, info: passed; a reason goes to system-out.
//
// # Design
//
// JUnit XML has no authoritative schema. The elements and attributes used here are those that the
// readers of Jenkins and GitLab share (testsuites, testsuite, testcase, failure, error, skipped,
// system-out). Statement ids are in the text and not in <property> elements, which GitLab does not show.
package junit

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"mqttlab/reports/model"
)

type testsuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []*testsuite `xml:"testsuite"`
}

type testsuite struct {
	Name      string     `xml:"name,attr"`
	Tests     int        `xml:"tests,attr"`
	Failures  int        `xml:"failures,attr"`
	Errors    int        `xml:"errors,attr"`
	Skipped   int        `xml:"skipped,attr"`
	Time      string     `xml:"time,attr"`
	Timestamp string     `xml:"timestamp,attr"`
	Cases     []testcase `xml:"testcase"`

	spent model.Millis
}

type testcase struct {
	Name      string  `xml:"name,attr"`
	Classname string  `xml:"classname,attr"`
	Time      string  `xml:"time,attr"`
	Failure   *detail `xml:"failure"`
	Error     *detail `xml:"error"`
	Skipped   *detail `xml:"skipped"`
	Out       string  `xml:"system-out,omitempty"`
}

type detail struct {
	Message string `xml:"message,attr,omitempty"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",cdata"`
}

// Write renders a sealed conformance record. A record of another kind is an error.
func Write(w io.Writer, r *model.Record) error {
	if r.Kind != model.Conformance {
		return fmt.Errorf("write JUnit: a %s record has no checks", r.Kind)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := errors.Join(enc.Encode(build(r)), enc.Close()); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func build(r *model.Record) *testsuites {
	all := &testsuites{Name: "mqttlab conform " + xmlText(r.Target.Title()), Time: seconds(r.DurationMS)}
	byName := map[string]*testsuite{}
	for _, c := range r.Checks {
		name := fmt.Sprintf("%s (MQTT %s)", c.Area, c.Version())
		s := byName[name]
		if s == nil {
			s = &testsuite{Name: xmlText(name), Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05")}
			byName[name] = s
			all.Suites = append(all.Suites, s)
		}
		s.add(r, c)
	}
	for _, s := range all.Suites {
		s.Time = seconds(s.spent)
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		all.Skipped += s.Skipped
	}
	return all
}

func (s *testsuite) add(r *model.Record, c model.Check) {
	class := c.Area + ".mqtt" + strings.ReplaceAll(c.MQTT, ".", "")
	if c.Transport != "" {
		class += "." + c.Transport
	}
	tc := testcase{
		Name:      xmlText(c.Name),
		Classname: xmlText(class),
		Time:      seconds(c.DurationMS),
	}
	d := &detail{Message: xmlText(c.Reason), Type: string(c.Verdict), Text: xmlText(explain(r, c))}
	switch c.Verdict {
	case model.Fail, model.Crash, model.Fixed:
		tc.Failure = d
		s.Failures++
	case model.Inconclusive:
		tc.Error = d
		s.Errors++
	case model.Skipped, model.Unsupported, model.KnownFailure:
		// Readers take the reason from the message; the text would hide the verdict.
		tc.Skipped = &detail{Message: xmlText(strings.TrimSuffix(string(c.Verdict)+": "+c.Reason, ": "))}
		s.Skipped++
	case model.Pass, model.Nonstrict, model.Info:
		if c.Reason != "" {
			tc.Out = xmlText(string(c.Verdict) + ": " + c.Reason)
		}
	}
	s.Tests++
	s.spent += c.DurationMS
	s.Cases = append(s.Cases, tc)
}

// explain is the text that a developer reads in the CI server's page.
func explain(r *model.Record, c model.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", c.Name, c.Title)
	for _, id := range c.Statements {
		if s, ok := r.Statements[id]; ok {
			fmt.Fprintf(&b, "%s (%s, %s): %s\n", id, s.Level, s.Section, s.Summary)
		} else {
			fmt.Fprintf(&b, "%s\n", id)
		}
	}
	if c.Failure != nil {
		fmt.Fprintf(&b, "\nsent: %s\n", c.Failure.Sent)
		for _, a := range c.Failure.Acceptable {
			fmt.Fprintf(&b, "acceptable: %s\n", a)
		}
		fmt.Fprintf(&b, "got: %s\n", c.Failure.Got)
	}
	if c.Again != "" {
		fmt.Fprintf(&b, "again: %s\n", c.Again)
	}
	if c.Closed != "" {
		fmt.Fprintf(&b, "connection: %s\n", c.Closed)
	}
	if len(c.Transcript) > 0 {
		b.WriteString("\n")
		for _, l := range c.Transcript {
			fmt.Fprintf(&b, "%10.3f ms  %-8s %s\n", float64(l.AtMS.Duration().Microseconds())/1000, l.From, l.Packet)
		}
	}
	return b.String()
}

func seconds(m model.Millis) string {
	return strconv.FormatFloat(m.Duration().Seconds(), 'f', 3, 64)
}

// xmlText replaces what XML 1.0 cannot hold at all, escaped or not: control characters other than tab and line
// ends, surrogates, U+FFFE and U+FFFF, ill-formed UTF-8. Targets send such bytes. Go's encoder would
// write U+FFFD for each; \x00 tells the reader which one it was.
func xmlText(s string) string {
	if strings.IndexFunc(s, notXML) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case notXML(r) && r != utf8.RuneError:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func notXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF || r == utf8.RuneError
}
