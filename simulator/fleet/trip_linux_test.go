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
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// BenchmarkTrip prices a message of QoS 1 and its acknowledgement between ten thousand devices on clean links and a mosquitto. The devices take turns, so
// that 256 of them are waiting all the time and nobody falls asleep. The same with plain sockets is the yardstick. cpu-us/trip is the processor time of this
// process; at most 60 is aimed at.
//
// AMD EPYC, 2 cores, shared with the mosquitto, median of sixteen: 44 us (36-56), plain sockets 21 us (18-23).
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
	socket           *stack.Socket
	connect, message []byte
	turn             *turn
}

// turn is the order of the devices of a network, whose loop owns it.
type turn struct {
	takers []*taker
	next   int
	buffer [64]byte
	*trips
}

// trips counts over all networks.
type trips struct {
	left            atomic.Int64   // messages not yet sent
	connected, done sync.WaitGroup // devices, messages
}

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
	s.Send(d.connect)
}

func (d *taker) Readable(s *stack.Socket) {
	for n := s.Receive(d.turn.buffer[:]); n > 0; n = s.Receive(d.turn.buffer[:]) {
		if d.turn.buffer[0] == 0x20 { // CONNACK
			d.turn.connected.Done()
			continue
		}
		d.turn.done.Done()
		d.turn.send()
	}
}

func (*taker) Writable(*stack.Socket) {}

func (d *taker) Closed(_ *stack.Socket, err error) { panic(err) }

// packets are what a device sends.
func packets(id string) (connect, message []byte) {
	encode := func(p mqtt.Packet) []byte {
		b, err := wire.Append(nil, mqtt.V311, p)
		if err != nil {
			panic(err)
		}
		return b
	}
	return encode(&mqtt.Connect{Version: mqtt.V311, CleanStart: true, ClientID: id}),
		encode(&mqtt.Publish{Topic: id, QoS: mqtt.AtLeastOnce, PacketID: 1, Payload: make([]byte, 32)})
}

func tripsOfDevices(b *testing.B) {
	address := mosquitto(b)
	all := &trips{}
	turns := make([]*turn, runtime.GOMAXPROCS(0))
	networks := make([]*stack.Network, len(turns))
	for i := range turns {
		turns[i], networks[i] = &turn{trips: all}, running(b, uint64(i+1))
		all.connected.Add(taking / len(turns))
		networks[i].Post(func() { turns[i].open(networks[i], address, i, taking/len(turns)) })
	}
	all.connected.Wait()
	all.left.Store(int64(b.N))
	all.done.Add(b.N)
	b.ResetTimer()
	used := processorTime(b)
	for i, t := range turns {
		networks[i].Post(func() {
			for range waiting / len(turns) {
				t.send()
			}
		})
	}
	all.done.Wait()
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

// open makes devices, each with a connection.
func (t *turn) open(n *stack.Network, address string, network, count int) {
	for i := range count {
		d, err := n.AddDevice(stack.DeviceConfig{})
		if err != nil {
			panic(err) // on the loop, where Fatal is not allowed
		}
		next := &taker{turn: t}
		next.connect, next.message = packets(fmt.Sprintf("t/%d/%d", network, i))
		t.takers = append(t.takers, next)
		if _, err := d.Open(address, next); err != nil {
			panic(err)
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
		connect, message := packets(fmt.Sprintf("s/%d", i))
		connections[i], messages[i] = c, message
		roundTrip(b, c, connect)
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	var work sync.WaitGroup
	b.ResetTimer()
	used := processorTime(b)
	for w := range waiting {
		work.Go(func() {
			for i := w; left.Add(-1) >= 0; i += waiting {
				if i >= taking {
					i = w // nobody else's
				}
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
