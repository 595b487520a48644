package fleet

import (
	"errors"
	"os"
	"testing"
	"time"

	"mqttlab/simulator/process"
)

func TestTargetProcessIsMeasured(t *testing.T) {
	p, err := watch(os.Getpid(), "")
	if errors.Is(err, process.ErrUnknown) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.begin()
	work := 0
	for begun := time.Now(); time.Since(begun) < 30*time.Second; work++ {
		if now, err := process.CPU(os.Getpid()); err != nil || now-p.begun > 10*time.Millisecond {
			break
		}
	}
	cpu, peak := p.record()
	if cpu == nil || cpu.Duration() < 10*time.Millisecond || peak < 1<<20 {
		t.Errorf("CPU %v, %d bytes after %d rounds", cpu, peak, work)
	}
	if _, err := watch(1<<22+1, ""); err == nil {
		t.Error("a process that is not there was found")
	}
	if p, err := watch(0, "192.0.2.1:1883"); p != nil || err != nil {
		t.Errorf("a target elsewhere: %v %v", p, err)
	}
	var none *targetProcess
	none.begin()
	none.sample()
	if cpu, peak := none.record(); cpu != nil || peak != 0 {
		t.Error("nobody is watched, and used something")
	}
}
