package markdown_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"mqttlab/reports/compare"
	"mqttlab/reports/markdown"
	"mqttlab/reports/model"
)

func TestComparison(t *testing.T) {
	shift := compare.Shift{P: 0.99, A: 100 * time.Millisecond, B: 120 * time.Millisecond, Diff: 20 * time.Millisecond, Low: 10 * time.Millisecond, High: 30 * time.Millisecond, Verdict: compare.Slower}
	tail := compare.Shift{P: 0.999, A: time.Second, B: time.Second, Verdict: compare.NotJudged, More: 7}
	r := &compare.Result{
		A: compare.Side{Title: "old | <b>", Runs: 5}, B: compare.Side{Title: "new", Runs: 1}, Verdict: compare.Slower, Warnings: []string{"modes differ"},
		Options: compare.Options{Margin: 0.05, Confidence: 0.95, Resamples: 2000, Seed: 3},
		Latency: []compare.Latency{
			{Group: "soil", Path: model.ToAck, Verdict: compare.Slower, Shifts: []compare.Shift{shift, tail}},
			{Group: "quiet", Path: model.ToAck, Verdict: compare.Same},
		},
		Delivery: []compare.Delivery{{Group: "soil", QoS: 1, A: compare.Wilson(99, 100, 0.95), B: compare.Wilson(50, 100, 0.95), Verdict: compare.DeliversLess}},
		Cost:     &compare.Cost{A: 20 * time.Microsecond, B: 30 * time.Microsecond, Ratio: compare.Ratio{Shift: 0.5, Verdict: compare.NotJudged}},
		Groups: []compare.GroupFigure{
			{Group: "soil", What: compare.Energy, A: 0.25, B: 0.5, Ratio: compare.Ratio{Shift: 1, Low: 0.9, High: 1.1, Verdict: compare.CostsMore}},
			{Group: "soil", What: compare.Back, LateB: 2, Ratio: compare.Ratio{RunsA: 5, RunsB: 5, Verdict: compare.NotJudged}},
		},
	}
	var b strings.Builder
	if err := markdown.Comparison(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"## ❌ Comparison: B is slower than A: 20 ms", "- **A** old &#124; &lt;b&gt;, 5 runs", "- **B** new, 1 run\n", "- note: modes differ",
		"<details open><summary>❌ soil, publish-to-ack", "<details><summary>✅ quiet",
		"| p99 | 100 ms | 120 ms | +20.0 % | +10.0 to +30.0 % | ❌ slower by", "| p99.9 | 1 s | 1 s | +0.0 % |  | not judged (needs 7 more messages) |",
		"| soil | 1 | 99.000 % (94.551 to 99.823) | 50.000 %", "❌ delivers less |", "20.0 µs and 30.0 µs per message",
		"\n- ❌ soil, energy per message that arrived: 0.25 J and 0.5 J, B +100.0 % (+90.0 % to +110.0 %): costs more\n",
		"\n- soil, time until 95 % were back: not by the end in 0 of 5 and 2 of 5 runs: not judged\n", "margin ±5 %, 95 % intervals, 2000 resamples, seed 3",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &b)
		}
	}
}

func TestChanges(t *testing.T) {
	a, b := conformance(2), conformance(1500)
	b.Checks = b.Checks[:len(b.Checks)-1] // Older is gone
	for i := range a.Checks {
		if a.Checks[i].Name == "Dies" {
			a.Checks[i].Verdict = model.Pass
		}
		if a.Checks[i].Name == "Fine" {
			a.Checks[i].Verdict = model.Fail
		}
	}
	c, err := compare.Conformance(a, b)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := markdown.Changes(&text, c); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"## ❌ Conformance: 1498 verdicts changed for the worse", "- **A** broker\n",
		"| worse | absent | ❌ fail | publish/BothBits10 | 5.0 | a &#124; b &lt;/details&gt; @\u200bteam", "| better | ❌ fail | ✅ pass | publish/Fine | 5.0 |",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%.2000s", want, &text)
		}
	}
	for range 40_000 {
		c.Changed = append(c.Changed, c.Changed[0])
	}
	text.Reset()
	if err := markdown.Changes(&text, c); err != nil || text.Len() > markdown.Limit || !strings.Contains(text.String(), "There is no room here for") {
		t.Errorf("%d bytes of %d, error %v", text.Len(), markdown.Limit, err)
	}
	if err := markdown.Changes(io.Discard, &compare.Changes{}); err != nil {
		t.Error(err)
	}
}
