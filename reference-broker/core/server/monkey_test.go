package server

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

// TestMonkey throws packets of all kinds, valid and not, at the machine and checks after each what must always hold. It looks for what
// conversations do not think of: panics, leaks, counts that drift apart, actions for closed connections.
func TestMonkey(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			k := &monkey{tester: start(t, monkeyConfig(seed)), rng: rand.New(rand.NewPCG(seed, 7))}
			for i := range 3000 {
				k.step()
				if i%50 == 0 {
					k.check()
				}
			}
			k.check()
			for _, p := range k.live() {
				p.lose()
			}
			k.advance(200_000 * time.Hour)
			k.check()
		})
	}
}

// TestSameCallsSameActions runs the same calls twice: maps, the clock and chance must not show.
func TestSameCallsSameActions(t *testing.T) {
	run := func() string {
		k := &monkey{tester: start(t, monkeyConfig(2)), rng: rand.New(rand.NewPCG(2, 7))}
		k.traced = true
		for range 3000 {
			k.step()
		}
		return k.trace.String()
	}
	first := run()
	for range 3 {
		if again := run(); again != first {
			a, b := strings.Split(first, "\n"), strings.Split(again, "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("action %d was\n%s\nand is now\n%s", i, a[i], b[i])
				}
			}
			t.Fatalf("%d actions, then %d", len(a), len(b))
		}
	}
}

func monkeyConfig(seed uint64) Config {
	cfg := Config{Authenticate: seed%4 == 3, KeepQoS0Offline: seed%3 == 1, SeparateCopies: seed%5 == 2, Shared311: seed%2 == 0, ReasonStrings: seed%7 == 0}
	if seed%2 == 1 {
		cfg.Limits = Limits{
			QueueMessages: 5, QueueBytes: 60, Subscriptions: 6, RetainedMessages: 4, RetainedBytes: 50, TopicLevels: 3, MaximumSessions: 5,
			ReceiveMaximum: 3, MaximumInflight: 4, HeldPackets: 3, MaximumSessionExpiry: 100, TopicAliasMaximum: 3,
		}
	}
	return cfg
}

type monkey struct {
	*tester
	rng *rand.Rand
}

func (k *monkey) live() (list []*peer) {
	for id := ConnID(1); id <= k.last; id++ {
		if p := k.peers[id]; p != nil && !p.closed {
			list = append(list, p)
		} else {
			delete(k.peers, id)
		}
	}
	return list
}

