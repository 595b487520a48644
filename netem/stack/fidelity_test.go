package stack

import (
	"fmt"
	"math"
	"testing"
	"time"

	"mqttlab/netem/link"
)

// bulk sends as fast as TCP allows from a device to a listener for a time, and
// returns the goodput in bytes per second after a warm-up.
func bulk(t testing.TB, n *Network, up, down link.Config, warmUp, lasts time.Duration) float64 {
	t.Helper()
	var received int
	b := make([]byte, 64<<10)
	if err := n.Listen("sink:1", func(*Socket) Handler {
		return &calls{readable: func(s *Socket) {
			for k := s.Receive(b); k > 0; k = s.Receive(b) {
				received += k
			}
		}}
	}); err != nil {
		t.Fatal(err)
	}
	d := n.mustDevice(t, DeviceConfig{Up: mustModel(t, up), Down: mustModel(t, down)})
	payload := make([]byte, 64<<10)
	fill := func(s *Socket) {
		for s.Send(payload) > 0 {
			continue
		}
	}
	if _, err := d.Open("sink:1", &calls{opened: fill, writable: fill, closed: func(_ *Socket, err error) {
		t.Errorf("the connection ended: %v", err)
	}}); err != nil {
		t.Fatal(err)
	}
	n.mustRun(t, warmUp)
	before := received
	n.mustRun(t, lasts)
	return float64(received-before) / lasts.Seconds()
}

// segment is the payload of a full TCP segment: 1500 bytes minus 20 (IP) minus 20 (TCP)
// minus 40, the room that gVisor keeps for timestamps and three SACK blocks.
// onAir is its size as an IP packet that carries timestamps only.
const (
	segment = 1420
	onAir   = segment + 20 + 32
)

var large = TCP{SendBufferBytes: 1 << 20, ReceiveBufferBytes: 1 << 20}

// lossLimited is the window in packets that TCP holds on average at a loss ratio:
// the larger of √(3/2)/√p, the model of Reno (Mathis, Semke, Mahdavi, Ott, 1997),
// which CUBIC follows on short paths, and CUBIC's own 1.054·(RTT/p)^¾ (RFC 8312,
// section 5.1).
func lossLimited(p float64, rtt time.Duration) float64 {
	return max(math.Sqrt(1.5/p), 1.054*math.Pow(rtt.Seconds()/p, 0.75))
}

// TestGoodputUnderLossFollowsTheory measures goodput over the time in which TCP did not
// wait for its timer: the formulas know no timeouts, which at 3 % and windows of seven
// packets end one loss in ten.
func TestGoodputUnderLossFollowsTheory(t *testing.T) {
	for _, p := range []float64{0.003, 0.01, 0.03} {
		for _, rtt := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond} {
			t.Run(fmt.Sprintf("loss=%v,rtt=%v", p, rtt), func(t *testing.T) {
				theory := lossLimited(p, rtt) * segment / rtt.Seconds()
				mathis := math.Sqrt(1.5/p) * segment / rtt.Seconds()
				// Long enough for some 120 losses.
				lasts := time.Duration(120 / p * segment / theory * float64(time.Second))
				n := newVirtual(t, Config{Seed: 1, TCP: large})
				got := bulk(t, n, link.Config{Delay: rtt / 2, LossRatio: p}, link.Config{Delay: rtt / 2}, 20*rtt, lasts)
				timeouts := n.Stats().TimeoutsUp
				waited := time.Duration(timeouts) * (DefaultMinRTO + rtt)
				ratio := got / theory / (1 - waited.Seconds()/lasts.Seconds())
				t.Logf("%.0f B/s over %v, %d timeouts: %.2f of Mathis, %.2f of theory, %.2f without the timeouts",
					got, lasts.Round(time.Second), timeouts, got/mathis, got/theory, ratio)
				if ratio < 0.8 || ratio > 1.15 {
					t.Errorf("goodput is %.2f of theory, want 0.8 to 1.15", ratio)
				}
			})
		}
	}
}

// TestRateLimitedGoodput wants what headers leave of the rate: 1420 of 1472.
func TestRateLimitedGoodput(t *testing.T) {
	for _, rate := range []float64{250e3, 2e6} {
		n := newVirtual(t, Config{Seed: 1, TCP: TCP{SendBufferBytes: 64 << 10, ReceiveBufferBytes: 64 << 10}})
		up := link.Config{Delay: 20 * time.Millisecond, RateBitsPerSecond: rate, QueueBytes: 128 << 10}
		got := 8 * bulk(t, n, up, link.Config{Delay: 20 * time.Millisecond}, 5*time.Second, time.Minute)
		theory := rate * segment / onAir
		t.Logf("%.0f bit/s: %.4f of the rate, theory %.4f", rate, got/rate, theory/rate)
		if math.Abs(got/theory-1) > 0.005 {
			t.Errorf("rate %.0f: goodput %.0f bit/s, theory %.0f", rate, got, theory)
		}
		if s := n.Stats(); s.RetransmissionsUp != 0 {
			t.Errorf("%d retransmissions without a loss", s.RetransmissionsUp)
		}
	}
}

