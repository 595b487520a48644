package launch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// process is a broker run as a process on this machine.
type process struct {
	recipe Recipe
	place  place
	out    tail

	mu   sync.Mutex
	life *life // nil before the first start
}

// life is one run of the process.
type life struct {
	cmd   *exec.Cmd
	guard *guard
	ended chan struct{} // closed when it has ended and how is set
	how   string
}

// newProcess makes its folder, chooses its port and writes its files.
func newProcess(r Recipe) (*process, error) {
	ports, err := freePorts(len(portNames))
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mqttlab-")
	if err != nil {
		return nil, err
	}
	p := &process{recipe: r, place: place{
		host: "127.0.0.1", ports: ports, dir: dir,
		path: func(f File) string { return filepath.Join(dir, f.Name) },
	}}
	// A broker started by root may become another user, and has to find its files.
	errs := []error{os.Chmod(dir, 0o755)} //nolint:gosec // what is in it is no secret
	for _, f := range r.Files {
		errs = append(errs, os.WriteFile(p.place.path(f), []byte(r.fill(f.Text, p.place)), 0o644)) //nolint:gosec // likewise
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

// freePorts asks the kernel for ports on which nobody listens.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close() // not before all are chosen: they have to differ
		ports[i] = ln.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

func (p *process) proxied() bool { return false }

func (p *process) addresses() []string {
	return []string{net.JoinHostPort(p.place.host, strconv.Itoa(p.place.ports[0]))}
}

func (p *process) listeners() ([]*url.URL, error) { return p.recipe.listeners(p.place) }

func (p *process) outside(port string) string { return port }

func (p *process) start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	words, err := Words(p.recipe.Exec)
	if err != nil {
		return err
	}
	for i, w := range words {
		words[i] = p.recipe.fill(w, p.place)
	}
	program, err := find(words[0])
	if err != nil {
		return &Error{Trouble: NotFound, What: p.recipe.Exec, Detail: err.Error(), Err: err}
	}
	cmd := exec.Command(program, words[1:]...) //nolint:gosec,noctx // what the user asked for; its end is ours to choose
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	cmd.Env = os.Environ()
	for name, value := range p.recipe.Environment {
		cmd.Env = append(cmd.Env, name+"="+p.recipe.fill(value, p.place))
	}
	cmd.WaitDelay = time.Second // a child that left the group may hold the pipe
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return &Error{Trouble: NotStarted, What: p.recipe.Exec, Detail: err.Error(), Err: err}
	}
	l := &life{cmd: cmd, ended: make(chan struct{})}
	l.guard, err = guardProcess(cmd.Process.Pid, p.place.dir)
	if err != nil {
		p.recipe.Logger.Warn("no guard: the broker outlives this program if that is killed", "cause", err)
	}
	go l.wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life = l
	return nil
}

// systemFolders are searched beside PATH: brokers are installed there, and the PATH of
// an ordinary user does not name them.
var systemFolders = []string{"/usr/local/sbin", "/usr/sbin", "/sbin"}

func find(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err == nil || filepath.Base(program) != program {
		return path, err
	}
	for _, dir := range systemFolders {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path, nil
		}
	}
	return "", err
}

func (l *life) wait() {
	err := l.cmd.Wait()
	l.how = "it ended with " + l.cmd.ProcessState.String()
	if err != nil && l.cmd.ProcessState.Success() {
		l.how = "it ended, and what it started runs on"
	}
	close(l.ended)
}

func (p *process) current() *life {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.life
}

func (p *process) exited(context.Context) (string, bool) {
	l := p.current()
	if l == nil {
		return "it was not started", true
	}
	select {
	case <-l.ended:
		return l.how, true
	default:
		return "", false
	}
}

func (p *process) stop(ctx context.Context, grace time.Duration) error {
	l := p.current()
	if l == nil {
		return nil
	}
	if err := interruptGroup(l.cmd.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.recipe.Exec, err)
	}
	select {
	case <-l.ended:
	case <-time.After(grace):
		p.recipe.Logger.Warn("it does not stop and is killed", "broker", p.recipe.Exec, "after", grace)
	case <-ctx.Done():
	}
	return p.kill(context.WithoutCancel(ctx))
}

// kill ends the whole group, also what a broker that ended by itself has left.
func (p *process) kill(ctx context.Context) error {
	l := p.current()
	if l == nil {
		return nil
	}
	if err := killGroup(l.cmd.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.recipe.Exec, err)
	}
	select {
	case <-l.ended:
	case <-ctx.Done():
		return fmt.Errorf("%s does not die: %w", p.recipe.Exec, ctx.Err())
	}
	l.guard.dismiss()
	return nil
}

func (p *process) remove(ctx context.Context) error {
	return errors.Join(p.kill(ctx), os.RemoveAll(p.place.dir))
}

func (p *process) log(context.Context) []byte { return p.out.bytes() }
