package link

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ParseOutages reads a schedule of outages as given on a command line: entries
// separated by commas, each START+DURATION since the start of the link, with
// /PERIOD where it repeats and a leading ~ where packets are held instead of lost
// (a handover).
//
//	60s+30s            one outage of 30 s after a minute
//	60s+30s,~10s+2s/1m and every minute a handover of 2 s
//
// The error names every entry that cannot be read; whether the entries fit together
// is the business of Config.Validate.
func ParseOutages(schedule string) ([]Outage, error) {
	if strings.TrimSpace(schedule) == "" {
		return nil, nil
	}
	var all []Outage
	var wrong []error
	for entry := range strings.SplitSeq(schedule, ",") {
		o, err := parseOutage(strings.TrimSpace(entry))
		if err != nil {
			wrong = append(wrong, fmt.Errorf("outage %q: %w", entry, err))
		}
		all = append(all, o)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return all, nil
}

func parseOutage(s string) (o Outage, err error) {
	s, o.Hold = strings.CutPrefix(s, "~")
	start, rest, ok := strings.Cut(s, "+")
	if !ok {
		return o, errors.New("want START+DURATION or START+DURATION/PERIOD, such as 60s+30s/10m")
	}
	duration, period, repeats := strings.Cut(rest, "/")
	var errStart, errDuration, errPeriod error
	o.Start, errStart = time.ParseDuration(start)
	o.Duration, errDuration = time.ParseDuration(duration)
	if repeats {
		o.Every, errPeriod = time.ParseDuration(period)
	}
	return o, errors.Join(errStart, errDuration, errPeriod)
}
