package launch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	mobyclient "github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// box is a broker run in a container.
type box struct {
	recipe Recipe
	docker *testcontainers.DockerClient
	it     *testcontainers.DockerContainer
	guard  *guard

	mu      sync.Mutex
	at      []string          // where it may be reached since the last start
	further map[string]string // the ports of its further listeners since then, by those inside
}

// newContainer fetches the image if need be and creates the container, without starting it.
func newContainer(ctx context.Context, r Recipe) (*box, error) {
	limit, cancel := context.WithTimeout(ctx, r.StartTimeout)
	defer cancel()
	tame()
	docker, err := connect(limit)
	if err != nil {
		return nil, &Error{Trouble: NoEngine, What: r.Image, Detail: firstLine(err), Err: err}
	}
	b := &box{recipe: r, docker: docker}
	if err := errors.Join(removeLeftovers(limit, docker, r.Logger), b.haveImage(ctx)); err != nil {
		return nil, errors.Join(err, docker.Close())
	}
	// testcontainers panics in some places when its context ends. Creating is quick.
	create, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	if b.it, err = testcontainers.Run(create, r.Image, b.options()...); err != nil {
		err = &Error{Trouble: NotStarted, What: r.Image, Detail: firstLine(err), Err: err}
		return nil, errors.Join(err, b.remove(context.WithoutCancel(ctx)))
	}
	if b.guard, err = guardContainer(b.it.GetContainerID()); err != nil {
		r.Logger.Warn("no guard: if this program is killed, the container stays until the next launch", "cause", err)
	}
	return b, nil
}

// tame keeps testcontainers from printing, and turns its reaper off unless the user has
// decided; it reads that once, when first used.
var tame = sync.OnceFunc(func() {
	log.SetDefault(log.NewNoopLogger())
	const name = "TESTCONTAINERS_RYUK_DISABLED"
	if os.Getenv(name) == "" {
		_ = os.Setenv(name, "true") // fails for impossible names only
	}
})

// connect finds the engine. testcontainers looks for another one when the one that
// DOCKER_HOST names does not answer; who sets that wants no other.
func connect(ctx context.Context) (*testcontainers.DockerClient, error) {
	if os.Getenv(mobyclient.EnvOverrideHost) != "" {
		named, err := mobyclient.New(mobyclient.FromEnv)
		if err != nil {
			return nil, err
		}
		defer named.Close()
		if _, err := named.Ping(ctx, mobyclient.PingOptions{}); err != nil {
			return nil, err
		}
	}
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := docker.Ping(ctx, mobyclient.PingOptions{}); err != nil {
		return nil, errors.Join(err, docker.Close())
	}
	return docker, nil
}

// haveImage fetches the image once if it is absent. testcontainers would try again and
// again for as long as it may, which helps nobody who has no registry.
func (b *box) haveImage(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, FetchTimeout)
	defer cancel()
	_, err := b.docker.ImageInspect(ctx, b.recipe.Image)
	if err == nil {
		return nil
	}
	if errdefs.IsNotFound(err) {
		b.recipe.Logger.Info("fetching", "image", b.recipe.Image)
		if err = b.pull(ctx); err == nil {
			return nil
		}
	}
	return &Error{Trouble: NotFound, What: b.recipe.Image, Detail: firstLine(err), Err: err}
}

func (b *box) pull(ctx context.Context) error {
	o := mobyclient.ImagePullOptions{}
	if _, auth, err := testcontainers.DockerImageAuth(ctx, b.recipe.Image); err == nil {
		if o.RegistryAuth, err = encodeAuth(auth); err != nil {
			return err
		}
	}
	answer, err := b.docker.ImagePull(ctx, b.recipe.Image, o)
	if err != nil {
		return err
	}
	return answer.Wait(ctx)
}

// place is that in the container. Its ports are nobody else's, so that any will do.
func (b *box) place() place {
	return place{
		host: "0.0.0.0", ports: []int{b.recipe.Port, 8883, 8080, 8081}, dir: b.recipe.Dir,
		path: func(f File) string { return or(f.Path, "/etc/mqttlab/"+f.Name) },
	}
}

func (b *box) listeners() ([]*url.URL, error) { return b.recipe.listeners(b.place()) }

func (b *box) outside(port string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.further[port]
}

