package arrival

import (
	"math"
	"time"
)

// Stage changes the rate of everything that is due.
type Stage struct {
	// Start is when the change begins, from the start of the schedule, and Ramp how long it takes, evenly.
	Start, Ramp time.Duration
	// Rate is the factor on the rate after it. 0: nothing is due.
	Rate float64
}

// Stages are in order of their starts, and a ramp ends before the next one starts. Before the first the rate is 1.
type Stages []Stage

// never is later than any run.
const never = time.Duration(math.MaxInt64 / 2)

// At returns when, from the start of the schedule, the time of a Pace has come as far as paced.
func (s Stages) At(paced time.Duration) time.Duration {
	if len(s) == 0 {
		return paced
	}
	at, rate, left := 0.0, 1.0, paced.Seconds()
	for _, stage := range s {
		// At the old rate until the stage starts, then along its ramp.
		if w := (stage.Start.Seconds() - at) * rate; left <= w {
			return seconds(at, left/rate)
		} else {
			left -= w
		}
		at = stage.Start.Seconds()
		ramp := stage.Ramp.Seconds()
		if w := ramp * (rate + stage.Rate) / 2; left <= w && w > 0 {
			return seconds(at, along(left, rate, (stage.Rate-rate)/ramp))
		} else {
			left -= w
		}
		at, rate = at+ramp, stage.Rate
	}
	if rate == 0 {
		return never
	}
	return seconds(at, left/rate)
}

// along solves left = rate·t + slope·t²/2 for t, in the form that does not cancel.
func along(left, rate, slope float64) float64 {
	root := math.Sqrt(max(0, rate*rate+2*slope*left))
	return 2 * left / (rate + root)
}

func seconds(a, b float64) time.Duration { return time.Duration((a + b) * float64(time.Second)) }

// Mean returns the mean rate from the start of the schedule to end, 1 without stages.
func (s Stages) Mean(end time.Duration) float64 {
	if len(s) == 0 || end <= 0 {
		return 1
	}
	low, high := 0.0, 0.0
	for _, stage := range s {
		high = max(high, stage.Rate)
	}
	high = max(high, 1) * end.Seconds()
	for range 60 { // At is monotonic: find what is mapped to end
		middle := (low + high) / 2
		if s.At(time.Duration(middle*float64(time.Second))) < end {
			low = middle
		} else {
			high = middle
		}
	}
	return low / end.Seconds()
}
