package fleet

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mqttlab/netem/stack"
	"mqttlab/simulator/device"
	"mqttlab/simulator/ledger"
	"mqttlab/simulator/process"
	"mqttlab/simulator/scenario"
)

// held is ten thousand devices on clean links, which connect in 20 s and then say 5,000 messages a second for 10 s.
const held = `
name: held
seed: 1
ramp: 20s
settle: 2s
duration: 10s
groups:
  - {name: sensor, count: 10000, client_id: "h-{index}", topic: "h/{index}/reading", qos: 1, interval: 2s, keep_alive: 30m, link: perfect}
`

// BenchmarkHold holds the connections of ten thousand emulated devices to a mosquitto, through the gateway and over a TUN device in a network
// namespace of its own, and of as many on plain sockets as the yardstick. It reports beside what is aimed at:
//
//   - build-ms: making the devices; at most 1000
//   - B/device: resident memory of this process per device that is connected, all of it: device, both ends of TCP, links, socket; at most 20480, with
//     TUN 9216
//   - busy-B/device: the same after the messages, with the garbage of that time
//   - cpu-us/trip: processor time per message of QoS 1 and its acknowledgement, without a sink. At this rate both sides fall asleep between
//     messages, and waking up the other one is a good part of it, on plain sockets too; BenchmarkTrip is the price without that
func BenchmarkHold(b *testing.B) {
	if _, err := exec.LookPath("mosquitto"); err != nil {
		b.Skip("mosquitto is not installed: apt-get install mosquitto")
	}
	s := parse(b, held)
	if err := checkOpenFiles(s.Devices()); err != nil {
		b.Skip(err)
	}
	b.Run("gateway", func(b *testing.B) {
		for b.Loop() {
			hold(b, s, target{address: mosquitto(b)}, emulated)
		}
	})
	b.Run("sockets", func(b *testing.B) {
		for b.Loop() {
			hold(b, s, target{address: mosquitto(b)}, onSockets)
		}
	})
	b.Run("TUN", func(b *testing.B) {
		ownNamespace(b)
		for b.Loop() {
			hold(b, s, target{address: mosquitto(b)}, overTUN)
		}
	})
}

// hold measures one fleet.
func hold(b *testing.B, s *scenario.Scenario, t target, start func(*testing.B, *scenario.Scenario, target) engine) {
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // as mqttlab fleet run does
	debug.FreeOSMemory()                             // what runs before have left
	before := resident(b)
	begin := time.Now()
	e := start(b, s, t)
	defer e.close()
	c, err := newCrew(s, e, t, 1, slog.Default())
	if err != nil {
		b.Fatal(err)
	}
	if err := c.startSensors(time.Since(begin)); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(time.Since(begin).Milliseconds()), "build-ms")
	book, devices := c.groups[0].book, float64(s.Devices())
	_ = sleep(b.Context(), c.start.Add(c.origin+s.Begin()))
	if up := book.Progress().States[ledger.Connected]; up != int64(s.Devices()) {
		b.Fatalf("%d of %d devices are connected", up, s.Devices())
	}
	b.ReportMetric(float64(resident(b)-before)/devices, "B/device")
	used := processorTime(b)
	_ = sleep(b.Context(), c.start.Add(c.origin+s.End()))
	for patience := time.Now().Add(time.Minute); book.Progress().Held > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(patience) {
			b.Fatalf("a minute after the last message: %+v", book.Progress())
		}
	}
	sent := float64(book.Progress().Sent)
	b.ReportMetric(float64((processorTime(b)-used).Microseconds())/sent, "cpu-us/trip")
	b.ReportMetric(float64(resident(b)-before)/devices, "busy-B/device")
	if v := e.validity(); !v.Valid {
		b.Logf("INVALID: %s", v.Reason)
	}
	c.each(func(d *device.Sensor) { d.Finish(nil) })
}

func emulated(b *testing.B, s *scenario.Scenario, t target) engine {
	e, err := newEmulatedEngine(s, t, &Options{Logger: slog.Default()})
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func onSockets(_ *testing.B, s *scenario.Scenario, t target) engine {
	return newLiveEngine(s, t, t.layer(nil), slog.Default())
}

// overTUN is emulated with a TUN device in the place of the gateway.
func overTUN(b *testing.B, s *scenario.Scenario, t target) engine {
	n, err := stack.New(stack.Config{Seed: 1, TUN: "mqttlab%d"})
	if err != nil {
		b.Skip(err)
	}
	e := emulated(b, s, t).(*emulatedEngine)
	for _, old := range e.networks {
		old.Close()
	}
	e.networks = []*network{{Network: n, scratch: device.NewScratch(), buffer: make([]byte, readBufferBytes)}}
	e.byGroup[0] = e.networks
	return e
}

// mosquitto starts one for the benchmark and returns its address.
func mosquitto(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	l.Close()
	file := filepath.Join(b.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, "listener %s 127.0.0.1\nallow_anonymous true\n", port), 0o600); err != nil {
		b.Fatal(err)
	}
	m := exec.Command("sh", "-c", `ulimit -n "$(ulimit -Hn)"; exec mosquitto -c "$0"`, file)
	if err := m.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = m.Process.Kill()
		_ = m.Wait()
	})
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return address
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.Fatal("mosquitto does not answer")
	return ""
}

// ownNamespace puts the calling goroutine into a network namespace of its own, in which the loopback interface is up. Its thread ends with it.
func ownNamespace(b *testing.B) {
	b.Helper()
	runtime.LockOSThread() // never unlocked
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		b.Skipf("no network namespace of our own: %v", err)
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		b.Skipf("ip link set lo up: %v: %s", err, out)
	}
}

// resident returns the resident memory of this process in bytes.
func resident(b *testing.B) int64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	var kib int64
	_, line, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(line, &kib); err != nil {
		b.Fatal(err)
	}
	return kib << 10
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	used, err := process.CPU(os.Getpid())
	if err != nil {
		b.Fatal(err)
	}
	return used
}