// exposed are the ports that the engine has to open, the main one first.
func (b *box) exposed() []string {
	ports := []string{strconv.Itoa(b.recipe.Port)}
	further, _ := b.listeners() // the recipe was looked at
	for _, u := range further {
		ports = append(ports, u.Port())
	}
	for i := range ports {
		ports[i] += "/tcp"
	}
	return ports
}

// options are what testcontainers is told.
func (b *box) options() []testcontainers.ContainerCustomizer {
	r, p := b.recipe, b.place()
	environment := map[string]string{}
	for name, value := range r.Environment {
		environment[name] = r.fill(value, p)
	}
	var files []testcontainers.ContainerFile
	for _, f := range r.Files {
		files = append(files, testcontainers.ContainerFile{
			Reader: strings.NewReader(r.fill(f.Text, p)), ContainerFilePath: p.path(f), FileMode: 0o644,
		})
	}
	var command []string
	for _, word := range r.Command {
		command = append(command, r.fill(word, p))
	}
	return []testcontainers.ContainerCustomizer{
		testcontainers.WithNoStart(),
		testcontainers.WithExposedPorts(b.exposed()...),
		testcontainers.WithEnv(environment),
		testcontainers.WithFiles(files...),
		testcontainers.WithCmd(command...),
		testcontainers.WithLabels(ownLabels()),
	}
}

func (b *box) proxied() bool { return true }

func (b *box) addresses() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *box) start(ctx context.Context) error {
	if err := b.it.Start(ctx); err != nil {
		return &Error{Trouble: NotStarted, What: b.recipe.Image, Detail: firstLine(err), Err: err}
	}
	var at []string
	further := map[string]string{}
	for i, inside := range b.exposed() {
		port, err := b.it.MappedPort(ctx, inside)
		if err != nil { // it has ended already, which await finds out
			break
		}
		if i == 0 {
			at = b.hosts(ctx, port.Port())
		} else {
			further[strings.TrimSuffix(inside, "/tcp")] = port.Port()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at, b.further = at, further
	return nil
}

// hosts are the addresses at which a port of the engine may be reached. Who runs in a
// container, with the engine's socket handed in, finds it at the gateway, which is what
// testcontainers assumes as soon as this looks like a container; but engines run in
// containers, too, and then it is here.
func (b *box) hosts(ctx context.Context, port string) []string {
	var all []string
	if host, err := b.it.Host(ctx); err == nil {
		all = append(all, net.JoinHostPort(host, port))
	}
	loopback := net.JoinHostPort("127.0.0.1", port)
	if strings.HasPrefix(b.docker.DaemonHost(), "unix:") && !slices.Contains(all, loopback) {
		all = append(all, loopback)
	}
	return all
}

func (b *box) exited(ctx context.Context) (string, bool) {
	state, err := b.it.State(ctx)
	if err != nil || state.Running {
		return "", false
	}
	how := fmt.Sprintf("its container ended with exit status %d", state.ExitCode)
	if state.OOMKilled {
		how += ", out of memory"
	}
	return how, true
}

func (b *box) stop(ctx context.Context, grace time.Duration) error { return b.it.Stop(ctx, &grace) }

func (b *box) kill(ctx context.Context) error {
	_, err := b.docker.ContainerKill(ctx, b.it.GetContainerID(), mobyclient.ContainerKillOptions{})
	if err != nil && !errdefs.IsConflict(err) { // it is not running
		return err
	}
	waiting := b.docker.ContainerWait(ctx, b.it.GetContainerID(), mobyclient.ContainerWaitOptions{})
	select {
	case <-waiting.Result:
		return nil
	case err := <-waiting.Error:
		return err
	}
}

func (b *box) remove(ctx context.Context) error {
	defer b.docker.Close()
	if b.it == nil {
		return nil
	}
	_, err := b.docker.ContainerRemove(ctx, b.it.GetContainerID(), mobyclient.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	b.guard.dismiss()
	return nil
}

func (b *box) log(ctx context.Context) []byte {
	stream, err := b.it.Logs(ctx)
	if err != nil {
		return nil
	}
	defer stream.Close()
	var t tail
	_, _ = io.Copy(&t, stream) // what came before an error is of use, too
	return t.bytes()
}

// firstLine is the first line of an error; engines answer with whole pages.
func firstLine(err error) string {
	line, _, _ := bytes.Cut([]byte(err.Error()), []byte("\n"))
	return string(line)
}