func pick[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

func (k *monkey) topic() string {
	return pick(k.rng, "a", "a/b", "a/b/c", "/", "b", "c/d/e/f", "$x", "a/+", "")
}

func (k *monkey) filter() string {
	return pick(k.rng, "a", "a/b", "a/+", "a/#", "#", "+", "+/b", "$share/g/a/+", "$share/g/#", "$share/h/#", "$x/#", "a#", "", "$share/g")
}

func (k *monkey) id() uint16 { return uint16(pick(k.rng, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8)) }

func (k *monkey) code() mqtt.ReasonCode {
	return pick(k.rng, 0, 0, 0, 0, 0, mqtt.QuotaExceeded, 0x04, 0x92, 0x55)
}

func (k *monkey) step() {
	live := k.live()
	if len(live) < 3 || len(live) < 8 && k.rng.IntN(10) == 0 {
		k.open().send(k.connectPacket())
		return
	}
	p := live[k.rng.IntN(len(live))]
	switch k.rng.IntN(40) {
	case 0:
		p.lose()
	case 1:
		k.advance(time.Duration(k.rng.IntN(100)) * time.Second)
	case 2:
		p.m.Malformed(k.now, p.id, mqtt.MalformedPacket)
		p.drain()
	case 3, 4, 5:
		p.m.Admit(k.now, p.id, Admission{ReasonCode: pick(k.rng, 0, 0, 0, mqtt.ContinueAuthentication, mqtt.NotAuthorized)})
		p.drain()
	case 6:
		p.send(k.packet())
	case 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18:
		k.answer(p)
	case 19, 20, 21, 22:
		p.send(&mqtt.Subscribe{
			PacketID: 9, SubscriptionIdentifier: uint32(k.rng.IntN(3)),
			Subscriptions: []mqtt.Subscription{{TopicFilter: pick(k.rng, "a", "a/b", "a/+", "#", "$share/g/#", "$share/h/a"), QoS: mqtt.QoS(k.rng.IntN(3))}},
		})
	default:
		p.send(k.publishPacket(pick(k.rng, "a", "a/b", "b", "a/b/c")))
	}
}

// answer acknowledges what the peer has, as a client should.
func (k *monkey) answer(p *peer) {
	inbox := p.inbox
	p.inbox = nil
	for _, x := range inbox {
		switch x := x.(type) {
		case *mqtt.Publish:
			switch x.QoS {
			case 1:
				p.send(&mqtt.Puback{PacketID: x.PacketID})
			case 2:
				p.send(&mqtt.Pubrec{PacketID: x.PacketID})
			}
		case *mqtt.Pubrel:
			p.send(&mqtt.Pubcomp{PacketID: x.PacketID})
		case *mqtt.Pubrec:
			p.send(&mqtt.Pubrel{PacketID: x.PacketID})
		}
	}
}

func (k *monkey) connectPacket() *mqtt.Connect {
	c := &mqtt.Connect{
		Version: pick(k.rng, mqtt.V5, mqtt.V5, mqtt.V5, mqtt.V311, mqtt.V31), CleanStart: k.rng.IntN(3) == 0, ClientID: pick(k.rng, "a", "b", "c", "d", "e", "f", ""),
		KeepAlive: uint16(k.rng.IntN(3) * 20), SessionExpiryInterval: pick[uint32](k.rng, 0, 30, 30, 100, mqtt.SessionNeverExpires),
		ReceiveMaximum: uint16(k.rng.IntN(4)), MaximumPacketSize: pick[uint32](k.rng, 0, 0, 0, 12, 40), TopicAliasMaximum: uint16(k.rng.IntN(3)),
	}
	if k.rng.IntN(2) == 0 {
		c.Will = &mqtt.Will{
			Topic: pick(k.rng, "a", "a/b", "b", "#"), Payload: []byte("will"), QoS: mqtt.QoS(k.rng.IntN(3)), Retain: k.rng.IntN(3) == 0,
			DelayInterval: uint32(k.rng.IntN(3) * 20),
		}
	}
	if k.rng.IntN(5) == 0 {
		c.AuthenticationMethod = mqtt.Some("m")
	}
	return c
}

func (k *monkey) publishPacket(topic string) *mqtt.Publish {
	p := &mqtt.Publish{
		Topic: topic, Payload: make([]byte, k.rng.IntN(20)), QoS: mqtt.QoS(k.rng.IntN(3)), Retain: k.rng.IntN(4) == 0, Dup: k.rng.IntN(4) == 0,
		TopicAlias: pick[uint16](k.rng, 0, 0, 0, 1, 2),
	}
	if p.QoS > 0 {
		p.PacketID = uint16(1 + k.rng.IntN(8))
	}
	if k.rng.IntN(4) == 0 {
		p.MessageExpiryInterval = mqtt.Some(uint32(k.rng.IntN(60)))
	}
	return p
}

// packet is any packet, seldom a valid one.
func (k *monkey) packet() mqtt.Packet {
	switch k.rng.IntN(14) {
	case 0:
		return k.connectPacket()
	case 1:
		return &mqtt.Puback{PacketID: k.id(), ReasonCode: k.code()}
	case 2:
		return &mqtt.Pubrec{PacketID: k.id(), ReasonCode: k.code()}
	case 3:
		return &mqtt.Pubrel{PacketID: k.id(), ReasonCode: k.code()}
	case 4:
		return &mqtt.Pubcomp{PacketID: k.id(), ReasonCode: k.code()}
	case 5:
		return &mqtt.Subscribe{PacketID: k.id(), Subscriptions: []mqtt.Subscription{{TopicFilter: k.filter(), NoLocal: true}, {TopicFilter: k.filter()}}}
	case 6:
		return &mqtt.Unsubscribe{PacketID: k.id(), TopicFilters: []string{k.filter(), k.filter()}}
	case 7:
		return &mqtt.Disconnect{ReasonCode: k.code(), SessionExpiryInterval: pick(k.rng, mqtt.Opt[uint32]{}, mqtt.Some(uint32(5)), mqtt.Some(uint32(0)))}
	case 8:
		return &mqtt.Auth{ReasonCode: pick(k.rng, 0, mqtt.ReAuthenticate, mqtt.ContinueAuthentication), AuthenticationMethod: mqtt.Some("m")}
	case 9:
		return &mqtt.Connack{}
	case 10:
		return &mqtt.Pingreq{}
	}
	return k.publishPacket(k.topic())
}

// check compares what the machine counts with what it holds.
func (k *monkey) check() {
	k.t.Helper()
	m := k.m
	queued, subscriptions, queuedBytes := 0, 0, 0
	for id, s := range m.sessions {
		if s.id != id || s.conn != nil && s.conn.session != s {
			k.t.Fatalf("session %q is %+v", id, s)
		}
		if s.conn == nil && s.expiry == 0 {
			k.t.Fatalf("session %q outlived its connection", id)
		}
		if s.flow != nil {
			queued += s.flow.queue.len()
			for i := range s.flow.queue.len() {
				queuedBytes += s.flow.queue.at(i).message.size() + entryBytes
			}
			k.checkQueue(&s.flow.queue)
		}
		subscriptions += len(s.subscriptions)
		for i, e := range s.subscriptions {
			if e.Value.at != i || s.find(e.Value.filter) != e {
				k.t.Fatalf("subscription %q is lost", e.Value.filter)
			}
		}
	}
	shared := 0
	for _, g := range m.groups {
		shared += len(g.members)
	}
	stats := m.Stats()
	if stats.Queued != queued || stats.Subscriptions != subscriptions || m.filters.Len() != subscriptions-shared+len(m.groups) {
		k.t.Fatalf("%+v, but %d queued, %d subscriptions of which %d in %d groups, %d in the tree", stats, queued, subscriptions, shared, len(m.groups), m.filters.Len())
	}
	if m.queuedBytes != queuedBytes {
		k.t.Fatalf("%d bytes queued, counted %d", queuedBytes, m.queuedBytes)
	}
	bytes := 0
	m.retained.names.Match("#", func(r *retained) bool { bytes += r.message.size(); return true })
	if bytes != stats.RetainedBytes {
		k.t.Fatalf("%d bytes retained, counted %d", bytes, stats.RetainedBytes)
	}
	for i, x := range m.timers.heap {
		if x.index != i+1 || i > 0 && m.timers.heap[(i-1)/2].at > x.at {
			k.t.Fatalf("timer %d is out of place", i)
		}
		if s, ok := x.owner.(*session); ok && (m.sessions[s.id] != s || s.conn != nil) {
			k.t.Fatalf("a timer runs for session %q, which is connected or gone", s.id)
		}
	}
	checkHolders(k.t, m)
}

// at returns the message in place i.
func (q *queue) at(i int) *pending { return &q.ring[(q.first+i)&(len(q.ring)-1)] }

func (k *monkey) checkQueue(q *queue) {
	k.t.Helper()
	bytes, atMostOnce := 0, 0
	for i := range q.len() {
		x := q.at(i)
		if !x.free {
			bytes += x.message.size()
		}
		if x.qos == 0 {
			atMostOnce++
		}
	}
	if bytes != q.bytes || atMostOnce != q.atMostOnce {
		k.t.Fatalf("queue counts %d bytes, %d of QoS 0; it holds %d, %d", q.bytes, q.atMostOnce, bytes, atMostOnce)
	}
}
