package load

import (
	"context"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/transport"
)

// serve runs a broker in this process and returns its address.
func serve(t testing.TB, tap broker.Tap) string {
	b, err := broker.New(broker.Config{Tap: tap})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := transport.Listen(t.Context(), "mqtt://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go b.Serve(context.Background(), ln)
	t.Cleanup(func() { b.Close(context.Background()) })
	return ln.Addr().String()
}

// Each scenario comes to an end, loses nothing, and counts what it says it counts.
func TestScenarios(t *testing.T) {
	timed := Spec{Publishers: 3, Subscribers: 5, Window: 7, Payload: 16, Rate: 1000, Measure: 50 * time.Millisecond}
	for _, x := range []struct {
		name     string
		scenario Scenario
		qos      byte
		count    int
		exactly  uint64
		durable  bool
	}{
		{name: "pairs QoS 0", scenario: Pairs},
		{name: "pairs QoS 1", scenario: Pairs, qos: 1},
		{name: "pairs QoS 2", scenario: Pairs, qos: 2},
		{name: "fan-out", scenario: FanOut},
		{name: "fan-in", scenario: FanIn},
		{name: "connect", scenario: Connect, count: 50, exactly: 50},
		{name: "retained", scenario: Retained, count: 321, exactly: 3 * 321},
		{name: "match", scenario: Match, count: 1000},
		{name: "pairs durable", scenario: Pairs, qos: 1, durable: true},
		{name: "offline QoS 1", scenario: Offline, qos: 1, count: 1000, exactly: 1000},
		{name: "offline QoS 2", scenario: Offline, qos: 2, count: 1000, exactly: 1000},
		{name: "latency", scenario: Latency, qos: 1, exactly: 50},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := timed
			s.Address, s.PID, s.Scenario, s.QoS, s.Count, s.Durable = serve(t, nil), os.Getpid(), x.scenario, x.qos, x.count, x.durable
			r, err := Run(s)
			if err != nil {
				t.Fatal(err)
			}
			if r.Count == 0 || x.exactly > 0 && r.Count != x.exactly || r.Lost != 0 || r.Wall == 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// swallow is a broker that keeps one PUBLISH in a hundred for itself.
type swallow struct{ seen atomic.Int64 }

func (s *swallow) In(_ server.ConnID, frame []byte) broker.Tapped {
	if frame[0]&typeMask == publishType && s.seen.Add(1)%100 == 0 {
		return broker.Tapped{}
	}
	return broker.Pass(frame)
}
func (*swallow) Out(_ server.ConnID, frame []byte) broker.Tapped { return broker.Pass(frame) }
func (*swallow) Closing(server.ConnID) bool                      { return true }

func TestLostMessagesAreReported(t *testing.T) {
	r, err := Run(Spec{
		Scenario: Pairs, Address: serve(t, new(swallow)), PID: os.Getpid(), Publishers: 1, Window: 5, Payload: 16,
		Measure: forgive + 500*time.Millisecond,
	})
	if err != nil || r.Lost != 5 {
		t.Errorf("%+v, %v; the window of 5 was to be written off once", r, err)
	}
}

// twice is a broker that sends the tenth PUBLISH twice.
type twice struct{ sent atomic.Int64 }

func (*twice) In(_ server.ConnID, frame []byte) broker.Tapped { return broker.Pass(frame) }
func (s *twice) Out(_ server.ConnID, frame []byte) broker.Tapped {
	if frame[0]&typeMask == publishType && s.sent.Add(1) == 10 {
		return broker.Tapped{Frames: [][]byte{frame, frame}}
	}
	return broker.Pass(frame)
}
func (*twice) Closing(server.ConnID) bool { return true }

func TestOrderIsChecked(t *testing.T) {
	_, err := Run(Spec{
		Scenario: Offline, Address: serve(t, new(twice)), PID: os.Getpid(), QoS: 1, Publishers: 1, Window: 5, Payload: 16, Count: 20,
	})
	if err == nil || !strings.Contains(err.Error(), "message 10 of p0 came after 10 others") {
		t.Errorf("got %v", err)
	}
}

// pause is a broker that stands still at one PUBLISH.
type pause struct{ seen atomic.Int64 }

const standstill = 300 * time.Millisecond

func (s *pause) In(_ server.ConnID, frame []byte) broker.Tapped {
	if frame[0]&typeMask == publishType && s.seen.Add(1) == 100 {
		time.Sleep(standstill)
	}
	return broker.Pass(frame)
}
func (*pause) Out(_ server.ConnID, frame []byte) broker.Tapped { return broker.Pass(frame) }
func (*pause) Closing(server.ConnID) bool                      { return true }

// All messages that were due in a standstill have waited, not only the one that met it.
func TestStandstillIsFeltByAllThatWereDue(t *testing.T) {
	r, err := Run(Spec{
		Scenario: Latency, Address: serve(t, new(pause)), PID: os.Getpid(), Publishers: 1, Payload: 16, Rate: 1000, Measure: 600 * time.Millisecond,
	})
	if half := float64(standstill.Microseconds() / 2); err != nil || r.Figure < half {
		t.Errorf("%+v, %v; want a percentile of at least %v us", r, err, half)
	}
}

func TestLatencyOfWhatDidNotArrive(t *testing.T) {
	o := openLoop{counted: 200}
	for i := range 199 {
		o.took = append(o.took, time.Duration(200-i)*time.Microsecond)
	}
	if r, err := o.result(Result{}); err != nil || r.Figure != 199 || r.Lost != 1 {
		t.Errorf("%+v, %v; want the 198th of 199 times and 1 lost", r, err)
	}
	o.took = o.took[:190]
	if _, err := o.result(Result{}); err == nil || !strings.Contains(err.Error(), "190 of 200") {
		t.Errorf("got %v", err)
	}
}

func TestSilentBrokerIsGivenUp(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, err = Run(Spec{
		Scenario: Connect, Address: ln.Addr().String(), PID: os.Getpid(), Count: 1, Window: 1, Patience: 30 * time.Millisecond,
	})
	if err == nil || !strings.Contains(err.Error(), "nothing happened") {
		t.Errorf("got %v", err)
	}
}

func TestMistakesAreAllTold(t *testing.T) {
	_, err := Run(Spec{Scenario: Pairs, Address: "192.0.2.1:1883", QoS: 3})
	for _, want := range []string{"127.0.0.0/8", "process", "QoS", "Publishers", "Window", "Payload", "Measure"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

// echo is a loop with a publisher and a subscriber, and what passes for a broker: bytes go from one socket to the other.
func echo(t testing.TB) (lp *loop, turn func()) {
	lp = &loop{}
	var err error
	if lp.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	var far [2]int
	for i, name := range []string{"publisher", "subscriber"} {
		fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		far[i] = fds[1]
		lp.adopt(name, fds[0])
	}
	t.Cleanup(func() { lp.close(); syscall.Close(far[0]); syscall.Close(far[1]) })
	for _, l := range lp.lines {
		if l != nil && l.name == "publisher" {
			lp.publish(l, 10, 1, newTemplate("a/b/c", 0, false, 64, 0))
			l.stir()
		}
	}
	lp.settle()
	buf := make([]byte, 64<<10)
	return lp, func() {
		if n, _ := syscall.Read(far[0], buf); n > 0 {
			syscall.Write(far[1], buf[:n])
		}
		if err := lp.turn(0); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingIsAllocatedPerMessage(t *testing.T) {
	lp, turn := echo(t)
	turn()
	before := lp.delivered
	if n := testing.AllocsPerRun(100, turn); n != 0 {
		t.Errorf("%v allocations for ten messages", n)
	}
	if got := lp.delivered - before; got < 900 {
		t.Errorf("only %d messages came round", got)
	}
}

func BenchmarkTurn(b *testing.B) {
	lp, turn := echo(b)
	b.ReportAllocs()
	for b.Loop() {
		turn()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(lp.delivered), "ns/message")
}
