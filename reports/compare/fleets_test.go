package compare_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reports/compare"
	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

// fleet makes the record of one run: 200 devices that send 60 messages each, with latencies of the given
// median, and deliver the given share.
func fleet(t testing.TB, seed uint64, median time.Duration, lost int64) *model.Record {
	t.Helper()
	const devices, each = 200, 60
	rng := rand.New(rand.NewPCG(seed, 1))
	rec := latency.NewRecorder(devices)
	for d := range devices {
		luck := 0.02 * rng.NormFloat64()
		for range each {
			rec.Record(d, time.Duration(float64(median)*math.Exp(luck+0.3*rng.NormFloat64())))
		}
	}
	l, err := rec.Latency(model.Intended, model.ToAck)
	if err != nil {
		t.Fatal(err)
	}
	r := &model.Record{
		Kind: model.FleetRun, Target: model.Target{Name: "broker"},
		Fleet: &model.Fleet{
			Scenario: model.Scenario{Name: "meters", Text: "x"}, Mode: model.Virtual, Validity: model.Validity{Valid: true},
			Groups: []model.Group{{
				Name: "meters", Devices: devices, Latency: []model.Latency{l},
				Ledger: []model.Ledger{{QoS: 1, Sent: devices * each, Delivered: devices*each - lost, Lost: lost}},
			}},
		},
	}
	r.Seal()
	return r
}

func one(r *model.Record) []*model.Record { return []*model.Record{r} }

func TestVerdictsOfFleets(t *testing.T) {
	base := fleet(t, 1, 40*time.Millisecond, 0)
	for name, c := range map[string]struct {
		b      *model.Record
		margin float64
		want   compare.Verdict
		says   string
	}{
		"itself":        {base, 0.1, compare.Same, "same as A within ±10 %"},
		"another run":   {fleet(t, 2, 40*time.Millisecond, 0), 0.1, compare.Same, "same as A"},
		"noisy tail":    {fleet(t, 2, 40*time.Millisecond, 0), 0, compare.NotEnough, "at p99.9 of meters (publish-to-ack)"},
		"slower":        {fleet(t, 3, 48*time.Millisecond, 0), 0, compare.Slower, "B is slower than A"},
		"faster":        {fleet(t, 4, 32*time.Millisecond, 0), 0, compare.Faster, "B is faster than A"},
		"delivers less": {fleet(t, 5, 40*time.Millisecond, 100), 0, compare.DeliversLess, "fewer"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := compare.Fleets(one(base), one(c.b), compare.Options{Margin: c.margin, Resamples: 500})
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			if err := got.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			if got.Verdict != c.want || !strings.Contains(text.String(), c.says) {
				t.Errorf("verdict is %q, want %q saying %q:\n%s", got.Verdict, c.want, c.says, &text)
			}
			if got.Latency[0].Unit != compare.Devices || len(got.Warnings) == 0 {
				t.Errorf("one run per arm: unit is %s and warnings are %q", got.Latency[0].Unit, got.Warnings)
			}
			again, err := compare.Fleets(one(base), one(c.b), compare.Options{Margin: c.margin, Resamples: 500})
			if err != nil || cmp.Diff(got, again) != "" {
				t.Errorf("the same seed gives another result (%v)", err)
			}
		})
	}
}

