package qos

import (
	"context"
	"fmt"
	"slices"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:  "RandomInterruptions",
	Title: "delivers QoS 2 once, QoS 1 at least once, and each in order, however often either side loses its Network Connection",
	Covers: statement.IDs(
		statement.V311("4.3.2-2", "4.3.3-1", "4.3.3-2", "4.4.0-1", "4.5.0-1", "4.6.0-6"),
		statement.V5("4.3.2-3", "4.3.3-3", "4.3.3-5", "4.3.3-8", "4.3.3-10", "4.3.3-12", "4.4.0-1", "4.5.0-1", "4.6.0-5"),
	),
	Needs: both,
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("a")
		r := &receiver{t: t, c: t.LastingConnect(), held: map[uint16]bool{}}
		r.p = t.ConnectWith(r.c)
		r.p.Subscribe(octets.Subscription{Filter: topic, QoS: 2})
		s := &sender{t: t, c: t.LastingConnect(), topic: topic, came: map[answer]bool{}}
		s.p = t.ConnectWith(s.c)

		const steps = 80
		for range steps {
			switch n := t.Rand().IntN(10); {
			case n < 4:
				s.begin()
			case n < 6:
				s.goOn()
			case n == 6:
				s.cut()
			case n < 9:
				r.take(t.Rand().IntN(3))
			default:
				r.cut()
			}
		}
		for len(s.open) > 0 {
			s.goOn()
		}
		r.finish(s.sent)
		for qos := byte(1); qos <= 2; qos++ {
			t.Expect(r.inOrder(qos)).To(gomega.Equal(s.sent[qos]), "messages with QoS %d, in the order of their first delivery", qos)
		}
		t.Expect(r.got[2]).To(gomega.HaveLen(len(s.sent[2])), "deliveries with QoS 2, each message once")
	},
})

// exchange is a message on its way from the sender.
type exchange struct {
	message  octets.Publish
	released bool // PUBREL was sent
}

// answer is an acknowledgement that came.
type answer struct {
	kind octets.Type
	id   uint16
}

// sender publishes, in the way that the standard asks of a client.
type sender struct {
	t     *conformance.T
	c     octets.Connect
	p     peer
	topic string
	open  []*exchange // in the order of their first PUBLISH
	sent  [3][]string // payloads by QoS
	came  map[answer]bool
}

// begin sends a new message, with the smallest Packet Identifier that is free, if not
// many are open already.
func (s *sender) begin() {
	const most = 5
	if len(s.open) == most {
		return
	}
	m := octets.Publish{Topic: s.topic, QoS: byte(1 + s.t.Rand().IntN(2)), ID: 1}
	for slices.ContainsFunc(s.open, func(e *exchange) bool { return e.message.ID == m.ID }) {
		m.ID++
	}
	m.Payload = fmt.Sprintf("QoS %d, %d", m.QoS, len(s.sent[m.QoS]))
	s.sent[m.QoS] = append(s.sent[m.QoS], m.Payload)
	s.open = append(s.open, &exchange{message: m})
	s.p.Send(m)
}

// goOn takes one open exchange a step further: any with QoS 1, the oldest with QoS 2, as
// PUBREL packets have to keep the order of the messages.
func (s *sender) goOn() {
	if len(s.open) == 0 {
		return
	}
	i := s.t.Rand().IntN(len(s.open))
	if s.open[i].message.QoS == 2 {
		i = slices.IndexFunc(s.open, func(e *exchange) bool { return e.message.QoS == 2 && !e.released })
		if i < 0 {
			i = slices.IndexFunc(s.open, func(e *exchange) bool { return e.message.QoS == 2 })
		}
	}
	e := s.open[i]
	switch {
	case e.message.QoS == 1:
		s.await(octets.PUBACK, e.message.ID)
	case !e.released:
		s.await(octets.PUBREC, e.message.ID)
		s.p.Send(octets.Pubrel(e.message.ID))
		e.released = true
		return
	default:
		s.await(octets.PUBCOMP, e.message.ID)
	}
	s.open = slices.Delete(s.open, i, i+1)
}

// await waits for an acknowledgement of what is open; others are kept for later.
func (s *sender) await(kind octets.Type, id uint16) {
	for want := (answer{kind, id}); !s.came[want]; {
		s.came[next(s.t, s.p, fmt.Sprintf("%s with packet identifier %d", kind, id))] = true
	}
	delete(s.came, answer{kind, id})
}

// cut loses the Network Connection, resumes the Session and sends again what is open.
func (s *sender) cut() {
	s.p, s.came = drop(s.t, s.p, s.c), map[answer]bool{}
	for _, e := range s.open {
		if e.released {
			s.p.Send(octets.Pubrel(e.message.ID))
			continue
		}
		again := e.message
		again.Dup = true
		s.p.Send(again)
	}
}
