//go:build !unix

package launch

import (
	"os"
	"os/exec"
)

// ownGroup does nothing: there are no process groups, signals reach the process alone.
func ownGroup(*exec.Cmd) {}

// interruptGroup kills: there is no signal that asks a process to end.
func interruptGroup(p *os.Process) error { return p.Kill() }

func killGroup(p *os.Process) error { return p.Kill() }

// runs says whether there is a process: here it cannot be found out by a signal.
func runs(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	_ = p.Release()
	return true
}
