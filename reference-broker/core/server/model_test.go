package server

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/mqtt"
)

// lossy is a client that keeps its Session state as the standard wants and whose Network Connection may break between any two packets.
type lossy struct {
	s      *tester
	rng    *rand.Rand
	name   string
	change func(*mqtt.Connect)
	loss   float64 // of each packet in either direction, together with the connection
	peer   *peer   // nil: not connected

	sending  []*mqtt.Publish // unacknowledged, in order; nil PacketID never
	released map[uint16]bool // PUBREC came, PUBREL is due
	nextID   uint16

	unreleased map[uint16]bool
	received   []string
}

// step does one thing: connect, or handle one packet.
func (c *lossy) step() {
	if c.peer == nil {
		c.reconnect()
		return
	}
	if len(c.peer.inbox) == 0 {
		return
	}
	p := c.peer.next("model")
	if c.rng.Float64() < c.loss {
		c.peer.lose()
		c.peer = nil
		return
	}
	c.handle(p)
}

func (c *lossy) reconnect() {
	c.peer = c.s.connect(c.name, kept, c.change)
	for _, p := range append([]*mqtt.Publish(nil), c.sending...) {
		if c.released[p.PacketID] {
			c.send(&mqtt.Pubrel{PacketID: p.PacketID})
			continue
		}
		again := *p
		again.Dup = true
		c.send(&again)
	}
}

// send sends a packet, or loses it with the connection.
func (c *lossy) send(p mqtt.Packet) {
	if c.peer == nil {
		return
	}
	if c.rng.Float64() < c.loss {
		c.peer.lose()
		c.peer = nil
		return
	}
	c.peer.send(p)
}

func (c *lossy) publish(topic, payload string, qos mqtt.QoS) {
	c.nextID = max(1, c.nextID+1)
	p := &mqtt.Publish{Topic: topic, Payload: []byte(payload), QoS: qos, PacketID: c.nextID}
	c.sending = append(c.sending, p)
	c.send(p)
}

func (c *lossy) finished(id uint16) {
	for i, p := range c.sending {
		if p.PacketID == id {
			c.sending = append(c.sending[:i:i], c.sending[i+1:]...)
			break
		}
	}
	delete(c.released, id)
}

func (c *lossy) handle(p mqtt.Packet) {
	switch p := p.(type) {
	case *mqtt.Publish:
		if p.QoS == 2 && c.unreleased[p.PacketID] {
			if !p.Dup {
				c.s.t.Errorf("%s: repetition of %d without DUP", c.name, p.PacketID)
			}
			c.send(&mqtt.Pubrec{PacketID: p.PacketID})
			return
		}
		c.received = append(c.received, string(p.Payload))
		if p.QoS == 2 {
			c.unreleased[p.PacketID] = true
			c.send(&mqtt.Pubrec{PacketID: p.PacketID})
		} else {
			c.send(&mqtt.Puback{PacketID: p.PacketID})
		}
	case *mqtt.Pubrel:
		delete(c.unreleased, p.PacketID)
		c.send(&mqtt.Pubcomp{PacketID: p.PacketID})
	case *mqtt.Pubrec:
		c.released[p.PacketID] = true
		c.send(&mqtt.Pubrel{PacketID: p.PacketID})
	case *mqtt.Puback:
		c.finished(p.PacketID)
	case *mqtt.Pubcomp:
		c.finished(p.PacketID)
	case *mqtt.Disconnect:
		c.s.t.Fatalf("%s disconnected: %v", c.name, p.ReasonCode)
	}
}

// TestExactlyOnceUnderLoss holds the Server between a publisher and subscribers whose connections break at any point: QoS 2 arrives once each
// and in order, QoS 1 at least once and first in order.
func TestExactlyOnceUnderLoss(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { runLossy(t, seed, Config{}) })
	}
}

func runLossy(t *testing.T, seed uint64, cfg Config) {
	const messages = 150
	rng := rand.New(rand.NewPCG(seed, 1))
	s := start(t, cfg)
	client := func(name string) *lossy {
		receiveMaximum := uint16(1 + rng.IntN(5))
		return &lossy{
			s: s, rng: rng, name: name, loss: 0.15, released: map[uint16]bool{}, unreleased: map[uint16]bool{},
			change: func(c *mqtt.Connect) { c.ReceiveMaximum = receiveMaximum },
		}
	}
	pub, once, least := client("pub"), client("once"), client("least")
	for c, qos := range map[*lossy]mqtt.QoS{once: 2, least: 1} {
		c.peer = s.connect(c.name, kept, c.change)
		c.peer.subscribe(qos, "t")
	}
	all := []*lossy{pub, once, least}
	var want []string
	for range 200_000 {
		if len(want) < messages && rng.IntN(4) == 0 && len(pub.sending) < 20 {
			want = append(want, fmt.Sprint(len(want)))
			pub.publish("t", want[len(want)-1], 2)
		}
		if cfg.Persist && rng.IntN(100) == 0 {
			s.crash(rng)
			for _, c := range all {
				c.peer = nil
			}
		}
		all[rng.IntN(3)].step()
		s.advance(time.Millisecond)
		if len(want) == messages {
			for _, c := range all {
				c.loss = 0
			}
			if len(pub.sending) == 0 && idle(all) {
				break
			}
		}
	}
	if diff := cmp.Diff(want, once.received); diff != "" {
		t.Errorf("QoS 2 (-published +received):\n%s", diff)
	}
	if diff := cmp.Diff(want, firsts(least.received)); diff != "" {
		t.Errorf("QoS 1, first copies (-published +received):\n%s", diff)
	}
	if n := s.m.Stats().Queued; n != 0 {
		t.Errorf("%d messages are still queued", n)
	}
	checkHolders(t, s.m)
}

func idle(all []*lossy) bool {
	for _, c := range all {
		if c.peer == nil || len(c.peer.inbox) > 0 {
			return false
		}
	}
	return true
}

func firsts(list []string) (out []string) {
	seen := map[string]bool{}
	for _, x := range list {
		if !seen[x] {
			out = append(out, x)
		}
		seen[x] = true
	}
	return out
}

// checkHolders counts who holds each message and compares with what the message believes.
func checkHolders(t testing.TB, m *Machine) {
	t.Helper()
	holders := map[*message]int32{}
	for _, s := range m.sessions {
		if s.will != nil {
			holders[s.will.message]++
		}
		if s.flow == nil {
			continue
		}
		for _, x := range s.flow.out.Sent() {
			if x.message != nil {
				holders[x.message]++
			}
		}
		for i := range s.flow.queue.len() {
			holders[s.flow.queue.at(i).message]++
		}
	}
	for _, c := range m.conns {
		if c.will != nil {
			holders[c.will.message]++
		}
	}
	m.retained.names.Match("#", func(r *retained) bool { holders[r.message]++; return true })
	for x, n := range holders {
		if x.holders != n {
			t.Errorf("message %q has %d holders and believes in %d", x.publish.Topic, n, x.holders)
		}
	}
	for _, list := range [][]*message{m.messages.free, m.messages.released} {
		for _, x := range list {
			if holders[x] > 0 || x.holders != 0 {
				t.Errorf("a message in the pool has %d holders and believes in %d", holders[x], x.holders)
			}
		}
	}
}
