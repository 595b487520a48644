package link

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseMahimahi(t *testing.T) {
	got, err := ParseMahimahi(strings.NewReader("0\n5\r\n5\n100"))
	want := Slots{Interval: 100 * ms, Starts: []time.Duration{0, 5 * ms, 5 * ms, 100 * ms}, Bytes: MahimahiBytes}
	if err != nil || got.Interval != want.Interval || got.Bytes != want.Bytes || !slices.Equal(got.Starts, want.Starts) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

func TestParseTrace(t *testing.T) {
	for name, test := range map[string]struct {
		file string
		want []TraceRow
	}{
		"all columns": {
			"time_seconds,rate_bits_per_second,delay_milliseconds,loss_ratio\n0,375000,40,0.001\n12.5, 64e3, 180.5, 0.03\n",
			[]TraceRow{
				{RateBitsPerSecond: 375e3, Delay: 40 * ms, LossRatio: 0.001},
				{At: 12500 * ms, RateBitsPerSecond: 64e3, Delay: 180500 * time.Microsecond, LossRatio: 0.03},
			},
		},
		"other order": {"loss_ratio, time_seconds\n0.5,0\n0,1", []TraceRow{{LossRatio: 0.5}, {At: time.Second}}},
	} {
		got, err := ParseTrace(strings.NewReader(test.file))
		if err != nil || got.Repeat != 0 || !slices.Equal(got.Rows, test.want) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, test.want)
		}
	}
}

func TestParseTraceFilesNameEveryMistake(t *testing.T) {
	mahimahi := func(s string) error { _, err := ParseMahimahi(strings.NewReader(s)); return err }
	csv := func(s string) error { _, err := ParseTrace(strings.NewReader(s)); return err }
	for _, test := range []struct {
		parse func(string) error
		file  string
		want  []string
	}{
		{mahimahi, "", []string{"the trace is empty"}},
		{mahimahi, "0\n0\n", []string{"lasts 0 ms"}},
		{mahimahi, "5\n\n3\nsoon\n-1", []string{"line 2: is empty", "line 3: 3 ms is before the 5 ms", `line 4: "soon"`, `line 5: "-1"`}},
		{mahimahi, "99999999999999999999", []string{"not a time in whole milliseconds"}},
		{mahimahi, strings.Repeat("x", 1<<17), []string{"read the trace: "}},
		{csv, "", []string{"the first line must name the columns time_seconds,"}},
		{csv, "time_seconds\n0\n", []string{"add some of the columns"}},
		{csv, "time,rate_bits_per_second\n", []string{`column "time" is unknown: use time_seconds`, "column time_seconds is missing"}},
		{csv, "time_seconds,loss_ratio,loss_ratio\n", []string{`column "loss_ratio" is there twice`}},
		{csv, "time_seconds,loss_ratio\n", []string{"no rows"}},
		{csv, "time_seconds,loss_ratio\n0,high\n,0\n1e300,0\n", []string{`line 2, column 2: "high"`, `line 3, column 1: ""`, `line 4, column 1: "1e300"`}},
		{csv, "time_seconds,loss_ratio\n1,0\n\n1,2\n", []string{"line 2: At is 1s: must be 0", "line 4: At is 1s: must be later", "line 4: LossRatio is 2"}},
		{csv, "time_seconds,loss_ratio\n0,0,0\n", []string{"line 2", "wrong number of fields"}},
		{csv, "time_seconds,rate_bits_per_second\n0,-5\n1,0.25\n2,1e30\n", []string{"line 2: RateBitsPerSecond is -5", "line 3: RateBitsPerSecond is 0.25: below", "line 4: RateBitsPerSecond is 1e+30: above"}},
	} {
		err := test.parse(test.file)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.60q: want %q, got %v", test.file, want, err)
			}
		}
	}
}

// FuzzParseMahimahi checks that every trace that is accepted makes a link that
// delivers, and never sooner than the packet was sent.
func FuzzParseMahimahi(f *testing.F) {
	f.Add("0\n5\n5\n100\n", uint16(20))
	f.Add("1", uint16(1))
	f.Fuzz(func(t *testing.T, file string, step uint16) {
		if s, err := ParseMahimahi(strings.NewReader(file)); err == nil {
			delivers(t, Config{Slots: s}, time.Duration(step)*ms)
		}
	})
}

// FuzzParseTrace is FuzzParseMahimahi for traces as CSV.
func FuzzParseTrace(f *testing.F) {
	f.Add("time_seconds,rate_bits_per_second,delay_milliseconds,loss_ratio\n0,375000,40,0.001\n12.5,64e3,180,0.03\n", uint16(500), false)
	f.Add("time_seconds,rate_bits_per_second\n0,10\n1,0\n", uint16(500), true)
	f.Fuzz(func(t *testing.T, file string, step uint16, repeat bool) {
		trace, err := ParseTrace(strings.NewReader(file))
		if err != nil {
			return
		}
		if last := trace.Rows[len(trace.Rows)-1]; repeat || last.RateBitsPerSecond == 0 {
			trace.Repeat = last.At + time.Second
		}
		delivers(t, Config{Trace: trace}, time.Duration(step)*ms)
	})
}

// delivers sends packets and checks that they arrive in order, after they are sent.
func delivers(t *testing.T, c Config, step time.Duration) {
	t.Helper()
	l := mustLink(t, c, 1)
	last := time.Duration(0)
	for i := range 50 {
		now := time.Duration(i) * step
		f := l.Admit(now, 1+i*40)
		if f.Drop == DropLoss {
			continue
		}
		if f.Drop != Delivered || f.At < now || f.At < last {
			t.Fatalf("packet %d sent at %v: %+v, the one before it at %v", i, now, f, last)
		}
		last = f.At
	}
}