func TestCleanLinkHasNoRetransmissions(t *testing.T) {
	n := newVirtual(t, Config{Seed: 1, TCP: large})
	clean := link.Config{Delay: 50 * time.Millisecond, Jitter: 10 * time.Millisecond}
	if got := bulk(t, n, clean, clean, 0, 10*time.Second); got < 100e3 {
		t.Errorf("only %.0f B/s", got)
	}
	if s := n.Stats(); s.RetransmissionsUp+s.RetransmissionsDown != 0 || s.TimeoutsUp+s.TimeoutsDown != 0 {
		t.Errorf("retransmissions %d up, %d down; timeouts %d up, %d down", s.RetransmissionsUp, s.RetransmissionsDown, s.TimeoutsUp, s.TimeoutsDown)
	}
}

// TestRetransmissionsDoubleDuringAnOutage: what no stream proxy shows. The link is
// back after 30 s, the data is not.
func TestRetransmissionsDoubleDuringAnOutage(t *testing.T) {
	n := newVirtual(t, Config{Seed: 1})
	const begin, lasts = 10 * time.Second, 30 * time.Second
	var arrived time.Duration
	start := n.Now()
	if err := n.Listen("broker:1883", func(*Socket) Handler {
		return &calls{readable: func(s *Socket) {
			for s.Receive(make([]byte, 100)) > 0 {
				arrived = n.Now().Sub(start)
			}
		}}
	}); err != nil {
		t.Fatal(err)
	}
	m := mustModel(t, link.Config{Delay: 50 * time.Millisecond, Outages: []link.Outage{{Start: begin, Duration: lasts}}})
	d := n.mustDevice(t, DeviceConfig{Up: m, Down: m})
	var tries []time.Duration
	s, err := d.Open("broker:1883", &calls{closed: func(_ *Socket, err error) { t.Errorf("ended: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	sent := begin + 100*time.Millisecond
	n.At(start.Add(sent), func() { s.Send([]byte("reading")) })
	var watch *Timer
	last := uint64(0)
	watch = n.At(start.Add(sent), func() {
		if u, _ := d.Counters(); u.Dropped[link.DropOutage] > last {
			last = u.Dropped[link.DropOutage]
			tries = append(tries, n.Now().Sub(start)-sent)
		}
		watch.Set(n.Now().Add(time.Millisecond))
	})
	n.mustRun(t, 2*time.Minute)
	t.Logf("tries after %v; arrived %v after the link was back", tries, arrived-begin-lasts)
	if len(tries) < 6 {
		t.Fatalf("only %d tries: %v", len(tries), tries)
	}
	for i := 3; i < len(tries); i++ {
		ratio := float64(tries[i]-tries[i-1]) / float64(tries[i-1]-tries[i-2])
		if math.Abs(ratio-2) > 0.05 {
			t.Errorf("the wait before try %d is %.2f times the one before, want 2", i, ratio)
		}
	}
	// The next try after the link is back comes when the last wait has doubled.
	k := len(tries) - 1
	want := sent + tries[k] + 2*(tries[k]-tries[k-1]) + 50*time.Millisecond
	if diff := arrived - want; diff < -100*time.Millisecond || diff > 100*time.Millisecond || arrived < begin+lasts+time.Second {
		t.Errorf("arrived at %v, want %v: long after the link was back at %v", arrived, want, begin+lasts)
	}
}

// TestWireBytes pins what a connection and a message cost on the air, as IP bytes.
func TestWireBytes(t *testing.T) {
	n := newVirtual(t, Config{})
	if err := n.Listen("broker:1883", func(*Socket) Handler { return &calls{} }); err != nil {
		t.Fatal(err)
	}
	d := n.mustDevice(t, DeviceConfig{})
	s, err := d.Open("broker:1883", &calls{})
	if err != nil {
		t.Fatal(err)
	}
	n.mustRun(t, time.Second)
	total := func() uint64 {
		u, v := d.Counters()
		return u.AdmittedBytes + v.AdmittedBytes
	}
	if got := total(); got != 172 { // SYN 60, SYN-ACK 60, ACK 52
		t.Errorf("the handshake takes %d bytes, want 172", got)
	}
	before := total()
	s.Send(make([]byte, 46))
	n.mustRun(t, time.Second)
	if got := total() - before; got != 150 { // 52+46, ACK 52
		t.Errorf("46 bytes take %d on the wire, want 150", got)
	}
}
