package scenario

import (
	"regexp"
	"testing"
	"time"
)

// TestSpansAreWrittenAsPeopleDo holds what is printed, that it reads back, and that the schema takes it.
func TestSpansAreWrittenAsPeopleDo(t *testing.T) {
	pattern := regexp.MustCompile(durationPattern)
	for d, want := range map[time.Duration]string{
		0: "0s", 90 * time.Second: "1m30s", 15 * time.Minute: "15m", time.Hour + 10*time.Minute: "1h10m", 24 * time.Hour: "24h", 36 * time.Hour: "36h",
		48 * time.Hour: "2d", 168 * time.Hour: "7d", 180 * time.Hour: "7d12h", 48*time.Hour + 1500*time.Millisecond: "2d1.5s",
	} {
		got := Span(d)
		back, err := parseSpan(got)
		if got != want || back != d || err != nil || !pattern.MatchString(got) {
			t.Errorf("%v is written %q and read back as %v, %v; want %q", d, got, back, err, want)
		}
	}
	for _, s := range []string{"d", "1.5d", "-1d", "7d-1h", "7d 1h", "1h2d", "2d2d", "99999d", "7dd"} {
		if d, err := parseSpan(s); err == nil {
			t.Errorf("%q is read as %v", s, d)
		}
		if pattern.MatchString(s) && s != "99999d" {
			t.Errorf("the schema takes %q", s)
		}
	}
	if d, err := parseSpan("168h"); d != 168*time.Hour || err != nil {
		t.Errorf("168h is %v, %v", d, err)
	}
}
