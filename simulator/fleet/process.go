package fleet

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"mqttlab/reports/model"
	"mqttlab/simulator/process"
)

// targetProcess is what the target's processes use while messages are due. Nil where they are not known.
type targetProcess struct {
	pids   []int
	begun  time.Duration // CPU time when the first message could be due
	used   time.Duration // since then; negative: not known any more
	peak   int64         // bytes resident, over all processes
	looked time.Time
}

// watch returns what watches a process that the user has named, or who listens at the target's address on this machine.
func watch(pid int, address string) (*targetProcess, error) {
	pids := []int{pid}
	if pid == 0 {
		found, err := process.Listening(address)
		if err != nil || len(found) == 0 || found[0] == os.Getpid() {
			return nil, nil // a target elsewhere, or one in this very process: nobody asked
		}
		pids = found
	}
	if _, err := process.CPU(pids...); err != nil {
		return nil, fmt.Errorf("target process %d: %w", pid, err)
	}
	return &targetProcess{pids: pids}, nil
}

// begin starts the measurement: how devices connect is not what is asked.
func (p *targetProcess) begin() {
	if p == nil {
		return
	}
	var err error
	if p.begun, err = process.CPU(p.pids...); err != nil {
		p.used = -1
	}
	p.peak = 0
	p.sample()
}

// sampleInterval bounds how often the system is asked.
const sampleInterval = 500 * time.Millisecond

// sample looks at the processes. One that has ended leaves what was known of it before out of the record.
func (p *targetProcess) sample() {
	if p == nil || p.used < 0 || time.Since(p.looked) < sampleInterval {
		return
	}
	p.looked = time.Now()
	p.look()
}

func (p *targetProcess) look() {
	cpu, err := process.CPU(p.pids...)
	if err != nil {
		p.used = -1
		return
	}
	p.used = cpu - p.begun
	resident := int64(0)
	for _, pid := range p.pids {
		resident += residentBytes(pid)
	}
	p.peak = max(p.peak, resident)
}

// record returns the figures of a record: nil and 0 where they are not known.
func (p *targetProcess) record() (cpu *model.Millis, peakBytes int64) {
	if p == nil || p.used < 0 {
		return nil, 0
	}
	if p.look(); p.used < 0 {
		return nil, 0
	}
	used := model.Millis(p.used)
	return &used, p.peak
}

// residentBytes reads the second figure of /proc/PID/statm, in pages; 0 where there is none.
func residentBytes(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	figures := strings.Fields(string(text))
	if len(figures) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(figures[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
