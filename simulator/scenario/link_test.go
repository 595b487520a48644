package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/netem/link"
	"mqttlab/netem/profile"
)

const begins = `name: radio
duration: 10s
groups:
  - name: a
    count: 1
    interval: 1s
    link:
`

const everyFigure = begins + `
      up:
        delay_quantiles: [20ms, 25ms, 80ms]
        four_state: {gap_to_burst: 0.01, burst_to_gap: 0.3, burst_to_pause: 0.2, pause_to_burst: 0.25, gap_to_single_loss: 0.005}
        corrupt_ratio: 0.001
        bit_error_ratio: 1e-6
        mtu_bytes: 1280
        fragment_bytes: 96
        slots: {interval: 100ms, starts: [0s, 50ms], bytes: 250}
        queue_bytes: 8192
        sleep: {interval: 1h, window: 10s, awake_after_traffic: 10s, after_traffic: true, discard: true}
      down:
        loss_ratio: 0.02
        loss_burst_packets: 3
        rate_bits_per_second: 1e6
        duty_cycle_ratio: 0.1
        codel: {target: 20ms, interval: 200ms}
        trace: {repeat: 1m, rows: [{delay: 10ms}, {at: 30s, delay: 1s, loss_ratio: 0.5}]}
`

func TestEveryFigureOfALinkIsRead(t *testing.T) {
	s, err := Parse("radio.yaml", []byte(everyFigure))
	if err != nil {
		t.Fatal(err)
	}
	const ms = time.Millisecond
	want := Link{
		Up: link.Config{
			DelayQuantiles: []time.Duration{20 * ms, 25 * ms, 80 * ms},
			FourState:      link.FourState{GapToBurst: 0.01, BurstToGap: 0.3, BurstToPause: 0.2, PauseToBurst: 0.25, GapToSingleLoss: 0.005},
			CorruptRatio:   0.001, BitErrorRatio: 1e-6, MTUBytes: 1280, FragmentBytes: 96, QueueBytes: 8192,
			Slots: link.Slots{Interval: 100 * ms, Starts: []time.Duration{0, 50 * ms}, Bytes: 250},
			Sleep: link.Sleep{Interval: time.Hour, Window: 10 * time.Second, AwakeAfterTraffic: 10 * time.Second, AfterTraffic: true, Discard: true},
		},
		Down: link.Config{
			LossRatio: 0.02, LossBurstPackets: 3, RateBitsPerSecond: 1e6, DutyCycleRatio: 0.1,
			CoDel: link.CoDel{Target: 20 * ms, Interval: 200 * ms},
			Trace: link.Trace{Repeat: time.Minute, Rows: []link.TraceRow{{Delay: 10 * ms}, {At: 30 * time.Second, Delay: time.Second, LossRatio: 0.5}}},
		},
	}
	if diff := cmp.Diff(want, s.Groups[0].Link); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	readsBack(t, s)
}

// readsBack checks that the resolved form says the same, on its own.
func readsBack(t *testing.T, s *Scenario) {
	t.Helper()
	out, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("elsewhere/resolved.yaml", []byte(out))
	if err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if diff := cmp.Diff(s, again); diff != "" {
		t.Errorf("(-parsed +again)\n%s", diff)
	}
}

func TestTracesAreReadFromFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cell.csv": "time_seconds,rate_bits_per_second\n0,375000\n10,64000\n",
		"up.trace": "0\n5\n100\n",
		"bad.csv":  "time_seconds,rate\n0,1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parse := func(links string) (*Scenario, error) {
		return Parse(filepath.Join(dir, "radio.yaml"), []byte(begins+links))
	}
	s, err := parse("      up: {slots: {mahimahi_file: up.trace}}\n      down: {trace: {file: cell.csv, repeat: 20s}}\n")
	if err != nil {
		t.Fatal(err)
	}
	l := s.Groups[0].Link
	if got := l.Up.Slots; got.Bytes != link.MahimahiBytes || got.Interval != 100*time.Millisecond || len(got.Starts) != 3 {
		t.Errorf("slots %+v", got)
	}
	if got := l.Down.Trace; got.Repeat != 20*time.Second || len(got.Rows) != 2 || got.Rows[1].RateBitsPerSecond != 64e3 {
		t.Errorf("trace %+v", got)
	}
	readsBack(t, s)
	_, err = parse(`      up: {slots: {mahimahi_file: ../up.trace}, trace: {file: bad.csv}, sleep: {windw: 1s}}
      down: {slots: {mahimahi_file: up.trace, bytes: 3}, trace: {file: cell.csv, rows: [{delay: 1s}]}}
`)
	for _, want := range []string{
		"up.slots: ", "files must be in the scenario's folder", `up.trace: bad.csv: column "rate" is unknown`, `windw: unknown key`, `"window"`,
		"mahimahi_file excludes the other keys", "file and rows exclude each other",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// TestLinksOfTheirOwn writes out every radio and reads it back.
func TestLinksOfTheirOwn(t *testing.T) {
	for _, radio := range profile.All() {
		for _, p := range []string{radio.Name, radio.Name + ":bad"} {
			r, err := profile.Lookup(p)
			if err != nil {
				continue // a perfect link is never bad
			}
			l := Link{Up: r.Up, Down: r.Down, MTUBytes: r.MTUBytes}
			text, err := l.YAML()
			if err != nil {
				t.Fatal(err)
			}
			again, err := ParseLink(p+".yaml", []byte(text))
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			if diff := cmp.Diff(l, again); diff != "" {
				t.Errorf("%s (-written +read)\n%s", p, diff)
			}
		}
	}
	_, err := ParseLink("my.yaml", []byte("up: {loss_ratio: 2, dellay: 1s}\nmtu_bytes: 5\n"))
	for _, want := range []string{"my.yaml:1: up.loss_ratio: 2 is out of range", `up.dellay: unknown key`, `"delay"`, "my.yaml:2: mtu_bytes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
