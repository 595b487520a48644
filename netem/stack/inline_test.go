package stack

import (
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"mqttlab/netem/link"
)

// TestWhatOvertakesDataEndsAConnectionAsItShould lets a FIN and a reset overtake the
// last data of a connection, which arrives before TCP's goroutines have worked on
// them: once a device was told of a reset as if it had hung up itself.
func TestWhatOvertakesDataEndsAConnectionAsItShould(t *testing.T) {
	for _, test := range []struct {
		name  string
		end   func(*Socket)
		heard string
		want  error
	}{
		{"FIN", (*Socket).Close, "last words", io.EOF},
		{"reset", (*Socket).Abort, "", syscall.ECONNRESET},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := newVirtual(t, Config{Seed: 1})
			var peer *Socket
			if err := n.Listen("broker:1883", func(s *Socket) Handler { peer = s; return &calls{} }); err != nil {
				t.Fatal(err)
			}
			d := n.mustDevice(t, DeviceConfig{Down: mustModel(t, link.Config{Delay: time.Second})})
			heard, ended := "", error(nil)
			if _, err := d.Open("broker:1883", &calls{
				readable: func(s *Socket) {
					var b [64]byte
					for k := s.Receive(b[:]); k > 0; k = s.Receive(b[:]) {
						heard += string(b[:k])
					}
				},
				closed: func(_ *Socket, err error) { ended = err },
			}); err != nil {
				t.Fatal(err)
			}
			n.mustRun(t, time.Minute)
			peer.Send([]byte("last words"))
			test.end(peer)
			data, end := n.popPacket(t), n.popPacket(t)
			tcp := d.path.devices.tcp
			tcp.Pause()
			n.deliver(&end)
			n.deliver(&data)
			tcp.Resume()
			n.mustRun(t, time.Minute)
			if heard != test.heard || !errors.Is(ended, test.want) {
				t.Errorf("heard %q and then %v, want %q and %v", heard, ended, test.heard, test.want)
			}
		})
	}
}

// popPacket takes the next packet off the links.
func (n *Network) popPacket(t *testing.T) entry {
	t.Helper()
	var timers []entry
	defer func() {
		for _, e := range timers {
			n.events.push(e)
		}
	}()
	for len(n.events) > 0 {
		e := n.events.pop()
		if e.packet != nil {
			return e
		}
		timers = append(timers, e)
	}
	t.Fatal("no packet is under way")
	return entry{}
}
