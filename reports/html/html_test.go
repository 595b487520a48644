package html_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"mqttlab/reports/compare"
	"mqttlab/reports/html"
	"mqttlab/reports/model"
)

var keep = flag.String("pages", "", "folder in which to leave the rendered pages and their screenshots")

// large is the page that is as large as pages get: 5 brokers, 2 versions, 400 checks.
const large = "large"

// pages renders one page of each kind, once for all tests, and returns their texts by name.
var pages = sync.OnceValues(func() (map[string][]byte, error) {
	valid, before, after := fleet(1, 1), fleet(1, 1), fleet(11, 1.04)
	invalid := fleet(3, 1)
	for i := range invalid.Fleet.Groups {
		for j := range invalid.Fleet.Groups[i].Latency {
			invalid.Fleet.Groups[i].Latency[j].Heat = nil
		}
	}
	invalid.Fleet.Validity = model.Validity{Reason: "timers were 84 ms late in 1 % of cases, the limit is 20 ms", LatenessP99MS: millis(84), LatenessLimitMS: millis(20)}
	out := map[string][]byte{}
	for name, render := range map[string]func(*bytes.Buffer) error{
		"conformance": func(b *bytes.Buffer) error { return html.Write(b, conformance()) },
		"transports":  func(b *bytes.Buffer) error { return html.Write(b, overTransports()) },
		"brokers":     func(b *bytes.Buffer) error { return html.Brokers(b, brokers(30)) },
		large:         func(b *bytes.Buffer) error { return html.Brokers(b, brokers(400)) },
		"fleet":       func(b *bytes.Buffer) error { return html.Write(b, valid) },
		"comparison": func(b *bytes.Buffer) error {
			r, err := compare.Fleets([]*model.Record{before}, []*model.Record{after}, compare.Options{Resamples: 300})
			return cmp.Or(err, html.Comparison(b, r))
		},
		"changes": func(b *bytes.Buffer) error {
			c, err := changed()
			return cmp.Or(err, html.Changes(b, c))
		},
		"invalid": func(b *bytes.Buffer) error { return html.Write(b, invalid) },
	} {
		var b bytes.Buffer
		if err := render(&b); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = b.Bytes()
	}
	return out, nil
})

// page is the text of one of the pages.
func page(t *testing.T, name string) string {
	t.Helper()
	all, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	return string(all[name])
}

