package link

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// MahimahiBytes is what one delivery opportunity of a Mahimahi trace carries.
const MahimahiBytes = 1504

// Limits of trace files. What is longer is refused instead of kept in memory.
const (
	mostTraceLines    = 4 << 20
	mostTraceMistakes = 10
)

// ParseMahimahi reads a packet delivery trace in the format of Mahimahi (Netravali
// et al., Mahimahi: Accurate Record-and-Replay for HTTP, USENIX ATC 2015): on each
// line a time in milliseconds at which MahimahiBytes can be delivered, never
// decreasing. The last time is also the period after which the trace repeats. As
// there, packets share opportunities, an opportunity that nobody waits for is
// lost, and one in the very millisecond in which a packet comes is too early for it.
//
// The error names up to ten lines that are wrong.
func ParseMahimahi(r io.Reader) (Slots, error) {
	s := Slots{Bytes: MahimahiBytes}
	var v mistakes
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan() && len(v) < mostTraceMistakes; n++ {
		if n > mostTraceLines {
			v.add("line %d: more than %d opportunities, cut the trace", n, mostTraceLines)
			break
		}
		at, err := parseOpportunity(lines.Text())
		switch {
		case err != nil:
			v.add("line %d: %w", n, err)
		case at < s.Interval:
			v.add("line %d: %d ms is before the %d ms of an earlier line", n, at.Milliseconds(), s.Interval.Milliseconds())
		default:
			s.Starts = append(s.Starts, at)
			s.Interval = at
		}
	}
	switch {
	case lines.Err() != nil:
		v.add("read the trace: %w", lines.Err())
	case len(v) == 0 && len(s.Starts) == 0:
		v.add("the trace is empty: want a time in milliseconds on each line")
	case len(v) == 0 && s.Interval == 0:
		v.add("the trace lasts 0 ms: its last line is its period")
	}
	if len(v) > 0 {
		return Slots{}, errors.Join(v...)
	}
	return s, nil
}

func parseOpportunity(line string) (time.Duration, error) {
	line = strings.TrimSpace(line)
	if line == "" {
		return 0, errors.New("is empty: want a time in milliseconds")
	}
	ms, err := strconv.ParseUint(line, 10, 63)
	if err != nil || ms > uint64(MaxTrace/time.Millisecond) {
		return 0, fmt.Errorf("%q is not a time in whole milliseconds, at most %d", line, MaxTrace/time.Millisecond)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// The columns of a trace as CSV. The first is required.
const (
	columnTime  = "time_seconds"
	columnRate  = "rate_bits_per_second"
	columnDelay = "delay_milliseconds"
	columnLoss  = "loss_ratio"
)

// ParseTrace reads a trace as CSV. The first line names its columns, in any order:
// time_seconds, and at least one of rate_bits_per_second, delay_milliseconds and
// loss_ratio; what is left out is 0 in all rows. See TraceRow for their meaning.
//
//	time_seconds,rate_bits_per_second,delay_milliseconds,loss_ratio
//	0,375000,40,0.001
//	12.5,64000,180,0.03
//
// Whether the trace repeats, and whether it must, is for the caller: Trace.Repeat is 0
// and a last row without a rate is not refused here but by Config.Validate. The error names up to ten
// lines that are wrong.
func ParseTrace(r io.Reader) (Trace, error) {
	lines := csv.NewReader(r)
	lines.ReuseRecord = true
	header, err := lines.Read()
	if err != nil {
		return Trace{}, fmt.Errorf("the first line must name the columns %s: %w", columns(), err)
	}
	fields, err := parseHeader(header)
	if err != nil {
		return Trace{}, err
	}
	var t Trace
	var v mistakes
	for len(v) < mostTraceMistakes {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			v.add("%w", err) // says where
			break
		}
		if len(t.Rows) == mostTraceLines {
			v.add("more than %d rows, cut the trace", mostTraceLines)
			break
		}
		line, _ := lines.FieldPos(0)
		row, ok := parseRow(record, fields, line, &v)
		if t.Rows = append(t.Rows, row); ok {
			t.checkRow(len(t.Rows)-1, fmt.Sprintf("line %d: ", line), &v)
		}
	}
	if len(v) == 0 && len(t.Rows) == 0 {
		v.add("the trace has no rows below its header")
	}
	if len(v) > 0 {
		return Trace{}, errors.Join(v[:min(len(v), mostTraceMistakes)]...)
	}
	return t, nil
}

func columns() string {
	return strings.Join([]string{columnTime, columnRate, columnDelay, columnLoss}, ", ")
}

// parseHeader returns what each column sets.
func parseHeader(header []string) ([]func(*TraceRow, float64) bool, error) {
	var v mistakes
	var fields []func(*TraceRow, float64) bool
	seen := map[string]bool{}
	for _, name := range header {
		name = strings.TrimSpace(name)
		f := traceColumns[name]
		if f == nil {
			v.add("column %q is unknown: use %s", name, columns())
		}
		if seen[name] {
			v.add("column %q is there twice", name)
		}
		seen[name] = true
		fields = append(fields, f)
	}
	if !seen[columnTime] {
		v.add("column %s is missing", columnTime)
	}
	if len(v) == 0 && len(header) == 1 {
		v.add("only %s is there: add some of the columns %s", columnTime, columns())
	}
	return fields, errors.Join(v...)
}

// traceColumns set a field, or report that the value cannot be one.
var traceColumns = map[string]func(*TraceRow, float64) bool{
	columnTime:  func(r *TraceRow, x float64) bool { return scaled(&r.At, x, time.Second) },
	columnRate:  func(r *TraceRow, x float64) bool { r.RateBitsPerSecond = x; return true },
	columnDelay: func(r *TraceRow, x float64) bool { return scaled(&r.Delay, x, time.Millisecond) },
	columnLoss:  func(r *TraceRow, x float64) bool { r.LossRatio = x; return true },
}

func scaled(dst *time.Duration, x float64, unit time.Duration) bool {
	nanos := math.Round(x * float64(unit))
	*dst = time.Duration(nanos)
	return math.Abs(nanos) < 1<<62
}

func parseRow(record []string, fields []func(*TraceRow, float64) bool, line int, v *mistakes) (r TraceRow, ok bool) {
	before := len(*v)
	for i, text := range record {
		x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || math.IsNaN(x) || !fields[i](&r, x) {
			v.add("line %d, column %d: %q is not a number that fits", line, i+1, text)
		}
	}
	return r, len(*v) == before
}
