package broker

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/store"
	"mqttlab/reference-broker/transport"
	"mqttlab/reference-broker/wire"
)

// The test binary becomes the broker that is killed when crashDir names its store; crashKills is how often the test kills it.
const (
	crashDir   = "MQTTLAB_CRASH_DIR"
	crashKills = "MQTTLAB_CRASH_KILLS"
	// retainEvery message of a publisher is a retained one, for a topic without subscribers.
	retainEvery = 5
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := serveStored(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// serveStored is the process that the crash test kills. It prints its address.
func serveStored(dir string) error {
	s, err := store.Open(dir, store.Options{MinimumFree: -1})
	if err != nil {
		return err
	}
	b, err := New(Config{Store: s})
	if err != nil {
		return err
	}
	ln, err := transport.Listen(context.Background(), "mqtt://127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	return b.Serve(context.Background(), ln)
}

// doomed is a broker process.
type doomed struct {
	cmd     *exec.Cmd
	address string
}

func startDoomed(t *testing.T, dir string) *doomed {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &doomed{cmd: cmd}
	t.Cleanup(d.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the broker did not start: ", err)
	}
	d.address = strings.TrimSpace(line)
	return d
}

func (d *doomed) kill() {
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
}

// survivor is a client that keeps its half of the Session, as the standard wants, while brokers come and go. Only its goroutine touches it while run
// runs.
type survivor struct {
	name string
	qos  mqtt.QoS // publishes with it; a subscriber: subscribed with it
	subs bool

	known      bool // a CONNACK came that promises the Session
	subscribed bool
	next       int
	limit      int // publishes no more than so many
	nextID     uint16
	unacked    []*mqtt.Publish // in order
	released   map[uint16]bool // PUBREC came
	retained   map[string]string

	unreleased map[uint16]bool
	received   []string
	until      string // the subscriber ends with this message

	steps *atomic.Int64 // packets taken by this client and others
	nc    net.Conn
	err   error
}

// run connects and works until the connection ends, which it must by the end of the broker or by stop.
func (c *survivor) run(address string) {
	nc, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(2 * time.Minute))
	c.nc = nc
	c.send(&mqtt.Connect{Version: mqtt.V5, ClientID: c.name, SessionExpiryInterval: mqtt.SessionNeverExpires, ReceiveMaximum: 50})
	dec := wire.NewDecoder(wire.FromServer)
	dec.Version = mqtt.V5
	buf := make([]byte, 0, 1<<16)
	for c.err == nil {
		n, err := nc.Read(buf[len(buf):cap(buf)])
		if err != nil {
			return
		}
		buf = buf[:len(buf)+n]
		packets, used, err := dec.All(nil, buf)
		if err != nil {
			c.err = err
			return
		}
		var out []byte
		for _, p := range packets {
			out = c.take(out, p)
		}
		c.steps.Add(int64(len(packets)))
		buf = append(buf[:0], buf[used:]...)
		if _, err := nc.Write(out); err != nil {
			return
		}
		if c.finished() {
			return
		}
	}
}

func (c *survivor) finished() bool {
	if c.subs {
		return c.until != "" && slices.Contains(c.received, c.until)
	}
	return c.next >= c.limit && len(c.unacked) == 0
}

func (c *survivor) send(p mqtt.Packet) {
	b, err := wire.Append(nil, mqtt.V5, p)
	if err != nil {
		panic(err)
	}
	_, _ = c.nc.Write(b)
}

func (c *survivor) take(out []byte, p mqtt.Packet) []byte {
	add := func(p mqtt.Packet) { out, _ = wire.Append(out, mqtt.V5, p) }
	switch p := p.(type) {
	case *mqtt.Connack:
		if c.known && !p.SessionPresent {
			c.err = fmt.Errorf("%s: the Session was forgotten", c.name)
		}
		c.known = true
		out = c.resume(out)
	case *mqtt.Suback:
		c.subscribed = true
	case *mqtt.Puback:
		c.done(p.PacketID)
	case *mqtt.Pubrec:
		c.released[p.PacketID] = true
		add(&mqtt.Pubrel{PacketID: p.PacketID})
	case *mqtt.Pubcomp:
		c.done(p.PacketID)
	case *mqtt.Publish:
		if p.QoS == mqtt.AtLeastOnce {
			c.received = append(c.received, string(p.Payload))
			add(&mqtt.Puback{PacketID: p.PacketID})
			break
		}
		if !c.unreleased[p.PacketID] {
			c.unreleased[p.PacketID] = true
			c.received = append(c.received, string(p.Payload))
		}
		add(&mqtt.Pubrec{PacketID: p.PacketID})
	case *mqtt.Pubrel:
		delete(c.unreleased, p.PacketID)
		add(&mqtt.Pubcomp{PacketID: p.PacketID})
	case *mqtt.Disconnect:
		c.err = fmt.Errorf("%s: disconnected: %v", c.name, p.ReasonCode)
	}
	return c.fill(out)
}

// resume sends what was not acknowledged.
func (c *survivor) resume(out []byte) []byte {
	if c.subs {
		if !c.subscribed {
			out, _ = wire.Append(out, mqtt.V5, &mqtt.Subscribe{PacketID: 60000, Subscriptions: []mqtt.Subscription{{TopicFilter: "t/#", QoS: c.qos}}})
		}
		return out
	}
	for _, p := range c.unacked {
		if c.released[p.PacketID] {
			out, _ = wire.Append(out, mqtt.V5, &mqtt.Pubrel{PacketID: p.PacketID})
			continue
		}
		again := *p
		again.Dup = true
		out, _ = wire.Append(out, mqtt.V5, &again)
	}
	return out
}

// fill begins exchanges up to a window.
func (c *survivor) fill(out []byte) []byte {
	for !c.subs && c.known && c.next < c.limit && len(c.unacked) < 20 {
		c.next++
		for c.nextID = c.nextID%60 + 1; c.inUse(c.nextID); { // few identifiers, so that each is used again soon
			c.nextID = c.nextID%60 + 1
		}
		p := &mqtt.Publish{Topic: "t/" + c.name, QoS: c.qos, PacketID: c.nextID, Payload: fmt.Appendf(nil, "%s %d", c.name, c.next)}
		if c.next%retainEvery == 0 {
			p.Retain, p.Topic = true, fmt.Sprintf("r/%s/%d", c.name, c.next%7)
			if c.next%3 == 0 {
				p.Payload = nil
			}
			c.retained[p.Topic] = string(p.Payload)
		}
		c.unacked = append(c.unacked, p)
		out, _ = wire.Append(out, mqtt.V5, p)
	}
	return out
}

func (c *survivor) inUse(id uint16) bool {
	return slices.ContainsFunc(c.unacked, func(p *mqtt.Publish) bool { return p.PacketID == id })
}

func (c *survivor) done(id uint16) {
	c.unacked = slices.DeleteFunc(c.unacked, func(p *mqtt.Publish) bool { return p.PacketID == id })
	delete(c.released, id)
}

// TestKilledBrokerLosesNothing kills the broker's process at random points of QoS 1 and QoS 2 load and counts afterwards: each message that was
// acknowledged arrived, QoS 2 ones once, all in order, and the retained messages are the last ones.
func TestKilledBrokerLosesNothing(t *testing.T) {
	kills := 15
	if testing.Short() {
		kills = 3
	}
	if s := os.Getenv(crashKills); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(crashKills, ": ", err)
		}
		kills = n
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	dir := t.TempDir()
	clients := []*survivor{
		{name: "sub1", qos: 1, subs: true},
		{name: "sub2", qos: 2, subs: true},
		{name: "pub1", qos: 1, limit: 1 << 30},
		{name: "pub2", qos: 2, limit: 1 << 30},
		{name: "pub3", qos: 2, limit: 1 << 30},
	}
	steps := new(atomic.Int64)
	for _, c := range clients {
		c.steps, c.released, c.unreleased, c.retained = steps, map[uint16]bool{}, map[uint16]bool{}, map[string]string{}
	}
	// Sessions and Subscriptions have to be there before the first message.
	d := startDoomed(t, dir)
	round(clients[:2], d, func() { await(steps, 4); d.kill() })
	if !clients[0].subscribed || !clients[1].subscribed {
		t.Fatal("SUBACK did not come")
	}
	for range kills {
		d := startDoomed(t, dir)
		present := clients
		if rng.IntN(3) == 0 {
			present = clients[1+rng.IntN(2):] // what is for the others is queued
		}
		// Load is counted, not timed: a slow machine must see as much of it as a fast one.
		goal, wait := rng.Int64N(400), time.Duration(rng.IntN(2000))*time.Microsecond
		steps.Store(0)
		round(present, d, func() { await(steps, goal); time.Sleep(wait); d.kill() })
		for _, c := range clients {
			if c.err != nil {
				t.Fatal(c.err)
			}
		}
	}
	finish(t, dir, clients)
	verify(t, clients, kills)
}

// await waits until clients have taken so many packets, but not for ever: then the test fails by itself.
func await(steps *atomic.Int64, goal int64) {
	for begin := time.Now(); steps.Load() < goal && time.Since(begin) < time.Minute; {
		time.Sleep(100 * time.Microsecond)
	}
}

// round has the clients work until their connections end; during says for how long.
func round(clients []*survivor, d *doomed, during func()) {
	ended := make(chan struct{})
	for _, c := range clients {
		go func() {
			c.run(d.address)
			ended <- struct{}{}
		}()
	}
	during()
	for range clients {
		<-ended
	}
}

// finish lets a broker deliver all that is left and compares its retained messages.
func finish(t *testing.T, dir string, clients []*survivor) {
	t.Helper()
	d := startDoomed(t, dir)
	pubs := clients[2:]
	for _, c := range pubs {
		c.limit = c.next + 5 // what is begun ends, and a little more comes
	}
	nothing := func() {}
	round(pubs, d, nothing)
	want := map[string]string{}
	for _, c := range pubs {
		for topic, payload := range c.retained {
			if payload != "" {
				want[topic] = payload
			}
		}
	}
	if diff := cmp.Diff(want, readRetained(t, d.address)); diff != "" {
		t.Errorf("retained messages (-acknowledged +stored):\n%s", diff)
	}
	// What comes behind everything else tells the subscribers that they have it all.
	last := &survivor{name: "last", qos: 1, limit: 1, steps: new(atomic.Int64), released: map[uint16]bool{}, retained: map[string]string{}}
	round([]*survivor{last}, d, nothing)
	for _, c := range clients[:2] {
		c.until = "last 1"
	}
	round(clients[:2], d, nothing)
}

// readRetained asks for all retained messages; PINGRESP comes behind them.
func readRetained(t *testing.T, address string) map[string]string {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	p := newPeer(t, nc, mqtt.V5)
	p.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "reader", CleanStart: true})
	p.send(&mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: "r/#"}}})
	p.send(&mqtt.Pingreq{})
	got := map[string]string{}
	for {
		x, err := p.next()
		if err != nil {
			t.Fatal(err)
		}
		switch x := x.(type) {
		case *mqtt.Publish:
			got[x.Topic] = string(x.Payload)
		case *mqtt.Pingresp:
			return got
		}
	}
}

// verify holds what subscribers received against what was published.
func verify(t *testing.T, clients []*survivor, kills int) {
	t.Helper()
	total := 0
	for _, p := range clients[2:] {
		total += p.next
		var want []string
		for n := 1; n <= p.next; n++ {
			if n%retainEvery != 0 {
				want = append(want, fmt.Sprint(p.name, " ", n))
			}
		}
		for _, c := range clients[:2] {
			got := slices.DeleteFunc(slices.Clone(c.received), func(s string) bool { return !strings.HasPrefix(s, p.name) })
			if p.qos < mqtt.ExactlyOnce || c.qos < mqtt.ExactlyOnce {
				got = firsts(got)
			}
			if !slices.Equal(want, got) {
				t.Errorf("%s received %d messages of %s and should have %d: first difference at %d", c.name, len(got), p.name, len(want), difference(want, got))
			}
		}
	}
	t.Logf("%d kills, %d messages", kills, total)
	if total < 5*kills {
		t.Errorf("only %d messages with %d kills: that shows nothing", total, kills)
	}
}

func firsts(list []string) (out []string) {
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

func difference(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
