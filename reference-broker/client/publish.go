package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	core "mqttlab/reference-broker/core/client"
	"mqttlab/reference-broker/mqtt"
)

// Ack is the Server's answer to a message.
type Ack struct {
	// ReasonCode is that of PUBACK or PUBREC: Success or, in 5.0, NoMatchingSubscribers where the Server tells. Success for QoS 0.
	ReasonCode mqtt.ReasonCode
}

// op is something the application waits for: a message, a SUBSCRIBE or an UNSUBSCRIBE.
type op struct {
	publish mqtt.Publish  // the machine's until the op is settled
	sub     *Subscription // SUBSCRIBE
	done    chan struct{} // closed when settled
	code    mqtt.ReasonCode
	codes   []mqtt.ReasonCode // of SUBACK and UNSUBACK
	err     error
}

func (o *op) settle(code mqtt.ReasonCode, codes []mqtt.ReasonCode, err error) {
	o.code, o.codes, o.err = code, codes, err
	close(o.done)
}

// settleOnce is settle for an op that may be settled.
func (o *op) settleOnce(err error) {
	select {
	case <-o.done:
	default:
		o.settle(0, nil, err)
	}
}

// Publish sends m and returns when the Server has acknowledged it: QoS 1 with PUBACK, QoS 2 with PUBCOMP, QoS 0 when it was handed to the Network
// Connection. It waits while the queue is full or, for QoS 1 and 2, while there is no connection. The package comment says what each error means.
// m may be used again after it returned, whatever the outcome.
func (c *Client) Publish(ctx context.Context, m *Message) (Ack, error) {
	o := &op{done: make(chan struct{})}
	m.publish(&o.publish)
	if err := c.submitOrJoin(o); err != nil {
		return Ack{}, err
	}
	if err := c.persist(); err != nil {
		return Ack{}, err
	}
	select {
	case <-o.done:
		return Ack{ReasonCode: o.code}, o.err
	case <-ctx.Done():
	}
	return c.leave(ctx, o)
}

// own copies what the message shares with the application.
func (o *op) own() {
	p := &o.publish
	p.Payload, p.CorrelationData = bytes.Clone(p.Payload), bytes.Clone(p.CorrelationData)
	p.UserProperties = slices.Clone(p.UserProperties)
}

// submitOrJoin submits a message, or lets it wait in line while the queue is full.
func (c *Client) submitOrJoin(o *op) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := ErrQueueFull
	if len(c.line.ops) == 0 {
		err = c.submit(o)
		c.carryOut()
	} else if c.closing {
		err = c.closedErr()
	}
	if errors.Is(err, ErrQueueFull) {
		c.line.ops = append(c.line.ops, o)
		return nil
	}
	return err
}

// submit hands a message to the machine; carryOut has to follow. c.mu is held.
func (c *Client) submit(o *op) error {
	if c.closing {
		return c.closedErr()
	}
	if c.link != nil && len(c.link.out) > maxUnwritten {
		return ErrQueueFull
	}
	c.token++
	now := time.Now()
	if err := c.m.Publish(now, c.token, &o.publish); err != nil {
		return err
	}
	c.journal.take(c.token, &o.publish, now)
	c.ops[c.token] = o
	return nil
}

func (c *Client) closedErr() error {
	if err := c.Err(); err != nil && !errors.Is(err, ErrClosed) {
		return fmt.Errorf("client ended: %w", err)
	}
	return ErrClosed
}

// Pending is a message that Enqueue took.
type Pending op

// Enqueue takes m and returns at once, or with a Store of Options when the message is in it; the message survives lost connections, and with a
// Store the process. The error is ErrQueueFull, ErrClosed, *InvalidError, or ErrNotConnected for QoS 0; then nothing was taken. After
// ErrNotKept the client has ended. m may be used again at once.
func (c *Client) Enqueue(m *Message) (*Pending, error) {
	o := &op{done: make(chan struct{})}
	m.publish(&o.publish)
	o.own()
	c.mu.Lock()
	err := c.submit(o)
	if err == nil {
		c.carryOut()
	}
	c.mu.Unlock()
	if err == nil {
		err = c.persist()
	}
	if err != nil {
		return nil, err
	}
	return (*Pending)(o), nil
}

// Message returns a copy of the message.
func (p *Pending) Message() *Message { return received(new(Message), &p.publish, nil) }

// Done returns a channel that is closed when the outcome is known.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Wait returns the outcome as Publish does, or ErrUnderWay when ctx ends first.
func (p *Pending) Wait(ctx context.Context) (Ack, error) {
	select {
	case <-p.done:
		return Ack{ReasonCode: p.code}, p.err
	case <-ctx.Done():
		return Ack{}, fmt.Errorf("%w: %w", ErrUnderWay, ctx.Err())
	}
}

// finished settles the op that a Done of the machine names. c.mu is held.
func (c *Client) finished(a *core.Action) {
	o, ok := c.ops[a.Token]
	if !ok {
		return
	}
	delete(c.ops, a.Token)
	c.tellChange()
	if o.sub != nil {
		c.subscribed(o, a)
		return
	}
	var codes []mqtt.ReasonCode
	if p, ok := a.Packet.(*mqtt.Unsuback); ok {
		codes = p.ReasonCodes
	}
	o.settle(a.Code, codes, a.Err)
}
