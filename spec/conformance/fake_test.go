package conformance_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"

	"mqttlab/spec/octets"
	"mqttlab/spec/target"
)

// fake is a scripted server on in-memory connections. By itself it accepts every
// client, grants every subscription and answers PINGREQ; react does the rest.
type fake struct {
	// react is called for each packet after CONNECT; true means that it was dealt with.
	react func(f *fake, c net.Conn, r *octets.Received, v octets.Version) bool
	// greet is called for each new connection; true means that it was dealt with.
	greet func(c net.Conn) bool
	// without5 closes on a CONNECT of 5.0.
	without5 bool

	mu    sync.Mutex // guards the fields below
	dead  bool
	heard []string // packets received
	conns []net.Conn
}

var errDead = errors.New("connection refused")

func (f *fake) target() *target.Target {
	return &target.Target{URL: "mqtt://fake", Network: "tcp", Address: "fake", Dial: f.dial}
}

func (f *fake) dial(context.Context, string, string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return nil, errDead
	}
	client, server := net.Pipe()
	f.conns = append(f.conns, server)
	go f.serve(server)
	return client, nil
}

// die closes every connection and accepts no other until revive.
func (f *fake) die() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
	for _, c := range f.conns {
		c.Close()
	}
}

func (f *fake) revive(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = false
	return nil
}

func (f *fake) log(s string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heard = append(f.heard, s)
}

// said is what was received so far.
func (f *fake) said() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.heard)
}

func (f *fake) serve(c net.Conn) {
	defer c.Close()
	if f.greet != nil && f.greet(c) {
		return
	}
	var buf []byte
	chunk := make([]byte, 4096)
	version := octets.V311
	for {
		n, err := c.Read(chunk)
		if err != nil {
			return
		}
		for buf = append(buf, chunk[:n]...); ; {
			r, used := octets.Decode(buf, version)
			if r == nil {
				break
			}
			if r.Type == octets.CONNECT && len(r.Raw) > 8 && r.Raw[8] == 5 {
				if f.without5 {
					return
				}
				version = octets.V5
			}
			buf = buf[used:]
			f.log(r.String())
			if f.react != nil && r.Type != octets.CONNECT && f.react(f, c, r, version) {
				continue
			}
			if answer := ordinary(r, version); answer != nil {
				if _, err := c.Write(answer); err != nil {
					return
				}
			}
		}
	}
}

// ordinary is what any server would answer.
func ordinary(r *octets.Received, v octets.Version) []byte {
	v5 := v == octets.V5
	switch {
	case r.Type == octets.CONNECT && v5:
		return []byte{0x20, 3, 0, 0, 0}
	case r.Type == octets.CONNECT:
		return []byte{0x20, 2, 0, 0}
	case r.Type == octets.PINGREQ:
		return []byte{0xD0, 0}
	case r.Type == octets.SUBSCRIBE && v5:
		return []byte{0x90, 4, r.Raw[2], r.Raw[3], 0, 0}
	case r.Type == octets.SUBSCRIBE:
		return []byte{0x90, 3, r.Raw[2], r.Raw[3], 0}
	}
	return nil
}
