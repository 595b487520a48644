package client

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// Subscription is where the messages of one Subscribe come out. Its methods may be called from any goroutine.
type Subscription struct {
	c       *Client
	filters []Filter
	paths   []string // what topics are matched with
	ready   chan struct{}

	// Guarded by Client.mu.
	id      uint32
	op      *op // the SUBSCRIBE under way or answered
	sent    bool
	granted bool
	codes   []mqtt.ReasonCode
	queue   []*Message // from head on
	head    int
	qos0    int // how many of them have QoS 0
	dropped uint64
	ended   chan struct{}
	err     error // why it ended; valid after ended
}

func (c *Client) newSubscription(filters []Filter) *Subscription {
	s := &Subscription{c: c, filters: filters, ready: make(chan struct{}, 1), ended: make(chan struct{})}
	for _, f := range filters {
		path := f.TopicFilter
		if parsed, err := topic.ParseFilter(path); err == nil && c.version == mqtt.V5 {
			path = parsed.Path
		}
		s.paths = append(s.paths, path)
	}
	return s
}

// Unclaimed returns the Subscription that gets the messages no other one does. It is nil without Options.KeepUnclaimed.
func (c *Client) Unclaimed() *Subscription { return c.unclaimed }

// Granted returns what the Server answered for each filter: the QoS it grants.
func (s *Subscription) Granted() []mqtt.ReasonCode {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.codes
}

// Dropped returns how many QoS 0 messages were dropped because the application was too slow (see Options.Buffer).
func (s *Subscription) Dropped() uint64 {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.dropped
}

// Messages returns the messages as they come. The loop ends without an error after Close of the Subscription or the client, and with one,
// after a last round with a nil message, when ctx ends or the client or the Server gave the Subscription up. A message is acknowledged when
// its round is over, unless Options.ManualAck is set. Several loops over one Subscription share its messages.
func (s *Subscription) Messages(ctx context.Context) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		for {
			m, err := s.next(ctx)
			if m == nil {
				if err != nil {
					yield(nil, err)
				}
				return
			}
			more := yield(m, nil)
			if !s.c.opts.ManualAck {
				m.Ack(mqtt.Success)
			}
			if !more {
				return
			}
		}
	}
}

// Handle calls handle for each message, in up to n goroutines at once, and returns when the Subscription ends or ctx does; the error is
// as in Messages. With n above 1 messages are handled out of order.
func (s *Subscription) Handle(ctx context.Context, n int, handle func(context.Context, *Message)) error {
	errs := make([]error, max(n, 1))
	var workers sync.WaitGroup
	for i := range errs {
		workers.Go(func() {
			for m, err := range s.Messages(ctx) {
				if err != nil {
					errs[i] = err
					return
				}
				handle(ctx, m)
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// next waits for a message. It returns nil and no error when the Subscription was closed.
func (s *Subscription) next(ctx context.Context) (*Message, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if m := s.pop(); m != nil {
			return m, nil
		}
		select {
		case <-s.ready:
		case <-s.ended:
			if s.err == nil || errors.Is(s.err, ErrClosed) {
				return nil, nil
			}
			return nil, s.err
		case <-ctx.Done():
		}
	}
}

func (s *Subscription) pop() *Message {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.head == len(s.queue) {
		return nil
	}
	m := s.queue[s.head]
	s.queue[s.head] = nil
	s.head++
	if m.QoS == mqtt.AtMostOnce {
		s.qos0--
	}
	if s.head == len(s.queue) {
		s.queue, s.head = s.queue[:0], 0
	} else {
		s.signal() // another loop may wait
	}
	return m
}

// push queues a message, or drops it at QoS 0 when there are too many. c.mu is held.
func (s *Subscription) push(m *Message) {
	if m.QoS == mqtt.AtMostOnce {
		if s.qos0 >= s.c.opts.buffer() {
			s.dropped++
			return
		}
		s.qos0++
	}
	if s.head > 0 && len(s.queue) == cap(s.queue) {
		n := copy(s.queue, s.queue[s.head:])
		clear(s.queue[n:])
		s.queue, s.head = s.queue[:n], 0
	}
	s.queue = append(s.queue, m)
	s.signal()
}

func (s *Subscription) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// end closes the Subscription. c.mu is held.
func (s *Subscription) end(why error) {
	select {
	case <-s.ended:
	default:
		s.err = why
		close(s.ended)
	}
}

// drop forgets the messages nobody will read, and acknowledges them lest they fill the Receive Maximum. c.mu is held.
func (s *Subscription) drop() {
	left := s.queue[s.head:]
	s.queue, s.head, s.qos0 = nil, 0, 0
	for _, m := range left {
		if d := m.finish(mqtt.Success); d != nil {
			s.c.m.Ack(time.Now(), d.receipt, d.code)
		}
	}
}

// Close unsubscribes and returns when the Server has answered. Messages that were not read yet are acknowledged and dropped. Without a connection the
// Server is told on the next one, if it kept the Session.
func (s *Subscription) Close(ctx context.Context) error {
	s.c.mu.Lock()
	if !s.c.remove(s) {
		s.c.mu.Unlock()
		return nil
	}
	s.end(nil)
	s.drop()
	o, err := s.c.sendUnsubscribe(s)
	s.c.carryOut()
	s.c.mu.Unlock()
	if o == nil {
		return err
	}
	select {
	case <-o.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, code := range o.codes {
		if code.Failed() {
			return &RefusedError{Packet: mqtt.TypeUnsuback, Code: code}
		}
	}
	if errors.Is(o.err, ErrNotConnected) {
		return nil
	}
	return o.err
}
