//go:build unix

package launch_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	mobyclient "github.com/moby/moby/client"

	"mqttlab/spec/target/launch"
)

// containerOf is the recipe of mosquitto in an image made of this machine's files.
func containerOf(t *testing.T, docker *mobyclient.Client) launch.Recipe {
	t.Helper()
	r := mosquitto(t)
	path, err := exec.LookPath("/usr/sbin/mosquitto")
	if err != nil {
		t.Skip("not run: mosquitto is not at /usr/sbin/mosquitto")
	}
	r.Exec, r.Image = "", importImage(t, docker, withLibraries(t, path))
	r.Command = []string{path, "-c", "{config}"}
	return r
}

func TestContainerKeepsItsData(t *testing.T) {
	docker := engine(t)
	r := containerOf(t, docker)
	b := start(t, r)
	keepsItsData(t, b)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if left := containersOf(t, docker, r.Image); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestContainerServesElsewhere(t *testing.T) { servesElsewhere(t, containerOf(t, engine(t))) }

func TestContainerTroubles(t *testing.T) {
	docker := engine(t)
	shell, err := exec.LookPath("dash")
	if err != nil {
		t.Skip("not run: there is no dash for the image")
	}
	files := withLibraries(t, shell)
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	for to, from := range withLibraries(t, sleep) {
		files[to] = from
	}
	image := importImage(t, docker, files)
	for name, c := range map[string]struct {
		image, script string
		trouble       launch.Trouble
		log           string
	}{
		"exits":       {image, "echo one; echo two >&2; exit 7", launch.Exited, "two"},
		"never opens": {image, "echo waiting; " + sleep + " 60", launch.PortClosed, "waiting"},
		"absent":      {"registry.invalid/absent:1", "", launch.NotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := launch.Start(t.Context(), launch.Recipe{
				Image: c.image, Command: []string{shell, "-c", c.script}, StartTimeout: 4 * time.Second,
			})
			var trouble *launch.Error
			if !errors.As(err, &trouble) || trouble.Trouble != c.trouble {
				t.Fatalf("got %v, want %s", err, c.trouble)
			}
			if !strings.Contains(strings.Join(trouble.Log, "\n"), c.log) {
				t.Errorf("the log is %q, want %q in it", trouble.Log, c.log)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %v", took)
			}
			if left := containersOf(t, docker, image); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	t.Run("never serves", func(t *testing.T) { neverServes(t, docker) })
	t.Run("program absent", func(t *testing.T) {
		_, err := launch.Start(t.Context(), launch.Recipe{Image: image, Command: []string{"/no/such/program"}})
		var trouble *launch.Error
		if !errors.As(err, &trouble) || trouble.Trouble != launch.NotStarted {
			t.Fatalf("got %v, want %s", err, launch.NotStarted)
		}
		if left := containersOf(t, docker, image); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// neverServes runs a container, of this test program, that opens the port and answers nobody.
func neverServes(t *testing.T, docker *mobyclient.Client) {
	program, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	if exec.Command("ldd", program).Run() == nil { // otherwise it is static and needs none
		files = withLibraries(t, program)
	}
	files["/silent"] = program
	image := importImage(t, docker, files)
	_, err = launch.Start(t.Context(), launch.Recipe{
		Image: image, Command: []string{"/silent"}, Environment: map[string]string{roleVariable: "silent {host}:{port}"}, StartTimeout: 10 * time.Second,
	})
	var trouble *launch.Error
	if !errors.As(err, &trouble) || trouble.Trouble != launch.NotServing {
		t.Errorf("got %v, want %s", err, launch.NotServing)
	}
	if trouble != nil && !strings.Contains(strings.Join(trouble.Log, "\n"), "silent on") {
		t.Errorf("the log is %q", trouble.Log)
	}
	if left := containersOf(t, docker, image); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestSlowRegistry waits longer for an image than for a broker: the registry's answer, not the deadline, is what is told.
func TestSlowRegistry(t *testing.T) {
	engine(t)
	const startTimeout = 4 * time.Second
	var once sync.Once
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		once.Do(func() { time.Sleep(startTimeout + startTimeout/8) })
		w.WriteHeader(http.StatusNotFound)
	}))
	defer registry.Close()
	_, err := launch.Start(t.Context(), launch.Recipe{
		Image: strings.TrimPrefix(registry.URL, "http://") + "/absent:1", StartTimeout: startTimeout,
	})
	var trouble *launch.Error
	if !errors.As(err, &trouble) || trouble.Trouble != launch.NotFound || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %s without a deadline", err, launch.NotFound)
	}
}

func TestNoEngine(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"=image x", "DOCKER_HOST=tcp://127.0.0.1:1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), string(launch.NoEngine)) {
		t.Errorf("got %v: %s, want %q", err, out, launch.NoEngine)
	}
}

// TestInterruptedStart takes the container away when the user loses patience.
func TestInterruptedStart(t *testing.T) {
	docker := engine(t)
	r := containerOf(t, docker)
	r.Port = 1 // nobody will listen there
	r.Files[0].Text = strings.ReplaceAll(r.Files[0].Text, "{port}", "1883")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for len(containersOf(t, docker, r.Image)) == 0 && t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	if _, err := launch.Start(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	gone(t, docker, r.Image)
}

// TestContainerOfTheDead kills a program that has launched a container, first with a
// guard, then without: the next launch removes it.
func TestContainerOfTheDead(t *testing.T) {
	docker := engine(t)
	r := containerOf(t, docker)
	for name, path := range map[string]string{"guard": os.Getenv("PATH"), "next launch": "/nowhere"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), roleVariable+"=image "+r.Image, "PATH="+path)
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("%s: it did not kill itself: %v: %s", name, err, out)
		}
		if name == "next launch" {
			if len(containersOf(t, docker, r.Image)) == 0 {
				t.Fatal("the test is void: without a guard the container was removed all the same")
			}
			start(t, r).Close()
		} else if _, err := exec.LookPath("docker"); err != nil {
			continue
		}
		gone(t, docker, r.Image)
	}
}
