package launch

import (
	"io"
	"os/exec"
	"strconv"
)

// guard is a shell that cleans up when this program has died without doing so. It waits
// for the end of a pipe whose other end only we hold. The nil guard does nothing.
type guard struct {
	cmd  *exec.Cmd
	pipe io.Closer
}

// guardProcess kills a process group and removes its folder after our death.
func guardProcess(pid int, dir string) (*guard, error) {
	return newGuard(`read _; kill -s KILL -- "-$1"; rm -rf -- "$2"`, strconv.Itoa(pid), dir)
}

// guardContainer removes a container after our death, if the engine's program is there;
// otherwise the next launch does.
func guardContainer(id string) (*guard, error) {
	docker, err := exec.LookPath("docker")
	if err != nil {
		return nil, err
	}
	return newGuard(`read _; "$1" rm --force --volumes "$2"`, docker, id)
}

func newGuard(script string, args ...string) (*guard, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "mqttlab-guard"}, args...)...) //nolint:noctx // it ends after us
	ownGroup(cmd)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &guard{cmd, pipe}, nil
}

// dismiss ends the guard, which then cleans nothing up. It may be called twice.
func (g *guard) dismiss() {
	if g == nil || g.cmd.ProcessState != nil {
		return
	}
	_ = g.cmd.Process.Kill() // before the pipe is closed, which is its sign to act
	_ = g.cmd.Wait()
	_ = g.pipe.Close()
}
