package junit_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reports/junit"
	"mqttlab/reports/model"
)

var update = flag.Bool("update", false, "rewrite testdata")

func record() *model.Record {
	check := func(area, name, mqtt string, v model.Verdict, reason string) model.Check {
		return model.Check{
			Area: area, Name: name, MQTT: mqtt, Verdict: v, Reason: reason, Level: "MUST",
			Title: "does what " + name + " says", DurationMS: model.Millis(12500 * time.Microsecond),
		}
	}
	broken := check("publish", "QoS3", "5.0", model.Fail, "the target accepted QoS 3")
	broken.Statements = []string{"MQTT5-3.3.1-4", "MQTT5-4.13.1-1"}
	broken.Closed = model.LeftOpen
	broken.Failure = &model.Failure{
		Sent:       `PUBLISH QoS 3 topic "a\x00<b>"`,
		Acceptable: []string{"DISCONNECT 0x81 and close", "close"},
		Got:        "PUBACK \x00 \xff \ufffd ]]>",
	}
	broken.Transcript = []model.Line{
		{AtMS: 0, From: "check", Packet: "PUBLISH QoS 3", Hex: "36050001610000"},
		{AtMS: model.Millis(1234 * time.Microsecond), From: "target", Packet: "PUBACK", Hex: "40020001"},
	}
	r := &model.Record{
		Kind: model.Conformance, Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		DurationMS: model.Millis(1500 * time.Millisecond),
		Target:     model.Target{URL: "mqtt://127.0.0.1:1883", Name: "mosquitto 2.0.11"},
		Statements: map[string]model.Statement{"MQTT5-3.3.1-4": {Level: "MUST NOT", Section: "3.3.1.2 QoS", Summary: "QoS 3 does not exist."}},
		Checks: []model.Check{
			broken,
			check("publish", "Retained", "5.0", model.Pass, ""),
			check("publish", "Retained", "3.1.1", model.Info, "keeps 100 messages"),
			check("connect", "Dies", "5.0", model.Crash, "connection refused afterwards"),
			check("connect", "Listed", "5.0", model.KnownFailure, "issue 12 of theirs"),
			check("connect", "Mended", "5.0", model.Fixed, "remove it from the list"),
			check("connect", "Ours", "5.0", model.Inconclusive, "no port was free"),
			check("connect", "Shared", "5.0", model.Unsupported, "CONNACK says no"),
			check("connect", "Left out", "5.0", model.Skipped, ""),
			check("connect", "Loose", "5.0", model.Nonstrict, "closed without a reason code"),
		},
	}
	over := check("publish", "Retained", "5.0", model.Pass, "")
	over.Transport = "ws"
	r.Checks = append(r.Checks, over)
	r.Seal()
	return r
}

func TestGolden(t *testing.T) {
	var got bytes.Buffer
	if err := junit.Write(&got, record()); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/junit.xml"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./reports/junit -update", err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("JUnit file (-want +got):\n%s", diff)
	}
}

// TestCountsAgree reads the file as a CI server does and counts for itself.
func TestCountsAgree(t *testing.T) {
	var out bytes.Buffer
	if err := junit.Write(&out, record()); err != nil {
		t.Fatal(err)
	}
	type counts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	var got struct {
		counts
		Suites []struct {
			counts
			Cases []struct {
				Failure *string `xml:"failure"`
				Error   *string `xml:"error"`
				Skipped *string `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	var sum counts
	for _, s := range got.Suites {
		var own counts
		for _, c := range s.Cases {
			own.Tests++
			if c.Failure != nil {
				own.Failures++
			}
			if c.Error != nil {
				own.Errors++
			}
			if c.Skipped != nil {
				own.Skipped++
			}
		}
		if own != s.counts {
			t.Errorf("suite says %+v, its cases are %+v", s.counts, own)
		}
		sum.Tests += own.Tests
		sum.Failures += own.Failures
		sum.Errors += own.Errors
		sum.Skipped += own.Skipped
	}
	if want := (counts{Tests: 11, Failures: 3, Errors: 1, Skipped: 3}); sum != want || got.counts != want {
		t.Errorf("cases add up to %+v, file says %+v, want %+v", sum, got.counts, want)
	}
	if !strings.Contains(out.String(), `PUBACK \x00 \xff`) {
		t.Error("bytes that XML cannot hold are not shown as escapes")
	}
}

func TestErrors(t *testing.T) {
	if err := junit.Write(&bytes.Buffer{}, &model.Record{Kind: model.FleetRun}); err == nil {
		t.Error("a fleet record is rendered")
	}
	if err := junit.Write(full{}, record()); !errors.Is(err, errFull) {
		t.Errorf("error of the writer is lost: %v", err)
	}
}

var errFull = errors.New("disk full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
