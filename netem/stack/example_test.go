package stack_test

import (
	"context"
	"fmt"
	"time"

	"mqttlab/netem/link"
	"mqttlab/netem/stack"
)

// client sends a reading and shuts down once it is answered.
type client struct {
	n     *stack.Network
	start time.Time
}

func (c *client) Opened(s *stack.Socket) { s.Send([]byte("21.5 C")) }

func (c *client) Readable(s *stack.Socket) {
	var b [64]byte
	fmt.Printf("%v: %s\n", c.n.Now().Sub(c.start), b[:s.Receive(b[:])])
	s.Close()
}

func (*client) Writable(*stack.Socket)          {}
func (*client) Closed(_ *stack.Socket, e error) { fmt.Println(e) }

// server acknowledges whatever it reads.
type server struct{}

func (server) Opened(*stack.Socket) {}

func (server) Readable(s *stack.Socket) {
	var b [64]byte
	if k := s.Receive(b[:]); k > 0 {
		s.Send([]byte("thanks for " + string(b[:k])))
	}
}

func (server) Writable(*stack.Socket)      {}
func (server) Closed(*stack.Socket, error) {}

// A day on a satellite link passes in no time.
func Example() {
	n, err := stack.New(stack.Config{Seed: 1, Virtual: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer n.Close()
	if err := n.Listen("broker:1883", func(*stack.Socket) stack.Handler { return server{} }); err != nil {
		fmt.Println(err)
		return
	}
	satellite, err := link.Compile(link.Config{Delay: 300 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := n.AddDevice(stack.DeviceConfig{Up: satellite, Down: satellite})
	if err != nil {
		fmt.Println(err)
		return
	}
	start := n.Now()
	if _, err := d.Open("broker:1883", &client{n, start}); err != nil {
		fmt.Println(err)
		return
	}
	if err := n.Run(context.Background(), start.Add(24*time.Hour)); err != nil {
		fmt.Println(err)
	}
	fmt.Println(n.Now().Sub(start))
	// Output:
	// 1.2s: thanks for 21.5 C
	// 24h0m0s
}
