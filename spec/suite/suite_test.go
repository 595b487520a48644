package suite_test

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/suite"
	"mqttlab/spec/target"
)

var (
	targetFlag = flag.String("target", cmp.Or(os.Getenv("MQTTLAB_TARGET"), target.Reference), "what to judge: an address such as mqtt://127.0.0.1:1883, a target file, or reference")
	seedFlag   = flag.Uint64("seed", 1, "seed of all names and choices")
	jobsFlag   = flag.Int("jobs", 8, "checks that run at a time")
)

// TestConformance runs the checks as Ginkgo specs.
func TestConformance(t *testing.T) {
	o := conformance.Options{Seed: *seedFlag, Jobs: *jobsFlag}
	var err error
	if *targetFlag == target.Reference {
		o.Target = reference(t)
	} else if o.Target, err = target.Parse(*targetFlag); err != nil {
		t.Fatal(err)
	}
	gomega.RegisterFailHandler(ginkgo.Fail)
	if err := suite.Declare(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	ginkgo.RunSpecs(t, "MQTT conformance of "+o.Target.URL)
}

// reference builds the program and starts its broker: spec may run the reference broker, but not import it.
func reference(t *testing.T) *target.Target {
	t.Helper()
	program := filepath.Join(t.TempDir(), "mqttlab")
	if out, err := exec.Command("go", "build", "-o", program, "mqttlab/cmd/mqttlab").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	broker := exec.CommandContext(t.Context(), program, "broker", "--listen", "mqtt://127.0.0.1:0")
	broker.Cancel = func() error { return broker.Process.Signal(os.Interrupt) }
	out, err := broker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Wait() }) // interrupted, as the test's context ends before
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	tg, err := target.Parse(strings.TrimSpace(strings.TrimPrefix(line, "listening on ")))
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

// inProcess starts a broker on a port of the kernel's choice.
func inProcess(t *testing.T) *target.Target {
	t.Helper()
	silent := slog.New(slog.NewTextHandler(io.Discard, nil))
	server := mochi.New(&mochi.Options{Logger: silent})
	if err := server.AddHook(new(allowAll), nil); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := server.AddListener(listeners.NewNet("tcp", l)); err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// mochi 2.7.9 takes the read lock of its clients twice when it closes, and waits forever for one that is leaving in between.
		for patience := time.Now().Add(5 * time.Second); atomic.LoadInt64(&server.Info.ClientsConnected) > 0 && time.Now().Before(patience); {
			time.Sleep(time.Millisecond)
		}
		server.Close()
	})
	tg, err := target.Parse("mqtt://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

// allowAll lets every client do everything.
type allowAll struct{ mochi.HookBase }

func (allowAll) ID() string { return "allow-all" }

func (allowAll) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

func (allowAll) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }

func (allowAll) OnACLCheck(*mochi.Client, string, bool) bool { return true }
