package scenario

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const faulty = smallest + `
  - {name: rock, count: 4, interval: 1s}
faults:
  - {kind: battery-pull, groups: [rock], share: 0.5, start: 30s, duration: 10s, spread: 5s}
  - {kind: clock-drift, drift_ppm: 20}
  - {kind: duplicate-client-id, share: 0.01}
`

func TestFaultsAreRead(t *testing.T) {
	s, err := Parse("f.yaml", []byte(faulty))
	if err != nil {
		t.Fatal(err)
	}
	want := []Fault{
		{Kind: BatteryPull, Groups: []string{"rock"}, Share: 0.5, Start: 30 * time.Second, Duration: 10 * time.Second, Spread: 5 * time.Second, DriftPPM: 50},
		{Kind: ClockDrift, Share: 1, DriftPPM: 20},
		{Kind: DuplicateClientID, Share: 0.01, DriftPPM: 50},
	}
	if diff := cmp.Diff(want, s.Faults); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !s.Faults[0].Strikes("rock") || s.Faults[0].Strikes("soil") || !s.Faults[1].Strikes("soil") {
		t.Error("a fault is for the groups it names, or for all")
	}
}

func TestMistakesInFaults(t *testing.T) {
	_, err := Parse("f.yaml", []byte(smallest+`faults:
  - {kind: battery-pul}
  - {start: 1s}
  - {kind: outage, groups: [soyl], start: 3h}
  - {kind: clock-drift, start: 3s, spread: 1s, duration: 1s}
  - {kind: duplicate-client-id, drift_ppm: 3}
  - {kind: outage, shares: 1}
`))
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, want := range []string{
		`f.yaml:9: faults[0].kind: "battery-pul" is not one of battery-pull, cable-unplug, outage`,
		"f.yaml:10: faults[1].kind: is missing: what goes wrong?",
		`f.yaml:11: faults[2].groups: there is no group "soyl": did you mean "soil"?`,
		"f.yaml:11: faults[2].start: 3h is after the end of the run, which is at 2m10s",
		"f.yaml:12: faults[3].start: clock-drift is there for the whole run: leave it out",
		"faults[3].spread: clock-drift", "faults[3].duration: clock-drift",
		"f.yaml:13: faults[4].drift_ppm: is of clock-drift only",
		"f.yaml:13: faults[4].share: of duplicate-client-id is 1: at most 0.5",
		`f.yaml:14: faults[5].shares: unknown key: did you mean "share"?`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no mistake %q in\n%v", want, err)
		}
	}
}

// TestOneMistakeIsToldOnce: what follows from a wrong duration is no mistake of its own.
func TestOneMistakeIsToldOnce(t *testing.T) {
	_, err := Parse("f.yaml", []byte(strings.Replace(smallest, "2m", "2 min", 1)+"stages: [{start: 1m, rate: 2}]\nfaults: [{kind: outage, start: 1m}]\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "f.yaml:3: duration: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("want one mistake:\n%v", err)
	}
}
