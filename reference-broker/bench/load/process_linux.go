package load

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of /proc/PID/stat: USER_HZ, which is 100 on all of Linux.
const tick = 10 * time.Millisecond

// processorTime returns what a process has used, in user and system mode.
func processorTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field is a name in parentheses and may hold anything.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has no processor times", pid)
	}
	user, err1 := strconv.ParseUint(string(fields[11]), 10, 64)
	system, err2 := strconv.ParseUint(string(fields[12]), 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// residentBytes returns the memory of a process that is in use.
func residentBytes(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/statm has no resident size", pid)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// reading is the state of the clocks at one moment.
type reading struct {
	at          time.Time
	broker, own time.Duration
}

func read(pid int) (reading, error) {
	broker, err1 := processorTime(pid)
	own, err2 := processorTime(os.Getpid())
	return reading{time.Now(), broker, own}, errors.Join(err1, err2)
}

// measure runs do and returns the time it took in all clocks.
func measure(pid int, do func() error) (Result, error) {
	before, err := read(pid)
	if err != nil {
		return Result{}, err
	}
	if err := do(); err != nil {
		return Result{}, err
	}
	after, err := read(pid)
	return Result{Wall: after.at.Sub(before.at), BrokerCPU: after.broker - before.broker, OwnCPU: after.own - before.own}, err
}

// per fills in the figure for n deliveries.
func (r Result) per(n uint64) Result {
	r.Count = n
	if r.BrokerCPU > 0 {
		r.Figure = float64(n) / r.BrokerCPU.Seconds()
	}
	return r
}