// onDisk writes the pages where a browser can open them and returns their paths by name.
func onDisk(t *testing.T) map[string]string {
	t.Helper()
	all, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	dir := *keep
	if dir == "" {
		dir = t.TempDir()
	}
	out := map[string]string{}
	for name, data := range all {
		out[name] = filepath.Join(dir, name+".html")
		if err := os.WriteFile(out[name], data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func changed() (*compare.Changes, error) {
	b := conformance()
	b.Checks = b.Checks[3:]
	for i := range b.Checks {
		if i%29 == 0 {
			b.Checks[i].Verdict, b.Checks[i].Reason = model.Fail, "no answer came"
		}
	}
	return compare.Conformance(conformance(), b)
}

var outside = regexp.MustCompile(`(?i)(src|href|url)\s*[=(]\s*["']?(https?:)?//`)

func TestPagesAreSelfContainedAndSmall(t *testing.T) {
	all, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range all {
		if m := outside.Find(data); m != nil {
			t.Errorf("%s loads something from elsewhere: %s", name, m)
		}
		if bytes.Contains(data, []byte("ZgotmplZ")) {
			t.Errorf("%s: the template engine refused a value", name)
		}
		if bytes.Contains(data, []byte("<script>alert")) {
			t.Errorf("%s: text of the record became markup", name)
		}
		most := 600 << 10
		if name == large {
			most = 3 << 20
		}
		if len(data) > most {
			t.Errorf("%s has %d bytes, at most %d are allowed", name, len(data), most)
		}
		t.Logf("%s: %d kB", name, len(data)/1024)
	}
}

func TestConformancePageSaysWhatABrokersDeveloperNeeds(t *testing.T) {
	page := page(t, "conformance")
	for _, want := range []string{
		"Not conformant", "2 checks fail of", "A PUBLISH never has both QoS bits set", "MQTT5-3.3.1-4",
		"PUBLISH QoS 3, topic", "DISCONNECT 0x81 (Malformed Packet), then close", "PUBACK packet id 1, reason 0x00",
		"10 16 00 04 4d 51 54 54", "and 148 more bytes", "Nobody checks this.", "untested", "Known&lt;script&gt;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if crash, fail := strings.Index(page, "Refuses a Remaining Length of five"), strings.Index(page, "Closes the Network Connection after a PUBLISH"); crash > fail {
		t.Error("a crash does not come before a failure")
	}
}

// TestLongTranscripts keeps the page of a broker that passes small without hiding anything of a failure.
func TestLongTranscripts(t *testing.T) {
	for verdict, says := range map[model.Verdict]bool{model.Pass: true, model.Fail: false} {
		c := model.Check{Name: "Long", Area: "publish", MQTT: "5.0", Verdict: verdict}
		for i := range 500 {
			c.Transcript = append(c.Transcript, model.Line{From: "check/client 1", Packet: fmt.Sprintf("PUBLISH number %d.", i), Hex: "3000"})
		}
		r := &model.Record{Kind: model.Conformance, Checks: []model.Check{c}}
		r.Seal()
		var page bytes.Buffer
		if err := html.Write(&page, r); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(page.String(), "440 entries are left out here"); got != says {
			t.Errorf("%s: leaves out entries: %v, want %v", verdict, got, says)
		}
		if got := strings.Contains(page.String(), "PUBLISH number 200."); got == says {
			t.Errorf("%s: shows the middle: %v, want %v", verdict, got, !says)
		}
		for _, want := range []string{"PUBLISH number 39.", "PUBLISH number 480.", "500 entries"} {
			if !strings.Contains(page.String(), want) {
				t.Errorf("%s: does not show %q", verdict, want)
			}
		}
	}
}

func TestInvalidComesFirst(t *testing.T) {
	page := page(t, "invalid")
	invalid, figures := strings.Index(page, "Invalid: do not use"), strings.Index(page, "In short")
	if invalid < 0 || invalid > figures {
		t.Error("the page of an invalid run does not say so before all numbers")
	}
}

func TestRefusals(t *testing.T) {
	broken := fleet(1, 1)
	broken.Fleet.Groups[0].Latency[0].Histogram.HDR = "x"
	for name, r := range map[string]*model.Record{"kind": {Kind: "race"}, "histogram": broken, "no fleet": {Kind: model.FleetRun}} {
		if err := html.Write(&bytes.Buffer{}, r); err == nil {
			t.Errorf("%s: rendered", name)
		}
	}
	for _, r := range []*model.Record{{Kind: model.Conformance}, {Kind: model.FleetRun, Fleet: &model.Fleet{}}} {
		r.Seal()
		if err := html.Write(&bytes.Buffer{}, r); err != nil {
			t.Errorf("an empty %s record: %v", r.Kind, err)
		}
	}
}

// TestSignsInTheStyleSheet keeps the two places in which a verdict's sign stands the same.
func TestSignsInTheStyleSheet(t *testing.T) {
	css, err := os.ReadFile("page/page.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`<li title="[^"]*"><strong>[^<]*</strong> <span class="mark (v-[a-z]+)"><span class="sign" aria-hidden="true">([^<]+)<`).FindAllStringSubmatch(page(t, "conformance"), -1) {
		if !bytes.Contains(css, []byte("."+m[1]+" { ")) || !regexp.MustCompile(regexp.QuoteMeta("."+m[1])+` \{ --c: [^;]+; --sign: "`+regexp.QuoteMeta(m[2])+`"`).Match(css) {
			t.Errorf("the style sheet has another sign for %s than %s", m[1], m[2])
		}
	}
}

func TestFleetPageSaysWhatTheRecordHasAndHasNot(t *testing.T) {
	const none = "There is no heat map"
	full, poor := page(t, "fleet"), page(t, "invalid")
	for _, want := range []string{"water-meters, publish-to-delivery over time", "p99 below", "Cumulative, publish-to-delivery", "share of messages that took no longer", "city-meters on mosquitto 2.0.11"} {
		if !strings.Contains(full, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(full, none) || !strings.Contains(poor, none) {
		t.Error("the page without a heat map does not say why, or the other one does")
	}
}

// TestFlakyShowsEachRun wants a check that passes in the end to stand among those to look at when its runs did not agree.
func TestFlakyShowsEachRun(t *testing.T) {
	r := conformance()
	r.Repeats = 2
	r.Checks[0].Verdict = model.Nonstrict
	r.Checks[0].Flaky = []model.Attempt{
		{Run: 1, Verdict: model.Pass, Transcript: []model.Line{{From: "target", Packet: "the packet of the first run"}}},
		{Run: 2, Verdict: model.Nonstrict, Reason: "the reason of the second run"},
	}
	r.Seal()
	var b strings.Builder
	if err := html.Conformance(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"its runs did not agree", "the packet of the first run", "the reason of the second run"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestManyPassingChecks leaves their transcripts to the record, and those of a failure on the page.
func TestManyPassingChecks(t *testing.T) {
	r := conformance()
	few := r.Checks
	for i, c := range few {
		few[i].Transcript = append(c.Transcript, model.Line{From: "check", Packet: "packet of " + string(c.Verdict)}, model.Line{From: "target", Packet: "answer"})
	}
	for _, over := range []string{"tls", "unix", "ws", "wss", "a", "b", "c"} {
		for _, c := range few {
			c.Transport = over
			r.Checks = append(r.Checks, c)
		}
	}
	r.Seal()
	var b strings.Builder
	if err := html.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"packet of pass": false, "2 entries are left out here": true, "packet of fail": true} {
		if strings.Contains(b.String(), text) != want {
			t.Errorf("%d checks: %q on the page is %t, want %t", len(r.Checks), text, !want, want)
		}
	}
}
