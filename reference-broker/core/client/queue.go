package client

import (
	"time"

	"mqttlab/reference-broker/mqtt"
)

// message is an Application Message that the owner handed over, with what is needed to give it back.
type message struct {
	*mqtt.Publish
	token Token
	taken time.Duration // when Publish was called, for the Message Expiry Interval
}

// queue holds the messages that wait to be sent for the first time, oldest first, in a ring that grows by doubling. Its bound is Config.MaxQueued,
// which Publish enforces.
type queue struct {
	ring  []message
	head  int
	count int
	qos0  int // how many of them have QoS 0
}

// keptRing is the ring that an empty queue holds on to, in messages.
const keptRing = 8

func (q *queue) push(m message) {
	if q.count == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.count)%len(q.ring)] = m
	q.note(m, 1)
}

// pushFront puts m before all others.
func (q *queue) pushFront(m message) {
	if q.count == len(q.ring) {
		q.grow()
	}
	q.head = (q.head + len(q.ring) - 1) % len(q.ring)
	q.ring[q.head] = m
	q.note(m, 1)
}

// front returns the oldest message; the queue must not be empty.
func (q *queue) front() message { return q.ring[q.head] }

func (q *queue) pop() {
	q.note(q.ring[q.head], -1)
	q.ring[q.head] = message{}
	q.head = (q.head + 1) % len(q.ring)
	if q.count == 0 && len(q.ring) > keptRing {
		q.ring, q.head = nil, 0
	}
}

func (q *queue) note(m message, n int) {
	q.count += n
	if m.QoS == mqtt.AtMostOnce {
		q.qos0 += n
	}
}

func (q *queue) grow() {
	ring := make([]message, max(2, 2*len(q.ring)))
	n := copy(ring, q.ring[q.head:])
	copy(ring[n:], q.ring[:q.head])
	q.ring, q.head = ring, 0
}
