//go:build unix

package launch_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/spec/target/launch"
)

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		`a  b`:                {"a", "b"},
		`a 'b c' "d e"`:       {"a", "b c", "d e"},
		`a\ b "q\"q" 'r\r'`:   {"a b", `q"q`, `r\r`},
		`sh -c 'x | y' ''`:    {"sh", "-c", "x | y", ""},
		` -c={config}	{dir} `: {"-c={config}", "{dir}"},
		``:                    nil,
	} {
		got, err := launch.Words(line)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", line, err, diff)
		}
	}
	for _, broken := range []string{`'a`, `a "b`, `a\`} {
		if got, err := launch.Words(broken); err == nil {
			t.Errorf("%s gave %q", broken, got)
		}
	}
}

func TestRecipeTellsEveryMistake(t *testing.T) {
	_, err := launch.Start(t.Context(), launch.Recipe{
		Exec: "x {confg} {port}", Files: []launch.File{{Name: "a b"}, {Name: "port"}, {Name: "c"}, {Name: "c"}},
		Listeners: []string{"ws://{host}/mqtt"},
	})
	for _, want := range []string{"the port is missing", `{confg}`, `"a b"`, `"port" is taken`, `"c" is taken`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}

// mosquitto is a recipe that keeps what it stores.
func mosquitto(t *testing.T) launch.Recipe {
	t.Helper()
	for _, path := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if _, err := exec.LookPath(path); err == nil {
			return launch.Recipe{
				Exec: "mosquitto -c {config}", StartTimeout: 20 * time.Second,
				Files: []launch.File{{Name: "mosquitto.conf", Text: "listener {port} {host}\nallow_anonymous true\n" +
					"user root\npersistence true\npersistence_location {dir}/\nautosave_interval 1\nautosave_on_changes true\n"}},
			}
		}
	}
	t.Skip("mosquitto is not installed: apt-get install mosquitto")
	return launch.Recipe{}
}

func start(t *testing.T, r launch.Recipe) *launch.Broker {
	t.Helper()
	b, err := launch.Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestProcessKeepsItsData(t *testing.T) { keepsItsData(t, start(t, mosquitto(t))) }

func TestProcessServesElsewhere(t *testing.T) { servesElsewhere(t, mosquitto(t)) }

// TestListenerIsMissing starts a broker that does not listen where it should.
func TestListenerIsMissing(t *testing.T) {
	r := mosquitto(t)
	r.Listeners, r.StartTimeout = []string{"ws://{host}:{port_ws}/mqtt"}, time.Second
	b, err := launch.Start(t.Context(), r)
	var trouble *launch.Error // which one depends on how far it came in this time
	if !errors.As(err, &trouble) {
		t.Errorf("got %v, %v, want an error of the launch", b, err)
	}
}

func TestProcessTroubles(t *testing.T) {
	shell := func(script string) string { return `sh -c '` + script + `'` }
	for name, c := range map[string]struct {
		exec    string
		trouble launch.Trouble
		log     []string
	}{
		"absent":      {"no-such-broker-here", launch.NotFound, nil},
		"exits":       {shell("echo one; echo two >&2; exit 7"), launch.Exited, []string{"one", "two"}},
		"never opens": {shell("echo waiting; sleep 60"), launch.PortClosed, []string{"waiting"}},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			b, err := launch.Start(t.Context(), launch.Recipe{Exec: c.exec, StartTimeout: 500 * time.Millisecond})
			var trouble *launch.Error
			if !errors.As(err, &trouble) || trouble.Trouble != c.trouble {
				t.Fatalf("got %v, %v, want %s", b, err, c.trouble)
			}
			if diff := cmp.Diff(c.log, trouble.Log); diff != "" {
				t.Errorf("log:\n%s", diff)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestProcessNeverServes opens a port on which nobody answers.
func TestProcessNeverServes(t *testing.T) {
	_, err := launch.Start(t.Context(), launch.Recipe{
		Exec: os.Args[0], Environment: map[string]string{roleVariable: "silent {host}:{port}"}, StartTimeout: 3 * time.Second,
	})
	var trouble *launch.Error
	if !errors.As(err, &trouble) || trouble.Trouble != launch.NotServing {
		t.Errorf("got %v, want %s", err, launch.NotServing)
	}
}

// roleVariable makes the test program play a part instead of testing.
const roleVariable = "MQTTLAB_LAUNCH_TEST"

func TestMain(m *testing.M) {
	switch role, rest, _ := strings.Cut(os.Getenv(roleVariable), " "); role {
	case "silent":
		beSilent(rest)
	case "die":
		launchAndDie(launch.Recipe{Exec: `sh -c 'sleep 300 & mosquitto -c {config}'`})
	case "image":
		launchAndDie(launch.Recipe{Image: rest, Command: []string{"/usr/sbin/mosquitto", "-c", "{config}"}})
	}
	os.Exit(m.Run())
}

// TestGuard kills a program that has launched a broker with a child of its own: neither
// they nor their folder stay.
func TestGuard(t *testing.T) {
	mosquitto(t)
	temp := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"=die", "TMPDIR="+temp)
	out, err := cmd.Output()
	if err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("it did not kill itself: %v", err)
	}
	address := strings.TrimSpace(string(out))
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		left, err := filepath.Glob(filepath.Join(temp, "*"))
		if err != nil {
			t.Fatal(err)
		}
		err = ping(t.Context(), address)
		if len(left) == 0 && err != nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("still there: %v, and a broker on %s: %t", left, address, err == nil)
		}
	}
}

// alive says whether a process runs.
func alive(pid string) bool {
	n, err := strconv.Atoi(strings.TrimSpace(pid))
	return err == nil && syscall.Kill(n, 0) == nil
}

// TestCloseEndsTheGroup starts a broker by a script that has another child.
func TestCloseEndsTheGroup(t *testing.T) {
	r := mosquitto(t)
	file := filepath.Join(t.TempDir(), "pid")
	r.Exec = `sh -c 'sleep 300 & echo $! > ` + file + `; mosquitto -c {config}'`
	b := start(t, r)
	pid, err := os.ReadFile(file)
	if err != nil || !alive(string(pid)) {
		t.Fatalf("child %q does not run: %v", pid, err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); alive(string(pid)) && !zombie(string(pid)); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the child outlived Close")
		}
	}
}

// zombie says that a process has ended and nobody has asked how; in a container there may be nobody to ask.
func zombie(pid string) bool {
	stat, err := os.ReadFile("/proc/" + strings.TrimSpace(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}
