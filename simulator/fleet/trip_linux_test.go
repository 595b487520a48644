package fleet

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mqttlab/netem/stack"
)

// BenchmarkTrip prices a message of QoS 1 and its acknowledgement between ten thousand devices on clean links and a mosquitto. The devices take turns, so
// that 256 of them are waiting all the time and nobody falls asleep. The same with plain sockets is the yardstick. cpu-us/trip is the processor time of this
// process; at most 60 is aimed at.
//
// AMD EPYC, 2 cores, shared with the mosquitto, median of thirteen: 45 us (37-56), plain sockets 21 us (19-22).
func BenchmarkTrip(b *testing.B) {
	if _, err := exec.LookPath("mosquitto"); err != nil {
		b.Skip("mosquitto is not installed: apt-get install mosquitto")
	}
	if err := checkOpenFiles(taking); err != nil {
		b.Skip(err)
	}
	b.Run("gateway", tripsOfDevices)
	b.Run("sockets", tripsOfSockets)
}

const (
	taking  = 10000 // devices take turns
	waiting = 256   // of them at a time
)

// taker is a device that takes turns.
type taker struct {
	socket  *stack.Socket
	id      string
	message []byte
	turn    *turn
}

// turn is the order of the devices of a network, whose loop owns it.
type turn struct {
	takers []*taker
	next   int
	buffer [64]byte
	*trips
}

// trips counts over all networks.
type trips struct{ connected, left, done atomic.Int64 }

// send lets the next device send, if there is a message left.
func (t *turn) send() {
	if t.left.Add(-1) < 0 {
		return
	}
	next := t.takers[t.next%len(t.takers)]
	t.next++
	next.socket.Send(next.message)
}

func (d *taker) Opened(s *stack.Socket) {
	d.socket = s
	s.Send(connectPacket(d.id))
}

func (d *taker) Readable(s *stack.Socket) {
	for n := s.Receive(d.turn.buffer[:]); n > 0; n = s.Receive(d.turn.buffer[:]) {
		if d.turn.buffer[0] == 0x20 { // CONNACK
			d.turn.connected.Add(1)
			continue
		}
		d.turn.done.Add(1)
		d.turn.send()
	}
}

func (*taker) Writable(*stack.Socket) {}

func (d *taker) Closed(_ *stack.Socket, err error) { panic(err) }

// connectPacket is an MQTT 3.1.1 CONNECT with Clean Session and without Keep Alive.
func connectPacket(id string) []byte {
	return append([]byte{0x10, byte(12 + len(id)), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, byte(len(id))}, id...)
}

// publishPacket is a PUBLISH of QoS 1 with Packet Identifier 1 and 32 bytes of payload.
func publishPacket(topic string) []byte {
	p := append([]byte{0x32, byte(2 + len(topic) + 2 + 32), 0, byte(len(topic))}, topic...)
	return append(append(p, 0, 1), make([]byte, 32)...)
}

func tripsOfDevices(b *testing.B) {
	address := mosquitto(b)
	all := &trips{}
	turns := make([]*turn, runtime.GOMAXPROCS(0))
	networks := make([]*stack.Network, len(turns))
	for i := range turns {
		turns[i], networks[i] = &turn{trips: all}, running(b, uint64(i+1))
		post(networks[i], func() { turns[i].open(b, networks[i], address, i, taking/len(turns)) })
	}
	for all.connected.Load() < int64(taking/len(turns)*len(turns)) {
		time.Sleep(10 * time.Millisecond)
	}
	all.left.Store(int64(b.N))
	b.ResetTimer()
	used := processorTime(b)
	for i, t := range turns {
		networks[i].Post(func() {
			for range waiting / len(turns) {
				t.send()
			}
		})
	}
	for all.done.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	b.ReportMetric(float64((processorTime(b)-used).Microseconds())/float64(b.N), "cpu-us/trip")
	b.StopTimer()
}

// running returns a network whose loop runs until the benchmark ends.
func running(b *testing.B, seed uint64) *stack.Network {
	n, err := stack.New(stack.Config{Seed: seed, MaxDials: 32})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { _ = n.Run(ctx, time.Time{}) })
	b.Cleanup(func() {
		cancel()
		work.Wait()
		n.Close()
	})
	return n
}

// post calls f on a network's loop and waits for it.
func post(n *stack.Network, f func()) {
	done := make(chan struct{})
	n.Post(func() { f(); close(done) })
	<-done
}

// open makes devices, each with a connection.
func (t *turn) open(b *testing.B, n *stack.Network, address string, network, count int) {
	for i := range count {
		id := fmt.Sprintf("t/%d/%d", network, i)
		d, err := n.AddDevice(stack.DeviceConfig{})
		if err != nil {
			b.Error(err)
			return
		}
		t.takers = append(t.takers, &taker{id: id, message: publishPacket(id), turn: t})
		if _, err := d.Open(address, t.takers[i]); err != nil {
			b.Error(err)
			return
		}
	}
}

func tripsOfSockets(b *testing.B) {
	address := mosquitto(b)
	connections, messages := make([]net.Conn, taking), make([][]byte, taking)
	for i := range connections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		id := fmt.Sprintf("s/%d", i)
		connections[i], messages[i] = c, publishPacket(id)
		roundTrip(b, c, connectPacket(id))
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	var work sync.WaitGroup
	b.ResetTimer()
	used := processorTime(b)
	for w := range waiting {
		work.Go(func() {
			for i := w; left.Add(-1) >= 0; i = (i + waiting) % taking {
				roundTrip(b, connections[i], messages[i])
			}
		})
	}
	work.Wait()
	b.ReportMetric(float64((processorTime(b)-used).Microseconds())/float64(b.N), "cpu-us/trip")
	b.StopTimer()
}

// roundTrip sends a packet whose answer has four bytes.
func roundTrip(b *testing.B, c net.Conn, packet []byte) {
	var answer [4]byte
	if _, err := c.Write(packet); err != nil {
		b.Error(err)
	}
	if n, err := c.Read(answer[:]); n != len(answer) {
		b.Errorf("%d bytes of an answer: %v", n, err)
	}
}