func TestRunsAreTheUnitWhenThereAreEnough(t *testing.T) {
	var a, b []*model.Record
	for i := range uint64(compare.MinUnits) {
		a = append(a, fleet(t, 10+i, 40*time.Millisecond, 0))
		b = append(b, fleet(t, 20+i, 52*time.Millisecond, 0))
	}
	got, err := compare.Fleets(a, b, compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := got.Latency[0]
	if l.Unit != compare.Runs || l.UnitsA != compare.MinUnits || got.Verdict != compare.Slower {
		t.Errorf("unit %s (%d), verdict %s", l.Unit, l.UnitsA, got.Verdict)
	}
	last := l.Shifts[len(l.Shifts)-1]
	if last.P != 0.999 || last.Verdict == compare.NotJudged {
		t.Errorf("60000 messages do not reach %v: %v", last.P, last.Verdict)
	}
	for _, s := range l.Shifts {
		if s.Low > s.Diff || s.Diff > s.High {
			t.Errorf("p%v: %v is not within %v to %v", 100*s.P, s.Diff, s.Low, s.High)
		}
	}
}

func TestTooLittleData(t *testing.T) {
	small := func(seed uint64, devices int) *model.Record {
		r := fleet(t, seed, 40*time.Millisecond, 0)
		rec := latency.NewRecorder(devices)
		rng := rand.New(rand.NewPCG(seed, 9))
		for d := range devices {
			for range 5 {
				rec.Record(d, time.Duration(rng.ExpFloat64()*float64(time.Second)))
			}
		}
		l, err := rec.Latency(model.Intended, model.ToAck)
		if err != nil {
			t.Fatal(err)
		}
		r.Fleet.Groups[0].Latency, r.Fleet.Groups[0].Devices = []model.Latency{l}, devices
		return r
	}
	for devices, says := range map[int]string{3: "at least 5 blocks of devices", 20: "more devices per arm would decide"} {
		got, err := compare.Fleets(one(small(1, devices)), one(small(2, devices)), compare.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Verdict != compare.NotEnough || !strings.Contains(got.Headline(), says) {
			t.Errorf("%d devices: %s, %q", devices, got.Verdict, got.Headline())
		}
		if s := got.Latency[0].Shifts; s[len(s)-1].Verdict != compare.NotJudged {
			t.Errorf("p99.9 of %d messages is judged: %+v", devices*5, s[len(s)-1])
		}
	}
}

func TestRefusals(t *testing.T) {
	good, invalid, uneven := fleet(t, 1, time.Second, 0), fleet(t, 1, time.Second, 0), fleet(t, 1, time.Second, 0)
	invalid.Fleet.Validity = model.Validity{Reason: "timers were 80 ms late"}
	uneven.Fleet.Groups[0].Latency[0].Blocks = uneven.Fleet.Groups[0].Latency[0].Blocks[:9]
	broken := fleet(t, 1, time.Second, 0)
	broken.Fleet.Groups[0].Latency[0].Blocks[0].HDR = "x"
	for name, c := range map[string]struct {
		a, b []*model.Record
		says string
	}{
		"nothing":     {nil, one(good), "arm A has no record"},
		"other kind":  {one(good), one(&model.Record{Kind: model.Conformance}), "record 1 of arm B is of kind conformance"},
		"invalid":     {one(invalid), one(good), "timers were 80 ms late"},
		"uneven runs": {[]*model.Record{good, uneven}, one(good), "9 blocks of devices"},
		"broken":      {one(good), one(broken), "decode histogram"},
	} {
		_, err := compare.Fleets(c.a, c.b, compare.Options{})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error is %v, want %q", name, err, c.says)
		}
	}
	if _, err := compare.Fleets(one(invalid), one(good), compare.Options{}); !errors.Is(err, compare.ErrInvalidRun) {
		t.Errorf("an invalid run gives %v", err)
	}
}

func TestWarnings(t *testing.T) {
	a, b := fleet(t, 1, time.Second, 0), fleet(t, 1, time.Second, 0)
	b.Fleet.Mode, b.Fleet.Scenario.Text, b.Fleet.Groups[0].Name = model.Live, "y", "other"
	got, err := compare.Fleets(one(a), one(b), compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(got.Warnings, "\n")
	for _, want := range []string{"modes differ", "scenarios differ", `"other" is only in B`, `"meters" is only in A`} {
		if !strings.Contains(all, want) {
			t.Errorf("no warning %q in:\n%s", want, all)
		}
	}
	if got.Verdict != compare.NotEnough {
		t.Errorf("nothing in common, and the verdict is %s", got.Verdict)
	}
}

func TestAnotherSeedIsTheSameScenario(t *testing.T) {
	a, b := fleet(t, 1, time.Second, 0), fleet(t, 2, time.Second, 0)
	a.Fleet.Scenario.Text, b.Fleet.Scenario.Text = "name: x\nseed: 1\ngroups: []\n", "name: x\nseed: 2\ngroups: []\n"
	got, err := compare.Fleets(one(a), one(b), compare.Options{Resamples: 50})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range got.Warnings {
		if strings.Contains(w, "scenarios differ") {
			t.Errorf("two seeds of a scenario give the warning %q", w)
		}
	}
}

func TestConformanceChanges(t *testing.T) {
	record := func(verdicts map[string]model.Verdict) *model.Record {
		r := &model.Record{Kind: model.Conformance}
		for name, v := range verdicts {
			r.Checks = append(r.Checks, model.Check{Name: name, MQTT: "5.0", Verdict: v, Reason: "because"})
		}
		r.Seal()
		return r
	}
	got, err := compare.Conformance(
		record(map[string]model.Verdict{"Stays": model.Pass, "Breaks": model.Pass, "Heals": model.Fail, "Gone": model.Pass, "Loosens": model.Pass}),
		record(map[string]model.Verdict{"Stays": model.Pass, "Breaks": model.Fail, "Heals": model.Pass, "New": model.Crash, "Loosens": model.Nonstrict}),
	)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range got.Changed {
		lines = append(lines, fmt.Sprintf("%s %s>%s", c.Name, c.Before, c.After))
	}
	want := []string{"Breaks pass>fail", "New >crash", "Heals fail>pass", "Gone pass>", "Loosens pass>nonstrict"}
	if diff := cmp.Diff(want, lines); diff != "" || got.Unchanged != 1 || got.Worse() != 2 {
		t.Errorf("unchanged %d, worse %d, changes (-want +got):\n%s", got.Unchanged, got.Worse(), diff)
	}
	var text strings.Builder
	if err := got.WriteText(&text); err != nil || !strings.Contains(text.String(), "absent -> crash") {
		t.Errorf("text (%v):\n%s", err, &text)
	}
	if _, err := compare.Conformance(record(nil), &model.Record{Kind: model.FleetRun}); err == nil {
		t.Error("a fleet record is compared as conformance")
	}
}

// TestConformanceTellsAreasApart has two checks of one name, as areas may.
func TestConformanceTellsAreasApart(t *testing.T) {
	r := &model.Record{Kind: model.Conformance, Checks: []model.Check{
		{Area: "qos", Name: "Twice", MQTT: "5.0", Verdict: model.Pass},
		{Area: "will", Name: "Twice", MQTT: "5.0", Verdict: model.Fail},
	}}
	r.Seal()
	if got, err := compare.Conformance(r, r); err != nil || len(got.Changed) != 0 || got.Unchanged != 2 {
		t.Errorf("a record differs from itself: %+v, %v", got, err)
	}
}

// TestConformanceAndTransports keeps the rows of a record with several transports apart, and does not mind that two records have one each.
func TestConformanceAndTransports(t *testing.T) {
	record := func(verdicts map[string]model.Verdict) *model.Record {
		r := &model.Record{Kind: model.Conformance}
		for over, v := range verdicts {
			r.Checks = append(r.Checks, model.Check{Area: "will", Name: "Delay", MQTT: "5.0", Transport: over, Verdict: v})
		}
		r.Seal()
		return r
	}
	tcp, ws := record(map[string]model.Verdict{"": model.Pass}), record(map[string]model.Verdict{"ws": model.Fail})
	both := record(map[string]model.Verdict{"": model.Pass, "ws": model.Pass})
	for _, tt := range []struct {
		a, b *model.Record
		want []string
	}{
		{both, both, nil},
		{tcp, ws, []string{"5.0 over ws pass>fail"}},
		{both, ws, []string{"5.0 over ws pass>fail", "5.0 pass>"}},
		{tcp, both, []string{"5.0 over ws >pass"}},
	} {
		got, err := compare.Conformance(tt.a, tt.b)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, c := range got.Changed {
			lines = append(lines, fmt.Sprintf("%s %s>%s", c.MQTT, c.Before, c.After))
		}
		if diff := cmp.Diff(tt.want, lines); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
	}
}

func TestWilson(t *testing.T) {
	// 81 of 263, from Newcombe's paper of 1998: 0.2553 to 0.3662.
	if p := compare.Wilson(81, 263, 0.95); math.Abs(p.Low-0.2553) > 1e-4 || math.Abs(p.High-0.3662) > 1e-4 {
		t.Errorf("81 of 263: %v", p)
	}
	if p := compare.Wilson(10, 10, 0.95); p.High != 1 || p.Low < 0.69 || p.Low > 0.73 {
		t.Errorf("10 of 10: %v", p)
	}
	if p := compare.Wilson(0, 0, 0.95); p.Low != 0 || p.High != 1 {
		t.Errorf("0 of 0: %v", p)
	}
}

func BenchmarkFleets(b *testing.B) {
	x, y := fleet(b, 1, 40*time.Millisecond, 0), fleet(b, 2, 40*time.Millisecond, 0)
	for b.Loop() {
		if _, err := compare.Fleets(one(x), one(y), compare.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
