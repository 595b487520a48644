package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Millis is a time span that JSON shows in milliseconds, with microseconds behind the
// point. Convert from and to time.Duration.
type Millis time.Duration

// Duration converts back.
func (m Millis) Duration() time.Duration { return time.Duration(m) }

// MarshalJSON writes milliseconds, rounded to whole microseconds.
func (m Millis) MarshalJSON() ([]byte, error) {
	us := time.Duration(m).Round(time.Microsecond).Microseconds()
	sign := ""
	if us < 0 {
		sign, us = "-", -us
	}
	out := fmt.Appendf(nil, "%s%d.%03d", sign, us/1000, us%1000)
	return bytes.TrimSuffix(bytes.TrimRight(out, "0"), []byte(".")), nil
}

// UnmarshalJSON reads milliseconds. A span beyond the range of time.Duration (292 years) is refused.
func (m *Millis) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	ms, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return fmt.Errorf("time span in milliseconds: %w", err)
	}
	us := math.Round(ms * 1000)
	if math.Abs(us) > math.MaxInt64/1000 {
		return fmt.Errorf("time span of %s ms is out of range", b)
	}
	*m = Millis(time.Duration(us) * time.Microsecond)
	return nil
}

// Encode returns the record as JSON, ending in a newline. It seals and validates
// first. The same record gives the same bytes.
func (r *Record) Encode() ([]byte, error) {
	r.Seal()
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(r); err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return buf.Bytes(), nil
}
