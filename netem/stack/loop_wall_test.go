package stack

import (
	"context"
	"io"
	"math"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// dialled returns a connection of a new device to a target.
func dialled(t *testing.T, n *Network, target string) net.Conn {
	t.Helper()
	var d *Device
	n.do(func() { d = n.mustDevice(t, DeviceConfig{}) })
	c, err := d.Dial(t.Context(), "tcp", target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

// ask sends a small message to an echo and waits for the answer.
func ask(t *testing.T, c net.Conn) {
	t.Helper()
	var b [32]byte
	if _, err := c.Write(b[:]); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, b[:]); err != nil {
		t.Fatal(err)
	}
}

// TestALoopThatNeverSleepsLooksAtTheTargets keeps a loop busy all the time.
func TestALoopThatNeverSleepsLooksAtTheTargets(t *testing.T) {
	n := newWall(t, Config{Seed: 1})
	var stop atomic.Bool
	var again func()
	again = func() {
		if !stop.Load() {
			n.Post(again)
		}
	}
	n.Post(again)
	defer stop.Store(true)
	c := dialled(t, n, hostServer(t, hostEcho))
	for range 20 {
		ask(t, c)
	}
}

// withoutBeats makes the loop of a network sleep until something wakes it up: else it
// looks by itself a hundred times a second, which hides what it sleeps through.
func withoutBeats(n *Network) {
	n.do(func() {
		n.mu.Lock()
		n.lateness.nextBeat = math.MaxInt64
		n.mu.Unlock()
	})
}

// awaitSleep waits until the loop sleeps for hours.
func awaitSleep(n *Network) {
	asleep := func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.sleepUntil > int64(time.Hour)
	}
	for !asleep() {
		time.Sleep(10 * time.Microsecond)
	}
}

// TestALongSleepEndsWhenSomethingIsToBeDone wakes a loop up that would sleep for ever.
func TestALongSleepEndsWhenSomethingIsToBeDone(t *testing.T) {
	n := newWall(t, Config{Seed: 1, TCP: TCP{MinRTO: time.Millisecond}}) // TCP's timers wake it up too
	say, heard := make(chan struct{}), make(chan struct{})
	target := hostServer(t, func(c *net.TCPConn) {
		for range say {
			_, _ = c.Write([]byte("x"))
		}
	})
	defer close(say)
	c := dialled(t, n, target)
	go func() {
		var b [1]byte
		for {
			if _, err := c.Read(b[:]); err != nil {
				return
			}
			heard <- struct{}{}
		}
	}()
	withoutBeats(n)
	for i := range 100 {
		for _, wake := range []func() <-chan struct{}{
			func() <-chan struct{} {
				posted := make(chan struct{})
				n.Post(func() { close(posted) })
				return posted
			},
			func() <-chan struct{} { say <- struct{}{}; return heard },
		} {
			if i%2 == 0 { // else it wakes up while it falls asleep
				awaitSleep(n)
			}
			select {
			case <-wake():
			case <-time.After(time.Minute):
				t.Fatal("the loop sleeps on")
			}
		}
	}
}

// TestABulkConnectionLeavesTheOthersTheirTurn lets messages go to a target and back
// beside a connection that carries all the loop can, and counts how much that is in
// the meantime.
func TestABulkConnectionLeavesTheOthersTheirTurn(t *testing.T) {
	n := newWall(t, Config{Seed: 1})
	var carried atomic.Int64
	n.do(func() {
		var buffer [16 << 10]byte
		if err := n.Listen("sink:1", func(*Socket) Handler {
			return &calls{readable: func(s *Socket) {
				for k := s.Receive(buffer[:]); k > 0; k = s.Receive(buffer[:]) {
					carried.Add(int64(k))
				}
			}}
		}); err != nil {
			t.Error(err)
		}
		fill := func(s *Socket) {
			for s.Send(buffer[:]) == len(buffer) {
			}
		}
		if _, err := n.mustDevice(t, DeviceConfig{}).Open("sink:1", &calls{opened: fill, writable: fill}); err != nil {
			t.Error(err)
		}
	})
	c := dialled(t, n, hostServer(t, hostEcho))
	for carried.Load() < 1<<20 {
		time.Sleep(time.Millisecond)
	}
	meanwhile := make([]int64, 50)
	for i := range meanwhile {
		before := carried.Load()
		ask(t, c)
		meanwhile[i] = carried.Load() - before
	}
	slices.Sort(meanwhile)
	median := meanwhile[len(meanwhile)/2]
	t.Logf("a message there and back took as long as %d bytes of bulk, at most %d", median, meanwhile[len(meanwhile)-1])
	if median > 8<<20 {
		t.Errorf("a message there and back took as long as %d bytes of bulk", median)
	}
}

// TestCloseEndsADialThatCameThrough closes a network while a target is dialled by
// something that takes no cancelling.
func TestCloseEndsADialThatCameThrough(t *testing.T) {
	target := hostServer(t, hostEcho)
	dialling := make(chan struct{})
	n, err := New(Config{Seed: 1, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		close(dialling)
		<-ctx.Done()
		time.Sleep(20 * time.Millisecond) // Close has ended the handshakes that it found
		return net.Dial(network, address)
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { _ = n.Run(ctx, time.Time{}); close(ended) }()
	n.do(func() {
		if _, err := n.mustDevice(t, DeviceConfig{}).Open(target, &calls{}); err != nil {
			t.Error(err)
		}
	})
	<-dialling
	cancel()
	<-ended
	closed := make(chan error, 1)
	go func() { closed <- n.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Close waits for a handshake that cannot end")
	}
}
