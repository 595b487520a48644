package link

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseOutages(t *testing.T) {
	for _, test := range []struct {
		schedule string
		want     []Outage
	}{
		{"", nil},
		{"60s+30s", []Outage{{Start: time.Minute, Duration: 30 * time.Second}}},
		{"1m+30s/10m, ~10s+2s/1m", []Outage{
			{Start: time.Minute, Duration: 30 * time.Second, Every: 10 * time.Minute},
			{Start: 10 * time.Second, Duration: 2 * time.Second, Every: time.Minute, Hold: true},
		}},
	} {
		got, err := ParseOutages(test.schedule)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q: %+v, %v, want %+v", test.schedule, got, err, test.want)
		}
	}
}

func TestParseOutagesNamesEveryMistake(t *testing.T) {
	_, err := ParseOutages("60+30s,5s,1s+1s,1s+1s/x")
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{`"60+30s"`, "missing unit", `"5s"`, "want START+DURATION", `"1s+1s/x"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: does not say %s", err, want)
		}
	}
}

// FuzzParseOutages checks that what is accepted has one outage per entry.
func FuzzParseOutages(f *testing.F) {
	f.Add("60s+30s,~10s+2s/1m")
	f.Fuzz(func(t *testing.T, schedule string) {
		all, err := ParseOutages(schedule)
		if err == nil && len(all) > 0 && len(all) != strings.Count(schedule, ",")+1 {
			t.Errorf("%q gives %d outages", schedule, len(all))
		}
	})
}
