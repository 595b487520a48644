package stack

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"mqttlab/netem/link"
)

// calls is a Handler made of functions; a nil one does nothing.
type calls struct {
	opened, readable, writable func(*Socket)
	closed                     func(*Socket, error)
}

func (c *calls) Opened(s *Socket)   { call(c.opened, s) }
func (c *calls) Readable(s *Socket) { call(c.readable, s) }
func (c *calls) Writable(s *Socket) { call(c.writable, s) }
func (c *calls) Closed(s *Socket, err error) {
	if c.closed != nil {
		c.closed(s, err)
	}
}

func call(f func(*Socket), s *Socket) {
	if f != nil {
		f(s)
	}
}

func mustModel(t testing.TB, c link.Config) *link.Model {
	t.Helper()
	m, err := link.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newVirtual(t testing.TB, c Config) *Network {
	t.Helper()
	c.Virtual = true
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *Network) mustDevice(t testing.TB, c DeviceConfig) *Device {
	t.Helper()
	d, err := n.AddDevice(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// mustRun runs a network for a time on its own clock.
func (n *Network) mustRun(t testing.TB, d time.Duration) {
	t.Helper()
	if err := n.Run(t.Context(), n.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
}

// echo answers every byte with itself.
func echo(*Socket) Handler {
	var b [2048]byte
	return &calls{readable: func(s *Socket) {
		for k := s.Receive(b[:]); k > 0; k = s.Receive(b[:]) {
			s.Send(b[:k])
		}
	}}
}

func TestVirtualRoundTripTakesTheLinksDelay(t *testing.T) {
	n := newVirtual(t, Config{Seed: 1})
	if err := n.Listen("broker:1883", echo); err != nil {
		t.Fatal(err)
	}
	d := n.mustDevice(t, DeviceConfig{
		Up:   mustModel(t, link.Config{Delay: 30 * time.Millisecond}),
		Down: mustModel(t, link.Config{Delay: 70 * time.Millisecond}),
	})
	start := n.Now()
	var opened, answered time.Duration
	s, err := d.Open("broker:1883", &calls{
		opened: func(s *Socket) {
			opened = n.Now().Sub(start)
			if got := s.Send([]byte("hello")); got != 5 {
				t.Errorf("Send accepted %d bytes, want 5", got)
			}
		},
		readable: func(s *Socket) {
			var b [16]byte
			if k := s.Receive(b[:]); string(b[:k]) != "hello" {
				t.Errorf("received %q, want hello", b[:k])
			}
			answered = n.Now().Sub(start)
		},
		closed: func(_ *Socket, err error) { t.Errorf("closed: %v", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Device() != d {
		t.Error("the socket does not know its device")
	}
	n.mustRun(t, time.Minute)
	if opened != 100*time.Millisecond || answered != 200*time.Millisecond {
		t.Errorf("opened after %v, answered after %v; want 100ms and 200ms", opened, answered)
	}
	if got := n.Now().Sub(start); got != time.Minute {
		t.Errorf("the clock stands at %v, want 1m", got)
	}
	stats := n.Stats()
	if stats.RetransmissionsUp+stats.RetransmissionsDown != 0 {
		t.Errorf("%d + %d retransmissions on a clean link", stats.RetransmissionsUp, stats.RetransmissionsDown)
	}
}

func TestVirtualEnds(t *testing.T) {
	end := func(t *testing.T, target string, listen func(n *Network, s *Socket) Handler) error {
		t.Helper()
		n := newVirtual(t, Config{})
		if err := n.Listen("broker:1883", func(s *Socket) Handler { return listen(n, s) }); err != nil {
			t.Fatal(err)
		}
		d := n.mustDevice(t, DeviceConfig{})
		var got []error
		if _, err := d.Open(target, &calls{
			readable: func(s *Socket) { s.Receive(make([]byte, 100)) },
			closed:   func(_ *Socket, err error) { got = append(got, err) },
		}); err != nil {
			t.Fatal(err)
		}
		n.mustRun(t, 5*time.Minute)
		if len(got) != 1 {
			t.Fatalf("Closed was called %d times: %v", len(got), got)
		}
		return got[0]
	}
	later := func(end func(*Socket)) func(n *Network, s *Socket) Handler {
		return func(n *Network, s *Socket) Handler {
			n.At(n.Now().Add(time.Second), func() { end(s) })
			return &calls{}
		}
	}
	if err := end(t, "broker:1883", later((*Socket).Close)); err != io.EOF {
		t.Errorf("after the peer's Close: %v, want EOF", err)
	}
	if err := end(t, "broker:1883", later((*Socket).Abort)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after the peer's Abort: %v, want ECONNRESET", err)
	}
	refuse := func(*Network, *Socket) Handler { return nil }
	if err := end(t, "broker:1883", refuse); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("not accepted: %v, want ECONNRESET", err)
	}
	if err := end(t, "broker:1884", refuse); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v, want ECONNREFUSED", err)
	}
}

// history runs a fleet that connects, talks, loses power and comes back, and
// returns a hash of everything that its handlers saw and when.
func history(t *testing.T, seed uint64) (sum uint64, stats Stats) {
	t.Helper()
	n := newVirtual(t, Config{Seed: seed})
	hash := fnv.New64a()
	note := func(who int, what string) { fmt.Fprintln(hash, n.Now().UnixNano(), who, what) }
	if err := n.Listen("broker:1883", func(s *Socket) Handler {
		var b [2048]byte
		return &calls{
			readable: func(s *Socket) {
				for k := s.Receive(b[:]); k > 0; k = s.Receive(b[:]) {
					note(-1, fmt.Sprint("read ", k))
					s.Send(b[:k])
				}
			},
			closed: func(_ *Socket, err error) { note(-1, err.Error()) },
		}
	}); err != nil {
		t.Fatal(err)
	}
	m := mustModel(t, link.Config{
		Delay: 40 * time.Millisecond, Jitter: 10 * time.Millisecond, LossRatio: 0.05,
		RateBitsPerSecond: 100e3, QueueBytes: 16 << 10, DuplicateRatio: 0.01,
	})
	fixed := mustModel(t, link.Config{Delay: 40 * time.Millisecond})
	payload := make([]byte, 3000)
	for i := range 60 {
		c := DeviceConfig{Up: m, Down: m}
		if i%2 == 0 {
			// Without jitter everything that these do coincides.
			c = DeviceConfig{Up: fixed, Down: fixed}
		}
		d := n.mustDevice(t, c)
		var open func()
		open = func() {
			h := &calls{
				opened: func(s *Socket) { note(i, fmt.Sprint("opened ", s.Send(payload))) },
				readable: func(s *Socket) {
					var b [512]byte
					for k := s.Receive(b[:]); k > 0; k = s.Receive(b[:]) {
						note(i, fmt.Sprint("read ", k))
					}
				},
				closed: func(_ *Socket, err error) { note(i, err.Error()); open() },
			}
			s, err := d.Open("broker:1883", h)
			if err != nil {
				t.Fatal(err)
			}
			var tick *Timer
			tick = n.At(n.Now().Add(5*time.Second), func() {
				note(i, fmt.Sprint("sent ", s.Send(payload[:100+i])))
				tick.Set(n.Now().Add(5 * time.Second))
			})
		}
		open() // all at once: the worst case for the order of events
		if i%7 == 0 {
			n.At(n.Now().Add(30*time.Second), d.PowerOff)
			n.At(n.Now().Add(40*time.Second), func() { d.PowerOn(); open() })
		}
	}
	n.mustRun(t, 2*time.Minute)
	return hash.Sum64(), n.Stats()
}

func TestVirtualRunsAreDeterministic(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		first, stats := history(t, seed)
		t.Logf("seed %d: %x", seed, first)
		if stats.RetransmissionsUp == 0 {
			t.Error("nothing was lost: the run proves little")
		}
		for _, procs := range []int{1, 2, 4} {
			before := runtime.GOMAXPROCS(procs)
			again, _ := history(t, seed)
			runtime.GOMAXPROCS(before)
			if again != first {
				t.Errorf("seed %d, GOMAXPROCS %d: history %x, before %x", seed, procs, again, first)
			}
		}
		if again := historyElsewhere(t, seed); again != first {
			t.Errorf("seed %d, another process: history %x, before %x", seed, again, first)
		}
		if other, _ := history(t, seed+100); other == first {
			t.Errorf("seeds %d and %d have the same history", seed, seed+100)
		}
	}
}

// seedVariable makes a process of this test print one history and nothing else.
const seedVariable = "STACK_TEST_HISTORY_OF_SEED"

// TestHistoryOfOneSeed is what historyElsewhere runs in a process of its own.
func TestHistoryOfOneSeed(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64)
	if err != nil {
		t.Skip("part of TestVirtualRunsAreDeterministic")
	}
	sum, _ := history(t, seed)
	fmt.Printf("history %x\n", sum)
}

// historyElsewhere returns the hash of a history that another process ran.
func historyElsewhere(t *testing.T, seed uint64) (sum uint64) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestHistoryOfOneSeed$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", seedVariable, seed))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := fmt.Sscanf(string(out), "history %x", &sum); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return sum
}

// TestAHalfOpenConnectionIsNoticedLate: a device that loses power says nothing, and
// once it is back answers the peer's next segment with a reset.
func TestAHalfOpenConnectionIsNoticedLate(t *testing.T) {
	n := newVirtual(t, Config{Seed: 1})
	var peer *Socket
	var ended error
	if err := n.Listen("broker:1883", func(s *Socket) Handler {
		peer = s
		return &calls{closed: func(_ *Socket, err error) { ended = err }}
	}); err != nil {
		t.Fatal(err)
	}
	d := n.mustDevice(t, DeviceConfig{})
	s, err := d.Open("broker:1883", &calls{closed: func(_ *Socket, err error) { t.Errorf("the device was told: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	n.mustRun(t, time.Second)
	d.PowerOff()
	if got := s.Send([]byte("x")); got != 0 {
		t.Errorf("a device without power sent %d bytes", got)
	}
	if _, err := d.Open("broker:1883", &calls{}); !errors.Is(err, ErrPoweredOff) {
		t.Errorf("Open without power: %v", err)
	}
	n.mustRun(t, 24*time.Hour)
	if ended != nil {
		t.Errorf("the peer noticed by itself: %v", ended)
	}
	d.PowerOn()
	peer.Send([]byte("are you there?"))
	n.mustRun(t, time.Second)
	if !errors.Is(ended, syscall.ECONNRESET) {
		t.Errorf("after the peer has sent something: %v, want a reset", ended)
	}
}

func TestRunStopsWhenAsked(t *testing.T) {
	n := newVirtual(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	var tick *Timer
	ticks := 0
	tick = n.At(n.Now(), func() {
		if ticks++; ticks == 1000 {
			cancel()
		}
		tick.Set(n.Now().Add(time.Second))
	})
	if err := n.Run(ctx, time.Time{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run returned %v, want the context's cause", err)
	}
	tick.Stop()
	if err := n.Run(t.Context(), time.Time{}); err != nil {
		t.Errorf("Run with nothing left to happen returned %v", err)
	}
}
