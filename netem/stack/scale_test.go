package stack

import (
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mqttlab/netem/link"
)

// resident returns the process's resident memory in bytes, or 0 where the system
// does not tell.
func resident() int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

// processorTime returns what the process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFleet connects devices to a host server through the gateway and lets
// each make round trips of 32 bytes. It reports resident memory per device
// (host sockets of both ends included, all in this process), connects per second
// and processor time per round trip.
func BenchmarkFleet(b *testing.B) {
	for _, devices := range []int{100, 4000} {
		b.Run(strconv.Itoa(devices), func(b *testing.B) { fleet(b, devices) })
	}
}

func fleet(b *testing.B, devices int) {
	// io.Copy would open a pipe per connection.
	target := hostServer(b, func(c *net.TCPConn) {
		var p [64]byte
		for k, err := c.Read(p[:]); err == nil; k, err = c.Read(p[:]) {
			_, _ = c.Write(p[:k])
		}
	})
	debug.FreeOSMemory()
	before := resident()
	n := newWall(b, Config{Seed: 1})
	m := mustModel(b, link.Config{Delay: time.Millisecond})
	opened, answered, ended := make(chan struct{}, devices), make(chan struct{}, devices), make(chan error, devices)
	wait := func(c <-chan struct{}) {
		for range devices {
			select {
			case <-c:
			case err := <-ended:
				b.Fatalf("a connection ended: %v; %+v", err, n.Stats())
			case <-time.After(time.Minute):
				b.Fatalf("nothing happens any more: %+v", n.Stats())
			}
		}
	}
	sockets := make([]*Socket, devices)
	buffer := make([]byte, 64)
	begin := time.Now()
	n.do(func() {
		for i := range sockets {
			d := n.mustDevice(b, DeviceConfig{Up: m, Down: m})
			s, err := d.Open(target, &calls{
				opened: func(*Socket) { opened <- struct{}{} },
				readable: func(s *Socket) {
					for s.Receive(buffer) > 0 {
						answered <- struct{}{}
					}
				},
				closed: func(_ *Socket, err error) { ended <- err },
			})
			if err != nil {
				b.Fatal(err)
			}
			sockets[i] = s
		}
	})
	wait(opened)
	connects := float64(devices) / time.Since(begin).Seconds()
	debug.FreeOSMemory()
	memory, goroutines := float64(resident()-before)/float64(devices), float64(runtime.NumGoroutine())/float64(devices)
	message := make([]byte, 32)
	used := processorTime()
	b.ResetTimer()
	trips := 0
	for b.Loop() {
		n.do(func() {
			for _, s := range sockets {
				s.Send(message)
			}
		})
		wait(answered)
		trips += devices
	}
	b.ReportMetric(float64((processorTime()-used).Microseconds())/float64(trips), "cpu-us/trip")
	b.ReportMetric(connects, "connects/s")
	b.ReportMetric(memory, "B/device")
	b.ReportMetric(goroutines, "goroutines/device")
}
