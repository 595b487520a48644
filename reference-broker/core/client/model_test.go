package client

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

// modelServer keeps the other half of one Session, as plainly as possible, and counts what it accepts.
type modelServer struct {
	held     map[uint16]bool // QoS 2 identifiers between PUBLISH and PUBREL
	accepted map[string]int
	order    []string // first acceptance
	replies  []mqtt.Packet
	open     map[uint16]bool
	maximum  int
}

func (v *modelServer) take(t *testing.T, a *Action) {
	switch a.Kind {
	case SendPublish:
		var p mqtt.Publish
		a.Outgoing(&p)
		v.open[p.PacketID] = true
		if len(v.open) > v.maximum {
			t.Errorf("%d messages under way, Receive Maximum is %d", len(v.open), v.maximum)
		}
		if p.QoS == mqtt.AtLeastOnce {
			v.accept(&p)
			v.replies = append(v.replies, &mqtt.Puback{PacketID: p.PacketID})
			return
		}
		if !v.held[p.PacketID] {
			v.held[p.PacketID] = true
			v.accept(&p)
		}
		v.replies = append(v.replies, &mqtt.Pubrec{PacketID: p.PacketID})
	case SendAck: // PUBREL
		delete(v.held, a.AckID)
		v.replies = append(v.replies, &mqtt.Pubcomp{PacketID: a.AckID})
	}
}

func (v *modelServer) accept(p *mqtt.Publish) {
	if v.accepted[p.Topic] == 0 {
		v.order = append(v.order, p.Topic)
	}
	v.accepted[p.Topic]++
}

// TestNothingIsLostOrDoubled cuts the Network Connection at random points in both directions and counts.
func TestNothingIsLostOrDoubled(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		m := New(&Config{MaxQueued: 1000}, "dev")
		now := time.Unix(0, 0)
		server := &modelServer{held: map[uint16]bool{}, accepted: map[string]int{}}
		connect := &mqtt.Connect{Version: mqtt.V5, CleanStart: true, SessionExpiryInterval: mqtt.SessionNeverExpires}
		done := map[Token]int{}
		carry := func(lossy bool) {
			m.Drain(func(a *Action) {
				switch {
				case a.Kind == Done:
					done[a.Token]++
					if a.Err != nil {
						t.Errorf("seed %d: message %d: %v", seed, a.Token, a.Err)
					}
				case lossy && rnd.IntN(3) == 0: // everything from here on is lost with the connection
					lossy, server.maximum = true, 0
				case server.maximum > 0:
					server.take(t, a)
				}
			})
		}
		const messages = 40
		sent := 0
		for step := 0; sent < messages || len(done) < messages; step++ {
			if step > 5000 {
				t.Fatalf("seed %d: %d of %d messages done", seed, len(done), messages)
			}
			now = now.Add(time.Second)
			switch {
			case m.State() == Disconnected:
				server.maximum, server.open, server.replies = 1+rnd.IntN(4), map[uint16]bool{}, nil
				m.Opened(now, connect)
				m.Receive(now, &mqtt.Connack{SessionPresent: step > 0, ReceiveMaximum: uint16(server.maximum)})
			case sent < messages && rnd.IntN(2) == 0:
				p := &mqtt.Publish{Topic: fmt.Sprintf("%d/%d", 1+sent%2, sent), QoS: mqtt.QoS(1 + sent%2)}
				if err := m.Publish(now, Token(sent), p); err != nil {
					t.Fatal(err)
				}
				sent++
			case rnd.IntN(8) == 0:
				carry(true)
				m.Lost(now, nil)
				continue
			case len(server.replies) > 0:
				reply := server.replies[0]
				server.replies = server.replies[1:]
				switch r := reply.(type) {
				case *mqtt.Puback:
					delete(server.open, r.PacketID)
				case *mqtt.Pubcomp:
					delete(server.open, r.PacketID)
				}
				m.Receive(now, reply)
			}
			carry(false)
		}
		for i := range messages {
			topic := fmt.Sprintf("%d/%d", 1+i%2, i)
			n := server.accepted[topic]
			if n < 1 || n > 1 && i%2 == 1 || done[Token(i)] != 1 {
				t.Errorf("seed %d: message %s accepted %d times, reported %d times", seed, topic, n, done[Token(i)])
			}
		}
		last := [3]int{0, -1, -1}
		for _, topic := range server.order {
			var qos, n int
			if _, err := fmt.Sscanf(topic, "%d/%d", &qos, &n); err != nil {
				t.Fatal(err)
			}
			if n < last[qos] {
				t.Errorf("seed %d: order %v", seed, server.order)
				break
			}
			last[qos] = n
		}
	}
}
